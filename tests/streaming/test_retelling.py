"""A turn whose connection was lost and whose answer is told again comes out as if nothing had happened."""

from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chatforge_tui.domain.events import (
    FileOffered,
    Finished,
    Noticed,
    PlanUpdated,
    ReasoningDelta,
    StreamEvent,
    TextBegun,
    TextDelta,
    TextReplaced,
    ToolEnded,
    ToolInputDelta,
    ToolOutputDelta,
    ToolStarted,
)
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.part import NoticeLevel, Part, TextPart, ToolPart, ToolState
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.streaming.outcome import cut, outcome_of_error, outcome_of_event
from chatforge_tui.streaming.streaming_state import StreamingState
from tests.streaming.values import fresh

CUT = outcome_of_error(cut())
DONE = outcome_of_event(Finished("stop"))
PLANS = [Plan(tuple(PlanStep("s", status) for _ in range(2))) for status in StepStatus]
"""Versions of a plan."""

words = st.text(alphabet="ab ⟦⟧\n🚀", min_size=1, max_size=6)
calls = st.sampled_from(["one", "two"])
shared = (
    st.builds(TextDelta, words),
    st.just(TextBegun()),
    st.builds(ToolStarted, calls, st.just("search")),
    st.builds(ToolInputDelta, calls, words),
    st.builds(ToolOutputDelta, calls, words),
    st.builds(ToolEnded, calls, failed=st.booleans()),
    st.builds(FileOffered, st.sampled_from(["a.txt", "b.txt"]), data=st.just(b"x")),
    st.builds(Noticed, st.just(NoticeLevel.STATUS), st.sampled_from(["looking", "writing"])),
    st.builds(ReasoningDelta, words),
)
plan_events = st.builds(PlanUpdated, st.sampled_from(PLANS))
plan_texts = st.sampled_from([TextDelta(f"⟦🔄 [Jira] {what}\n⏳ Write⟧") for what in ("Look up", "Read")])
stories = st.one_of(*(st.lists(st.one_of(*shared, plans), max_size=9) for plans in (plan_events, plan_texts)))
"""What agents tell. None writes its plans into the answer and sends them beside it as well."""


def tell(state: StreamingState, events: list[StreamEvent]) -> None:
    for event in events:
        state.apply(event, 5.0)


def without_places(turn: Turn) -> list[Part]:
    """Return the parts in order; which numbers they carry says nothing."""
    return [replace(part, index=0, **({"seconds": None} if hasattr(part, "seconds") else {})) for part in turn.parts]


def uncut(events: list[StreamEvent]) -> Turn:
    state = fresh()
    tell(state, events)
    return state.end(DONE, 9.0)


def split(events: list[StreamEvent], at: int) -> int:
    return at % (len(events) + 1)


FAILED_CALL = [ToolStarted("one", "search"), ToolEnded("one", failed=True), ReasoningDelta("a"), ReasoningDelta("a")]
"""A call that is taken up again for a moment is no news between two pieces of reasoning."""


@example(FAILED_CALL, [3])
@example(FAILED_CALL[1:], [2])
@given(stories, st.lists(st.integers(0, 99), min_size=1, max_size=3))
@settings(max_examples=200)
def test_a_turn_cut_anywhere_and_told_again_is_the_uncut_turn(events, cuts):
    state = fresh()
    tell(state, events[: split(events, cuts[0])])
    for place in cuts[1:]:
        state.retell()
        tell(state, events[: split(events, place)])
    state.retell()
    tell(state, events)
    assert without_places(state.end(DONE, 9.0)) == without_places(uncut(events))


@given(stories, st.integers(0, 99), st.booleans())
@settings(max_examples=200)
def test_a_stored_turn_that_is_told_again_is_the_uncut_turn(events, cut, was_ended):
    before = fresh()
    tell(before, events[: split(events, cut)])
    stored = before.end(CUT, 7.0) if was_ended else before.snapshot()
    state = fresh()
    changes = state.take_over(stored)
    assert fold(replace(stored, head=state.head), changes) == state.snapshot()
    state.retell()
    tell(state, events)
    after, expected = state.end(DONE, 9.0), uncut(events)
    assert after.answer == expected.answer
    assert after.reasoning == expected.reasoning
    assert Counter(map(repr, beside(after))) == Counter(map(repr, beside(expected)))


def beside(turn: Turn) -> list[Part]:
    """Return what is neither text nor reasoning: those may be cut into other pieces."""
    return [part for part in without_places(turn) if not hasattr(part, "text") or hasattr(part, "level")]


@given(stories, st.lists(words, max_size=3), st.integers(0, 99))
@settings(max_examples=200)
def test_a_turn_told_again_in_other_words_takes_the_last_word(events, others, cut):
    state = fresh()
    tell(state, events)
    state.retell()
    anew = [*map(TextDelta, others), TextReplaced("".join(others) + "!"), TextDelta("?")]
    tell(state, anew[split(anew, cut) :] or anew)
    said = state.end(DONE, 9.0).answer
    assert said.endswith("?") or said == uncut(events).answer


@given(stories, st.integers(0, 99), st.integers(0, 99))
@settings(max_examples=300)
def test_nothing_that_had_arrived_is_gone_while_it_is_told_again(events, cut, again):
    events = [event for event in events if isinstance(event, TextDelta)]
    state = fresh()
    tell(state, events[: split(events, cut)])
    had = state.snapshot().answer
    state.retell()
    for event in events[: split(events, again)]:
        state.apply(event, 6.0)
        assert state.snapshot().answer.startswith(had)
    assert state.end(CUT, 9.0).answer.startswith(had)


def test_the_agent_is_believed_when_its_whole_answer_is_shorter_than_what_had_come():
    state = fresh()
    tell(state, [TextDelta("one two three")])
    state.retell()
    tell(state, [TextDelta("one two")])
    assert state.snapshot().answer == "one two three"
    assert state.end(DONE, 9.0).answer == "one two"


def test_an_answer_of_which_no_text_is_told_again_stays():
    state = fresh()
    tell(state, [TextDelta("all of it")])
    state.retell()
    assert state.end(DONE, 9.0).answer == "all of it"


def test_a_plan_that_comes_back_to_an_earlier_version_is_a_new_one():
    state = fresh()
    tell(state, [PlanUpdated(PLANS[0]), PlanUpdated(PLANS[1])])
    state.retell()
    tell(state, [PlanUpdated(PLANS[1]), PlanUpdated(PLANS[0])])
    assert state.end(DONE, 9.0).plans == (PLANS[0], PLANS[1], PLANS[0])


def test_a_call_that_only_the_lost_connection_had_ended_runs_again():
    before = fresh()
    tell(before, [ToolStarted("one", "search")])
    state = fresh()
    state.take_over(before.end(CUT, 7.0))
    state.retell()
    tell(state, [ToolStarted("one", "search")])
    (tool,) = state.snapshot().parts
    assert isinstance(tool, ToolPart)
    assert tool.state is ToolState.RUNNING


def test_a_plan_that_was_being_written_when_the_program_died_is_found_all_the_same():
    before = fresh()
    tell(before, [TextDelta("Now: ⟦🔄 [Jira] Look")])
    for stored in (before.snapshot(), before.end(CUT, 7.0)):
        state = fresh()
        state.take_over(stored)
        state.retell()
        tell(state, [TextDelta("Now: ⟦🔄 [Jira] Look up\n⏳ Write⟧ then")])
        turn = state.end(DONE, 9.0)
        assert turn.answer == "Now: ⟦🔄 [Jira] Look up\n⏳ Write⟧ then"
        assert [part.is_plan_source for part in turn.parts if isinstance(part, TextPart)] == [False, True, False]
        assert len(turn.plans) == 1
        assert turn.head.state is TurnState.COMPLETE
