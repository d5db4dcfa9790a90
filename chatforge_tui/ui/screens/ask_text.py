"""A question with a line of text as its answer: the new title of a session, the file to import."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from chatforge_tui.safety.clean import clean_line
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.widgets.entry import Entry


class AskTextScreen(Dialog[str]):
    """Gives the text, stripped; Esc gives nothing."""

    def __init__(self, title: str, text: str, *, placeholder: str = "", done: str = "Enter keeps it") -> None:
        """Ask under this title, with `text` to start from; `done` says what Enter does."""
        super().__init__()
        self._title, self._text, self._placeholder, self._done = title, text, placeholder, done

    def compose(self) -> ComposeResult:
        """Lay out title and entry."""
        with Vertical(classes="dialog--box"):
            yield self.title_line(self._title)
            entry = Entry(clean_line(self._text), placeholder=self._placeholder, compact=True)
            entry.cursor_blink = False
            yield entry
            yield self.hint_line(f"{self._done}, Esc leaves everything as it was")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the answer."""
        self.dismiss(event.value.strip())
