"""What happened between two states of a turn, played onto the first, makes the second."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chatforge_tui.domain.changes import TextAppended
from chatforge_tui.domain.difference import difference
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.ids import new_request_id, new_session_id, new_turn_id
from chatforge_tui.domain.part import NoticeLevel, NoticePart, ReasoningPart, TextPart, ToolPart
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnState

HEAD = TurnHead(new_turn_id(), new_session_id(), 0, Prompt("tell"), new_request_id(), started=1.0)
TEXTS = st.text("ab", max_size=4)


def a_part(index, kind, text, more):
    match kind:
        case 0:
            return TextPart(index, text)
        case 1:
            return ReasoningPart(index, text)
        case 2:
            return NoticePart(index, NoticeLevel.WARNING, text)
        case _:
            return ToolPart(index, "call", "read", input=text, output=more)


PARTS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), TEXTS, TEXTS), max_size=4, unique_by=lambda one: one[0]
)
TURNS = st.builds(
    lambda parts, plans, state: Turn(
        replace(HEAD, state=state), tuple(a_part(*one) for one in sorted(parts)), (Plan(()),) * plans
    ),
    PARTS,
    st.integers(0, 2),
    st.sampled_from(TurnState),
)


@settings(deadline=None)
@given(TURNS, TURNS)
def test_the_changes_make_one_state_the_other(before, after):
    if len(after.plans) < len(before.plans):
        before, after = after, before
    assert fold(before, difference(before, after)) == after
    assert difference(after, after) == ()


@pytest.mark.parametrize("kind", range(4))
def test_text_that_only_grew_is_told_as_what_was_appended(kind):
    before = Turn(HEAD, (a_part(0, kind, "on", "e"),))
    after = Turn(HEAD, (a_part(0, kind, "once", "ew"),))
    changes = difference(before, after)
    assert all(isinstance(change, TextAppended) for change in changes)
    assert [change.text for change in changes] == (["ce", "w"] if kind == 3 else ["ce"])
