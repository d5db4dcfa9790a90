"""What noting_program.py noted of one life of the program: which text it had received when, and how its commits went.

Here lateness is judged as the durability contract words it, from the program's receipt of a text: how long before the
kill the oldest byte came of which the disk does not have the text.
"""

import json
from collections import defaultdict
from pathlib import Path


class Receipts:
    """The notes of one life."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self._texts: dict[str, list[tuple[int, float]]] = defaultdict(list)
        """Turn → (length of its text with this piece, when its oldest byte came), in order."""
        self.commits: list[tuple[float, float]] = []
        """When each commit began and ended."""

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
                    self._texts[words[0]].append((words[1], words[2]))
                elif words[0]:
                    self.commits.append((words[1], words[2]))
        return self

    def growing(self, since: float) -> int:
        """Return of how many turns text came since this moment."""
        return sum(bool(pieces) and pieces[-1][1] >= since for pieces in self._texts.values())

    def late_s(self, killed: float, stored: dict[str, int]) -> float:
        """Return for how many seconds before the kill text had been there that the disk does not have.

        Args:
            killed: when the program was killed.
            stored: turn → length of its text on disk.
        """
        oldest = killed
        for turn_id, pieces in self._texts.items():
            missing: float | None = None
            for length, came in pieces:
                if length <= stored.get(turn_id, 0):
                    missing = None
                elif missing is None:
                    missing = came
            oldest = min(oldest, missing if missing is not None else killed)
        return killed - oldest

    def commit_ms(self) -> list[float]:
        """Return how long the commits took, shortest first."""
        return sorted((end - began) * 1_000 for began, end in self.commits)
