"""What time it is, for times that are shown and stored. Waiting is the event loop's business."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Return Unix seconds (UTC)."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return Unix seconds (UTC)."""
        return time.time()
