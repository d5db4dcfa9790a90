"""The changes of a session: that it is there, what its head says, which program is its writer."""

from collections.abc import Mapping

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.errors import UnknownSession
from chatforge_tui.store import codec, holds, queries, rows
from chatforge_tui.store.live_elsewhere import refuse_second_writer
from chatforge_tui.store.operations import Operation
from chatforge_tui.store.workplace import Workplace

_ANYBODYS = frozenset({"title", "title_is_manual", "updated"})
"""Columns that a program may write of a session that another one holds."""


class CreateSession(Operation):
    """Add a session."""

    head: SessionHead

    def apply(self, at: Workplace) -> None:
        """Insert the row, held by this program; an id that is there already takes the new head."""
        rows.write_session(at.db, codec.encode_session(self.head), create=True)
        holds.take(at.db, at.me, self.head.session_id)


class PatchSession(Operation):
    """Change some fields of a session."""

    session_id: SessionId
    columns: Mapping[str, codec.Value]

    def apply(self, at: Workplace) -> None:
        """Update the row, if there is one. Of a session that another program holds, nothing but the title is ours."""
        columns = self.columns
        if holds.other_holder(at.db, at.me, self.session_id) is not None:
            columns = {name: value for name, value in columns.items() if name in _ANYBODYS}
            columns = columns if columns.keys() - {"updated"} else {}
        rows.write_session(at.db, {"id": self.session_id, **columns})

    @property
    def outlives_failure(self) -> bool:
        """A draft waits for the disk."""
        return True


class HoldSession(Operation):
    """Make this program the writer of a session."""

    session_id: SessionId

    def apply(self, at: Workplace) -> SessionHead:
        """Take the session, interrupt what a dead program left live in it, and return its head.

        Raises:
            UnknownSession: it is gone, or in the trash.
            SessionBusy: another program that is alive holds it, or has a live turn in it.
        """
        refuse_second_writer(at, self.session_id)
        holds.take(at.db, at.me, self.session_id)
        head = queries.load_session(at.db, at.me.is_alive, self.session_id)
        if head is None or head.trashed is not None:
            message = "There is no such session."
            raise UnknownSession(message)
        return head


class AskForSession(Operation):
    """Ask the writer of a session to give it up to this program."""

    session_id: SessionId

    def apply(self, at: Workplace) -> None:
        """Leave the word where the writer sees it."""
        holds.ask(at.db, at.me, self.session_id)


class GiveUpSessions(Operation):
    """Let go of sessions that this program holds."""

    session_ids: tuple[SessionId, ...]

    def apply(self, at: Workplace) -> frozenset[SessionId]:
        """Hand each to who asked for it, or free it. What is not held by this program is left alone.

        Returns:
            Those that are kept, for this program still answers in them.
        """
        return holds.give_up(at.db, at.me, self.session_ids)
