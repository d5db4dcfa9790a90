"""Tells an event that a stream delivers a second time, such as a proxy that reconnects does.

Owns what is known about the ids of one stream. An id alone proves nothing: some servers give all events of an answer the
same one. So an event counts as repeated only where ids tell events apart: two different ids were seen, and no id ever came
with different data. To say something twice is worse than nothing, to lose something is worse than that.
"""

from typing import Final

from chatforge_tui.endpoints.sse import SseEvent

_MOST: Final = 4_096
"""Ids remembered, the newest: what is repeated was said lately."""


class Repeats:
    """The ids of one stream."""

    def __init__(self) -> None:
        """Begin with none."""
        self._seen: dict[str, int] = {}
        """Id → hash of its data."""
        self._are_ids_apart = True

    def has(self, event: SseEvent) -> bool:
        """Whether this event was there already; remembers it. An event without an id of its own never was."""
        if not event.has_own_id or not self._are_ids_apart:
            return False
        digest = hash((event.event, event.data))
        known = self._seen.get(event.id)
        if known is None:
            if len(self._seen) >= _MOST:
                del self._seen[next(iter(self._seen))]
            self._seen[event.id] = digest
            return False
        if known != digest:
            self._are_ids_apart = False
            self._seen.clear()
            return False
        return len(self._seen) > 1
