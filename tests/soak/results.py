"""What a soak measured, run by run, as it happens: one JSON object a line, and a summary at the end."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Results:
    """Where the figures go: to standard error, and to a directory if one is named."""

    def __init__(self, directory: Path | None, name: str = "") -> None:
        """Write to `NAME.jsonl` and `NAME-summary.json` in the directory, which is made."""
        self._directory = directory
        self._name = name
        self._count = 0
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"{name}.jsonl").write_text("")

    def add(self, **figures: Any) -> None:
        """Write the figures of one run."""
        self._count += 1
        line = json.dumps({"run": self._count, "at": time.strftime("%H:%M:%S", time.gmtime()), **figures})
        sys.stderr.write(line + "\n")
        if self._directory is not None:
            with (self._directory / f"{self._name}.jsonl").open("a") as file:
                file.write(line + "\n")

    def end(self, summary: dict[str, Any], faults: Sequence[str]) -> None:
        """Write what all runs came to."""
        if self._directory is not None:
            text = json.dumps({**summary, "what": list(faults)}, indent=1, ensure_ascii=False)
            (self._directory / f"{self._name}-summary.json").write_text(text + "\n")


@dataclass
class Tally:
    """What all runs of a soak came to: its figures, and what went wrong."""

    faults: list[str] = field(default_factory=list[str])

    def summary(self) -> dict[str, Any]:
        """Return the figures by their names."""
        raise NotImplementedError

    def note_fault(self, where: str, what: str) -> None:
        """Add a fault, and say it at once."""
        self.faults.append(f"{where}: {what}")
        sys.stderr.write(f"{self.faults[-1]}\n")

    def __str__(self) -> str:
        return "\n".join([*(f"{name}: {value}" for name, value in self.summary().items()), *self.faults])


def quantile(values: Sequence[float]) -> list[float]:
    """Return median, 95th percentile and largest, rounded; nothing of nothing."""
    if not values:
        return []
    ordered = sorted(values)
    return [round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) for share in (0.5, 0.95, 1.0)]
