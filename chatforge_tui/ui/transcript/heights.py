"""How high each turn of a transcript is, and so where it begins: counted anew only as far as something has changed."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate


class TurnHeights:
    """Lines of each turn, from the first one on; estimates among them."""

    __slots__ = ("_heights", "_tops")

    def __init__(self, heights: Sequence[int] = ()) -> None:
        self._heights = list(heights)
        self._tops = [0]  # where turns begin, as far as that is known to be right

    def insert(self, at: int, heights: Sequence[int]) -> None:
        """Take turns that have come before the one that was there."""
        self._heights[at:at] = heights
        self._forget_behind(at)

    def remove(self, at: int) -> None:
        """A turn is gone."""
        del self._heights[at]
        self._forget_behind(at)

    def put(self, at: int, height: int) -> None:
        """Correct the height of a turn."""
        if self._heights[at] != height:
            self._heights[at] = height
            del self._tops[at + 1 :]

    def top(self, at: int) -> int:
        """Return the line at which a turn begins; for the number of turns, the height of all."""
        tops = self._tops
        if len(tops) <= at:
            begin = len(tops) - 1
            tops.pop()
            tops.extend(accumulate(self._heights[begin:], initial=tops[-1] + self._heights[begin - 1] if begin else 0))
        return tops[at]

    def at(self, line: int) -> int:
        """Return the turn that covers a line, the first or last one for a line beyond; 0 without turns."""
        self.top(len(self._heights))
        return min(max(bisect_right(self._tops, line) - 1, 0), max(len(self._heights) - 1, 0))

    def _forget_behind(self, at: int) -> None:
        del self._tops[max(at, 1) :]
