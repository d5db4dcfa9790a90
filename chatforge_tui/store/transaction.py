"""A batch's work inside a transaction: what of it fails by its own fault takes nothing else along.

Knows of turns only that their text grows, as nearly all that comes does: the rest is for the operations themselves.
"""

import logging
import sqlite3

from chatforge_tui.errors import ChatForgeError, StoreCorrupt, StoreError
from chatforge_tui.store.cells import UNREADABLE
from chatforge_tui.store.connection import savepoint
from chatforge_tui.store.failure import REPAIR_HINT
from chatforge_tui.store.operations import Operation, TurnOperation
from chatforge_tui.store.pending import Entry
from chatforge_tui.store.recording import AppendText
from chatforge_tui.store.text_log_moving import move
from chatforge_tui.store.workplace import Workplace

_log = logging.getLogger("chatforge.store")

_IMPOSSIBLE = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, *UNREADABLE)
"""What one operation's own values cause: trying again would fail for ever, and the others are not to suffer from it."""


def do_all(workplace: Workplace, batch: list[Entry]) -> list[tuple[Entry, object]]:
    """Do a batch's work inside the transaction; what turns recorded one after the other is one row of the log.

    Returns:
        All of it but text, each with its answer.
    """
    done: list[tuple[Entry, object]] = []
    workplace.log.begin_row()
    for entry in batch:
        work = entry.work
        if type(work) is AppendText:
            work.apply(workplace)  # it joins what is logged next: there is nothing yet that could be taken back
            continue
        if not isinstance(work, TurnOperation):
            _log_text(workplace)  # before whatever reads it, or ends the turn
        done.append((entry, _do(workplace, entry)))
    _log_text(workplace)
    return done


def _log_text(workplace: Workplace) -> None:
    """Write what waits for the log as a row, and move the log when it is long."""
    if workplace.log.flush(workplace.db):
        move(workplace.db, workplace.log)


def _do(workplace: Workplace, entry: Entry) -> object:
    """Do one entry's work inside the transaction, and return its answer.

    A refusal is an answer, and what was done until then is taken back: it is this operation's own and takes nothing
    else of the batch with it.
    """
    if isinstance(entry.work, Operation):
        try:
            with savepoint(workplace.db):
                return entry.work.apply(workplace)
        except ChatForgeError as error:
            workplace.doubt()
            return error
        except _IMPOSSIBLE as error:
            workplace.doubt()
            _log.warning("the store refuses %s", type(entry.work).__name__, exc_info=True)
            return StoreError(f"This cannot be stored ({error}).")
    try:
        return entry.work(workplace)
    except UNREADABLE as error:
        _log.warning("the store cannot be understood", exc_info=True)
        return StoreCorrupt(
            f"Something in the store {workplace.path} cannot be understood ({error}).", hint=REPAIR_HINT
        )


def look(workplace: Workplace, entry: Entry, error: StoreError) -> object:
    """Answer a lookup with what is on the disk although something before it could not be written."""
    try:
        return _do(workplace, entry)
    except (sqlite3.Error, OSError):
        return error


def after_commit(workplace: Workplace, entry: Entry) -> None:
    """Do what an operation wants done once it is durable."""
    if isinstance(entry.work, Operation):
        try:
            entry.work.after_commit(workplace)
        except (sqlite3.Error, OSError, StoreError, *UNREADABLE) as error:
            _log.warning("%s is stored, but not tidied up: %s", type(entry.work).__name__, error)
