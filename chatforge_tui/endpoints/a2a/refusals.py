"""What a refusal of an agent means: whether the message goes in another way, and what the user reads.

A message is sent once: see endpoint.py. Owns which refusals say that nothing was done about it.
"""

from http import HTTPStatus
from typing import Final

from chatforge_tui.domain.turn import TurnProblem
from chatforge_tui.endpoints.a2a.discovery import Route
from chatforge_tui.endpoints.a2a.wire import (
    TASK_NOT_FOUND,
    UNSUPPORTED_OPERATION,
    Outgoing,
    RpcFailure,
    WireEvent,
)
from chatforge_tui.errors import HttpRejected, StreamLost, TaskForgotten
from chatforge_tui.safety.redact import redact

_MAX_QUOTE: Final = 2048
"""Most characters of an agent's own error message that are quoted."""
_TOO_BUSY: Final = frozenset({503, 529})
"""Statuses under which a server did not even begin."""

_GONE: Final = frozenset({404, 405, 410})
"""Statuses of an address that nothing answers at."""


def was_not_begun(refusal: HttpRejected) -> bool:
    """Whether a server that refuses a message says that nothing was done about it.

    Any other failure may come after the agent has begun to act: a2a-sdk 1.3.0 over HTTP+JSON answers 500 when an agent raises
    an exception.
    """
    return refusal.status < HTTPStatus.INTERNAL_SERVER_ERROR or refusal.status in _TOO_BUSY


def is_gone(refusal: HttpRejected) -> bool:
    """Whether a server says that there is nothing where the message went."""
    return refusal.status in _GONE


def sent_once(failure: HttpRejected) -> HttpRejected:
    """Return the failure of a server that may have acted on the message: nothing sends it again unasked."""
    hint = f"{failure.hint} The agent may have acted on the prompt, so it was sent only once."
    return HttpRejected(str(failure), status=failure.status, hint=hint, retry_after=failure.retry_after)


def ways_left(failure: RpcFailure, ways: list[Route], tried: Route, outgoing: Outgoing) -> list[Route]:
    """Return the ways still worth trying after the agent did not understand."""
    if failure.is_version_trouble:
        return ways
    # to an answer the same code says that the task waits no longer
    if failure.code == UNSUPPORTED_OPERATION and tried.streams and outgoing.task_id is None:
        return [way for way in ways if not way.streams]
    return []


def quoted(failure: RpcFailure) -> str:
    """Return what the agent says of it, credentials masked."""
    return redact(failure.message.strip())[:_MAX_QUOTE] or f"error {failure.code}"


def lost(reply: WireEvent | RpcFailure) -> StreamLost:
    """Return the error for an agent that does not tell how a task stands."""
    if isinstance(reply, RpcFailure) and reply.code == TASK_NOT_FOUND:
        return TaskForgotten("The agent no longer knows this task.", hint="It may have been restarted; ask it again.")
    said = f": {quoted(reply)}" if isinstance(reply, RpcFailure) else "."
    return StreamLost(f"The agent does not tell how the task went on{said}", hint="Ask it again.")


def problem_of(failure: RpcFailure, outgoing: Outgoing) -> TurnProblem:
    """Return why the agent did not answer, in its own words."""
    hint = "The agent's operator may find more in its log."
    if outgoing.task_id is not None:
        hint = "The agent may have given up its question; send this again as a new prompt."
    elif failure.is_version_trouble:
        hint = 'Set a2a_version = "0.3" or "1.0" for this endpoint if you know which one the agent speaks.'
    elif outgoing.files:
        hint = "It may not take files of this type or size."
    return TurnProblem("agent-error", f"The agent answered with an error: {quoted(failure)}", hint)
