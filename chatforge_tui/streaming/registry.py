"""Which request is live in which session. The only map from a session to its streaming state.

Only `begin` makes an entry, `get` looks one up and never makes one (a late byte must not revive a deleted session), and
`release` compares before it deletes (the end of an old request must not remove its successor's entry).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded with the first worker
    from chatforge_tui.domain.ids import RequestId, SessionId
    from chatforge_tui.streaming.streaming_state import StreamingState


class StreamingRegistry:
    """At most one live request a session."""

    __slots__ = ("_live",)

    def __init__(self) -> None:
        """Start with nothing live."""
        self._live: dict[SessionId, StreamingState] = {}

    def __len__(self) -> int:
        """Return the number of sessions with a live request."""
        return len(self._live)

    def begin(self, state: StreamingState) -> None:
        """Make this the live request of its session. What was live there is not current any more."""
        self._live[state.head.session_id] = state

    def get(self, session_id: SessionId) -> StreamingState | None:
        """Return the session's live state; None when nothing is live."""
        return self._live.get(session_id)

    def is_current(self, session_id: SessionId, request_id: RequestId) -> bool:
        """Whether what arrives under this request id may still change the session."""
        state = self._live.get(session_id)
        return state is not None and state.head.request_id == request_id and state.token.reason is None

    def release(self, state: StreamingState) -> bool:
        """Remove the entry if it is still this state's.

        Returns:
            Whether it was.
        """
        if self._live.get(state.head.session_id) is not state:
            return False
        del self._live[state.head.session_id]
        return True
