"""What becomes of a run when one of its tries ended without the agent's last word: another try after a pause, or its end.

When, and after which pause, retry.py says.
"""

import asyncio

from chatforge_tui.domain.ids import new_request_id
from chatforge_tui.domain.turn import TurnProblem
from chatforge_tui.errors import ChatForgeError, EndpointError, Unreachable
from chatforge_tui.sessions.retry import Attempts
from chatforge_tui.sessions.turn_run import TurnRun
from chatforge_tui.sessions.worker_context import WorkerContext
from chatforge_tui.streaming.outcome import outcome_of_error, outcome_of_loss, outcome_of_silence


async def next_try(context: WorkerContext, run: TurnRun, failure: Exception, *, can_rejoin: bool) -> None:
    """Wait for the next try; when there is to be none, that is the run's outcome.

    Nothing is sent again once something of an answer was received. A task that is known then is asked for.

    Args:
        context: the engine's parts.
        run: whose try ended.
        failure: why.
        can_rejoin: the run's task is known, and its agent can be asked how it went on.

    Raises:
        Exception: the failure, when it is a mistake of this program.
    """
    match failure:
        case EndpointError():
            await _go_on_after(context, run, failure, can_rejoin=can_rejoin)
        case ChatForgeError():
            run.outcome = outcome_of_loss(failure) if run.is_lost else outcome_of_error(failure)
        case _:
            raise failure


async def _go_on_after(context: WorkerContext, run: TurnRun, error: EndpointError, *, can_rejoin: bool) -> None:
    attempts = run.attempts = run.attempts or Attempts(context.settings)
    if not run.is_touched:
        pause = attempts.pause_to_send(error)
    elif can_rejoin:
        run.is_lost = run.is_lost or EndpointError.state != error.state
        pause = attempts.pause_to_rejoin(error) if run.is_lost else None
    else:
        pause = None
    is_unsent = not run.is_touched and not attempts.has_left and context.settings.keeps_unsent
    run.unreached = error if is_unsent and isinstance(error, Unreachable) else None
    if pause is not None:
        await _wait(context, run, pause, error)
    elif run.unreached is not None:
        run.outcome = outcome_of_silence(error)
    else:
        run.outcome = outcome_of_loss(error) if run.is_lost else outcome_of_error(error)


async def _wait(context: WorkerContext, run: TurnRun, seconds: float, error: EndpointError) -> None:
    """Wait before the next try, visibly: how long, and why."""
    why = TurnProblem(error.kind, str(error), error.hint)
    context.keeper.record(run.state, (run.state.pausing(context.clock.now() + seconds, why),))
    await asyncio.sleep(seconds)
    run.unreached = None
    context.keeper.record(run.state, (run.state.retrying(new_request_id()),))
