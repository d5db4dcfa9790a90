"""The layouts of the turns that were near the screen, by the number of the turn; those longest unseen are dropped again."""

from collections.abc import Callable, Iterator

from chatforge_tui.ui.transcript.turn_layout import TurnLayout

KEPT_LAYOUTS = 200
"""Turns whose layout is kept; a turn of 700 characters takes about 10 KB."""
KEPT_CHARACTERS = 500_000
"""Characters of the turns whose layout is kept: laid out they take about 15 bytes each."""
_ALWAYS_KEPT = 24
"""Turns whose layout is kept however long they are: those in view and beside it."""


class Layouts:
    """What is laid out, whole or in part."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[int, TurnLayout] = {}  # the ones used last come last

    def __iter__(self) -> Iterator[TurnLayout]:
        return iter(self._kept.values())

    def items(self) -> list[tuple[int, TurnLayout]]:
        """Return the number of each turn that has a layout, and that."""
        return list(self._kept.items())

    def get(self, at: int) -> TurnLayout | None:
        """Return the layout of a turn; None without one."""
        return self._kept.get(at)

    def use(self, at: int) -> TurnLayout | None:
        """Return the layout of a turn, which is the last one to be dropped from here on; None without one."""
        layout = self._kept.pop(at, None)
        if layout is not None:
            self._kept[at] = layout
        return layout

    def put(self, at: int, layout: TurnLayout) -> None:
        """Keep a layout."""
        self._kept[at] = layout

    def drop(self, at: int) -> None:
        """Keep the layout of a turn no more, if there is one."""
        self._kept.pop(at, None)

    def drop_all_but_live(self) -> None:
        """Keep only those of turns that may grow: the others can be made again."""
        self._kept = {at: layout for at, layout in self._kept.items() if layout.head.state.is_live}

    def drop_old(self, characters_of: Callable[[int], int]) -> None:
        """Drop those that were unseen longest, when there are too many; never one of a turn that may grow.

        Args:
            characters_of: returns the characters of a turn.
        """
        characters = sum(map(characters_of, self._kept))
        if len(self._kept) < KEPT_LAYOUTS and characters < KEPT_CHARACTERS:
            return
        oldest = [at for at, layout in self.items()[:-_ALWAYS_KEPT] if not layout.head.state.is_live]
        for dropped, at in enumerate(oldest):
            if dropped >= KEPT_LAYOUTS // 4 and characters < KEPT_CHARACTERS * 3 // 4:
                return
            del self._kept[at]
            characters -= characters_of(at)

    def shift(self, begin: int, by: int) -> None:
        """Turns have come, or one has gone (-1), at `begin`: those behind have other numbers."""
        moved = {at: self._kept.pop(at) for at in list(self._kept) if at >= begin}
        self._kept |= {at + by: layout for at, layout in moved.items()}
