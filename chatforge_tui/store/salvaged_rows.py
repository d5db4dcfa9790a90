"""Takes rows out of stores that are damaged, each once: out of the store itself, then what it no longer has out of a backup.

A row of which something is missing gets a stand-in for that; one whose owner was lost gets an owner that is made up, until
a backup has it.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from chatforge_tui.domain.digest import digest
from chatforge_tui.domain.ids import new_request_id, new_session_id
from chatforge_tui.domain.part import Part
from chatforge_tui.store import codec, text_log
from chatforge_tui.store.cells import as_text
from chatforge_tui.store.connection import connect, readable
from chatforge_tui.store.pragmas import guard
from chatforge_tui.store.text_log import FIELDS, Record

_TABLES = ("session", "turn", "part", "plan", "chunk", "attached")
"""In the order in which rows refer to each other."""
_GAP_LIMIT = 200_000
"""Rows looked for one by one between two that can be read."""

_STAND_IN = {"session": "session.endpoint = ''", "turn": "turn.prompt = '' AND turn.sha256 IS NULL"}
"""How a row that was made up is told from one that was found: a found one takes its place."""

_STAND_IN_OF = {"TEXT": "", "INTEGER": 0, "REAL": 0.0, "BLOB": b""}
"""What takes the place of a cell that must be there and is not."""
_OWN = frozenset({"key", "is_indexed"})
"""Columns that each store fills for itself."""

Cells = dict[str, object]
Owners = dict[str, tuple[object, object]]
"""Turns that were live where they were found -> their program, and the first row of the log that counts for them."""
Progress = Callable[[], None]
"""Called in the repair's thread with each row that was read."""


class Salvage:
    """The rows of a fresh store, out of one source after the other: the damaged store first."""

    def __init__(self, db: sqlite3.Connection, tell: Progress) -> None:
        """Have taken nothing.

        Args:
            db: the fresh store, in a transaction.
            tell: told of each row that was read.
        """
        self._db = db
        self._tell = tell
        self._altered: dict[str, str] = {}
        """Turns whose parts are not what they were at their end -> the checksum of what they were."""
        self._ended: set[str] = set()
        """Turns that have a checksum: nothing grows them any more."""
        self._whole: set[str] = set()
        """Turns of which the sources before have every part."""
        self._has_all_turns = False
        """A source before had every turn: what is not here was deleted."""
        self._owners: Owners = {}
        self._damaged: set[str] = set()
        """Of the source that was read last: tables that cannot be read whole."""
        self._moved: dict[tuple[str, int], int] = {}
        """Turn and part -> sequence of the last text that was moved out of a log: an older copy may have it in its own still."""

    def take(self, source: Path) -> bool:
        """Copy every row that can be read and is not there yet.

        Returns:
            Whether the source could be read at all.
        """
        if is_blank(source):
            return False
        self._owners, self._damaged = {}, set()
        try:
            with closing(connect(source)) as damaged:
                guard(damaged)
                damaged.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                self._take_whole_answers(damaged)
                for table in _TABLES:
                    self._take_table(damaged, table)
                self._take_live_text(damaged)
        except sqlite3.DatabaseError:
            return False
        return True

    def settle(self) -> None:
        """Note what the store itself has whole, so that no backup adds what was deleted, dropped or replaced since.

        It was read as it was found: what a part of it that can be read has no longer was not lost.
        """
        self._has_all_turns = "turn" not in self._damaged
        found = f"SELECT id, sha256 FROM turn WHERE NOT ({_STAND_IN['turn']})"
        turns = self._db.execute(found).fetchall()
        self._ended = {row["id"] for row in turns if row["sha256"] is not None}
        self._altered = {
            row["id"]: row["sha256"]
            for row in turns
            if row["sha256"] is not None and codec.checksum(_parts_of(self._db, row["id"])) != row["sha256"]
        }
        has_all_parts = "part" not in self._damaged
        self._whole = {
            row["id"] for row in turns if has_all_parts or (row["id"] in self._ended and row["id"] not in self._altered)
        }

    def _take_whole_answers(self, source: sqlite3.Connection) -> None:
        """Drop the parts of turns that are whole in this source, and here are not: they come from there."""
        for turn_id, sha256 in list(self._altered.items()):
            if codec.checksum(_parts_of(source, turn_id)) == sha256:
                del self._altered[turn_id]
                self._db.execute("DELETE FROM part WHERE turn = ?", (turn_id,))
                self._whole.discard(turn_id)

    def _take_table(self, damaged: sqlite3.Connection, table: str) -> None:
        columns = [row for row in self._db.execute(f"PRAGMA table_info({table})") if row["name"] not in _OWN]
        for cells in _rows(damaged, table, self._damaged):
            if not self._is_over(table, cells):
                fitting = {row["name"]: _fitting(cells.get(row["name"]), row) for row in columns}
                self._note(table, cells, is_new=_adopt(self._db, table, fitting))
            self._tell()

    def _note(self, table: str, cells: Cells, *, is_new: bool) -> None:
        """Note what a row says about the log."""
        turn, sequence, index = str(cells.get("turn")), cells.get("seq"), cells.get("idx")
        if is_new and table == "turn" and cells.get("logged_from") is not None:
            self._owners[str(cells.get("id"))] = cells.get("instance"), cells.get("logged_from")
        elif table == "chunk" and isinstance(sequence, int) and isinstance(index, int):
            self._moved[turn, index] = max(sequence, self._moved.get((turn, index), sequence))

    def _is_over(self, table: str, cells: Cells) -> bool:
        """Return whether a row has nothing to add: its turn was deleted since, or is whole without it."""
        if table not in {"turn", "part", "plan", "chunk"}:
            return False
        turn_id = str(cells.get("id" if table == "turn" else "turn"))
        if self._has_all_turns and not _is_here(self._db, turn_id):
            return True
        return table != "turn" and (turn_id in self._whole or (table == "chunk" and turn_id in self._ended))

    def _take_live_text(self, damaged: sqlite3.Connection) -> None:
        """Copy what the log has to where it stands by turn: of turns found live here, and of those whose row was lost."""
        db, found = self._db, dict[str, list[tuple[Record, float]]]()
        for cells in _rows(damaged, "text_log", self._damaged):
            self._tell()
            written = cells.get("written")
            for record in text_log.decode(cells.get("body"))[0]:
                if self._is_wanted(record, cells):
                    found.setdefault(record[0], []).append((record, written if isinstance(written, float) else 0.0))
        for turn_id, records in found.items():
            if turn_id not in self._owners:
                _ensure_turn(db, turn_id)
            for (_, sequence, index, field, text), written in sorted(records, key=lambda one: one[0][1]):
                if text is None:
                    db.execute("DELETE FROM chunk WHERE turn = ? AND idx = ? AND seq < ?", (turn_id, index, sequence))
                elif 0 <= field < len(FIELDS):
                    names = ("turn", "seq", "idx", "field", "text", "written")
                    values = (turn_id, sequence, index, FIELDS[field], text, written)
                    _adopt(db, "chunk", dict(zip(names, values, strict=True)))
            if turn_id not in self._owners:
                _drop_twice_told(db, turn_id)

    def _is_wanted(self, record: Record, row: Cells) -> bool:
        """Return whether a record, in such a row of the log, is text that stands nowhere else."""
        turn_id, sequence, index, _, text = record
        if text is not None and sequence <= self._moved.get((turn_id, index), -1):
            return False  # of a row that stayed when the log was moved, because some of it is damaged
        if (owner := self._owners.get(turn_id)) is not None:
            program, first = owner
            key = row.get("key")
            is_late = isinstance(first, int) and isinstance(key, int) and key < first
            return row.get("instance") == program and not is_late
        known = self._db.execute("SELECT prompt, sha256 FROM turn WHERE id = ?", (turn_id,)).fetchone()
        if known is None:
            return not self._has_all_turns
        return known["prompt"] == "" and known["sha256"] is None


def is_blank(file: Path) -> bool:
    """Return whether there is nothing: no file, or an empty one."""
    return not file.is_file() or file.stat().st_size == 0


def tidy(db: sqlite3.Connection) -> None:
    """Drop sessions that were made up for turns which then found their own, and count the turns anew."""
    db.execute("UPDATE session SET turns = (SELECT count(*) FROM turn WHERE turn.session = session.id)")
    db.execute("DELETE FROM session WHERE endpoint = '' AND turns = 0")


def count(db: sqlite3.Connection) -> tuple[int, int]:
    """Return how many sessions and turns there are."""
    row = db.execute("SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM turn)").fetchone()
    return int(row[0]), int(row[1])


def _parts_of(db: sqlite3.Connection, turn_id: str) -> tuple[Part, ...]:
    """Return the parts of a turn as they are stored; none where they cannot be read."""
    try:
        found = readable(
            db, lambda: db.execute("SELECT * FROM part WHERE turn = ? ORDER BY idx", (turn_id,)).fetchall()
        )
    except sqlite3.DatabaseError:
        return ()
    return tuple(map(codec.decode_part, found))


def _is_here(db: sqlite3.Connection, turn_id: str) -> bool:
    return db.execute("SELECT 1 FROM turn WHERE id = ?", (turn_id,)).fetchone() is not None


def _drop_twice_told(db: sqlite3.Connection, turn_id: str) -> None:
    """Drop text out of the log that a part has already: of a turn whose row was lost, only so it can be told that it had ended."""
    for part in map(codec.decode_part, db.execute("SELECT * FROM part WHERE turn = ?", (turn_id,)).fetchall()):
        for field in FIELDS:
            values = (turn_id, part.index, field)
            of_part = "WHERE turn = ? AND idx = ? AND field = ?"
            texts = db.execute(f"SELECT text FROM chunk {of_part} ORDER BY seq", values).fetchall()
            if texts and str(getattr(part, field, "")).endswith("".join(row["text"] for row in texts)):
                db.execute(f"DELETE FROM chunk {of_part}", values)


def _fitting(cell: object, column: sqlite3.Row) -> object:
    """Return the cell as its column can have it: what is left of a damaged one, a stand-in for one that is missing."""
    stand_in = _STAND_IN_OF[column["type"]] if column["notnull"] or column["pk"] else None
    match column["type"], cell:
        case _, None:
            return stand_in
        case ("TEXT", str()) | ("INTEGER", int()) | ("REAL", float() | int()) | ("BLOB", bytes()):
            return cell
        case "TEXT", bytes():
            return as_text(cell)
        case _:
            return stand_in


def _adopt(db: sqlite3.Connection, table: str, cells: Cells) -> bool:
    """Insert a salvaged row unless it is there already, with something to belong to when that was lost.

    Returns:
        Whether it was inserted.
    """
    if cells.get("id") == "" or cells.get("turn") == "":
        # Nothing could ever name it.
        return False
    if table == "session":
        cells.pop("turns", None)
    if table == "turn":
        cells |= {"instance": None, "logged_from": None, "session": cells["session"] or new_session_id()}
        _ensure_session(db, cells)
    if table in {"part", "plan", "chunk"}:
        _ensure_turn(db, str(cells.get("turn")))
    if table == "attached" and not _is_whole(cells):
        # Damaged bytes are no file; those of a backup may be whole.
        return False
    names = list(cells)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    stand_in = _STAND_IN.get(table)
    conflict = f"(id) DO UPDATE SET {changes} WHERE {stand_in}" if stand_in else "DO NOTHING"
    try:
        inserted = db.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT {conflict}",
            tuple(cells.values()),
        )
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError):
        # A cell with a value that its column cannot have: the row is beyond repair, the others are not.
        return False
    return inserted.rowcount > 0


def _is_whole(cells: Cells) -> bool:
    """Return whether the content of an attachment is what its digest says."""
    content = cells.get("content")
    return isinstance(content, bytes) and digest(content) == cells.get("sha256")


def _ensure_session(db: sqlite3.Connection, turn: Cells) -> None:
    """Make a session for a turn whose own was lost."""
    db.execute(
        "INSERT OR IGNORE INTO session (id, title, title_is_manual, endpoint, protocol, model, token_env, position, "
        "is_open, is_active, draft, anchor, unread, created, updated) "
        "VALUES (?, 'Recovered', 0, '', '', '', '', 0, 0, 0, '', '', 0, ?, ?)",
        (turn.get("session"), turn.get("started") or 0.0, turn.get("started") or 0.0),
    )


def _ensure_turn(db: sqlite3.Connection, turn_id: str) -> None:
    """Make a turn, in a session of its own, for a part whose own was lost."""
    if _is_here(db, turn_id):
        return
    turn: Cells = {"session": new_session_id(), "started": time.time()}
    _ensure_session(db, turn)
    db.execute(
        "INSERT INTO turn (id, session, ordinal, state, prompt, request_id, started, agent, protocol, finish_reason) "
        "VALUES (?, ?, 0, 'interrupted', '', ?, ?, '', '', '')",
        (turn_id, turn["session"], new_request_id(), turn["started"]),
    )


def _rows(db: sqlite3.Connection, table: str, damaged: set[str]) -> Iterator[Cells]:
    """Yield every row of a table that can be read: from the front, from the back, and one by one in between.

    The table is added to `damaged` when these are not all.
    """
    first, last = 0, None
    for rowid, cells in _walk(db, table, "ASC", damaged):
        first = rowid
        yield cells
    if table not in damaged or not _exists(db, table):
        return
    for rowid, cells in _walk(db, table, "DESC", damaged, beyond=first):
        last = rowid
        yield cells
    beyond = first + _GAP_LIMIT if last is None else min(last, first + _GAP_LIMIT)
    for rowid in range(first + 1, beyond):
        try:
            row = readable(db, lambda rowid=rowid: db.execute(_SELECT.format(table, "= ?", ""), (rowid,)).fetchone())
        except sqlite3.DatabaseError:
            continue
        if row is not None:
            yield _cells(row)


_SELECT = "SELECT rowid AS salvaged_rowid, * FROM {} WHERE rowid {} {}"


def _exists(db: sqlite3.Connection, table: str) -> bool:
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone() is not None


def _walk(
    db: sqlite3.Connection, table: str, direction: str, damaged: set[str], beyond: int | None = None
) -> Iterator[tuple[int, Cells]]:
    """Yield rows in one direction until the damage begins; going down, not below `beyond`."""
    comparison, start = ("> ?", -(2**63)) if direction == "ASC" else ("< ?", 2**63 - 1)
    at = start
    while True:
        query = _SELECT.format(table, comparison, f"ORDER BY rowid {direction} LIMIT 1")
        try:
            row = readable(db, lambda query=query, at=at: db.execute(query, (at,)).fetchone())
        except sqlite3.DatabaseError:
            damaged.add(table)
            return
        if row is None or (beyond is not None and row["salvaged_rowid"] <= beyond):
            return
        at = int(row["salvaged_rowid"])
        yield at, _cells(row)


def _cells(row: sqlite3.Row) -> Cells:
    """Return a row's cells by column name."""
    cells: Cells = dict(row)
    del cells["salvaged_rowid"]
    return cells
