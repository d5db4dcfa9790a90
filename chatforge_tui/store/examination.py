"""What can be said about a store without changing it: for `chatforge doctor`. The thorough check is in care.py."""

import os
import shutil
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

from chatforge_tui.domain.attachment import size_words
from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.finding import Finding, Verdict
from chatforge_tui.errors import StoreError
from chatforge_tui.store.backups import list_backups
from chatforge_tui.store.connection import connect
from chatforge_tui.store.failure import REPAIR_HINT, translated
from chatforge_tui.store.file_system import is_local
from chatforge_tui.store.instances import InstanceId, Observer, describe
from chatforge_tui.store.migrations import NEWEST
from chatforge_tui.store.pragmas import choose_journal, guard, wal_is_safe
from chatforge_tui.store.store_file import check_absence, check_file, recognise, stray_log

_OTHERS = 0o077
_LITTLE = 200 * 2**20
"""Bytes of free space below which it is worth a word."""
_TOO_LITTLE = 10 * 2**20
"""Bytes of free space below which the next answer may not fit."""
_DAY_S = 86_400.0


def engine_version() -> str:
    """Return the version of SQLite."""
    return sqlite3.sqlite_version


def examine(path: Path) -> tuple[Finding, ...]:
    """Return what is found about the store at this path; never raises for what is wrong with it. Changes nothing."""
    findings = [_free_space(path)]
    if not path.exists() and stray_log(path) is None:
        findings.insert(
            0, Finding("file", Verdict.NOTE, f"{path} is made by the first session.", facts={"path": str(path)})
        )
        return (*findings, _journal_chosen(path))
    try:
        with translated(path):
            check_absence(path)
            findings[:0] = [_file(path), _rights(path)]
            check_file(path)
            with closing(connect(path)) as db:
                guard(db)
                db.execute("PRAGMA query_only = ON")
                recognise(db, path)
                findings += [_schema(db), _content(db), _journal(db, path), _programs(db, path)]
    except StoreError as error:
        findings.append(Finding("content", Verdict.WRONG, str(error), error.hint))
    return (*findings, _backups(path))


def _file(path: Path) -> Finding:
    size = path.stat().st_size
    return Finding("file", Verdict.GOOD, f"{path}, {size_words(size)}", facts={"path": str(path), "bytes": size})


def _rights(path: Path) -> Finding:
    status, place = path.stat(), path.parent.stat()
    facts = {"mode": f"{stat.S_IMODE(status.st_mode):04o}", "is_own": status.st_uid == os.geteuid()}
    if not (os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
        text = "It cannot be read and written with your rights."
        return Finding("rights", Verdict.WRONG, text, f"Make {path.parent} and what is in it yours.", facts)
    if status.st_uid != os.geteuid():
        return Finding("rights", Verdict.WARNING, "It belongs to another user.", f"chown {path} to yourself.", facts)
    if status.st_mode & _OTHERS and place.st_mode & _OTHERS:
        return Finding("rights", Verdict.WARNING, f"Others can read it ({facts['mode']}).", f"chmod 600 {path}", facts)
    return Finding("rights", Verdict.GOOD, f"Only you can read it ({facts['mode']}).", facts=facts)


def _schema(db: sqlite3.Connection) -> Finding:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    facts = {"schema": version, "newest": NEWEST}
    if version > NEWEST:
        text = f"A newer ChatForge wrote it (schema {version}, this one knows {NEWEST}): it can only be read."
        return Finding("schema", Verdict.WARNING, text, "Update ChatForge.", facts)
    if version < NEWEST:
        return Finding("schema", Verdict.NOTE, f"Schema {version}; the next start brings it to {NEWEST}.", facts=facts)
    return Finding("schema", Verdict.GOOD, f"Schema {version}, the newest.", facts=facts)


def _content(db: sqlite3.Connection) -> Finding:
    """Have SQLite look whether the file is sound: the quick way, which leaves the order of the indexes out."""
    began = time.perf_counter()
    problem = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    facts: dict[str, object] = {"quick_check": problem, "quick_check_ms": _ms(began)}
    if problem != "ok":
        return Finding("content", Verdict.WRONG, f"It is damaged: {problem}.", REPAIR_HINT, facts)
    sessions = int(db.execute("SELECT count(*) FROM session").fetchone()[0])
    facts["sessions"] = sessions
    return Finding("content", Verdict.GOOD, f"Sound by a quick check, {counted(sessions, 'session')}.", facts=facts)


def _journal(db: sqlite3.Connection, path: Path) -> Finding:
    """Say which journal the file has and why, and what the next start will choose."""
    current = str(db.execute("PRAGMA journal_mode").fetchone()[0])
    chosen = _journal_chosen(path)
    facts = {**chosen.facts, "journal": current}
    if current == facts["chosen"]:
        return Finding("journal", Verdict.GOOD, chosen.text, facts=facts)
    return Finding(
        "journal", Verdict.NOTE, f"{current} in the file as it is; the next start: {chosen.text}", facts=facts
    )


def _journal_chosen(path: Path) -> Finding:
    """Say which journal this program uses at this place, and why."""
    local = is_local(next(place for place in path.parents if place.exists()))
    chosen = choose_journal(local=local)
    if chosen == "wal":
        why = "the disk is this machine's own, and this SQLite resets a write-ahead log safely"
    elif not wal_is_safe():
        why = f"SQLite {sqlite3.sqlite_version} can damage a file when it resets a write-ahead log"
    else:
        why = "the disk is shared between machines" if local is False else "it is not known whether the disk is local"
    facts = {"chosen": chosen, "wal_is_safe": wal_is_safe(), "is_local": local}
    return Finding("journal", Verdict.NOTE, f"{chosen}, because {why}.", facts=facts)


def _programs(db: sqlite3.Connection, path: Path) -> Finding:
    """Name the programs that have the store open."""
    me = Observer(path)
    alive = [
        InstanceId(row["id"]) for row in db.execute("SELECT id FROM instance") if me.is_alive(InstanceId(row["id"]))
    ]
    names = [describe(db, one) for one in alive]
    text = f"Open in {', '.join(names)}." if names else "No other ChatForge has it open."
    return Finding("programs", Verdict.GOOD, text, facts={"programs": names})


def _backups(path: Path) -> Finding:
    copies = list_backups(path)
    facts: dict[str, object] = {"backups": [str(copy) for copy in copies]}
    if not copies:
        return Finding("backups", Verdict.NOTE, "None yet; a start makes one after a while.", facts=facts)
    days = (time.time() - copies[0].stat().st_mtime) / _DAY_S
    age = "today" if days < 1 else f"{counted(int(days), 'day')} ago"
    return Finding("backups", Verdict.GOOD, f"{len(copies)}, the newest made {age}: {copies[0]}", facts=facts)


def _free_space(path: Path) -> Finding:
    place = next(place for place in path.parents if place.exists())
    free = shutil.disk_usage(place).free
    facts = {"free_bytes": free}
    if free < _LITTLE:
        verdict = Verdict.WRONG if free < _TOO_LITTLE else Verdict.WARNING
        return Finding("free space", verdict, f"{size_words(free)} are left on the disk.", "Free some space.", facts)
    return Finding("free space", Verdict.GOOD, f"{size_words(free)} on the disk.", facts=facts)


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
