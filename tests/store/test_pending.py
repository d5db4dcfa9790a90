from chatforge_tui.domain.changes import HeadChanged, PartAdded, PartDropped, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store.operations import Barrier
from chatforge_tui.store.pending import Entry, Pending, condensed
from chatforge_tui.store.recording import AppendText, PutHead
from chatforge_tui.store.session_operations import PatchSession
from chatforge_tui.store.turn_operations import EndTurn
from tests.store.values import a_session, a_turn, ended

SESSION = a_session()
TURN = a_turn(SESSION)
OTHER = a_turn(SESSION, 1)


def add(pending, *changes, turn=TURN):
    for change in changes:
        pending.add_change(turn.turn_id, change)


def work(pending):
    return [entry.work for entry in pending.take()]


def texts(pending):
    return [(op.whole, op.index, op.text_field) for op in work(pending) if isinstance(op, AppendText)]


def test_a_thousand_deltas_of_one_part_become_one_row():
    pending = Pending()
    add(pending, *[TextAppended(0, "ab") for _ in range(1000)])
    [row] = work(pending)
    assert row.whole == "ab" * 1000


def test_text_of_another_part_or_field_begins_a_row_and_order_is_kept():
    pending = Pending()
    add(pending, TextAppended(0, "a"), TextAppended(1, "b"), TextAppended(1, "c", "output"), TextAppended(0, "d"))
    assert texts(pending) == [("a", 0, "text"), ("b", 1, "text"), ("c", 1, "output"), ("d", 0, "text")]


def test_text_is_never_moved_past_a_change_of_a_part_of_its_turn():
    pending = Pending()
    add(pending, TextAppended(0, "a"), PartAdded(TextPart(0, "")), TextAppended(0, "b"), PartDropped(1))
    add(pending, TextAppended(0, "c"))
    assert texts(pending) == [("a", 0, "text"), ("b", 0, "text"), ("c", 0, "text")]


def test_text_of_two_turns_that_stream_at_once_still_merges():
    pending = Pending()
    for _ in range(100):
        add(pending, TextAppended(0, "x"))
        add(pending, TextAppended(0, "y"), turn=OTHER)
    assert [text for text, _, _ in texts(pending)] == ["x" * 100, "y" * 100]


def test_what_a_turn_gets_is_numbered_on_and_on_also_when_it_is_taken_up_again():
    pending = Pending()
    numbers = []
    for _ in range(3):
        add(pending, TextAppended(0, "a"), PartAdded(TextPart(1, "")), TextAppended(1, "b"))
        numbers += [op.seq for op in work(pending)]
        pending.add(Entry(EndTurn(ended(TURN), {})))
        pending.take()
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 9


def test_of_several_heads_of_a_turn_only_the_last_is_written_and_text_still_merges():
    pending = Pending()
    for number in range(5):
        add(pending, HeadChanged(a_turn(SESSION, number)), TextAppended(0, "a"))
    operations = work(pending)
    assert [op.head.ordinal for op in operations if isinstance(op, PutHead)] == [4]
    assert len(operations) == 2


def test_patches_of_a_session_become_one_at_the_place_of_the_last():
    pending = Pending()
    other = a_session().session_id
    pending.add_patch(SESSION.session_id, {"draft": "a", "title": "t"})
    pending.add_patch(other, {"draft": "b"})
    pending.add_patch(SESSION.session_id, {"draft": "c"})
    assert work(pending) == [
        PatchSession(other, {"draft": "b"}),
        PatchSession(SESSION.session_id, {"draft": "c", "title": "t"}),
    ]


def test_no_patch_is_moved_past_something_that_someone_waits_for():
    pending = Pending()
    pending.add_patch(SESSION.session_id, {"draft": "a"})
    pending.add(Entry(Barrier()))
    pending.add_patch(SESSION.session_id, {"draft": "b"})
    kinds = [type(op).__name__ for op in work(pending)]
    assert kinds == ["PatchSession", "Barrier", "PatchSession"]


def test_the_end_of_a_turn_supersedes_what_waits_of_it_and_of_no_other():
    pending = Pending()
    add(pending, PartAdded(TextPart(0, "a")), TextAppended(0, "b" * 1000), HeadChanged(TURN))
    add(pending, TextAppended(0, "stays"), turn=OTHER)
    pending.add(Entry(EndTurn(ended(TURN, "final", state=TurnState.COMPLETE), {})))
    assert [type(op).__name__ for op in work(pending)] == ["AppendText", "EndTurn"]


def test_the_size_counts_what_waits_and_falls_when_it_is_taken_or_superseded():
    pending = Pending()
    add(pending, TextAppended(0, "a" * 5000), TextAppended(0, "b" * 5000))
    assert pending.size == 10_000
    pending.add(Entry(EndTurn(ended(TURN, "final"), {})))
    assert pending.size == 0
    add(pending, TextAppended(0, "c"), turn=OTHER)
    pending.take()
    assert (pending.size, len(pending)) == (0, 0)


def test_of_what_failed_only_the_last_end_of_a_turn_is_tried_again():
    pending = Pending()
    add(pending, TextAppended(0, "other"), turn=OTHER)
    entries = pending.take()
    for text in ("first try", "second try"):
        add(pending, TextAppended(0, "streamed"))
        entries += pending.take()
        pending.add(Entry(EndTurn(ended(TURN, text), {})))
        entries += pending.take()
    left = [entry.work for entry in condensed(entries)]
    assert [type(op).__name__ for op in left] == ["AppendText", "EndTurn"]
    assert left[1].turn.answer == "second try"
