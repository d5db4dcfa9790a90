"""The changes by which a turn begins, goes over to this program, ends, or is taken back before it was sent."""

from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import FIRST_UNSENT, Turn, TurnHead, TurnState
from chatforge_tui.errors import UnknownSession
from chatforge_tui.store import attached, holds, queries, rows, search_index
from chatforge_tui.store.live_elsewhere import refuse_second_writer
from chatforge_tui.store.operations import Operation
from chatforge_tui.store.workplace import Workplace


class BeginTurn(Operation):
    """Add a turn whose request is about to leave, or one that waits to be sent."""

    head: TurnHead
    session: SessionHead
    """As it is with the turn."""

    def apply(self, at: Workplace) -> None:
        """Insert the turn with this program as its owner; an unsent one has none.

        Raises:
            UnknownSession: the session is gone, or in the trash.
            SessionBusy: another program that is alive holds the session, or has a live turn in it.
            ContentLost: the content of an attachment is not here.
        """
        session_id = self.head.session_id
        known = at.db.execute("SELECT trashed FROM session WHERE id = ?", (session_id,)).fetchone()
        if known is None or known["trashed"] is not None:
            message = "There is no such session."
            raise UnknownSession(message)
        refuse_second_writer(at, session_id)
        holds.take(at.db, at.me, session_id)
        attached.require(at.db, session_id, self.head.prompt.attachments)
        if self.head.state.is_live:
            rows.write_turn(at.db, self.head, at.me.instance_id, sha256=None)
            rows.clear_content(at.db, self.head.turn_id)
            at.log.began(at.db, self.head.turn_id)
        else:
            rows.write_ended(at.db, Turn(self.head))
        rows.note_begun(at.db, self.session, has_files=bool(self.head.prompt.attachments))

    @property
    def size(self) -> int:
        """The prompt."""
        return len(self.head.prompt.text)


class AdoptTurn(Operation):
    """Make an interrupted, waiting or unsent turn live, in this program."""

    head: TurnHead
    was: TurnState
    """What it must be still: another program may have sent it meanwhile, and died."""

    def apply(self, at: Workplace) -> Turn | None:
        """Take the turn over under this head; its parts stay. None when there is nothing to take over.

        Raises:
            SessionBusy: another program that is alive holds the session, or has a live turn in it.
        """
        session_id, turn_id = self.head.session_id, self.head.turn_id
        refuse_second_writer(at, session_id)
        holds.take(at.db, at.me, session_id)
        found = at.db.execute(
            "SELECT state, instance, request_id FROM turn JOIN session ON session.id = turn.session "
            "WHERE turn.id = ? AND session.trashed IS NULL",
            (turn_id,),
        ).fetchone()
        if found is None:
            return None
        is_done = (found["instance"], found["request_id"]) == (at.me.instance_id, self.head.request_id)
        if not is_done and (found["state"] != self.was.value or not self._is_in_place(at)):
            return None
        rows.write_turn(at.db, self.head, at.me.instance_id, sha256=None)
        at.log.began(at.db, turn_id)
        return queries.load_turn(at.db, at.me.is_alive, turn_id)

    def _is_in_place(self, at: Workplace) -> bool:
        """Return whether the turn is the last that was sent, or was not sent."""
        last = at.db.execute(
            "SELECT id FROM turn WHERE session = ? AND ordinal < ? ORDER BY ordinal DESC, id DESC LIMIT 1",
            (self.head.session_id, FIRST_UNSENT),
        ).fetchone()
        return self.was is TurnState.UNSENT or (last is not None and last["id"] == self.head.turn_id)


class DropTurn(Operation):
    """Delete a turn that was never sent."""

    session_id: SessionId
    turn_id: TurnId

    def apply(self, at: Workplace) -> bool:
        """Delete the row and what it alone had attached; return whether this turn was there and unsent.

        Raises:
            SessionBusy: another program that is alive holds the session.
        """
        refuse_second_writer(at, self.session_id)
        holds.take(at.db, at.me, self.session_id)
        is_gone = rows.delete_unsent(at.db, self.turn_id)
        attached.forget_unused(at.db, self.session_id)
        return is_gone

    def after_commit(self, at: Workplace) -> None:
        """Wipe the words out of the index: what was taken back is not to be found."""
        search_index.forget(at.db)


class EndTurn(Operation):
    """A turn that is over, whole."""

    turn: Turn
    session: SessionHead
    """As it is after the turn."""

    def apply(self, at: Workplace) -> None:
        """Write the turn in place of what was recorded of it. A session that is gone stays gone."""
        if at.db.execute("SELECT 1 FROM session WHERE id = ?", (self.turn.head.session_id,)).fetchone() is None:
            return
        rows.write_ended(at.db, self.turn)
        at.log.ended(at.db, self.turn.head.turn_id)
        rows.note_ended(at.db, self.session)

    @property
    def outlives_failure(self) -> bool:
        """The answer waits for the disk."""
        return True
