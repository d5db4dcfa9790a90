"""Which program may write in a session: the rows of `hold`, inside a transaction or without one.

A hold counts while its program's lock is held: nothing here runs out with time.
"""

import sqlite3
from collections.abc import Iterable

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import SessionBusy
from chatforge_tui.store.instances import InstanceId, Observer, describe


def holders(db: sqlite3.Connection, me: Observer) -> dict[SessionId, str]:
    """Return the sessions that other living programs hold, each with words for its program."""
    rows = db.execute("SELECT session, instance FROM hold WHERE instance IS NOT ?", (me.instance_id,)).fetchall()
    programs = {InstanceId(row["instance"]) for row in rows}
    words = {program: describe(db, program) for program in programs if me.is_alive(program)}
    return {SessionId(row["session"]): words[row["instance"]] for row in rows if row["instance"] in words}


def other_holder(db: sqlite3.Connection, me: Observer, session_id: SessionId) -> InstanceId | None:
    """Return the other living program that holds a session; None when there is none."""
    row = db.execute("SELECT instance FROM hold WHERE session = ?", (session_id,)).fetchone()
    if row is None or row["instance"] == me.instance_id:
        return None
    holder = InstanceId(row["instance"])
    return holder if me.is_alive(holder) else None


def take(db: sqlite3.Connection, me: Observer, session_id: SessionId) -> None:
    """Make this program the session's writer. A session that does not exist is left alone.

    Raises:
        SessionBusy: another living program is.
    """
    holder = other_holder(db, me, session_id)
    if holder is not None:
        message = f"This session is open in another ChatForge: {describe(db, holder)}."
        raise SessionBusy(message, hint="Take it over, or close it there.")
    db.execute(
        "INSERT INTO hold (session, instance) SELECT id, ? FROM session WHERE id = ? "
        "ON CONFLICT (session) DO UPDATE SET instance = excluded.instance, asked = NULL "
        "WHERE instance <> excluded.instance",
        (me.instance_id, session_id),
    )


def take_tabs(db: sqlite3.Connection, me: Observer) -> None:
    """Make this program the writer of every session with a tab that no living program holds."""
    found = db.execute(
        "SELECT session.id FROM session LEFT JOIN hold ON hold.session = session.id "
        "WHERE is_open AND trashed IS NULL AND instance IS NOT ?",
        (me.instance_id,),
    ).fetchall()
    held = holders(db, me)
    for row in found:
        if row["id"] not in held:
            take(db, me, SessionId(row["id"]))


def ask(db: sqlite3.Connection, me: Observer, session_id: SessionId) -> None:
    """Leave a word for the session's writer that this program wants it; the last one who asks gets it."""
    db.execute("UPDATE hold SET asked = ? WHERE session = ?", (me.instance_id, session_id))


def asked_for(db: sqlite3.Connection, me: Observer) -> frozenset[SessionId]:
    """Return the sessions of this program that another living one asks for."""
    rows = db.execute(
        "SELECT session, asked FROM hold WHERE instance = ? AND asked IS NOT NULL", (me.instance_id,)
    ).fetchall()
    return frozenset(SessionId(row["session"]) for row in rows if me.is_alive(InstanceId(row["asked"])))


def give_up(db: sqlite3.Connection, me: Observer, session_ids: Iterable[SessionId]) -> frozenset[SessionId]:
    """Let go of sessions: to the program that asked for one, if it lives, or to whoever comes first.

    Returns:
        Those that are kept, for this program still answers in them.
    """
    kept = set[SessionId]()
    for session_id in session_ids:
        answers = (
            "SELECT 1 FROM turn WHERE session = ? AND instance = ? AND state IN ('queued', 'connecting', 'streaming')"
        )
        if db.execute(answers, (session_id, me.instance_id)).fetchone() is not None:
            kept.add(session_id)
            continue
        row = db.execute(
            "SELECT asked FROM hold WHERE session = ? AND instance = ?", (session_id, me.instance_id)
        ).fetchone()
        if row is None:
            continue
        if row["asked"] is not None and me.is_alive(InstanceId(row["asked"])):
            db.execute("UPDATE hold SET instance = asked, asked = NULL WHERE session = ?", (session_id,))
        else:
            db.execute("DELETE FROM hold WHERE session = ?", (session_id,))
    return frozenset(kept)
