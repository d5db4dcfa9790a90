"""The form that an agent asks the user to fill in, above the composer.

Owns the fields and what has been typed into them; the pane keeps it while another session is in front. Esc goes back
to the composer and loses nothing. Checking the answers is form_answers' work, sending them the app's.
"""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static, TextArea

from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.safety.clean import clean, clean_line
from chatforge_tui.ui.form_answers import FormAnswers, check_form
from chatforge_tui.ui.widgets.entry import Entry, LongEntry, Tick


class FieldRow(Vertical):
    """One question: label, description, the place for the answer, and what is wrong with it."""

    DEFAULT_CSS = """
    FieldRow {
        height: auto;
        margin-bottom: 1;
        & .field--problem { color: $error; display: none; }
        &.-wrong .field--problem { display: block; }
        & TextArea { height: 4; border: none; background: $surface; }
        & Input, & Select { background: $surface; }
        & Checkbox { border: none; padding: 0; background: transparent; }
    }
    """

    def __init__(self, question: FormField, typed: str | bool | None) -> None:
        """Show a question, with what was typed before (None: the field's default)."""
        super().__init__()
        self.question = question
        self._typed = _default(question) if typed is None else typed
        self.problem = Static("", classes="field--problem", markup=False)

    def compose(self) -> ComposeResult:
        """Lay out label, answer and problem."""
        label = clean_line(self.question.label or self.question.name)
        if self.question.kind is not FieldKind.BOOLEAN:
            needed = Content.styled("" if self.question.required else "  optional", "$text-muted")
            yield Static(Content.styled(label, "bold") + needed, markup=False)
        if self.question.description:
            yield Static(Content.styled(clean(self.question.description), "$text-muted"), markup=False)
        yield self._answer(label)
        yield self.problem

    def _answer(self, label: str) -> Widget:
        text, hint = str(self._typed), clean_line(self.question.placeholder)
        match self.question.kind:
            case FieldKind.BOOLEAN:
                return Tick(Content(label), value=bool(self._typed), compact=True)
            case FieldKind.SELECT if self.question.options:
                options = [(Content(clean_line(option)), option) for option in dict.fromkeys(self.question.options)]
                chosen = text if text in self.question.options else Select.NULL
                return Select(options, value=chosen, prompt="choose", compact=True)
            case FieldKind.TEXTAREA:
                area = LongEntry(clean(text), placeholder=Content(hint), tab_behavior="focus", compact=True)
                area.cursor_blink = False
                return area
            case kind:
                entry = Entry(clean_line(text), placeholder=hint, password=kind is FieldKind.PASSWORD, compact=True)
                entry.cursor_blink = False
                return entry

    @property
    def answer(self) -> str | bool:
        """What the user has typed or chosen."""
        widget = self.query_one("Checkbox, Select, TextArea, Input", Widget)
        if isinstance(widget, Checkbox):
            return widget.value
        if isinstance(widget, TextArea):
            return widget.text
        if isinstance(widget, Input):
            return widget.value
        value: object = widget.value if isinstance(widget, Select) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - Select's type parameter is lost in a query
        return value if isinstance(value, str) else ""

    def tell(self, problem: str) -> None:
        """Show what is wrong; "" when nothing is."""
        self.problem.update(Content(problem))
        self.set_class(bool(problem), "-wrong")


class FormPanel(VerticalScroll, can_focus=False):
    """A whole form. Mounted while the session in front waits for one."""

    DEFAULT_CSS = """
    FormPanel {
        height: auto;
        max-height: 75%;
        padding: 0 3 0 3;
        background: $background;
        border-top: solid $warning;
        scrollbar-size-vertical: 1;
        & #form-description { color: $text-muted; margin-bottom: 1; }
        & #form-title { text-style: bold; }
        & Button { width: auto; min-width: 10; }
    }
    """

    class Submitted(Message):
        """The form can be sent as it is."""

        def __init__(self, form: Form, answers: FormAnswers) -> None:
            self.form = form
            self.answers = answers
            super().__init__()

    class Left(Message):
        """Esc: back to the composer; what was typed stays."""

    def __init__(self, form: Form, typed: dict[str, str | bool]) -> None:
        """Show a form.

        Args:
            form: what to ask.
            typed: what has been typed before, field name to answer; kept up to date here.
        """
        super().__init__()
        self.form = form
        self._typed = typed

    def compose(self) -> ComposeResult:
        """Lay out title, fields and the button."""
        yield Static(Content(clean_line(self.form.title) or "The agent asks"), id="form-title", markup=False)
        about = clean(self.form.description)
        hint = "Tab next field, Esc back to the prompt."
        yield Static(Content(f"{about}\n{hint}" if about else hint), id="form-description", markup=False)
        for question in self.form.fields:
            yield FieldRow(question, self._typed.get(question.name))
        yield Button("Send answers", variant="primary", compact=True, id="form-send")

    def focus_first(self) -> None:
        """Put the cursor into the first field."""
        first = next((widget for row in self._rows() for widget in row.query("*") if widget.focusable), None)
        if first is not None:
            first.focus()

    def keep(self) -> None:
        """Hand what has been typed so far to the pane."""
        for row in self._rows():
            if row.is_mounted:
                self._typed[row.question.name] = row.answer

    def key_escape(self) -> None:
        """Leave; nothing is lost."""
        self.keep()
        self.post_message(self.Left())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the next field, and from the last one sends."""
        event.stop()
        rows = list(self._rows())
        if event.input in rows[-1].query(Input):
            self._submit()
        else:
            self.screen.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Send."""
        event.stop()
        self._submit()

    def _rows(self) -> Iterator[FieldRow]:
        return iter(self.query(FieldRow))

    def _submit(self) -> None:
        """Check everything; tell what is wrong beside each field, or hand the answers on."""
        self.keep()
        answers = check_form(self.form, self._typed)
        wrong: FieldRow | None = None
        for row in self._rows():
            problem = answers.problems.get(row.question.name, "")
            row.tell(problem)
            wrong = wrong or (row if problem else None)
        if wrong is None:
            self.post_message(self.Submitted(self.form, answers))
        else:
            wrong.query_one("Checkbox, Select, TextArea, Input", Widget).focus()


def _default(question: FormField) -> str | bool:
    if question.kind is FieldKind.BOOLEAN:
        return question.default.strip().lower() in {"true", "yes", "1", "on"}
    return question.default
