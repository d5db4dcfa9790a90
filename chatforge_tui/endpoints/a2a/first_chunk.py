"""Finds out whether the first chunk after a snapshot of a task is in the snapshot already.

a2a-sdk 1.3.0 takes the snapshot and begins to listen at two moments: a chunk between them comes once more. Chunks carry no
number, so the task as it stands is asked for where a chunk's text would fit into the snapshot.
"""

from collections.abc import Awaitable, Callable

from chatforge_tui.domain.events import StreamEvent, TextBegun, TextDelta


class FirstChunk:
    """Looks at the events after a snapshot until it is sure."""

    def __init__(self, text_now: Callable[[], Awaitable[str]]) -> None:
        """Have seen nothing yet; `text_now` asks for the answer as the task has it."""
        self._text_now = text_now
        self._told = ""
        self._begins_another = False
        self.is_past = False
        """It was told: what comes now is new."""

    async def repeats(self, event: StreamEvent) -> bool:
        """Return whether an event tells what was told already."""
        match event:
            case TextBegun():  # an artifact of the snapshot, or one that begins: what is there already begins none
                self._begins_another = True
            case TextDelta(text) if not self.is_past:
                is_chunk = bool(self._told) and not self._begins_another
                if is_chunk and await self._has(text):
                    return True
                self.is_past, self._told, self._begins_another = is_chunk, self._told + text, False
            case _:
                pass
        return False

    async def _has(self, text: str) -> bool:
        """Whether the snapshot has the text, going by the task as it stands now."""
        if text not in self._told:
            return False
        whole = await self._text_now()
        return whole.startswith(self._told) and not whole.startswith(self._told + text)
