"""What shall be exported, and where to."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from chatforge_tui.safety.clean import clean_line
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.widgets.entry import Entry

_LABELS = {
    "md": ("Markdown", "this session, to read and to edit"),
    "html": ("HTML", "this session, as one page"),
    "json": ("JSON", "this session, for programs"),
    "all": ("All sessions", "for /import on another machine"),
}


class ExportScreen(Dialog[tuple[str, str]]):
    """Gives form and file as typed; Esc gives nothing, and nothing is written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
    ]

    def __init__(self, places: Mapping[str, str], *, first: str) -> None:
        """Ask.

        Args:
            places: form -> the file that is proposed for it.
            first: the form that is chosen first.
        """
        super().__init__()
        self._places = {form: clean_line(place) for form, place in places.items()}
        self._forms = list(places)
        self._form = first

    def compose(self) -> ComposeResult:
        """Lay out forms and entry."""
        with Vertical(classes="dialog--box"):
            yield self.title_line("Export")
            lines = (_LABELS[form] for form in self._forms)
            listing = OptionList(
                *(Option(Content.assemble(f"{name:<14}", Content.styled(why, "$text-muted"))) for name, why in lines),
                compact=True,
                markup=False,
            )
            listing.can_focus = False
            yield listing
            yield Static(Content("File"), classes="dialog--label", markup=False)
            entry = Entry(self._places[self._form], placeholder="A file, or a folder that exists", compact=True)
            entry.cursor_blink = False
            yield entry
            yield self.hint_line("Up and Down choose, Enter writes it for you alone, Esc back")

    def on_mount(self) -> None:
        """Show which form is chosen."""
        self.query_one(OptionList).highlighted = self._forms.index(self._form)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another form: another file is proposed, unless the user has named one."""
        entry, before = self.query_one(Input), self._places[self._form]
        self._form = self._forms[event.option_index]
        if entry.value == before:
            entry.value = self._places[self._form]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the answer; without a file there is none."""
        if event.value.strip():
            self.dismiss((self._form, event.value.strip()))

    def action_move(self, step: int) -> None:
        """Choose the form below or above."""
        listing = self.query_one(OptionList)
        listing.highlighted = max(0, min((listing.highlighted or 0) + step, len(self._forms) - 1))
