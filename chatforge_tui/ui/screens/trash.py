"""The trash: deleted sessions, to bring back or to delete for good.

Owns the list; what happens to a session is the caller's, who tells of it with `forget`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.line_drawing import shorten
from chatforge_tui.ui.screens.dialog import Dialog

UNTITLED = "Untitled session"


class TrashScreen(Dialog[SessionId]):
    """Gives the session to bring back; Esc gives nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "restore", show=False),
        Binding("D", "delete", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "sessions_board.tcss"]

    def __init__(self, heads: Sequence[SessionHead], *, days: int, delete: Callable[[SessionHead], None]) -> None:
        """Show these sessions, the one deleted last first.

        Args:
            heads: all that are in the trash.
            days: after which they are gone for good; 0 = never.
            delete: deletes one for good, after asking.
        """
        super().__init__()
        self._heads = sorted(heads, key=lambda head: head.trashed or 0, reverse=True)
        self._days, self._delete = days, delete

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        stay = (
            f"Sessions stay here for {self._days} days." if self._days else "Sessions stay here until you delete them."
        )
        with Vertical(classes="dialog--box"):
            yield self.title_line("Trash")
            yield Static(Content.styled(stay, "$text-muted"), markup=False)
            yield OptionList(compact=True, markup=False)
            yield self.hint_line("Enter or u brings it back, D deletes it for good, Esc back")

    def on_mount(self) -> None:
        """Show the list."""
        self.call_after_refresh(self._show)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the lines to the new width."""
        del event
        self.call_after_refresh(self._show)

    def on_option_list_option_selected(self) -> None:
        """Bring the session back."""
        self.action_restore()

    def forget(self, session_id: SessionId) -> None:
        """A session is gone for good; when it was the last one, so is the screen."""
        self._heads = [head for head in self._heads if head.session_id != session_id]
        if self._heads:
            self._show()
        else:
            self.dismiss(None)

    def action_restore(self) -> None:
        """Bring the chosen session back."""
        if (head := self._chosen) is not None:
            self.dismiss(head.session_id)

    def action_delete(self) -> None:
        """Delete the chosen session for good."""
        if (head := self._chosen) is not None:
            self._delete(head)

    @property
    def _chosen(self) -> SessionHead | None:
        place = self.query_one(OptionList).highlighted or 0  # None: a key came before the list was laid out
        return self._heads[place] if place < len(self._heads) else None

    def _show(self) -> None:
        listing = self.query_one(OptionList)
        place = listing.highlighted or 0
        room = max(listing.scrollable_content_region.width - 3, 30)
        listing.clear_options().add_options([Option(_line(head, room)) for head in self._heads])
        listing.highlighted = min(place, len(self._heads) - 1) if self._heads else None


def _line(head: SessionHead, room: int) -> Content:
    when = f"{datetime.fromtimestamp(head.trashed).astimezone():%d %b %H:%M}" if head.trashed else ""
    facts = f"{shorten(clean_name(head.endpoint.name), 18):<18}  {when:>12}" if room >= 60 else f"{when:>12}"
    shown = shorten(clean_name(head.title) or UNTITLED, room - len(facts) - 2)
    gap = " " * (room - len(facts) - cell_len(shown))
    return Content.assemble(shown, gap, Content.styled(facts, "$text-muted"))
