"""Something the user has to know and cannot answer: a few sentences, to be read and left."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chatforge_tui.ui.screens.dialog import Dialog


class NoticeScreen(Dialog[bool]):
    """Gives True when it is left, by Enter or Esc; `c` copies what it says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "read", show=False),
        Binding("c,y", "copy", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "notice.tcss"]

    def __init__(self, title: str, lines: Sequence[str], copy: Callable[[str, str], None]) -> None:
        """Say it. All texts are the program's own, or cleaned.

        Args:
            title: what happened.
            lines: sentences, one paragraph each.
            copy: takes a text and what to call it.
        """
        super().__init__()
        self._title, self._lines, self._copy = title, lines, copy

    def compose(self) -> ComposeResult:
        """Lay out title, paragraphs and keys."""
        with Vertical(classes="dialog--box"):
            yield self.title_line(self._title)
            with VerticalScroll():
                yield Static(Content("\n".join(self._lines)), markup=False)
            yield self.hint_line("c copies, Enter or Esc goes on")

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one(VerticalScroll).focus()

    def action_read(self) -> None:
        """Close."""
        self.dismiss(True)

    def action_copy(self) -> None:
        """Copy what it says."""
        self._copy("\n".join(self._lines), "report")
