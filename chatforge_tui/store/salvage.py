"""Repairs a store that is damaged, empty or not ours: moves it aside, brings back what can be read, and says what.

Nothing is deleted: the damaged file and its side files move together into a directory of their own. What is brought
back comes row by row out of it, and what it no longer has, from the newest backup. A repair that is cut off at any
moment leaves either the damaged store or the repaired one.
"""

import filecmp
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from chatforge_tui.domain.digest import digest
from chatforge_tui.domain.ids import new_request_id, new_session_id
from chatforge_tui.domain.repair import RepairReport
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store import codec, instances, schema, text_log
from chatforge_tui.store.backups import list_backups
from chatforge_tui.store.cells import as_text
from chatforge_tui.store.connection import connect, immediate, readable
from chatforge_tui.store.failure import translated
from chatforge_tui.store.first_page import begin, lend
from chatforge_tui.store.migrations import NEWEST, too_new
from chatforge_tui.store.pragmas import guard, prepare_writing
from chatforge_tui.store.repair_gate import repairing
from chatforge_tui.store.store_file import create, make_directory, side_files, stray_log, sync_directory
from chatforge_tui.store.text_log import FIELDS, Record

_TABLES = ("session", "turn", "part", "plan", "chunk", "attached")
"""In the order in which rows refer to each other."""
_GAP_LIMIT = 200_000
"""Rows looked for one by one between two that can be read."""

_BUILDING = ".repaired-"
"""Between the name of the store and a number: the repaired file until it takes its place."""

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


def _tell_nobody() -> None:
    pass


def repair(
    path: Path, *, unless: Callable[[], bool] = lambda: False, tell: Progress = _tell_nobody
) -> RepairReport | None:
    """Put a fresh store in place of the damaged one, with everything that can still be read.

    The damaged files get second names in a directory of their own, then the whole repaired file takes the place of the
    damaged one: whatever ends the repair early, the next one finds all of them.

    Args:
        path: of the database.
        unless: asked when nobody can open the store any more; where it says so, nothing is done: another program has
            repaired the store meanwhile.
        tell: told of each row that was read.

    Returns:
        What came back; None when nothing was done.

    Raises:
        StoreUnavailable: another program has the store open, or nothing can be written there.
        StoreTooNew: a newer ChatForge wrote it, and knows more of it than this one could bring back.
    """
    with translated(path):
        make_directory(path.parent)
        with repairing(path):
            if unless():
                return None
            _refuse_while_open(path)
            _refuse_newer(path)
            return _repair(path, tell)


def _repair(path: Path, tell: Progress) -> RepairReport:
    """Repair it, now that this program alone has to do with it."""
    for leftover in path.parent.glob(f"{path.name}{_BUILDING}*"):
        leftover.unlink()
    if stray_log(path) is not None:  # by an empty file the next repair finds the log again if this one is cut off
        path.touch(mode=0o600)
    aside = _set_aside(path)
    building = path.with_name(f"{path.name}{_BUILDING}{uuid.uuid4().hex}")
    try:
        create(building)
        with closing(connect(building)) as db:
            prepare_writing(db, "delete", alone=True)
            with immediate(db):
                _bring_back_from_copy(db, aside, path, building, tell)
                own = _count(db)
                backup = next((found for found in list_backups(path) if _bring_back(db, found, tell)), None)
                _tidy(db)
                total = _count(db)
        _put_in_place(building, path, aside)
    finally:
        for leftover in (building, *side_files(building)):
            leftover.unlink(missing_ok=True)
    files = tuple(file.name for file in (path, *side_files(path)) if (aside / file.name).exists())
    return RepairReport(aside, files, total[0], total[1], total[0] - own[0], total[1] - own[1], backup)


def _refuse_while_open(path: Path) -> None:
    """Do not pull the file from under another program."""
    if instances.anyone_alive(path):
        message = "Another ChatForge has the store open."
        raise StoreUnavailable(message, hint="End that one first.")


def _refuse_newer(path: Path) -> None:
    """Do not take what this version does not know for damage."""
    if not path.is_file():
        return
    # Out of the header, past SQLite: opening the file could change it and its side files.
    with path.open("rb") as file:
        header = file.read(100)
    version, application = (int.from_bytes(header[at : at + 4], "big") for at in (60, 68))
    if application == schema.APPLICATION_ID and version > NEWEST:
        raise too_new(version)


def _set_aside(path: Path) -> Path:
    """Give the file and its side files, which belong together, second names in a directory; return that.

    The directory of a repair of this very file that was cut off is used again: it may have side files that are gone
    from beside the file already.
    """
    begun = (found for found in path.parent.glob("corrupt-*") if _is_same(found / path.name, path))
    aside = next(begun, None) or path.with_name(f"corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z")
    make_directory(aside)
    for file in (path, *side_files(path)):
        if file.is_file() and not (aside / file.name).exists():
            _link(file, aside / file.name)
    return aside


def _is_same(one: Path, other: Path) -> bool:
    """Return whether both names are of one file, or, where a file can have one name only, of its copy.

    An empty file says nothing of itself: that of an earlier loss is not this one's copy.
    """
    if not (one.is_file() and other.is_file()):
        return False
    return one.samefile(other) or (one.stat().st_size > 0 and filecmp.cmp(one, other, shallow=False))


def _link(file: Path, name: Path) -> None:
    """Give a file a second name, or make a copy where a file can have one name only. It appears whole."""
    try:
        name.hardlink_to(file)
    except OSError:
        half = name.with_name(f"{name.name}.half")
        shutil.copy2(file, half)
        half.rename(name)


def _put_in_place(building: Path, path: Path, aside: Path) -> None:
    """Let the repaired file take the place of the damaged one, which is set aside already."""
    for file in side_files(path):
        # Before the file: SQLite would take them for those of the repaired one.
        file.unlink(missing_ok=True)
    if path.exists() and not path.is_file():
        path.rename(aside / path.name)
    building.replace(path)
    sync_directory(path.parent)


def _bring_back_from_copy(db: sqlite3.Connection, aside: Path, path: Path, fresh: Path, tell: Progress) -> None:
    """Salvage from a copy: SQLite would roll back, take in or delete side files, and so change what was moved aside.

    Args:
        db: where to.
        aside: the directory with the damaged files.
        path: of the database; it has the same name among them.
        fresh: a store without rows, which `db` will fill once this is done.
        tell: told of each row that was read.
    """
    reading = aside / "reading"
    shutil.rmtree(reading, ignore_errors=True)
    make_directory(reading)
    try:
        for file in (aside / path.name, *side_files(aside / path.name)):
            if file.is_file():
                shutil.copy(file, reading / file.name)
        copy = reading / path.name
        if _is_blank(copy):
            if not _is_blank(copy.with_name(f"{copy.name}-wal")):
                begin(copy, fresh)
                _bring_back(db, copy, tell)
        elif not _bring_back(db, copy, tell):
            for _ in lend(copy, [*list_backups(path), fresh]):
                if _bring_back(db, copy, tell) and any(_count(db)):
                    break
    finally:
        shutil.rmtree(reading)


def _is_blank(file: Path) -> bool:
    """Return whether there is nothing: no file, or an empty one."""
    return not file.is_file() or file.stat().st_size == 0


def _bring_back(db: sqlite3.Connection, source: Path, tell: Progress) -> bool:
    """Copy every row that can be read and is not there yet; return whether the source could be read at all."""
    if _is_blank(source):
        return False
    owners: Owners = {}
    try:
        with closing(connect(source)) as damaged:
            guard(damaged)
            damaged.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            for table in _TABLES:
                columns = [row for row in db.execute(f"PRAGMA table_info({table})") if row["name"] not in _OWN]
                for cells in _rows(damaged, table):
                    is_new = _adopt(db, table, {row["name"]: _fitting(cells.get(row["name"]), row) for row in columns})
                    if is_new and table == "turn" and cells.get("logged_from") is not None:
                        owners[str(cells.get("id"))] = cells.get("instance"), cells.get("logged_from")
                    tell()
            _bring_back_live_text(db, damaged, owners, tell)
    except sqlite3.DatabaseError:
        return False
    return True


def _bring_back_live_text(db: sqlite3.Connection, damaged: sqlite3.Connection, owners: Owners, tell: Progress) -> None:
    """Copy what the log has of turns to where it stands by turn: of those found live here, and of those whose row was lost."""
    found: dict[str, list[tuple[Record, float]]] = {}
    for cells in _rows(damaged, "text_log"):
        tell()
        written = cells.get("written")
        for record in text_log.decode(cells.get("body"))[0]:
            if _is_wanted(db, record[0], owners, cells):
                found.setdefault(record[0], []).append((record, written if isinstance(written, float) else 0.0))
    for turn_id, records in found.items():
        if turn_id not in owners:
            _ensure_turn(db, turn_id)
        # What stands there already was moved out of the log, of which an older copy may have it still.
        ends = dict(db.execute("SELECT idx, max(seq) FROM chunk WHERE turn = ? GROUP BY idx", (turn_id,)).fetchall())
        for (_, sequence, index, field, text), written in sorted(records, key=lambda one: one[0][1]):
            if text is None:
                db.execute("DELETE FROM chunk WHERE turn = ? AND idx = ? AND seq < ?", (turn_id, index, sequence))
            elif 0 <= field < len(FIELDS) and sequence > ends.get(index, -1):
                names = ("turn", "seq", "idx", "field", "text", "written")
                values = (turn_id, sequence, index, FIELDS[field], text, written)
                _adopt(db, "chunk", dict(zip(names, values, strict=True)))
        if turn_id not in owners:
            _drop_twice_told(db, turn_id)


def _is_wanted(db: sqlite3.Connection, turn_id: str, owners: Owners, row: Cells) -> bool:
    """Return whether a record of this turn, in such a row, is text that stands nowhere else."""
    if (owner := owners.get(turn_id)) is not None:
        program, first = owner
        key = row.get("key")
        is_late = isinstance(first, int) and isinstance(key, int) and key < first
        return row.get("instance") == program and not is_late
    known = db.execute("SELECT prompt, sha256 FROM turn WHERE id = ?", (turn_id,)).fetchone()
    return known is None or (known["prompt"] == "" and known["sha256"] is None)


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
    if db.execute("SELECT 1 FROM turn WHERE id = ?", (turn_id,)).fetchone():
        return
    turn: Cells = {"session": new_session_id(), "started": time.time()}
    _ensure_session(db, turn)
    db.execute(
        "INSERT INTO turn (id, session, ordinal, state, prompt, request_id, started, agent, protocol, finish_reason) "
        "VALUES (?, ?, 0, 'interrupted', '', ?, ?, '', '', '')",
        (turn_id, turn["session"], new_request_id(), turn["started"]),
    )


def _rows(db: sqlite3.Connection, table: str) -> Iterator[Cells]:
    """Yield every row of a table that can be read: from the front, from the back, and one by one in between."""
    first = last = None
    for rowid, cells in _walk(db, table, "ASC"):
        first = rowid
        yield cells
    for rowid, cells in _walk(db, table, "DESC", beyond=first):
        last = rowid
        yield cells
    if first is None or last is None:
        return
    for rowid in range(first + 1, min(last, first + _GAP_LIMIT)):
        try:
            row = readable(db, lambda rowid=rowid: db.execute(_SELECT.format(table, "= ?", ""), (rowid,)).fetchone())
        except sqlite3.DatabaseError:
            continue
        if row is not None:
            yield _cells(row)


_SELECT = "SELECT rowid AS salvaged_rowid, * FROM {} WHERE rowid {} {}"


def _walk(db: sqlite3.Connection, table: str, direction: str, beyond: int | None = None) -> Iterator[tuple[int, Cells]]:
    """Yield rows in one direction until the damage begins; going down, not below `beyond`."""
    comparison, start = ("> ?", -(2**63)) if direction == "ASC" else ("< ?", 2**63 - 1)
    at = start
    while True:
        query = _SELECT.format(table, comparison, f"ORDER BY rowid {direction} LIMIT 1")
        try:
            row = readable(db, lambda query=query, at=at: db.execute(query, (at,)).fetchone())
        except sqlite3.DatabaseError:
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


def _tidy(db: sqlite3.Connection) -> None:
    """Drop sessions that were made up for turns which then found their own, and count the turns anew."""
    db.execute("UPDATE session SET turns = (SELECT count(*) FROM turn WHERE turn.session = session.id)")
    db.execute("DELETE FROM session WHERE endpoint = '' AND turns = 0")


def _count(db: sqlite3.Connection) -> tuple[int, int]:
    """Return how many sessions and turns there are."""
    row = db.execute("SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM turn)").fetchone()
    return int(row[0]), int(row[1])
