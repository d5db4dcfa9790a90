"""A question with two answers."""

from collections.abc import Callable
from typing import ClassVar

from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from chatforge_tui.ui.screens.dialog import Dialog


class ConfirmScreen(Dialog[bool]):
    """Gives True for yes; Esc, and the second button, give nothing or False."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", show=False),
        Binding("n", "no", show=False),
        Binding("left,right", "app.focus_next", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "confirm.tcss"]

    def __init__(self, title: str, text: str, *, yes: str, no: str) -> None:
        """Ask. All texts are the program's own, or cleaned.

        Args:
            title: the question.
            text: one or two sentences: what happens.
            yes: what the first button does.
            no: what the second does.
        """
        super().__init__()
        self._title, self._text, self._yes, self._no = title, text, yes, no

    def compose(self) -> ComposeResult:
        """Lay out question and buttons."""
        with Vertical(classes="dialog--box"):
            yield self.title_line(self._title)
            yield Static(Content(self._text), id="question", markup=False)
            with Horizontal(id="answers"):
                yield Button(Content(self._yes), variant="primary", compact=True, id="yes")
                yield Button(Content(self._no), compact=True, id="no")
            yield self.hint_line("Enter chooses, y yes, n no, Esc back")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button."""
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        """Answer as the first button does."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Answer as the second button does."""
        self.dismiss(False)


class RunningQuestion(ConfirmScreen):
    """A question about the answers that run. It follows them: one that ends while it is read makes its words untrue."""

    def __init__(
        self, title: str, count: Callable[[], int], words: Callable[[int], tuple[str, str] | None], *, no: str
    ) -> None:
        """Ask. All texts are the program's own.

        Args:
            title: the question.
            count: returns how many answers run.
            words: for that number what happens and what the first button does; None when there is nothing left to ask.
            no: what the second button does.
        """
        self._count, self._words = count, words
        text, yes = words(count()) or ("", "")
        super().__init__(title, text, yes=yes, no=no)

    def redraw(self) -> None:
        """Say it anew; called when something about the sessions changed."""
        said = self._words(self._count())
        if said is None:
            self.dismiss(None)
        elif self.is_mounted:
            text, yes = said
            self.query_one("#question", Static).update(Content(text))
            self.query_one("#yes", Button).label = Content(yes)
