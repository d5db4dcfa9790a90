"""Opens a store: finds or makes the file, recognises it, makes it safe, brings it up to date."""

import logging
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path

from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store import holds
from chatforge_tui.store.backups import back_up
from chatforge_tui.store.connection import connect, immediate
from chatforge_tui.store.failure import translated
from chatforge_tui.store.file_system import is_local
from chatforge_tui.store.instances import Instance, Observer
from chatforge_tui.store.live_elsewhere import interrupt_dead_turns
from chatforge_tui.store.lone_lock import LoneLock
from chatforge_tui.store.migrations import NEWEST, check_shape, is_newer, migrate, version_of
from chatforge_tui.store.pragmas import choose_journal, guard, prepare_writing
from chatforge_tui.store.repair_gate import opening
from chatforge_tui.store.store_file import check_absence, check_file, create, make_private, recognise
from chatforge_tui.store.text_log import TextLog
from chatforge_tui.store.workplace import Workplace

_log = logging.getLogger("chatforge.store")


def open_for_writing(path: Path, *, takes_tabs: bool = False) -> Workplace:
    """Open the store, or make it; turns whose program is dead become `interrupted`.

    Args:
        path: of the database.
        takes_tabs: whether this program becomes the writer of the sessions with a tab that no living program holds.

    Raises:
        StoreError: it cannot be opened.
    """
    with translated(path), opening(path), ExitStack() as undo:
        local = is_local(path.parent)
        lone = LoneLock(path) if local is False else None
        if lone is not None:
            undo.callback(lone.release)
        check_absence(path)
        if not path.exists():
            create(path)
        check_file(path)
        make_private(path)
        me = Instance(path)
        undo.callback(me.leave)
        db = undo.enter_context(closing(connect(path)))
        recognise(db, path)
        version_of(db)
        mode = prepare_writing(db, choose_journal(local=local), alone=me.is_alone(db))
        if version_of(db) < NEWEST:
            back_up(db, path)
            migrate(db)
        check_shape(db, path)
        place = Workplace(path, db, me, lone, log=TextLog(me.instance_id))
        with immediate(db):
            me.register(db, time.time())
            me.forget_dead(db)
            dead = interrupt_dead_turns(place)
            if takes_tabs:
                holds.take_tabs(db, me)
        undo.pop_all()
        _log.info("store %s open, journal mode %s, %d turns interrupted", path, mode, dead)
        return place


def open_for_reading(path: Path) -> Workplace:
    """Open an existing store without becoming one of its writers; works beside a running program.

    A store that an earlier version wrote is brought up to date first, and read as it is where that cannot be done (a full
    disk, no rights); one of a later version is read as far as this program knows its tables.

    Raises:
        StoreError: it is not there, or cannot be opened.
    """
    with translated(path), ExitStack() as undo:
        check_absence(path)
        check_file(path)
        db = undo.enter_context(closing(connect(path)))
        guard(db)
        recognise(db, path)
        if not is_newer(db) and version_of(db) < NEWEST:
            _bring_up_to_date(db, path)
        check_shape(db, path)
        # A connection that may write but does not: it can roll back what a killed program left half written.
        db.execute("PRAGMA query_only = ON")
        undo.pop_all()
        return Workplace(path, db, Observer(path), is_newer=is_newer(db))


def _bring_up_to_date(db: sqlite3.Connection, path: Path) -> None:
    """Migrate a store that is only to be read, if it can be written."""
    try:
        prepare_writing(db, choose_journal(local=is_local(path.parent)), alone=False)
        back_up(db, path)
        migrate(db)
    except (OSError, sqlite3.OperationalError, StoreUnavailable) as error:
        _log.warning("store %s is read as an earlier version made it: %s", path, error)
