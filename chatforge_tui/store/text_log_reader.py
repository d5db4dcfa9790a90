"""Reads the log of live text, each row once: what other programs write is looked at every second.

What was read is held by program, as long as it is asked for: at most a log's limit or so for each.
"""

import sqlite3
import time
from collections.abc import Iterable

from msgspec import Struct

from chatforge_tui.domain.changes import TextAppended
from chatforge_tui.store import text_log
from chatforge_tui.store.text_log import FIELDS, Record

_HELD_S = 5.0
"""How long what was read is held when nobody asks for it."""

Ends = dict[int, int]
"""Index of a part -> sequence of the last text of it that was moved out of the log."""


class LiveText(Struct, frozen=True):
    """What the log has of one turn."""

    texts: tuple[tuple[int, TextAppended], ...] = ()
    """Sequence and text, in order; of a part that was replaced only what came after it."""
    last_written: float | None = None
    """When the last of it was written, Unix seconds; None when there is nothing."""
    is_damaged: bool = False
    """Whether some of it may be missing: a row from its time cannot be read."""


class _Rows(Struct):
    """The rows of one program, as far as they were read."""

    first: int
    last: int = 0
    by_turn: dict[str, list[tuple[int, float, Record]]] = {}
    """Turn -> key and time of the row, and the record."""
    damaged: list[int] = []
    """Keys of rows that cannot be read whole."""
    asked_at: float = 0.0


class TextLogReader:
    """The log as one connection sees it."""

    def __init__(self) -> None:
        """Have read nothing."""
        self._programs: dict[str, _Rows] = {}

    def read(
        self, db: sqlite3.Connection, turn_id: str, owner: str, logged_from: int, moved: Ends | None = None
    ) -> LiveText:
        """Return what the log has of a live turn. Its row and this are to be read at one moment (snapshot).

        Args:
            db: the connection.
            turn_id: the turn.
            owner: the program in which it is live.
            logged_from: as its row says.
            moved: what of the turn stands in `chunk`; nothing.
        """
        first, last = _bounds(db, owner)
        if last < logged_from:
            return LiveText()
        rows, ends = self._rows(db, owner, first), moved or {}
        found = [one for one in rows.by_turn.get(turn_id, ()) if one[0] >= logged_from]
        begins = dict(ends)
        for _, _, (_, sequence, index, _, text) in found:
            if text is None:
                begins[index] = max(sequence, begins.get(index, sequence))
        texts = {
            sequence: TextAppended(index, text, FIELDS[field] if 0 <= field < len(FIELDS) else FIELDS[0])
            for _, _, (_, sequence, index, field, text) in found
            if text is not None and sequence > begins.get(index, -1)
        }
        return LiveText(
            tuple(sorted(texts.items())),
            max((written for _, written, _ in found), default=None),
            any(key >= logged_from for key in rows.damaged),
        )

    def damaged(self, owner: str) -> tuple[int, ...]:
        """Return the keys of a program's rows that could not be read whole."""
        rows = self._programs.get(owner)
        return () if rows is None else tuple(rows.damaged)

    def expire(self) -> None:
        """Forget what nobody asks for any more."""
        if self._programs:
            oldest = time.monotonic() - _HELD_S
            self._programs = {owner: rows for owner, rows in self._programs.items() if rows.asked_at >= oldest}

    def forget(self) -> None:
        """Forget everything: a transaction in which it may have been read was taken back."""
        self._programs.clear()

    def _rows(self, db: sqlite3.Connection, owner: str, first: int) -> _Rows:
        """Return a program's rows, whose first one is this, with those that are new."""
        rows = self._programs.get(owner)
        if rows is None or rows.first != first:  # they were moved: those from here on are others
            rows = self._programs[owner] = _Rows(first)
        rows.asked_at = time.monotonic()
        rows.last = _take_in(rows, _newer(db, owner, rows.last))
        return rows


def _bounds(db: sqlite3.Connection, owner: str) -> tuple[int, int]:
    """Return the keys of a program's first row and of its last; 0 without one."""
    first, last = db.execute(
        "SELECT (SELECT min(key) FROM text_log WHERE instance = ?1), (SELECT max(key) FROM text_log WHERE instance = ?1)",
        (owner,),
    ).fetchone()
    return first or 0, last or 0


def _newer(db: sqlite3.Connection, owner: str, last: int) -> Iterable[sqlite3.Row]:
    return db.execute(
        "SELECT key, written, body FROM text_log WHERE instance = ? AND key > ? ORDER BY key", (owner, last)
    )


def _take_in(rows: _Rows, newer: Iterable[sqlite3.Row]) -> int:
    """Add rows, and return the key of the last."""
    last = rows.last
    for row in newer:
        last, written = row["key"], row["written"]
        records, is_whole = text_log.decode(row["body"])
        if not is_whole:
            rows.damaged.append(last)
        for record in records:
            rows.by_turn.setdefault(record[0], []).append((last, written, record))
    return last
