"""Moves live text out of the log to where it stands by turn, so that the log stays short."""

import sqlite3
from collections.abc import Iterator

from msgspec import Struct

from chatforge_tui.store.text_log import FIELDS, LIVE, TextLog, decode

_Chunk = tuple[str, int, int, str, str, float]
"""As the columns of `chunk`: turn, sequence of the last text in it, index of the part, which of its texts, the text, when."""


class _Run(Struct):
    """Texts of one part that follow each other."""

    index: int
    field: int
    last: int
    """The sequence of the last of them."""
    pieces: list[str]


class _Moving(Struct):
    """A turn on the way: what text_log_reader.py reads, in one pass over all turns."""

    logged_from: int
    ends: dict[int, int]
    """Index of a part -> sequence of the last text of it that was moved before."""
    last: int = -1
    """The last sequence that was met: what is not beyond it is there twice."""
    written: float = 0.0
    runs: list[_Run] = []


def move(db: sqlite3.Connection, log: TextLog) -> None:
    """Give each live turn of this program its text as rows of `chunk`, and delete the program's rows of the log.

    Inside an open transaction. Rows that are damaged stay, for they say so, but empty: what could be read of them was moved
    as well, and would be told twice once what took its place is no longer beside it.
    """
    mine = (log.instance,)
    live = f"FROM turn WHERE instance = ? AND {LIVE} AND logged_from IS NOT NULL"
    turns = {
        row["id"]: _Moving(row["logged_from"], {})
        for row in db.execute(f"SELECT id, logged_from {live}", mine).fetchall()
    }
    ends = f"SELECT turn, idx, max(seq) FROM chunk WHERE turn IN (SELECT id {live}) GROUP BY turn, idx"
    for turn_id, index, end in map(tuple, db.execute(ends, mine).fetchall()):
        turns[turn_id].ends[index] = end
    damaged = [
        row["key"]
        for row in db.execute("SELECT key, written, body FROM text_log WHERE instance = ? ORDER BY key", mine)
        if not _take_in(turns, row)
    ]
    # Emptied first: what takes its place is written over it, where it would be written beside it and this wiped.
    log.clear(db, but=damaged)
    db.executemany("UPDATE text_log SET body = x'' WHERE key = ?", [(key,) for key in damaged])
    db.executemany(
        "INSERT INTO chunk (turn, seq, idx, field, text, written) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (turn, seq) DO UPDATE SET idx = excluded.idx, field = excluded.field, text = excluded.text",
        _chunks(turns),
    )


def _take_in(turns: dict[str, _Moving], row: sqlite3.Row) -> bool:
    """Add a row of the log; return whether it could be read whole."""
    key, written, (records, is_whole) = row["key"], row["written"], decode(row["body"])
    for turn_id, sequence, index, field, text in records:
        turn = turns.get(turn_id)
        if turn is None or key < turn.logged_from or sequence <= turn.last:
            continue
        turn.last, turn.written = sequence, written
        runs = turn.runs
        if text is None:
            turn.runs = [run for run in runs if run.index != index]
        elif turn.ends and sequence <= turn.ends.get(index, -1):
            continue
        elif runs and (run := runs[-1]).index == index and run.field == field:
            run.pieces.append(text)
            run.last = sequence
        else:
            runs.append(_Run(index, field, sequence, [text]))
    return is_whole


def _chunks(turns: dict[str, _Moving]) -> Iterator[_Chunk]:
    for turn_id, turn in turns.items():
        for run in turn.runs:
            field = FIELDS[run.field] if 0 <= run.field < len(FIELDS) else FIELDS[0]
            yield turn_id, run.last, run.index, field, "".join(run.pieces), turn.written
