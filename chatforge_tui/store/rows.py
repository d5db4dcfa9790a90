"""Writes rows, inside a transaction that someone else has opened. The statements behind the operations."""

import sqlite3
from collections.abc import Mapping

from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.part import Part
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnHead
from chatforge_tui.store import codec, search_index, text_log
from chatforge_tui.store.instances import InstanceId


def write_ended(db: sqlite3.Connection, turn: Turn) -> None:
    """Write a turn that is over: head, parts, plans and checksum; its chunks go, and what the log has is no longer its."""
    turn_id = turn.head.turn_id
    write_turn(db, turn.head, None, sha256=codec.checksum(turn.parts))
    clear_content(db, turn_id)
    put_parts(db, turn_id, turn.parts)
    put_plans(db, turn_id, tuple(enumerate(turn.plans)))


def write_turn(db: sqlite3.Connection, head: TurnHead, owner: InstanceId | None, *, sha256: str | None) -> None:
    """Insert or update a turn's own row; with an owner, what is logged from now on is its text."""
    search_index.remove(db, [head.turn_id])
    logged_from = None if owner is None else text_log.next_key(db)
    columns = codec.encode_turn(head) | {
        "instance": owner,
        "logged_from": logged_from,
        "sha256": sha256,
        "is_indexed": 0,
    }
    _upsert(db, "turn", columns)


def write_session(db: sqlite3.Connection, columns: Mapping[str, codec.Value], *, create: bool = False) -> None:
    """Write columns of a session; at most one session is active."""
    if columns.get("is_active"):
        db.execute("UPDATE session SET is_active = 0 WHERE is_active AND id <> ?", (columns["id"],))
    if create:
        _upsert(db, "session", columns)
    else:
        update(db, "session", columns)


def note_begun(db: sqlite3.Connection, session: SessionHead, *, has_files: bool) -> None:
    """Write what a turn's begin changes of its session: its title, if it has none, when it was used, and what is attached.

    All else in the head is not the turn's to say: another program may have given the session a name meanwhile.

    Args:
        db: the connection.
        session: its head with the turn.
        has_files: the prompt takes files along, which are not attached any more.
    """
    _note_used(db, session, {"attachments": codec.encode_attachments(session.attachments)} if has_files else {})


def note_ended(db: sqlite3.Connection, session: SessionHead) -> None:
    """Write what a turn's end changes of its session: as its begin, but what the agent waits for and whether it is read.

    Its title, too: a prompt that waited gave it none before it was sent.
    """
    waiting_task = codec.storable(session.waiting_task) if session.waiting_task else None
    _note_used(db, session, {"waiting_task": waiting_task, "unread": session.unread})


def _note_used(db: sqlite3.Connection, session: SessionHead, columns: Mapping[str, codec.Value]) -> None:
    more = "".join(f", {name} = ?" for name in columns)
    db.execute(
        "UPDATE session SET title = CASE WHEN title = '' AND NOT title_is_manual THEN ? ELSE title END, "
        f"updated = max(updated, ?){more} WHERE id = ?",
        (codec.storable(session.title), session.updated, *columns.values(), session.session_id),
    )


def delete_session(db: sqlite3.Connection, session_id: SessionId) -> None:
    """Delete a session and everything that belongs to it; `secure_delete` overwrites the words.

    Those in the full-text index go after the commit (search_index.forget).
    """
    search_index.remove_session(db, session_id)
    db.execute("DELETE FROM session WHERE id = ?", (session_id,))
    if text_log.exists(db):
        text_log.wipe(db)


def delete_unsent(db: sqlite3.Connection, turn_id: TurnId) -> bool:
    """Delete a turn if it was never sent; return whether it was there."""
    is_there = "SELECT 1 FROM turn WHERE id = ? AND state = 'unsent'"
    if db.execute(is_there, (turn_id,)).fetchone() is None:
        return False
    search_index.remove_turn(db, turn_id)
    db.execute("DELETE FROM turn WHERE id = ?", (turn_id,))
    return True


def clear_content(db: sqlite3.Connection, turn_id: TurnId) -> None:
    """Delete everything that belongs to a turn but its own row."""
    for table in ("chunk", "part", "plan"):
        db.execute(f"DELETE FROM {table} WHERE turn = ?", (turn_id,))


def put_parts(db: sqlite3.Connection, turn_id: TurnId, parts: tuple[Part, ...]) -> None:
    """Write parts of a turn, each in place of one with its index."""
    db.executemany(
        "INSERT OR REPLACE INTO part (turn, idx, kind, text, body) VALUES (?, ?, ?, ?, ?)",
        [(turn_id, *codec.encode_part(part)) for part in parts],
    )


def put_plans(db: sqlite3.Connection, turn_id: TurnId, plans: tuple[tuple[int, Plan], ...]) -> None:
    """Write versions of a turn's plan, by sequence."""
    db.executemany(
        "INSERT OR REPLACE INTO plan (turn, sequence, body) VALUES (?, ?, ?)",
        [(turn_id, sequence, codec.encode_plan(plan)) for sequence, plan in plans],
    )


def _upsert(db: sqlite3.Connection, table: str, columns: Mapping[str, codec.Value]) -> None:
    """Insert a row, or update the one with its id (never REPLACE: that would delete what belongs to it)."""
    names = list(columns)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
    db.execute(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT (id) DO UPDATE SET {changes}",
        tuple(columns.values()),
    )


def update(db: sqlite3.Connection, table: str, columns: Mapping[str, codec.Value]) -> None:
    """Update the row with this id, if there is one."""
    changes = ", ".join(f"{name} = :{name}" for name in columns if name != "id")
    if changes:
        db.execute(f"UPDATE {table} SET {changes} WHERE id = :id", dict(columns))
