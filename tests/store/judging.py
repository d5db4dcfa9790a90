"""Holds what is in a store against what the writing program said was acknowledged."""

from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.waiting import rows
from tests.store.writing_program import text_of


async def check(path, lines):
    """Hold what is in the store against what was acknowledged."""
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    store = SqliteStore(path)
    await store.open()
    try:
        sessions = await store.load_sessions()
        turns = {turn.head.turn_id: turn for head in sessions for turn in await store.load_turns(head.session_id)}
    finally:
        await store.close()
    assert {words[1] for words in lines if words[0] == "session"} <= {head.session_id for head in sessions}
    for kind, turn_id, *length in (words for words in lines if words[0] not in {"open", "session"}):
        turn = turns[turn_id]
        if kind == "text":
            assert len(turn.answer) >= int(length[0])
        if kind == "end":
            assert (turn.head.state, len(turn.answer)) == (TurnState.COMPLETE, int(length[0]))
    for turn_id, turn in turns.items():
        assert turn.answer == text_of(turn_id, len(turn.answer)), "a prefix, with no piece missing or twice"
        assert turn.head.state in {TurnState.COMPLETE, TurnState.INTERRUPTED}
        assert len(turn.parts) <= 1
    return len(turns)
