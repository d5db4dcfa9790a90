"""Repairs a store that is damaged, empty or not ours: moves it aside, brings back what can be read, and says what.

Nothing is deleted: the damaged file and its side files move together into a directory of their own. What is brought
back comes row by row out of it, and what it no longer has, from the newest backup. A repair that is cut off at any
moment leaves either the damaged store or the repaired one.
"""

import filecmp
import shutil
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from chatforge_tui.domain.repair import RepairReport
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store import instances, schema
from chatforge_tui.store.backups import list_backups
from chatforge_tui.store.connection import connect, immediate
from chatforge_tui.store.failure import translated
from chatforge_tui.store.first_page import begin, lend
from chatforge_tui.store.migrations import NEWEST, too_new
from chatforge_tui.store.pragmas import prepare_writing
from chatforge_tui.store.repair_gate import repairing
from chatforge_tui.store.salvaged_rows import Progress, Salvage, count, is_blank, tidy
from chatforge_tui.store.store_file import create, make_directory, side_files, stray_log, sync_directory

_BUILDING = ".repaired-"
"""Between the name of the store and a number: the repaired file until it takes its place."""


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
                salvage = Salvage(db, tell)
                _bring_back_from_copy(salvage, db, aside, path, building)
                own = count(db)
                backup = next(filter(salvage.take, list_backups(path)), None)
                tidy(db)
                total = count(db)
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


def _bring_back_from_copy(salvage: Salvage, db: sqlite3.Connection, aside: Path, path: Path, fresh: Path) -> None:
    """Salvage from a copy: SQLite would roll back, take in or delete side files, and so change what was moved aside.

    Args:
        salvage: takes what can be read.
        db: where to.
        aside: the directory with the damaged files.
        path: of the database; it has the same name among them.
        fresh: a store without rows, which `db` will fill once this is done.
    """
    reading = aside / "reading"
    shutil.rmtree(reading, ignore_errors=True)
    make_directory(reading)
    try:
        for file in (aside / path.name, *side_files(aside / path.name)):
            if file.is_file():
                shutil.copy(file, reading / file.name)
        copy = reading / path.name
        if is_blank(copy):
            if not is_blank(copy.with_name(f"{copy.name}-wal")):
                begin(copy, fresh)
                salvage.take(copy)
        elif salvage.take(copy):
            salvage.settle()
        else:
            for _ in lend(copy, [*list_backups(path), fresh]):
                if salvage.take(copy) and any(count(db)):
                    break
    finally:
        shutil.rmtree(reading)
