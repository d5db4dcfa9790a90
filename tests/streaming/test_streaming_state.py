"""Every stream event, and what it makes of the turn."""

import gc
import tracemalloc
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.domain.changes import HeadChanged, PartAdded, PartDropped, PartReplaced, PlanRecorded, TextAppended
from chatforge_tui.domain.events import (
    Accepted,
    FileOffered,
    Finished,
    Noticed,
    PlanUpdated,
    ReasoningDelta,
    StillAlive,
    TaskBound,
    TextBegun,
    TextDelta,
    TextInserted,
    TextReplaced,
    ToolEnded,
    ToolInputDelta,
    ToolOutputDelta,
    ToolStarted,
    UsageReported,
    WaitingForUser,
)
from chatforge_tui.domain.ids import ContextId, RequestId, TaskId
from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    PlanPart,
    QuestionKind,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
    ToolState,
)
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.domain.turn import TurnProblem, TurnState, Usage
from chatforge_tui.errors import LimitExceeded, StreamLost
from chatforge_tui.streaming.cancellation import CancelReason
from chatforge_tui.streaming.outcome import Outcome, cut, outcome_of_error, outcome_of_event, outcome_of_stop
from chatforge_tui.streaming.streaming_state import StreamingState
from tests.streaming.values import after, fresh, play

PLAN = Plan((PlanStep("find"), PlanStep("apply")))
FURTHER = Plan((PlanStep("find", StepStatus.COMPLETED), PlanStep("apply")))


def test_text_is_appended_verbatim_to_one_part():
    turn = after(TextDelta("a "), TextDelta(" b\n"), TextDelta("\u200bc"))
    assert turn.parts == (TextPart(0, "a  b\n\u200bc"),)
    assert turn.head.first_output == 0.0


def test_a_delta_is_told_as_a_growing_text_not_as_a_whole_part():
    state = fresh()
    play(state, TextDelta("a" * 10_000))
    assert state.apply(TextDelta("b"), 1.0) == (TextAppended(0, "b"),)


def test_another_text_is_a_part_of_its_own_that_says_so():
    turn = after(TextBegun(), TextDelta("The end"), TextBegun(), TextBegun(), TextDelta("Sta"), TextDelta("rt"))
    assert turn.parts == (TextPart(0, "The end"), TextPart(1, "Start", is_separate=True))
    assert (turn.answer, turn.readable_answer) == ("The endStart", "The end\n\nStart")


def test_another_text_that_begins_with_what_looks_like_a_plan_or_is_cut_by_a_call_stays_one_text():
    opened = after(TextDelta("a"), TextBegun(), TextDelta("⟦b"), TextDelta("⟧ c"))
    assert opened.readable_answer == "a\n\n⟦b⟧ c"
    cut = after(TextDelta("Hel"), ToolStarted("1", "t"), TextDelta("lo"), ToolEnded("1"), TextBegun(), TextDelta("You"))
    assert cut.readable_answer == "Hello\n\nYou"


def test_a_replaced_answer_forgets_where_another_text_began():
    turn = after(TextDelta("a"), TextBegun(), TextReplaced("b"), TextDelta("c"))
    assert turn.parts == (TextPart(1, "bc"),)


def test_text_within_the_answer_parts_it_once_and_then_only_grows():
    state = fresh()
    play(state, TextDelta("above"), ToolStarted("1", "t"), TextDelta("below"), ToolStarted("2", "t"))
    assert play(state, TextInserted(5, " more")) == [TextAppended(0, " more")]
    told = play(state, TextInserted(12, "!"))
    assert told == [PartReplaced(TextPart(2, "be!")), PartAdded(TextPart(4, "low", is_separate=True))]
    assert play(state, TextInserted(13, "?")) == [TextAppended(2, "?")]
    assert play(state, TextDelta(".")) == [TextAppended(4, ".")]
    assert state.snapshot().answer == "above morebe!?low."


def test_text_above_a_plan_that_is_still_arriving_only_grows_where_it_stands():
    state = fresh(limit=25_000)
    play(state, TextDelta("above"), TextBegun(), TextDelta("⟦- [x] find\n"))
    for number in range(2_000):
        assert state.apply(TextInserted(5 + number * 10, "some text "), 1.0) == (TextAppended(0, "some text "),)
    play(state, TextDelta("- [ ] apply⟧ below"))
    assert state.snapshot().answer == "above" + "some text " * 2_000 + "⟦- [x] find\n- [ ] apply⟧ below"
    assert state.plans.current == FURTHER


def test_another_text_behind_one_that_was_told_again_in_one_piece_is_another_text():
    state = fresh()
    play(state, TextDelta("a"))
    state.retell()
    play(state, TextReplaced("a"), TextBegun(), TextDelta("b"))
    assert state.snapshot().readable_answer == "a\n\nb"


def test_a_text_that_was_cut_off_where_it_began_with_a_plan_is_another_text_still():
    before = fresh()
    play(before, TextDelta("a"), TextBegun(), TextDelta("⟦b"))
    state = fresh()
    state.take_over(before.end(outcome_of_error(cut()), 1.0))
    play(state, TextDelta("⟧ c"))
    assert state.snapshot().readable_answer == "a\n\n⟦b⟧ c"


TELLING = st.one_of(
    st.tuples(st.just("more"), st.text("ab⟦⟧", min_size=1, max_size=4)),
    st.tuples(st.integers(0, 99), st.text("cd⟦⟧", min_size=1, max_size=4)),
    st.tuples(st.just("whole"), st.text("ef", max_size=4)),
    st.tuples(st.just("tool"), st.just("")),
)


@given(st.lists(TELLING, max_size=30), st.integers(0, 30))
def test_text_told_anywhere_in_the_answer_is_there_also_when_it_is_told_again(steps, lost_at):
    state, answer, numbers = fresh(), "", count()
    for number, (where, text) in enumerate(steps):
        if number == lost_at:
            state.retell()
            play(state, *([TextDelta(answer)] if answer else []))
        match where:
            case "more":
                answer += text
                play(state, TextDelta(text))
            case "whole":
                answer = text
                play(state, TextReplaced(text))
            case "tool":
                play(state, ToolStarted(f"call {next(numbers)}", "t"))
            case offset:
                offset %= len(answer) + 1
                answer = answer[:offset] + text + answer[offset:]
                play(state, TextInserted(offset, text))
        assert state.snapshot().answer == answer


def test_answers_that_grow_side_by_side_cost_what_they_are():
    state, sizes, changes = fresh(limit=60_100), [0, 0, 0], []
    for _ in range(2_000):
        for number in range(3):
            offset = sum(sizes[: number + 1])
            is_last = offset == sum(sizes)
            changes += state.apply(TextDelta("some text ") if is_last else TextInserted(offset, "some text "), 1.0)
            sizes[number] += 10
    assert state.snapshot().answer == "some text " * 6_000
    assert sum(not isinstance(change, TextAppended) for change in changes) < 10


def test_a_replacement_that_repeats_what_was_streamed_changes_nothing():
    state = fresh()
    play(state, TextDelta("one "), ToolStarted("1", "t"), TextDelta("two"))
    assert play(state, TextReplaced("one two")) == []


def test_a_replacement_that_goes_on_only_appends():
    state = fresh()
    play(state, TextDelta("one "))
    assert play(state, TextReplaced("one two")) == [TextAppended(0, "two")]


def test_a_replacement_drops_all_text_and_keeps_everything_else():
    turn = after(TextDelta("draft"), ToolStarted("1", "t"), TextDelta("more"), TextReplaced("final"))
    assert turn.answer == "final"
    assert [type(part) for part in turn.parts] == [ToolPart, TextPart]
    assert turn.parts[-1].index == 3, "an index is never used twice"


def test_a_replacement_by_nothing_leaves_an_empty_answer():
    state = fresh()
    play(state, TextDelta("draft"))
    assert play(state, TextReplaced("")) == [PartDropped(0)]


def test_text_goes_on_in_its_part_after_a_notice_and_a_plan_and_in_a_new_one_after_a_tool():
    turn = after(
        TextDelta("a"),
        Noticed(NoticeLevel.STATUS, "looking"),
        PlanUpdated(PLAN),
        TextDelta("b"),
        ToolStarted("1", "t"),
        TextDelta("c"),
    )
    assert [part.text for part in turn.parts if isinstance(part, TextPart)] == ["ab", "c"]
    assert turn.answer == "abc"


def test_reasoning_ends_when_the_answer_begins_and_knows_how_long_it_took():
    turn = after(ReasoningDelta("hm "), ReasoningDelta("so"), Noticed(NoticeLevel.STATUS, "x"), TextDelta("a"))
    assert turn.parts[0] == ReasoningPart(0, "hm so", 3.0)
    assert turn.answer == "a"


def test_a_tool_call_collects_input_and_output_and_its_time():
    turn = after(
        ToolStarted("1", "grep"),
        ToolInputDelta("1", '{"a"'),
        ToolStarted("2", "ls"),
        ToolInputDelta("1", ":1}"),
        ToolOutputDelta("1", "found"),
        ToolEnded("1"),
        ToolEnded("2", failed=True),
    )
    assert turn.parts == (
        ToolPart(0, "1", "grep", ToolState.DONE, '{"a":1}', "found", 5.0),
        ToolPart(1, "2", "ls", ToolState.FAILED, "", "", 4.0),
    )


def test_a_tool_whose_start_was_lost_is_begun_and_takes_its_name_later():
    turn = after(ToolInputDelta("1", "{}"), ToolStarted("1", "grep"), ToolEnded("9"))
    assert turn.parts[0] == ToolPart(0, "1", "grep", ToolState.RUNNING, "{}")
    assert isinstance(turn.parts[1], ToolPart)
    assert turn.parts[1].state is ToolState.DONE


def test_each_new_plan_is_a_version_and_the_same_plan_again_is_none():
    state = fresh()
    changes = play(state, PlanUpdated(PLAN), PlanUpdated(PLAN), PlanUpdated(FURTHER), PlanUpdated(PLAN))
    assert [change.sequence for change in changes if isinstance(change, PlanRecorded)] == [0, 1, 2]
    assert [change.part for change in changes if isinstance(change, PartReplaced)] == [
        PlanPart(0, FURTHER),
        PlanPart(0, PLAN),
    ]
    assert state.snapshot().plans == (PLAN, FURTHER, PLAN)
    assert state.plans.auto_expand


def test_the_head_learns_who_answers_the_task_and_the_usage():
    state = fresh()
    play(state, Accepted("a2a 1.0", "agent"), TaskBound(TaskId("t1"), ContextId("c1")), UsageReported(Usage(1, 2)))
    play(state, TaskBound(None, ContextId("c2")), Accepted("a2a 1.0"))
    head = state.head
    assert (head.state, head.accepted, head.agent, head.task_id) == (TurnState.STREAMING, 0.0, "agent", "t1")
    assert head.usage == Usage(1, 2)


def test_signs_of_life_and_empty_deltas_change_nothing():
    assert play(fresh(), StillAlive(), TextDelta(""), ReasoningDelta(""), Finished()) == []


def test_a_file_keeps_its_place():
    turn = after(TextDelta("a"), FileOffered("f.txt", "text/plain", data=b"x"), TextDelta("b"))
    assert turn.parts[1] == FilePart(1, "f.txt", "text/plain", data=b"x")
    assert turn.answer == "ab"


@pytest.mark.parametrize("event", [TextDelta("x" * 11), FileOffered("f", data=b"x" * 11), ReasoningDelta("x" * 11)])
def test_a_turn_larger_than_its_limit_is_refused(event):
    with pytest.raises(LimitExceeded):
        fresh(limit=10).apply(event, 0.0)


def test_dropped_text_counts_towards_the_limit():
    state = fresh(limit=10)
    play(state, TextDelta("12345678"))
    with pytest.raises(LimitExceeded):
        state.apply(TextReplaced("abcdefgh"), 1.0)


def test_the_end_closes_what_is_open_and_leaves_the_live_head_alone():
    state = fresh()
    play(state, ReasoningDelta("hm"), ToolStarted("1", "t"), TextDelta("⟦ no plan"), ReasoningDelta("so"))
    turn = state.end(outcome_of_event(Finished("stop")), 10.0)
    assert (turn.head.state, turn.head.ended, turn.head.finish_reason) == (TurnState.COMPLETE, 10.0, "stop")
    assert turn.parts == (
        ReasoningPart(0, "hm", 1.0),
        ToolPart(1, "1", "t", ToolState.DONE, seconds=9.0),
        TextPart(2, "⟦ no plan"),
        ReasoningPart(3, "so", 7.0),
    )
    assert state.head.state.is_live


def test_a_question_joins_the_turn_and_a_tool_that_was_cut_off_failed():
    state = fresh()
    play(state, ToolStarted("1", "t"))
    asked = state.end(outcome_of_event(WaitingForUser(QuestionKind.INPUT, "which?")), 1.0)
    assert asked.question == QuestionPart(1, QuestionKind.INPUT, "which?")
    state = fresh()
    play(state, ToolStarted("1", "t"))
    turn = state.end(outcome_of_error(cut()), 1.0)
    assert isinstance(turn.parts[0], ToolPart)
    assert turn.parts[0].state is ToolState.FAILED
    assert turn.head.problem is not None


def test_a_warning_joins_the_turn_beside_its_answer():
    turn = fresh().end(outcome_of_stop(CancelReason.USER, "not told"), 1.0)
    assert turn.parts == (NoticePart(0, NoticeLevel.WARNING, "not told"),)
    assert turn.answer == ""


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (CancelReason.USER, TurnState.ABORTED),
        (CancelReason.SUPERSEDED, TurnState.ABORTED),
        (CancelReason.DELETED, TurnState.ABORTED),
        (CancelReason.SHUTDOWN, TurnState.INTERRUPTED),
        (CancelReason.TIMEOUT, TurnState.INTERRUPTED),
    ],
)
def test_each_reason_to_stop_has_its_state(reason, state):
    assert outcome_of_stop(reason).state is state


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "Try again."),
        (0.0, "Try again."),
        (0.2, "Try again. The server asks to wait 1 s."),
        (119.0, "Try again. The server asks to wait 119 s."),
        (300.0, "Try again. The server asks to wait 5 min."),
        (43_100.0, "Try again. The server asks to wait 12 h."),
        (2_592_000.0, "Try again. The server asks to wait 30 days."),
    ],
)
def test_an_error_says_how_the_turn_ends_and_how_long_the_server_asks_to_wait(seconds, said):
    outcome = outcome_of_error(StreamLost("reset", hint="Try again.", retry_after=seconds))
    assert outcome.state is TurnState.INTERRUPTED
    assert outcome.problem is not None
    assert outcome.problem.hint == said
    assert isinstance(outcome, Outcome)


def test_tries_after_the_first_are_requests_of_their_own():
    state = fresh()
    busy = TurnProblem("rate-limited", "It takes no more requests for now (429).")
    assert (state.pausing(5.0, busy).head.retry_at, state.head.problem) == (5.0, busy)
    change = state.retrying(RequestId("r2"))
    assert isinstance(change, HeadChanged)
    assert (change.head.request_id, change.head.retry_at, change.head.problem) == ("r2", None, None)


def test_what_a_live_turn_holds():
    """Python 3.11 makes a text for each class that a pattern matches by position, and keeps the last thousands of them."""

    def begun() -> StreamingState:
        state = fresh()
        for number, event in enumerate((Accepted("fake"), TextDelta("x"), TextDelta("y"))):
            state.apply(event, float(number))
        return state

    begun()
    gc.collect()
    tracemalloc.start()
    try:
        states = [begun() for _ in range(500)]
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] / len(states)
    finally:
        tracemalloc.stop()
    assert held < 790, "its head, its times, its parts and their buffer, its token, its plans"
