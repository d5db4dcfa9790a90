"""How a claimed turn ends: as its outcome says, in its place, on the disk as soon as that can be."""

from msgspec.structs import replace

from chatforge_tui.domain.turn import Turn, TurnHead, TurnState
from chatforge_tui.sessions.contained import safely
from chatforge_tui.sessions.turn_run import TurnRun
from chatforge_tui.sessions.worker_context import WorkerContext
from chatforge_tui.streaming.outcome import Outcome


async def finish(context: WorkerContext, run: TurnRun, outcome: Outcome) -> None:
    """End a claimed run's turn; what cannot be saved now is saved later."""
    turn = run.state.end(outcome, context.clock.now())
    if outcome.state is TurnState.UNSENT:
        turn = replace(turn, head=_unsent(context, run, turn.head))
    elif run.adopted is not None and _is_as_before(run, run.adopted, outcome):
        turn = replace(turn, head=replace(turn.head, ended=run.adopted.ended))
    run.ended = turn
    if not await context.keeper.end(run, turn):
        session_id = turn.head.session_id
        if turn.head.state is TurnState.UNSENT:
            context.outbox.not_saved(session_id)
        context.start(safely(session_id, run, _save_later, context, turn))


async def _save_later(context: WorkerContext, turn: Turn) -> None:
    """Have the store take a turn's end as soon as it can; before that a prompt that waits cannot be sent."""
    await context.keeper.save_later(turn)
    if turn.head.state is TurnState.UNSENT:
        context.outbox.saved(turn)


def _unsent(context: WorkerContext, run: TurnRun, head: TurnHead) -> TurnHead:
    """Return the head of a turn of which nothing has left: it waits where it waited, or begins to."""
    if run.adopted is not None:
        return replace(head, ordinal=run.adopted.ordinal, started=run.adopted.started, answers_task=None)
    return replace(head, ordinal=context.outbox.place(head.session_id, head.started), answers_task=None)


def _is_as_before(run: TurnRun, adopted: TurnHead, outcome: Outcome) -> bool:
    """Whether nothing came of reading on with a turn: it is still interrupted, or still waits. It ended when it did."""
    is_still = outcome.state in {TurnState.INTERRUPTED, adopted.state}
    return run.is_lost and is_still and not run.has_news
