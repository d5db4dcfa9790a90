"""What noting_program.py noted of one life of the program: which text it had received when, and how its commits went.

Here lateness is judged as the durability contract words it, from the program's receipt of a text: how long before the
kill the oldest byte came of which the disk does not have the text.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple


class Receipts:
    """The notes of one life."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self._texts: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
        """Turn → (length of its text with this piece, when its oldest byte came, when the store was given it), in order."""
        self._work: list[tuple[float, float]] = []
        """When each piece of work of the store's thread, a commit or a chore, began and ended."""
        self._begun: float | None = None
        """When it began what it is at."""

    def read(self) -> "Receipts":
        """Read on; a line that the kill cut is nothing."""
        if self._file.exists():
            with self._file.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._offset += len(whole)
            for kind, *words in map(json.loads, whole.splitlines()):
                if kind == "text":
                    self._texts[words[0]].append((words[1], words[2], words[3]))
                elif kind == "begin":
                    self._begun = words[1]
                else:
                    self._work.append((words[1], words[2]))
                    self._begun = None
        return self

    def growing(self, since: float) -> int:
        """Return of how many turns text came since this moment."""
        return sum(bool(pieces) and pieces[-1][1] >= since for pieces in self._texts.values())

    def late(self, killed: float, stored: dict[str, int]) -> "Late":
        """Return what of the text that had been there at the kill the disk does not have.

        Args:
            killed: when the program was killed, by the monotonic clock.
            stored: turn → length of its text on disk.
        """
        oldest = (killed, killed)
        for turn_id, pieces in self._texts.items():
            missing: tuple[float, float] | None = None
            for length, came, given in pieces:
                if length <= stored.get(turn_id, 0):
                    missing = None
                elif missing is None:
                    missing = (came, given)
            oldest = min(oldest, missing or oldest)
        return Late(killed - oldest[0], killed - oldest[1])

    def work_ms(self, killed: float) -> list[float]:
        """Return how long each commit and chore took in milliseconds, in order; the last may be what the kill cut."""
        cut = [(self._begun, killed)] if self._begun is not None else []
        return [(end - began) * 1_000 for began, end in (*self._work, *cut)]


class Late(NamedTuple):
    """Since when, before the kill, there had been text that the disk does not have: seconds, 0 when it has all."""

    came_s: float
    """Since its oldest byte came off the socket."""
    given_s: float
    """Since the store was given it."""
