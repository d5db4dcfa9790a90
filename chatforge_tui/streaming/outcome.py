"""How a request came to its end, and the turn state that follows. Pure: one small table in functions."""

import math

from msgspec import Struct

from chatforge_tui.domain.events import Canceled, Failed, Finished, TerminalEvent, WaitingForUser
from chatforge_tui.domain.turn import TurnProblem, TurnState
from chatforge_tui.errors import ChatForgeError, EndpointError, LimitExceeded, StreamLost, TaskForgotten
from chatforge_tui.streaming.cancellation import CancelReason

_AGAIN = "Send the prompt again to go on."
_ASK = "The agent may still be at work on it: /continue asks for the rest."
_LATER = "The task is asked for at the next start."


class Outcome(Struct, frozen=True, gc=False):
    """The end of a turn, decided once."""

    state: TurnState
    """Never a live one."""
    finish_reason: str = ""
    problem: TurnProblem | None = None
    question: WaitingForUser | None = None
    """What the agent asks; only with WAITING."""
    warning: str = ""
    """A line that joins the turn beside its answer; "" for none."""


BROKEN = Outcome(
    TurnState.FAILED,
    problem=TurnProblem("internal", "ChatForge made a mistake in this turn; the log says where.", _AGAIN),
)
"""An exception that nobody foresaw."""


def cut() -> StreamLost:
    """Return what a stream that simply ended comes to."""
    return StreamLost("The stream ended before the agent said it was done.", hint=_AGAIN)


def outcome_of_event(event: TerminalEvent) -> Outcome:
    """Return what the protocol's own last word leads to."""
    match event:
        case Finished(reason):
            return Outcome(TurnState.COMPLETE, finish_reason=reason)
        case WaitingForUser():
            return Outcome(TurnState.WAITING, question=event)
        case Canceled(message):
            said = f"The agent canceled the task: {message}" if message else "The agent canceled the task."
            return Outcome(TurnState.ABORTED, problem=TurnProblem("canceled", said))
        case Failed(problem):
            return Outcome(TurnState.FAILED, problem=problem)


def outcome_of_error(error: ChatForgeError) -> Outcome:
    """Return what an error leads to; its class says whether the turn failed or was interrupted."""
    if not isinstance(error, EndpointError):
        return Outcome(TurnState.FAILED, problem=TurnProblem(error.kind, str(error), error.hint))
    asked = f"The server asks to wait {_span(error.retry_after)}." if error.retry_after else ""
    hint = f"{error.hint} {asked}".strip()
    return Outcome(TurnState(error.state), problem=TurnProblem(error.kind, str(error), hint))


def outcome_of_silence(error: ChatForgeError) -> Outcome:
    """Return what it leads to when nothing of a prompt could leave: it waits."""
    return Outcome(TurnState.UNSENT, problem=TurnProblem(error.kind, str(error), error.hint))


def outcome_of_loss(error: ChatForgeError) -> Outcome:
    """Return what it leads to when a task that was lost cannot be read on with: its text stays."""
    if isinstance(error, LimitExceeded):
        return outcome_of_error(error)
    hint = error.hint if isinstance(error, TaskForgotten) else _ASK
    return Outcome(TurnState.INTERRUPTED, problem=TurnProblem(error.kind, str(error), hint))


def outcome_of_stop(reason: CancelReason, warning: str = "", *, has_task: bool = False) -> Outcome:
    """Return what stopping a request leads to. Being stopped by its user is no problem to report.

    Args:
        reason: why it was stopped.
        warning: a line that joins the turn.
        has_task: the agent works on, and can be asked for the rest.
    """
    match reason:
        case CancelReason.USER | CancelReason.SUPERSEDED | CancelReason.DELETED:
            return Outcome(TurnState.ABORTED, warning=warning)
        case CancelReason.SHUTDOWN:
            hint = _LATER if has_task else _AGAIN
            problem = TurnProblem("shutdown", "ChatForge was closed before the answer was complete.", hint)
            return Outcome(TurnState.INTERRUPTED, problem=problem, warning=warning)
        case CancelReason.HANDED_OVER:
            said = "Another ChatForge took this session over before the answer was complete."
            problem = TurnProblem("handed-over", said, _ASK if has_task else _AGAIN)
            return Outcome(TurnState.INTERRUPTED, problem=problem, warning=warning)
        case CancelReason.TIMEOUT:
            problem = TurnProblem("timeout", "The turn took longer than the settings allow.", _AGAIN)
            return Outcome(TurnState.INTERRUPTED, problem=problem, warning=warning)


def _span(seconds: float) -> str:
    """Return a length of time in the largest unit of which there are at least two: "45 s", "5 min", "12 h", "30 days"."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{math.ceil(seconds / size)} {unit}"
    return f"{math.ceil(seconds)} s"
