"""What a watcher gets: streamed text merged and only of the session in focus, everything else always."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.domain.changes import (
    HeadChanged,
    PartAdded,
    PartDropped,
    PartReplaced,
    PlanRecorded,
    SessionChanged,
    SessionRemoved,
    StoreTrouble,
    TextAppended,
    TurnBegan,
    TurnChanged,
    TurnEnded,
    TurnRemoved,
)
from chatforge_tui.domain.events import (
    PlanUpdated,
    ReasoningDelta,
    TextDelta,
    TextReplaced,
    ToolInputDelta,
    UsageReported,
)
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.plan import Plan, PlanStep
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Turn, Usage
from chatforge_tui.sessions.event_bus import ALL, EventBus
from chatforge_tui.streaming.outcome import cut, outcome_of_error
from tests.streaming.values import fresh
from tests.virtual_clock import run_virtually

A, B = SessionId("s"), SessionId("other")
PLAN = Plan((PlanStep("x"),))


def bus_of(turn: Turn | None = None, limit: int = 1_000) -> EventBus:
    return EventBus(lambda session_id, turn_id: turn, limit)


def changed(*changes, session=A, turn="t") -> TurnChanged:
    return TurnChanged(session, TurnId(turn), RequestId("r"), changes)


def head_of(session: SessionId, title: str = "") -> SessionHead:
    return SessionHead(session, EndpointRef("x"), title)


def test_growing_text_is_merged_per_part_and_field_and_order_is_kept():
    bus = bus_of()
    watcher = bus.subscribe()
    watcher.focus(A)
    for change in (
        PartAdded(TextPart(0, "a")),
        TextAppended(0, "b"),
        TextAppended(0, "c"),
        TextAppended(1, "in", "input"),
        TextAppended(1, "out", "output"),
        TextAppended(0, "d"),
    ):
        bus.publish(changed(change))
    assert watcher.drain() == [
        changed(
            PartAdded(TextPart(0, "a")),
            TextAppended(0, "bc"),
            TextAppended(1, "in", "input"),
            TextAppended(1, "out", "output"),
            TextAppended(0, "d"),
        )
    ]
    assert watcher.drain() == []


def test_of_sessions_out_of_focus_only_heads_and_plans_arrive():
    bus = bus_of()
    watcher = bus.subscribe()
    watcher.focus(B)
    head = fresh().head
    bus.publish(changed(TextAppended(0, "x")))
    bus.publish(changed(TextAppended(0, "x"), HeadChanged(head), PlanRecorded(0, PLAN)))
    assert watcher.drain() == [changed(HeadChanged(head), PlanRecorded(0, PLAN))]


def test_what_always_arrives_arrives_without_focus_and_in_order():
    bus = bus_of()
    watcher = bus.subscribe()
    turn = fresh().snapshot()
    events = [
        SessionChanged(head_of(A)),
        TurnBegan(turn),
        TurnEnded(turn),
        SessionChanged(head_of(B)),
        SessionRemoved(B),
        StoreTrouble("full"),
    ]
    for event in events:
        bus.publish(event)
    assert watcher.drain() == [event for event in events if event != SessionChanged(head_of(B))]


def test_of_a_sessions_heads_the_newest_arrives_where_the_first_stood():
    bus = bus_of()
    watcher = bus.subscribe()
    turn = fresh().snapshot()
    for event in (SessionChanged(head_of(A, "old")), TurnBegan(turn), SessionChanged(head_of(A, "new"))):
        bus.publish(event)
    assert watcher.drain() == [SessionChanged(head_of(A, "new")), TurnBegan(turn)]


def test_a_session_that_came_back_is_there_at_the_end():
    bus = bus_of()
    watcher = bus.subscribe()
    events = [SessionRemoved(A), SessionChanged(head_of(A)), SessionRemoved(A), SessionChanged(head_of(A, "b"))]
    for event in events:
        bus.publish(event)
    assert watcher.drain() == [SessionRemoved(A), SessionChanged(head_of(A, "b"))]


def test_focus_moves_and_text_that_waits_of_the_session_before_is_dropped():
    bus = bus_of()
    watcher = bus.subscribe()
    watcher.focus(A)
    head = fresh().head
    bus.publish(changed(TextAppended(0, "x"), HeadChanged(head)))
    bus.publish(changed(TextAppended(0, "x"), turn="u"))
    watcher.focus(None)
    assert watcher.drain() == [changed(HeadChanged(head))]


def test_reading_a_session_forgets_what_waits_of_it_but_never_an_end():
    bus = bus_of()
    watcher = bus.subscribe()
    watcher.focus(ALL)
    turn = fresh().snapshot()
    for event in (TurnBegan(turn), changed(TextAppended(0, "x")), TurnEnded(turn), changed(session=B, turn="b")):
        bus.publish(event)
    watcher.focus_from_here(A)
    assert watcher.drain() == [TurnEnded(turn), changed(session=B, turn="b")]


def test_reading_a_session_forgets_the_end_that_a_new_beginning_of_the_same_turn_took_back():
    bus = bus_of()
    watcher = bus.subscribe()
    watcher.focus(ALL)
    turn = fresh().snapshot()
    for event in (TurnBegan(turn), TurnEnded(turn), TurnBegan(turn)):
        bus.publish(event)
    watcher.focus_from_here(A)
    assert watcher.drain() == [], "the turn runs, says the transcript"


def test_a_turn_that_goes_and_comes_and_goes_is_gone():
    bus = bus_of()
    watcher = bus.subscribe()
    turn = fresh().snapshot()
    told = [TurnRemoved(A, turn.head.turn_id), TurnBegan(turn), TurnRemoved(A, turn.head.turn_id)]
    for event in told:
        bus.publish(event)
    assert watcher.drain() == told


def test_a_closed_watcher_gets_nothing_and_closing_twice_is_no_error():
    bus = bus_of()
    watcher = bus.subscribe()
    watcher.close()
    watcher.close()
    bus.publish(StoreTrouble("full"))
    assert watcher.drain() == []


def test_waiting_ends_when_there_is_something():
    async def main():
        bus = bus_of()
        watcher = bus.subscribe()
        asyncio.get_running_loop().call_later(5, bus.publish, StoreTrouble("full"))
        return await watcher.batch()

    assert run_virtually(main()) == [StoreTrouble("full")]


EVENTS = st.one_of(
    st.sampled_from("ab").map(lambda text: TextDelta(text * 40)),
    st.just(TextReplaced("final")),
    st.just(ReasoningDelta("hm" * 20)),
    st.sampled_from("12").map(lambda call: ToolInputDelta(call, "x" * 30)),
    st.integers(0, 3).map(lambda number: PlanUpdated(Plan((PlanStep(str(number)),)))),
    st.integers(0, 3).map(lambda number: UsageReported(Usage(number))),
)


@given(st.lists(st.one_of(EVENTS, st.none()), max_size=60), st.booleans(), st.sampled_from([100, 400, 100_000]))
def test_a_watcher_that_stands_still_ends_up_with_the_same_turn(steps, ends, limit):
    """None is a drain. The smaller the bound, the more is told anew."""
    state = fresh()
    bus = EventBus(lambda session_id, turn_id: state.snapshot(), limit)
    watcher = bus.subscribe()
    watcher.focus(A)
    mirror = state.snapshot()

    def drain(turn: Turn) -> Turn:
        for event in watcher.drain():
            if isinstance(event, TurnChanged):
                for change in event.changes:
                    if isinstance(change, PartReplaced | PartDropped):
                        index = change.index if isinstance(change, PartDropped) else change.part.index
                        assert index in {part.index for part in turn.parts}, "a part that was never told of"
                    turn = fold(turn, (change,))
        return turn

    for step in steps:
        if step is None:
            mirror = drain(mirror)
            assert mirror == state.snapshot()
        else:
            bus.publish(changed(*state.apply(step, 0.0)))
    shown = state.snapshot()
    if ends:
        bus.publish(TurnEnded(state.end(outcome_of_error(cut()), 1.0)))
        state = fresh()
        assert [part.index for part in drain(mirror).parts] == [part.index for part in shown.parts]
    else:
        assert drain(mirror) == shown


def test_a_turn_that_is_taken_up_again_comes_after_its_first_end():
    state = fresh()
    bus = EventBus(lambda session_id, turn_id: state.snapshot(), 10_000)
    watcher = bus.subscribe()
    watcher.focus(A)
    bus.publish(TurnBegan(before := state.snapshot()))
    bus.publish(changed(*state.apply(TextDelta("one "), 0.0)))
    bus.publish(TurnEnded(cut_off := state.end(outcome_of_error(cut()), 1.0)))
    bus.publish(TurnBegan(again := state.snapshot()))
    bus.publish(changed(*state.apply(TextDelta("two"), 2.0)))
    bus.publish(TurnEnded(done := state.snapshot()))
    first, more, end, *rest = watcher.drain()
    assert (first, end) == (TurnBegan(before), TurnEnded(cut_off))
    assert isinstance(more, TurnChanged)
    began, news, last = rest
    assert (began, last) == (TurnBegan(again), TurnEnded(done))
    assert fold(began.turn, news.changes).answer == "one two"


def test_memory_of_a_watcher_that_stands_still_is_bounded():
    state = fresh()
    bus = EventBus(lambda session_id, turn_id: state.snapshot(), 10_000)
    watcher = bus.subscribe()
    watcher.focus(A)
    for _ in range(1_000):
        bus.publish(changed(*state.apply(TextDelta("x" * 1_000), 0.0)))
    (event,) = watcher.drain()
    assert isinstance(event, TurnChanged)
    assert [type(change) for change in event.changes] == [HeadChanged, PartAdded]


def test_who_changes_the_focus_says_of_which_sessions_it_may_matter():
    told = []
    bus = EventBus(lambda session_id, turn_id: None, 1_000, told.append)
    watcher = bus.subscribe()
    assert told == []
    watcher.focus(A)
    assert told == [A]
    watcher.focus(A)
    assert told == [A]
    told.clear()
    watcher.focus(B)
    assert set(told) == {A, B}
    told.clear()
    watcher.focus(ALL)
    assert set(told) == {B, ALL}
    told.clear()
    watcher.close()
    watcher.close()
    assert told == [ALL]
    assert not bus.is_watched(A)
