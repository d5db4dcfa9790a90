"""Which programs have the store open: each holds an operating-system lock that dies with it.

A lock file in the directory `run` beside the store is locked for the program's life; its row in `instance` names it
for people. Whether a program lives is asked of the lock alone: it is freed at the very moment of a kill -9, and
unlike a lease it does not run out while a laptop sleeps. The directory is always beside the store, never in a
per-login place, for everyone who opens the store must look at the same locks.
"""

import fcntl
import os
import socket
import sqlite3
import sys
from pathlib import Path
from typing import NewType

from chatforge_tui.domain.ids import new_session_id
from chatforge_tui.store.store_file import make_directory

InstanceId = NewType("InstanceId", str)
"""One run of the program on one store."""

_SUFFIX = ".lock"


class Observer:
    """Someone who looks at the programs that have the store open, without being one of them."""

    instance_id: InstanceId | None = None
    """None: owns no turn."""

    def __init__(self, store: Path) -> None:
        """Look at the locks of the store at this path."""
        self._directory = lock_directory(store)

    def is_alive(self, instance_id: InstanceId | None) -> bool:
        """Return whether a program still runs; False for None."""
        return instance_id is not None and _is_locked(_lock_file(self._directory, instance_id))

    def others(self) -> frozenset[InstanceId]:
        """Return the other programs that run, also those that are still opening the store and have no row in it."""
        ids = (InstanceId(file.stem) for file in self._directory.iterdir() if file.suffix == _SUFFIX)
        return frozenset(one for one in ids if one != self.instance_id and self.is_alive(one))

    def leave(self) -> None:
        """Hold nothing, free nothing."""


class Instance(Observer):
    """This program's own entry, and its view of the others."""

    def __init__(self, store: Path) -> None:
        """Take a lock of one's own for the store at this path.

        Raises:
            OSError: the lock file cannot be made.
        """
        super().__init__(store)
        make_directory(self._directory)
        self.instance_id = InstanceId(new_session_id())
        self._file = _lock_file(self._directory, self.instance_id)
        self._lock: int | None = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def register(self, db: sqlite3.Connection, now: float) -> None:
        """Write this program's row, so that others can name it. The lock is held already: a row is never without."""
        db.execute(
            "INSERT INTO instance (id, host, pid, terminal, started) VALUES (?, ?, ?, ?, ?)",
            (self.instance_id, socket.gethostname(), os.getpid(), _terminal(), now),
        )

    def unregister(self, db: sqlite3.Connection) -> None:
        """Delete this program's row, and let go of its sessions."""
        db.execute("DELETE FROM hold WHERE instance = ?", (self.instance_id,))
        db.execute("DELETE FROM instance WHERE id = ?", (self.instance_id,))

    def leave(self) -> None:
        """Free the lock. Idempotent."""
        if self._lock is not None:
            self._file.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def forget_dead(self, db: sqlite3.Connection) -> None:
        """Delete the rows and lock files of programs that are no more."""
        for row in db.execute("SELECT id FROM instance").fetchall():
            instance_id = InstanceId(row["id"])
            if not self.is_alive(instance_id):
                db.execute("DELETE FROM instance WHERE id = ?", (instance_id,))
                _lock_file(self._directory, instance_id).unlink(missing_ok=True)
        db.execute("DELETE FROM hold WHERE instance NOT IN (SELECT id FROM instance)")

    def is_alone(self, db: sqlite3.Connection) -> bool:
        """Return whether no other program has the store open."""
        others = [row["id"] for row in db.execute("SELECT id FROM instance") if row["id"] != self.instance_id]
        return not any(self.is_alive(instance_id) for instance_id in others)


def lock_directory(store: Path) -> Path:
    """Return where the lock files of a store are."""
    return store.with_name("run")


def anyone_alive(store: Path) -> bool:
    """Return whether any program has the store open for writing, as far as locks tell; needs no readable store."""
    return any(_is_locked(file) for file in lock_directory(store).glob(f"*{_SUFFIX}"))


def _is_locked(file: Path) -> bool:
    """Return whether a program still holds the lock on its file.

    Probing takes a shared lock: two programs that probe at once do not take each other for the owner.
    """
    try:
        probe = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        # Not ours to look at: then it is not ours to declare dead either.
        return True
    try:
        fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(probe)
    return False


def describe(db: sqlite3.Connection, instance_id: InstanceId) -> str:
    """Return words for another program: "pid 4711 (/dev/pts/3)"."""
    row = db.execute("SELECT host, pid, terminal FROM instance WHERE id = ?", (instance_id,)).fetchone()
    if row is None:
        return "another program"
    place = row["terminal"] or "no terminal"
    if row["host"] != socket.gethostname():
        place = f"{place}, host {row['host']}"
    return f"pid {row['pid']} ({place})"


def _lock_file(directory: Path, instance_id: InstanceId) -> Path:
    return directory / f"{instance_id}{_SUFFIX}"


def _terminal() -> str:
    """Return the name of the terminal, "" without one."""
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        try:
            if stream is not None:
                return os.ttyname(stream.fileno())
        except (OSError, ValueError):
            continue
    return ""
