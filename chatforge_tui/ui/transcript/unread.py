"""What is unread of a transcript, because it came while the view was on another session's: a divider stands where it begins."""

from chatforge_tui.ui.transcript.layouts import Layouts
from chatforge_tui.ui.transcript.turn_layout import Written


class Unread:
    """How much there was when the view went elsewhere, by the numbers that the turns have now."""

    __slots__ = ("_layouts", "_left_with", "_read", "first")

    def __init__(self, layouts: Layouts) -> None:
        """Nothing is unread. `layouts`: where dividers are drawn."""
        self._layouts = layouts
        self.first: int | None = None
        """The first turn that is unread: a divider stands above it."""
        self._left_with: int | None = None  # number of turns when the view went elsewhere
        self._read: tuple[int, Written] | None = None  # the turn that was being written then, and how far it was

    def leave(self, turns: int, live: int | None) -> None:
        """The view goes elsewhere: remember how much there is.

        Args:
            turns: number of turns.
            live: the turn that is being written; None without one.
        """
        self._left_with = turns
        for layout in self._layouts:
            layout.forget_unread()
        layout = None if live is None else self._layouts.get(live)
        self._read = None if live is None or layout is None else (live, layout.written)

    def enter(self, turns: int) -> bool:
        """The view is back: divide the turn that was being written where it went on, or the turns before the first new one.

        Args:
            turns: number of turns.

        Returns:
            Whether another turn has a divider above it now.
        """
        left_with, self._left_with = self._left_with, None
        first = left_with if left_with and left_with < turns else None
        if self._divide_live():
            first = None
        if first == self.first:
            return False
        for at in (self.first, first):
            if at is not None and (layout := self._layouts.get(at)) is not None:
                layout.set_unread(at == first)
        self.first = first
        return True

    def catch_up(self) -> None:
        """All turns have come: where the view is back already, what it missed of the turn that was being written is here."""
        if self._left_with is None:
            self._divide_live()
            self._read = None

    def shift(self, begin: int, by: int, turns: int) -> None:
        """Turns have come, or one has gone (-1), at `begin`; so many are left."""
        if self.first is not None and self.first >= begin:
            self.first = min(self.first + by, turns)
        if self._left_with is not None and self._left_with > begin:
            self._left_with += by
        if self._read is not None and self._read[0] >= begin:
            is_gone = by < 0 and self._read[0] == begin
            self._read = None if is_gone else (self._read[0] + by, self._read[1])

    def _divide_live(self) -> bool:
        """Draw a divider in the turn that went on meanwhile, once it is known how it went on; return whether it did."""
        if self._read is None:
            return False
        at, written = self._read
        layout = self._layouts.get(at)
        return layout is not None and layout.mark_unread(written)
