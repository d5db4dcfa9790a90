"""Plans inside the answer's text: found wherever the chunks are cut, and never at the cost of a byte of the answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.domain.events import TextDelta
from chatforge_tui.domain.part import PlanPart, TextPart
from chatforge_tui.domain.plan import PlanStep, StepStatus
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.streaming.outcome import Outcome
from chatforge_tui.streaming.plan_capture import MAX_CAPTURE, Captured, PlanCapture, PlanFound
from tests.streaming.values import fresh, play

DONE = Outcome(TurnState.COMPLETE)
PLAN = "⟦📋 Plan\n⏳ [Jira] Find the issue\n- [x] Read it\n🔄 Answer\n❌ Notify⟧"


def turn_of(*chunks: str) -> Turn:
    state = fresh()
    play(state, *(TextDelta(chunk) for chunk in chunks if chunk))
    return state.end(DONE, 0.0)


def texts(turn: Turn) -> list[tuple[str, bool]]:
    return [(part.text, part.is_plan_source) for part in turn.parts if isinstance(part, TextPart)]


def test_a_plan_between_markers_becomes_a_plan_part_and_its_text_stays():
    turn = turn_of(f"Before {PLAN} after")
    assert texts(turn) == [("Before ", False), (PLAN, True), (" after", False)]
    assert turn.plans[0].steps == (
        PlanStep("Find the issue", StepStatus.PENDING, "Jira"),
        PlanStep("Read it", StepStatus.COMPLETED),
        PlanStep("Answer", StepStatus.IN_PROGRESS),
        PlanStep("Notify", StepStatus.FAILED),
    )
    assert sum(isinstance(part, PlanPart) for part in turn.parts) == 1


def test_while_it_is_being_captured_the_text_is_there_already():
    state = fresh()
    play(state, TextDelta("a ⟦⏳ fi"))
    assert state.snapshot().answer == "a ⟦⏳ fi"
    assert state.plans.is_capturing
    assert state.plans.loading
    assert state.plans.accumulated == "⟦⏳ fi"
    play(state, TextDelta("nd⟧"))
    assert not state.plans.is_capturing
    assert state.plans.accumulated == ""
    assert state.plans.history[0].steps == (PlanStep("find"),)


@pytest.mark.parametrize("text", ["see ⟦e⟧ here", "⟦e⟧", "never ⟦ closed", "⟧ alone", "a⟦⟧b⟦x⟧c", "⟦⟦⟦", "⟧⟦"])
def test_what_is_no_plan_stays_in_one_ordinary_part(text):
    assert texts(turn_of(text)) == [(text, False)]


def test_a_stray_opening_marker_does_not_swallow_the_answer_up_to_the_next_plan():
    turn = turn_of("a ⟦ b " + PLAN)
    assert texts(turn) == [("a ⟦ b ", False), (PLAN, True)]


def test_what_does_not_close_within_the_bound_is_ordinary_and_nothing_is_kept():
    capture = PlanCapture()
    pieces = list(capture.feed("⟦" + "x" * (3 * MAX_CAPTURE) + "⏳ a⟧"))
    assert not capture.is_capturing
    assert not any(isinstance(piece, PlanFound) for piece in pieces)
    assert sum(len(piece.text) for piece in pieces if isinstance(piece, Captured)) == MAX_CAPTURE


def test_a_plan_given_twice_is_one_version():
    assert len(turn_of(PLAN, " and ", PLAN).plans) == 1


PIECES = st.sampled_from(
    ["⟦", "⟧", "a", "\n", "⏳ one\n", "- [x] two", PLAN, "[{'content': 'x', 'status': 'done'}]", "✅ ", "é", "⟦e⟧"]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.data())
def test_any_chunking_gives_the_same_turn_and_the_same_bytes(text, data):
    whole = turn_of(text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for other in (turn_of(*chunks), turn_of(*text)):
        assert other.answer == text
        assert texts(other) == texts(whole)
        assert other.plans == whole.plans


def test_the_bound_is_where_it_is_for_any_chunking():
    text = "a⟦" + "x" * (MAX_CAPTURE - 1) + "⟧ b ⟦⏳ c⟧"
    whole = turn_of(text)
    assert texts(whole) == [("a⟦" + "x" * (MAX_CAPTURE - 1) + "⟧ b ", False), ("⟦⏳ c⟧", True)]
    for size in (1_000, 4_097, 65_535, 65_536):
        chunks = [text[start : start + size] for start in range(0, len(text), size)]
        assert texts(turn_of(*chunks)) == texts(whole)
