"""The engine's log lines: which session, which request, what happened. Never what was said."""

import logging

from chatforge_tui.domain.ids import RequestId, SessionId

_LOGGER = logging.getLogger("chatforge.sessions")


def note(
    what: str, session_id: SessionId | None, request_id: RequestId | None = None, *, level: int = logging.INFO
) -> None:
    """Log one sentence about a session's request, ids in the text and as fields of the record."""
    ids = {"session_id": session_id, "request_id": request_id}
    _LOGGER.log(level, "%s session=%s request=%s", what, session_id or "-", request_id or "-", extra=ids)


def note_mistake(what: str, session_id: SessionId, request_id: RequestId | None, error: BaseException) -> None:
    """Log a programming mistake with its traceback."""
    ids = {"session_id": session_id, "request_id": request_id}
    _LOGGER.error("%s session=%s request=%s", what, session_id, request_id or "-", extra=ids, exc_info=error)
