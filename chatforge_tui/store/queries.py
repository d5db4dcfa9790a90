"""Reads sessions and turns. Writes nothing; every function works inside a transaction or without one.

A damaged row hides nothing but what it lost: the session or turn is there with the rest, and says so.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.part import Part
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import FIRST_UNSENT, Turn, TurnHead, TurnState
from chatforge_tui.store import codec
from chatforge_tui.store.cells import Cells
from chatforge_tui.store.connection import readable, snapshot
from chatforge_tui.store.instances import InstanceId
from chatforge_tui.store.interruption import interrupted
from chatforge_tui.store.text_log_reader import Ends, LiveText, TextLogReader

_log = logging.getLogger("chatforge.store")

IsAlive = Callable[[InstanceId | None], bool]
"""Tells whether a program still runs."""

_SESSIONS = f"""
    SELECT session.*, last.state AS last_state, last.instance AS last_instance,
        (SELECT count(*) FROM turn WHERE turn.session = session.id AND ordinal >= {FIRST_UNSENT}) AS unsent
    FROM session
    LEFT JOIN turn AS last ON last.key = (
        SELECT key FROM turn WHERE turn.session = session.id AND ordinal < {FIRST_UNSENT}
        ORDER BY ordinal DESC, id DESC LIMIT 1
    )
"""
_LIVE = frozenset(state.value for state in TurnState if state.is_live)
_OPEN_FIRST = "ORDER BY is_open DESC, CASE WHEN is_open THEN position END, updated DESC, session.id DESC"
_WANTED = "session = ?1 AND ordinal >= ?2 AND (?3 IS NULL OR ordinal < ?3) AND id IS NOT ?4"
"""Of session, from, below (NULL = to the end, where damaged ordinals that are no numbers stand, too), and without."""
_OF_WANTED = f"WHERE turn IN (SELECT id FROM turn WHERE {_WANTED})"


def load_sessions(db: sqlite3.Connection, is_alive: IsAlive, *, trashed: bool = False) -> list[SessionHead]:
    """Return the sessions, or those in the trash: open ones by position, then the others, newest first."""
    return heads_of(session_rows(db, trashed=trashed), is_alive)


def session_rows(db: sqlite3.Connection, *, trashed: bool = False) -> list[sqlite3.Row]:
    """Return the rows behind `load_sessions`, for `heads_of`."""
    where = "WHERE trashed IS NOT NULL" if trashed else "WHERE trashed IS NULL"
    return readable(db, lambda: db.execute(f"{_SESSIONS} {where} {_OPEN_FIRST}").fetchall())


def load_session(db: sqlite3.Connection, is_alive: IsAlive, session_id: SessionId) -> SessionHead | None:
    """Return one session, in the trash or not; None when there is none with this id."""
    row = readable(db, lambda: db.execute(f"{_SESSIONS} WHERE session.id = ?", (session_id,)).fetchone())
    return None if row is None else heads_of([row], is_alive)[0]


def is_damaged(db: sqlite3.Connection, session_id: SessionId) -> bool:
    """Return whether something in the session's own row is not what its columns say."""
    row = readable(db, lambda: db.execute("SELECT * FROM session WHERE id = ?", (session_id,)).fetchone())
    cells = Cells(row)
    codec.decode_session(cells, None)
    return bool(cells.damaged)


def load_turns(
    db: sqlite3.Connection,
    is_alive: IsAlive,
    session_id: SessionId,
    reader: TextLogReader | None = None,
    *,
    since: int = 0,
    before: int | None = None,
    but: TurnId | None = None,
) -> list[Turn]:
    """Return the turns of a session in order, from the ordinal `since` on and, if there is one, below `before`.

    A turn that a dead program was running reads `interrupted`, whether or not it has been marked so.

    Args:
        db: an open connection.
        is_alive: tells whether a program still runs.
        session_id: whose turns.
        reader: has read the log of live text on this connection before; None to read all of it.
        since: the first ordinal, >= 0.
        before: the ordinal behind the last; None = to the end.
        but: a turn that is not wanted; None = all are.
    """
    wanted = (session_id, since, before, but)
    found = readable(db, lambda: _rows_of_session(db, wanted, reader or TextLogReader()))
    parts, plans, chunks = _by_turn(found.parts), _by_turn(found.plans), _by_turn(found.chunks)
    return [
        _turn(
            row,
            parts.get(row["id"], ()),
            plans.get(row["id"], ()),
            chunks.get(row["id"], ()),
            found.live[row["id"]],
            is_alive,
        )
        for row in found.turns
    ]


def lost_turns(db: sqlite3.Connection, is_alive: IsAlive) -> list[TurnHead]:
    """Return the heads of interrupted turns with a task that are the last of their sessions, the trash left out."""
    rows = readable(db, lambda: db.execute(_LAST_WITH_TASK).fetchall())
    heads = [
        codec.decode_turn(Cells(row)) for row in rows if row["state"] not in _LIVE or not is_alive(row["instance"])
    ]
    return [interrupted(head) if head.state.is_live else head for head in heads]


def unsent_turns(db: sqlite3.Connection) -> list[TurnHead]:
    """Return the heads of the prompts that wait to be sent, the trash left out, each session's in order."""
    rows = readable(db, lambda: db.execute(_UNSENT).fetchall())
    heads = [codec.decode_turn(Cells(row)) for row in rows]
    return [head for head in heads if head.state is TurnState.UNSENT]


def load_turn(
    db: sqlite3.Connection, is_alive: IsAlive, turn_id: TurnId, reader: TextLogReader | None = None
) -> Turn | None:
    """Return one turn; None when there is none with this id. The arguments are as in `load_turns`."""
    found = readable(db, lambda: _rows_of_turn(db, turn_id, reader or TextLogReader()))
    if not found.turns:
        return None
    return _turn(found.turns[0], found.parts, found.plans, found.chunks, found.live[turn_id], is_alive)


class _Found(NamedTuple):
    """The rows of some turns, all of one moment, each kind in order."""

    turns: list[sqlite3.Row]
    parts: list[sqlite3.Row]
    plans: list[sqlite3.Row]
    chunks: list[sqlite3.Row]
    live: dict[str, LiveText]
    """What the log has of each turn."""


def _rows_of_session(
    db: sqlite3.Connection, wanted: tuple[SessionId, int, int | None, TurnId | None], reader: TextLogReader
) -> _Found:
    """Return the rows of a session's turns; `wanted` as in `_WANTED`."""
    with snapshot(db):
        return _with_live_text(
            db,
            reader,
            db.execute(f"SELECT * FROM turn WHERE {_WANTED} ORDER BY ordinal, id", wanted).fetchall(),
            db.execute(f"SELECT * FROM part {_OF_WANTED} ORDER BY turn, idx", wanted).fetchall(),
            db.execute(f"SELECT * FROM plan {_OF_WANTED} ORDER BY turn, sequence", wanted).fetchall(),
            db.execute(f"SELECT * FROM chunk {_OF_WANTED} ORDER BY turn, seq", wanted).fetchall(),
        )


def _rows_of_turn(db: sqlite3.Connection, turn_id: TurnId, reader: TextLogReader) -> _Found:
    """Return the rows of one turn."""
    with snapshot(db):
        return _with_live_text(
            db,
            reader,
            db.execute("SELECT * FROM turn WHERE id = ?", (turn_id,)).fetchall(),
            db.execute("SELECT * FROM part WHERE turn = ? ORDER BY idx", (turn_id,)).fetchall(),
            db.execute("SELECT * FROM plan WHERE turn = ? ORDER BY sequence", (turn_id,)).fetchall(),
            db.execute("SELECT * FROM chunk WHERE turn = ? ORDER BY seq", (turn_id,)).fetchall(),
        )


def _with_live_text(db: sqlite3.Connection, reader: TextLogReader, *rows: list[sqlite3.Row]) -> _Found:
    """Add to turns, parts, plans and chunks what the log has."""
    turns, parts, plans, chunks = rows
    return _Found(turns, parts, plans, chunks, {row["id"]: _live_text(db, reader, row, chunks) for row in turns})


def _live_text(
    db: sqlite3.Connection, reader: TextLogReader, row: sqlite3.Row, chunks: Iterable[sqlite3.Row]
) -> LiveText:
    """Return what the log has of a turn, behind what was moved out of it. A store of an earlier version has no log."""
    cells = Cells(row)
    if row["state"] not in _LIVE or not cells.has("logged_from"):
        return LiveText()
    if row["logged_from"] is None or (owner := cells.text_or_none("instance")) is None:
        return LiveText()
    ends: Ends = {}
    for chunk in chunks:
        if chunk["turn"] == row["id"]:
            ends[chunk["idx"]] = max(chunk["seq"], ends.get(chunk["idx"], -1))
    return reader.read(db, row["id"], owner, cells.whole("logged_from"), ends)


_LAST_WITH_TASK = f"""
    SELECT turn.* FROM session
    JOIN turn ON turn.key = (
        SELECT key FROM turn WHERE turn.session = session.id AND ordinal < {FIRST_UNSENT}
        ORDER BY ordinal DESC, id DESC LIMIT 1
    )
    WHERE session.trashed IS NULL AND turn.task_id IS NOT NULL
    AND turn.state IN ('queued', 'connecting', 'streaming', 'interrupted')
    ORDER BY session.is_open DESC, session.is_active DESC, session.updated DESC
"""


_UNSENT = f"""
    SELECT turn.* FROM session JOIN turn ON turn.session = session.id AND turn.ordinal >= {FIRST_UNSENT}
    WHERE session.trashed IS NULL ORDER BY session.id, turn.ordinal, turn.id
"""


def heads_of(rows: Sequence[sqlite3.Row], is_alive: IsAlive) -> list[SessionHead]:
    """Return the heads of sessions' rows; a last turn reads `interrupted` when its program is dead."""
    columns = codec.SESSION_COLUMNS
    is_ordered = bool(rows) and tuple(rows[0].keys()[: len(columns)]) == columns
    return [_head(row, is_alive, is_ordered=is_ordered) for row in rows]


def _head(row: sqlite3.Row, is_alive: IsAlive, *, is_ordered: bool) -> SessionHead:
    """Return the head of a session's row.

    Args:
        row: its own columns, and of its last turn.
        is_alive: as everywhere.
        is_ordered: whether it has the columns of this version's stores, in their order.
    """
    state: str | None = row["last_state"]
    if state in _LIVE and not is_alive(row["last_instance"]):
        state = TurnState.INTERRUPTED.value
    if is_ordered and (head := codec.decode_sound_session(row, state, row["unsent"])) is not None:
        return head
    cells = Cells(row)
    head = codec.decode_session(cells, state, row["unsent"])
    if cells.damaged:
        _log.warning("session %s is damaged in its row: %s", head.session_id, ", ".join(cells.damaged))
    return head


def _turn(
    row: sqlite3.Row,
    parts: Iterable[sqlite3.Row],
    plans: Iterable[sqlite3.Row],
    chunks: Iterable[sqlite3.Row],
    live: LiveText,
    is_alive: IsAlive,
) -> Turn:
    """Put a turn together: its parts as stored, what has streamed in since, and what became of its program."""
    cells, chunks, plans = Cells(row), list(chunks), list(plans)
    head = codec.decode_turn(cells)
    if head.state.is_live and not is_alive(row["instance"]):
        seen = [Cells(chunk).time("written") for chunk in chunks]
        if live.last_written is not None:
            seen.append(live.last_written)
        head = interrupted(head, last_seen=max(seen, default=head.accepted))
    stored: tuple[Part, ...] = tuple(codec.decode_part(part) for part in parts)
    versions = tuple(plan for plan in map(codec.decode_plan, plans) if plan is not None)
    texts = chain(map(codec.decode_chunk, chunks), (change for _, change in live.texts))
    turn = fold(Turn(head, stored, versions), texts)
    turn = codec.verified(turn, cells.text_or_none("sha256"))
    lost = [*cells.damaged, *(["plan"] if len(versions) < len(plans) else []), *(["text"] if live.is_damaged else [])]
    if lost:
        _log.warning("turn %s is damaged in its row: %s", head.turn_id, ", ".join(lost))
        turn = codec.with_warning(turn, f"Something about this turn is {codec.DAMAGED} ({', '.join(lost)}).")
    return turn


def _by_turn(rows: list[sqlite3.Row]) -> dict[str, list[sqlite3.Row]]:
    """Group rows, which are ordered by turn."""
    return {turn: list(group) for turn, group in groupby(rows, key=itemgetter("turn"))}
