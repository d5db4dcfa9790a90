"""The line in which the transcript of the session in front is searched. It asks; the transcript view finds."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from chatforge_tui.ui.widgets.entry import Entry


class SearchBar(Horizontal):
    """Shown while somebody searches; Esc ends the search and gives the composer the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", show=False),
        Binding("up", "step(-1)", show=False),
        Binding("escape", "leave", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    SearchBar {
        height: 1;
        display: none;
        & > #search-label { width: 8; padding: 0 1; color: $text-muted; }
        & > Input { width: 1fr; background: $surface; }
        & > #search-count { width: auto; min-width: 44; padding: 0 1; color: $text-muted; text-align: right; }
    }
    """

    class Changed(Message):
        """Other words are searched."""

        def __init__(self, words: str) -> None:
            self.words = words
            super().__init__()

    class Stepped(Message):
        """Another match is wanted."""

        def __init__(self, step: int) -> None:
            self.step = step
            """1 for the next, -1 for the one before."""
            super().__init__()

    class Left(Message):
        """The search is over."""

    def compose(self) -> ComposeResult:
        """Lay out label, entry and count."""
        yield Static("Find", id="search-label", markup=False)
        entry = Entry(placeholder="in this session", compact=True)
        entry.cursor_blink = False
        yield entry
        yield Static("", id="search-count", markup=False)

    def on_show(self) -> None:
        """Have what the program says stand above the line: it has the number of matches."""
        self.screen.add_class("-searching")

    def on_hide(self) -> None:
        """Let it stand where it stood."""
        self.screen.remove_class("-searching")

    def open(self, words: str = "") -> None:
        """Show the line and take the focus.

        Args:
            words: that have been searched already; "" = search those of the last time, chosen to be typed over.
        """
        self.display = True
        entry = self.query_one(Input)
        entry.focus()
        if words:
            with entry.prevent(Input.Changed):
                entry.value = words
        else:
            self.post_message(self.Changed(entry.value))
        entry.action_select_all()

    def tell(self, number: int, count: int) -> None:
        """Say which match is shown, of how many; for 0 of 0 what to do."""
        entry = self.query_one(Input)
        found = f"{number} of {count}" if count else "nothing found" if entry.value else ""
        hint = "Enter next, Up before, Esc back"
        self.query_one("#search-count", Static).update(Content(f"{found}  {hint}" if found else hint))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        event.stop()
        if self.display:
            self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next match."""
        event.stop()
        self.post_message(self.Stepped(1))

    def action_step(self, step: int) -> None:
        """Go to another match."""
        self.post_message(self.Stepped(step))

    def action_leave(self) -> None:
        """End the search."""
        self.display = False
        self.post_message(self.Left())
