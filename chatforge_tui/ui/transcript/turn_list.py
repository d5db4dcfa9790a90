"""The turns of a transcript in their order, what each weighs, and how high each is as far as that is known. Nothing is laid out."""

from array import array
from collections.abc import Iterable, Sequence

from chatforge_tui.domain.ids import TurnId
from chatforge_tui.domain.turn import Turn
from chatforge_tui.ui.transcript.heights import TurnHeights
from chatforge_tui.ui.transcript.weight import weigh


class TurnList:
    """Turns as they were loaded or ended, found by their number or id."""

    __slots__ = ("_characters", "_index", "_lines", "_turns", "_width", "heights", "memory")

    def __init__(self, turns: Sequence[Turn], width: int) -> None:
        """Hold these turns.

        Args:
            turns: in their order.
            width: columns, > 0, that heights are estimated for.
        """
        self._turns = list(turns)
        self._index: dict[TurnId, int] = {}
        self._lines, self._characters, self.memory = _weigh(turns)
        """Of each turn, and the bytes of all: arrays, for an object a turn would be 10,000 at once."""
        self.heights = TurnHeights()
        """Lines of each turn; an estimate for those that nobody has corrected."""
        self.estimate(width)
        self._count_from(0)

    def __len__(self) -> int:
        return len(self._turns)

    def __getitem__(self, at: int) -> Turn:
        return self._turns[at]

    def find(self, turn_id: TurnId) -> int | None:
        """Return the number of a turn; None when it is not here."""
        return self._index.get(turn_id)

    def characters(self, at: int) -> int:
        """Return how many characters of a turn are wrapped into lines."""
        return self._characters[at]

    def estimate(self, width: int) -> None:
        """Estimate all heights for another width."""
        self._width = width
        self.heights = TurnHeights(self._heights_of(self._lines, self._characters))

    def estimate_one(self, at: int) -> None:
        """Estimate the height of one turn."""
        self.heights.put(at, self._lines[at] + self._characters[at] // self._width)

    def missing(self, turns: Sequence[Turn]) -> list[Turn]:
        """Return those of some turns that are not here."""
        return [turn for turn in turns if turn.head.turn_id not in self._index]

    def place_for(self, turn: Turn) -> int:
        """Return where a new turn goes: at the end, but before what waits to be sent."""
        at = len(self._turns)
        while at and self._turns[at - 1].head.ordinal > turn.head.ordinal:
            at -= 1
        return at

    def insert(self, at: int, turns: Sequence[Turn]) -> None:
        """Take turns before the one that has this number."""
        lines, characters, memory = _weigh(turns)
        self._turns[at:at], self._lines[at:at], self._characters[at:at] = turns, lines, characters
        self.heights.insert(at, self._heights_of(lines, characters))
        self.memory += memory
        self._count_from(at)

    def replace(self, at: int, turn: Turn) -> None:
        """Take what a turn has become. Its height stays."""
        weight = weigh(turn)
        self.memory += weight.memory - weigh(self._turns[at]).memory
        self._turns[at], self._lines[at], self._characters[at] = turn, weight.lines, weight.characters

    def remove(self, at: int) -> None:
        """Drop a turn."""
        del self._index[self._turns[at].head.turn_id]
        self.memory -= weigh(self._turns[at]).memory
        del self._turns[at], self._lines[at], self._characters[at]
        self.heights.remove(at)
        self._count_from(at)

    def _count_from(self, begin: int) -> None:
        for at in range(begin, len(self._turns)):
            self._index[self._turns[at].head.turn_id] = at

    def _heights_of(self, lines: Iterable[int], characters: Iterable[int]) -> list[int]:
        width = self._width
        return [own + wrapped // width for own, wrapped in zip(lines, characters, strict=True)]


def _weigh(turns: Sequence[Turn]) -> "tuple[array[int], array[int], int]":
    """Return lines and characters of each turn, and the bytes that all of them take: see Weight."""
    lines, characters, memory = array("L"), array("L"), 0
    for turn in turns:
        weight = weigh(turn)
        lines.append(weight.lines)
        characters.append(weight.characters)
        memory += weight.memory
    return lines, characters, memory
