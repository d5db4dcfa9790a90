"""The status line at every width: what gives way is chosen, and no word is cut."""

import pytest
from rich.cells import cell_len

from chatforge_tui.config.keymap import Keymap
from chatforge_tui.domain.part import QuestionKind, QuestionPart
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.ui.hints import HintWriter
from chatforge_tui.ui.marks import UNICODE_MARKS
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.widgets.status_line import Status
from tests.store.values import a_session, a_turn

NOW = 1_700_000_042.0
DOT = UNICODE_MARKS.dot
WIDTHS = (40, 50, 60, 70, 80, 100, 120, 200)


def pane_in(state: TurnState | None, *, held_by: str = "", question: bool = False, started_again: bool = False) -> Pane:
    """Return a pane whose last turn is in a state."""
    pane = Pane(a_session(held_by=held_by))
    if state is None:
        return pane
    head = a_turn(pane.head, state=state, first_output=NOW - 40, ended=None if state.is_live else NOW)
    if state is TurnState.UNSENT:
        pane.unsent = {head.turn_id: head}
        return pane
    pane.turn, pane.characters = head, 40_000
    if question:
        pane.question = QuestionPart(0, QuestionKind.INPUT, "Which?")
    return pane


PANES = {
    "new": pane_in(None),
    "held": pane_in(TurnState.COMPLETE, held_by="pid 1234567 (/dev/pts/123)"),
    "waits": pane_in(TurnState.WAITING, question=True),
    **{str(state): pane_in(state) for state in TurnState},
}


def writer(**settings) -> HintWriter:
    return HintWriter(Keymap(), UNICODE_MARKS, is_still=True, **settings)


def fitted(pane: Pane | None, width: int, writing: HintWriter | None = None, **where) -> tuple[str, str, str]:
    """Return sentence, state and facts at a width; the line has three cells before them and one behind."""
    status = (writing or writer()).status(pane, now=NOW, **{"trouble": "", "new_lines": 0, **where})
    return status.fitted(width - 4, DOT)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("settings", [{}, {"queues": True, "goes_alone": True}])
@pytest.mark.parametrize(
    "where",
    [
        {},
        {"new_lines": 1},
        {"new_lines": 4_321},
        {"is_reading": True},
        {"in_form": True},
        {"new_lines": 9, "is_reading": True},
    ],
)
def test_no_sentence_is_cut_in_any_state_at_any_width(width, settings, where):
    for name, pane in PANES.items():
        texts = fitted(pane, width, writer(**settings), **where)
        assert cell_len("".join(texts)) + (2 if texts[1] else 0) <= width - 4, (name, texts)
        assert texts[0], name


@pytest.mark.parametrize("salvaged", [None, 0, 1, 1_234_567])
@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_said_at_the_start_is_not_cut_either(width, salvaged):
    assert cell_len(fitted(None, width, salvaged=salvaged)[0]) <= width - 4


def test_lines_that_arrive_out_of_sight_are_told_while_an_answer_streams():
    pane = PANES[TurnState.STREAMING]

    assert (
        fitted(pane, 110, new_lines=12)[0]
        == "Enter replaces the running answer · Alt+Q waits · Ctrl+End follows 12 new lines"
    )
    assert fitted(pane, 80, new_lines=12) == (
        "Enter replaces · Ctrl+End follows 12 new lines",
        "● streaming",
        "   0:41",
    )
    assert fitted(pane, 60, new_lines=1) == ("Ctrl+End follows 1 new line", "● streaming", "   0:41")
    assert fitted(pane, 40, new_lines=12)[0] == "12 new lines"


def test_numbers_give_way_before_words_and_the_time_after_them():
    pane = PANES[TurnState.STREAMING]

    assert fitted(pane, 120)[2].count(DOT) == 2
    assert fitted(pane, 80) == ("Enter replaces the running answer · Alt+Q waits", "● streaming", "   0:41")
    assert fitted(pane, 60) == ("Enter replaces the answer", "● streaming", "   0:41")
    assert fitted(pane, 40) == ("Enter replaces", "● streaming", "   0:41")


def test_a_warning_takes_the_place_of_the_state_before_it_is_cut():
    status = Status(("Enter send",), "dim", "○", "complete", (" 0:03",), "Not saved: the disk is full.")

    assert status.fitted(60, DOT) == ("Not saved: the disk is full.", "○ complete", "   0:03")
    assert status.fitted(40, DOT) == ("Not saved: the disk is full.", "○ complete", "")
    assert status.fitted(30, DOT) == ("Not saved: the disk is full.", "", "")
