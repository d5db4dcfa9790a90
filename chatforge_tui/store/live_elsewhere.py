"""Turns that are live in another program: of a dead one they are interrupted, a living one is not disturbed."""

from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.errors import SessionBusy
from chatforge_tui.store import instances, queries, rows, text_log
from chatforge_tui.store.instances import InstanceId
from chatforge_tui.store.workplace import Workplace


def interrupt_dead_turns(at: Workplace) -> int:
    """End every turn whose program is dead, with the text it had; return how many there were. Its rows of the log go."""
    found = at.db.execute(f"SELECT id, instance FROM turn WHERE {text_log.LIVE}").fetchall()
    writers = text_log.writers(at.db)
    # Asked once: of a program that dies meanwhile the rows must not go before its turns have their text.
    living = {program for program in {*writers, *(row["instance"] for row in found)} if at.me.is_alive(program)}
    dead = [TurnId(row["id"]) for row in found if row["instance"] not in living]
    for turn_id in dead:
        if (turn := queries.load_turn(at.db, living.__contains__, turn_id, at.reader)) is not None:
            rows.write_ended(at.db, turn)
    text_log.delete_of(at.db, [program for program in writers if program not in living])
    return len(dead)


def refuse_second_writer(at: Workplace, session_id: SessionId) -> None:
    """Let no second program answer in a session; what a dead one left there is interrupted first."""
    found = at.db.execute(
        "SELECT id, instance FROM turn WHERE session = ? AND instance <> ? "
        "AND state IN ('queued', 'connecting', 'streaming')",
        (session_id, at.me.instance_id),
    ).fetchall()
    for row in found:
        owner = InstanceId(row["instance"])
        if at.me.is_alive(owner):
            message = f"This session is answering in another ChatForge: {instances.describe(at.db, owner)}."
            raise SessionBusy(message, hint="Take it over, or wait until it is done.")
    if found:
        interrupt_dead_turns(at)
