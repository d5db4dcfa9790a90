"""A session's way out: into the trash, back from it, or gone for good with every word of it."""

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.errors import UnknownSession
from chatforge_tui.store import backups, queries, rows, search_index
from chatforge_tui.store.live_elsewhere import refuse_second_writer
from chatforge_tui.store.operations import Operation
from chatforge_tui.store.workplace import Workplace


class TrashSession(Operation):
    """Put a session into the trash."""

    session_id: SessionId
    when: float

    def apply(self, at: Workplace) -> None:
        """Mark the row.

        Raises:
            SessionBusy: another program that is alive is answering in it.
        """
        refuse_second_writer(at, self.session_id)
        at.db.execute("UPDATE session SET trashed = ? WHERE id = ?", (self.when, self.session_id))


class RestoreSession(Operation):
    """Bring a session back from the trash."""

    session_id: SessionId

    def apply(self, at: Workplace) -> SessionHead:
        """Unmark the row, and return the session.

        Raises:
            UnknownSession: it is not in the trash.
        """
        found = at.db.execute(
            "UPDATE session SET trashed = NULL WHERE id = ? AND trashed IS NOT NULL", (self.session_id,)
        ).rowcount
        head = queries.load_session(at.db, at.me.is_alive, self.session_id)
        if not found or head is None:
            message = "This session is not in the trash."
            raise UnknownSession(message)
        return head


class PurgeSession(Operation):
    """Delete a session for good."""

    session_id: SessionId

    def apply(self, at: Workplace) -> None:
        """Delete the row and everything that belongs to it.

        Raises:
            SessionBusy: another program that is alive is answering in it.
        """
        refuse_second_writer(at, self.session_id)
        rows.delete_session(at.db, self.session_id)
        at.doubt()

    def after_commit(self, at: Workplace) -> None:
        """Wipe the words out of the index and the write-ahead log, and delete them from the backups."""
        search_index.forget(at.db)
        at.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        backups.forget(at.path, self.session_id)
