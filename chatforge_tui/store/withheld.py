"""What is said, and kept, while a store that is to be written cannot be: the way to it may open again at any time."""

from chatforge_tui.domain.changes import NOT_SAVED
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import StoreError, StoreTooNew
from chatforge_tui.store.codec import Value

NEWER = "This store was made by a newer ChatForge; it is read only here. Update ChatForge to go on."
"""What is said to who wants to change a store that is opened although a newer program made it."""


def refusal(obstacle: StoreError, *, is_read: bool) -> str:
    """Return why nothing can be changed, in one or two sentences.

    Args:
        obstacle: what came of opening the store.
        is_read: whether what is in it can be read nevertheless.
    """
    if isinstance(obstacle, StoreTooNew):
        return NEWER if is_read else f"{NOT_SAVED} {obstacle} {obstacle.hint}"
    return f"{NOT_SAVED} {obstacle} {obstacle.hint} ChatForge goes on by itself then."


class Withheld:
    """Changes of sessions that wait until they can be written: drafts and places of tabs, at most one a session."""

    def __init__(self) -> None:
        """Start with none."""
        self._columns: dict[SessionId, dict[str, Value]] = {}

    def add(self, session_id: SessionId, columns: dict[str, Value]) -> None:
        """Keep a change, together with the one that waits already; it stands last then: the last word decides."""
        self._columns[session_id] = {**self._columns.pop(session_id, {}), **columns}

    def take(self) -> dict[SessionId, dict[str, Value]]:
        """Return everything in the order of the last words, and start empty."""
        columns, self._columns = self._columns, {}
        return columns
