"""What panes keep in memory: what is out of sight has a budget, by number and by size."""

from msgspec.structs import replace

from chatforge_tui.domain.changes import TurnBegan, TurnEnded, TurnRemoved
from chatforge_tui.domain.part import QuestionKind, QuestionPart
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.panes import KEPT_BACK_BYTES, KEPT_BYTES, KEPT_TRANSCRIPTS, PaneBook
from tests.store.values import a_session, a_turn, counted, ended


def shown(book: PaneBook, texts: list[str]) -> Pane:
    """Make one more session with these answers, and show it as a tab that was just loaded."""
    session = counted(a_session(position=len(book)), len(texts), None)
    book.put(session)
    pane = book.bring_to_front(session.session_id)
    assert pane is not None
    pane.load([ended(a_turn(session, number), text) for number, text in enumerate(texts)])
    return pane


def kept(panes: list[Pane]) -> list[bool]:
    return [pane.transcript is not None for pane in panes]


def test_as_many_small_transcripts_are_kept_as_were_shown_last():
    book = PaneBook()
    panes = [shown(book, ["short"]) for _ in range(KEPT_TRANSCRIPTS + 3)]
    assert kept(panes) == [False] * 3 + [True] * KEPT_TRANSCRIPTS


def test_large_transcripts_out_of_sight_are_kept_as_far_as_the_budget_goes():
    book = PaneBook()
    panes = [shown(book, ["x" * (KEPT_BYTES // 3)]) for _ in range(5)]
    assert kept(panes) == [False, True, True, True, True]


def test_text_counts_by_what_it_takes_not_by_its_characters():
    book = PaneBook()
    panes = [shown(book, ["🚀" * (KEPT_BYTES // 6)]) for _ in range(4)]
    assert kept(panes) == [False, True, True, True]


def test_the_transcript_in_front_is_kept_whatever_it_takes():
    book = PaneBook()
    pane = shown(book, ["x" * KEPT_BYTES * 2])
    book.bring_to_front(pane.session_id)
    assert kept([pane]) == [True]


def test_a_transcript_that_outgrows_the_budget_out_of_sight_is_dropped():
    book = PaneBook()
    panes = [shown(book, ["short"]), shown(book, ["short"])]
    session = panes[0].head
    book.apply(TurnEnded(ended(a_turn(session, 1), "x" * KEPT_BYTES)))
    assert kept(panes) == [True, True], "going back to the one left last reads nothing"
    book.apply(TurnEnded(ended(a_turn(session, 2), "x" * KEPT_BACK_BYTES)))
    assert kept(panes) == [False, True]
    assert panes[0].unread == 2


def test_a_dropped_pane_has_everything_again_once_it_is_loaded():
    book = PaneBook()
    pane = shown(book, ["one", "two"])
    for _ in range(KEPT_TRANSCRIPTS):
        shown(book, ["x"])
    assert pane.transcript is None
    assert not pane.has_all
    assert pane.prompts == []
    turns = [ended(a_turn(pane.head, number), "again") for number in range(2)]
    book.put(replace(pane.head, anchor=f"{turns[0].head.turn_id}/-1/0/0"))
    pane.load(turns)
    assert pane.has_all
    assert pane.transcript is not None
    assert not pane.transcript.follows, "the reader is where the store says"


def test_a_turn_that_another_program_could_not_send_does_not_run_any_more():
    pane = shown(PaneBook(), ["one"])
    turn = Turn(a_turn(pane.head, 1))
    pane.apply(TurnBegan(turn))
    assert pane.is_live
    pane.apply(TurnRemoved(pane.session_id, turn.head.turn_id))
    assert pane.turn is not None
    assert pane.turn.ordinal == 0
    assert not pane.is_live
    assert pane.transcript is not None
    assert pane.transcript.turns == len(pane.prompts) == 1


def test_what_was_typed_into_a_form_stays_while_its_task_is_looked_at_and_goes_with_its_question():
    pane = shown(PaneBook(), [])
    head = replace(a_turn(pane.head, 0), state=TurnState.WAITING)
    asking = Turn(head, (QuestionPart(0, QuestionKind.INPUT, "Which?"),))
    pane.load([asking])
    pane.form_input["name"] = "shop"
    pane.apply(TurnBegan(replace(asking, head=replace(head, state=TurnState.CONNECTING))))
    assert pane.question is None
    pane.apply(TurnEnded(asking))
    assert pane.form_input == {"name": "shop"}, "/continue found that the agent still waits"

    pane.apply(TurnEnded(replace(asking, parts=(QuestionPart(0, QuestionKind.INPUT, "And?"),))))
    assert pane.form_input == {}, "it was for another question"
    pane.form_input["name"] = "secret"
    pane.apply(TurnBegan(Turn(a_turn(pane.head, 1))))
    assert pane.form_input == {}, "answered"
