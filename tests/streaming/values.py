"""What the tests of streaming share: a fresh state, and its answer after some events."""

from chatforge_tui.domain.changes import TurnChange
from chatforge_tui.domain.events import StreamEvent
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead
from chatforge_tui.streaming.streaming_state import MAX_TURN, StreamingState


def fresh(limit: int = MAX_TURN, session: str = "s", request: str = "r") -> StreamingState:
    head = TurnHead(TurnId("t"), SessionId(session), 0, Prompt("hello"), RequestId(request))
    return StreamingState.begin(head, limit=limit)


def play(state: StreamingState, *events: StreamEvent, start: float = 0.0) -> list[TurnChange]:
    """Apply events one second apart, and check that the changes alone lead to the same turn."""
    before = state.snapshot()
    changes: list[TurnChange] = []
    for number, event in enumerate(events):
        changes += state.apply(event, start + number)
    assert fold(before, changes) == state.snapshot()
    return changes


def after(*events: StreamEvent) -> Turn:
    state = fresh()
    play(state, *events)
    return state.snapshot()
