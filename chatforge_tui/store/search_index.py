"""The full-text index: derived data, made where the engine has FTS5, rebuilt whenever it is doubted.

It holds no text, only words by turn (`turn.key`), and follows behind: a turn that ended is taken in later, in small
steps, when nothing else is to be written (`turn.is_indexed` says which are). Nothing here ever keeps a turn from being
stored: what goes wrong with the index drops the index, and it is made again.

Chinese, Japanese and Korean are written without spaces between words: each of their characters is a word here, and a
search for several of them is one for the phrase, so that one or two characters can be found too.
"""

import logging
import re
import sqlite3
import time
from collections.abc import Iterable

from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.store.cells import as_text
from chatforge_tui.store.connection import immediate, readable

_log = logging.getLogger("chatforge.store")

_STEP = 20
"""Turns taken in at once: a few milliseconds."""
_FORGET_S = 1.0
"""How long a deletion may be busy with the index before it is acknowledged; the rest is done later."""
_MERGE_PAGES = 200
"""Work of one step of forgetting, in pages of the index: a few milliseconds."""
_UNSPACED = (
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3040-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff])"
)
"""Characters of scripts written without spaces. 5 ms to compile: done when the first text is taken in."""

READABLE = """coalesce((
        SELECT group_concat(iif(instr(body, '"is_separate":true'), char(10, 10), '') || text, '')
        FROM (SELECT text, body FROM part WHERE turn = turn.id AND kind = 'text' ORDER BY idx)
    ), '') AS answer"""
"""`Turn.readable_answer` in SQL; nothing else of a text part's body could read so."""
_PROMPT_AND_ANSWER = f"SELECT key, prompt, {READABLE} FROM turn"


def words_of(text: str) -> str:
    """Return the text as the index sees it."""
    return re.sub(_UNSPACED, r" \1 ", text)


def exists(db: sqlite3.Connection) -> bool:
    """Return whether there is an index."""
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'search'").fetchone() is not None


def take_in_some(db: sqlite3.Connection) -> bool:
    """Take in a few turns, or finish forgetting what was deleted; return whether there is more to do.

    Opens its own transaction.

    Raises:
        sqlite3.Error: the store cannot be written now.
    """
    if not _ensure(db):
        return False
    if _is_forgetting(db):
        return forget_some(db)
    rows = readable(db, lambda: db.execute(f"{_PROMPT_AND_ANSWER} {_NOT_INDEXED}", (_STEP,)).fetchall())
    if not rows:
        return False
    try:
        with immediate(db):
            for row in rows:
                _insert(db, row)
            keys = [(row["key"],) for row in rows]
            db.executemany("UPDATE turn SET is_indexed = 1 WHERE key = ?", keys)
    except sqlite3.DatabaseError as error:
        _discard_if_damaged(db, error)
    return len(rows) == _STEP


def remove(db: sqlite3.Connection, turns: Iterable[TurnId]) -> None:
    """Take turns out of the index, before their rows change or go; inside an open transaction."""
    for turn_id in turns:
        row = readable(
            db,
            lambda turn_id=turn_id: db.execute(
                f"{_PROMPT_AND_ANSWER} WHERE id = ? AND is_indexed = 1", (turn_id,)
            ).fetchone(),
        )
        if row is None or not exists(db):
            continue
        db.execute("SAVEPOINT search")
        try:
            db.execute(
                "INSERT INTO search (search, rowid, prompt, answer) VALUES ('delete', ?, ?, ?)",
                (row["key"], words_of(as_text(row["prompt"])), words_of(as_text(row["answer"]))),
            )
        except sqlite3.DatabaseError as error:
            db.execute("ROLLBACK TO search")
            _log.warning("the search index is dropped: %s", error)
            _drop(db)
        db.execute("RELEASE search")


def remove_session(db: sqlite3.Connection, session_id: SessionId) -> None:
    """Take all turns of a session out of the index, and have the words themselves forgotten."""
    rows = db.execute("SELECT id FROM turn WHERE session = ? AND is_indexed = 1", (session_id,)).fetchall()
    _remove_and_forget(db, [TurnId(row["id"]) for row in rows])


def remove_turn(db: sqlite3.Connection, turn_id: TurnId) -> None:
    """Take one turn out of the index, and have the words themselves forgotten."""
    rows = db.execute("SELECT id FROM turn WHERE id = ? AND is_indexed = 1", (turn_id,)).fetchall()
    _remove_and_forget(db, [TurnId(row["id"]) for row in rows])


def _remove_and_forget(db: sqlite3.Connection, turns: list[TurnId]) -> None:
    remove(db, turns)
    if turns:
        db.execute("INSERT OR REPLACE INTO fact (name, value) VALUES ('forgetting', '1')")


def forget(db: sqlite3.Connection, within_s: float = _FORGET_S) -> None:
    """Wipe deleted words out of the index; what does not fit into the time is left to `take_in_some`.

    Raises:
        sqlite3.Error: the store cannot be written now.
    """
    deadline = time.monotonic() + within_s
    while _is_forgetting(db) and forget_some(db) and time.monotonic() < deadline:
        pass


def forget_some(db: sqlite3.Connection) -> bool:
    """Do one step of wiping out; return whether there is more to do.

    A deletion only adds a mark to the index; the words go when the pieces of the index are merged.
    """
    try:
        with immediate(db):
            before = db.total_changes
            if exists(db):
                db.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (-_MERGE_PAGES,))
            if db.total_changes - before < 2:
                db.execute("DELETE FROM fact WHERE name = 'forgetting'")
                return False
    except sqlite3.DatabaseError as error:
        _discard_if_damaged(db, error)
    return True


_NOT_INDEXED = """
    WHERE is_indexed = 0 AND state NOT IN ('queued', 'connecting', 'streaming') ORDER BY key LIMIT ?
"""


def _insert(db: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Add one turn."""
    db.execute(
        "INSERT INTO search (rowid, prompt, answer) VALUES (?, ?, ?)",
        (row["key"], words_of(as_text(row["prompt"])), words_of(as_text(row["answer"]))),
    )


def _ensure(db: sqlite3.Connection) -> bool:
    """Make the index if it is not there; return False where the engine cannot."""
    if exists(db):
        return True
    try:
        with immediate(db):
            if not exists(db):
                db.execute("UPDATE turn SET is_indexed = 0 WHERE is_indexed")
                db.execute(
                    "CREATE VIRTUAL TABLE search USING fts5(prompt, answer, content = '', prefix = '3', "
                    "tokenize = 'unicode61 remove_diacritics 2')"
                )
    except sqlite3.OperationalError as error:
        if "no such module" not in str(error):
            raise
        return False
    return True


def _is_forgetting(db: sqlite3.Connection) -> bool:
    """Return whether deleted words may still stand in the index."""
    return db.execute("SELECT 1 FROM fact WHERE name = 'forgetting'").fetchone() is not None


def _discard_if_damaged(db: sqlite3.Connection, error: sqlite3.DatabaseError) -> None:
    """Drop a damaged index, to be made again; any other trouble is the store's."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
        raise error
    _log.warning("the search index is dropped: %s", error)
    with immediate(db):
        _drop(db)


def _drop(db: sqlite3.Connection) -> None:
    """Delete the index and have every turn taken in again; an engine without FTS5 cannot even do that."""
    try:
        db.execute("DROP TABLE IF EXISTS search")
    except sqlite3.OperationalError as error:
        if "no such module" not in str(error):
            raise
    db.execute("UPDATE turn SET is_indexed = 0 WHERE is_indexed")
