"""Takes sessions, turns and attachments from elsewhere into the store: by id, once, and never over what is here."""

import logging
import sqlite3

from msgspec.structs import replace

from chatforge_tui.domain.attachment import AttachedContent
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.merged import Mergeable, Merged
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import FIRST_UNSENT, Turn, is_unsent_ordinal
from chatforge_tui.store import attached, codec, queries, rows
from chatforge_tui.store.cells import UNREADABLE
from chatforge_tui.store.connection import savepoint
from chatforge_tui.store.operations import Operation
from chatforge_tui.store.workplace import Workplace

_log = logging.getLogger("chatforge.store")


class Merge(Operation):
    """Take some in, each by itself."""

    items: tuple[Mergeable, ...]

    def apply(self, at: Workplace) -> tuple[Merged, ...]:
        """Return for each item what became of it."""
        return tuple(_take_in(at, item) for item in self.items)


def _take_in(at: Workplace, item: Mergeable) -> Merged:
    try:
        with savepoint(at.db):
            match item:
                case SessionHead():
                    return _add_session(at, item)
                case Turn():
                    return _add_turn(at, item)
                case AttachedContent():
                    return _add_content(at, item)
    except (sqlite3.IntegrityError, sqlite3.DataError, *UNREADABLE) as error:
        _log.warning("something of a bundle is refused: %s", error)
        return Merged.REFUSED


def _add_session(at: Workplace, head: SessionHead) -> Merged:
    """Add a session; one that is here, in the trash or not, stays as it is."""
    if _is_here(at, head.session_id):
        return Merged.SAME
    rows.write_session(at.db, codec.encode_session(head), create=True)
    return Merged.ADDED


def _add_turn(at: Workplace, turn: Turn) -> Merged:
    """Add a turn to its session."""
    known = queries.load_turn(at.db, at.me.is_alive, turn.head.turn_id)
    if is_unsent_ordinal(
        turn.head.ordinal
    ):  # it waited to be sent where it comes from: here it is one among the others
        ordinal = known.head.ordinal if known is not None else _next_ordinal(at, turn)
        turn = replace(turn, head=replace(turn.head, ordinal=ordinal))
    if known is not None:
        return Merged.SAME if known == turn else Merged.KEPT
    if not _is_here(at, turn.head.session_id):
        return Merged.HOMELESS
    rows.write_ended(at.db, turn)
    return Merged.ADDED


def _add_content(at: Workplace, item: AttachedContent) -> Merged:
    """Add the bytes of an attachment to its session."""
    if not _is_here(at, item.session_id):
        return Merged.HOMELESS
    if attached.is_here(at.db, item.session_id, item.sha256):
        return Merged.SAME
    attached.put(at.db, item.session_id, item.sha256, item.data)
    return Merged.ADDED


def _is_here(at: Workplace, session_id: SessionId) -> bool:
    return at.db.execute("SELECT 1 FROM session WHERE id = ?", (session_id,)).fetchone() is not None


def _next_ordinal(at: Workplace, turn: Turn) -> int:
    """Return the ordinal behind everything that was sent in the turn's session."""
    row = at.db.execute(
        "SELECT max(ordinal) + 1 AS next FROM turn WHERE session = ? AND ordinal < ?",
        (turn.head.session_id, FIRST_UNSENT),
    ).fetchone()
    return row["next"] or 0
