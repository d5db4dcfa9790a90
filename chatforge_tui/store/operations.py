"""Every change the store can make, as values: what waits in the queue and what a transaction is made of.

Each operation can be applied a second time with the same result: when a commit reports an error although it reached
the disk, the same operations are tried again and double nothing. None makes a session or a turn that is gone.
"""

from collections.abc import Mapping

from msgspec import Struct

from chatforge_tui.domain.changes import TextField
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.part import Part
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import FIRST_UNSENT, Turn, TurnHead, TurnState
from chatforge_tui.errors import SessionBusy, UnknownSession
from chatforge_tui.store import attached, backups, codec, holds, instances, queries, rows, search_index, text_log
from chatforge_tui.store.instances import InstanceId
from chatforge_tui.store.workplace import Workplace

_ANYBODYS = frozenset({"title", "title_is_manual", "updated"})
"""Columns that a program may write of a session that another one holds."""
_FORGET_S = 1.0
"""How long a deletion may be busy with the full-text index before it is acknowledged; the rest is done later."""


class Operation(Struct):
    """One change. Only AppendText changes while it waits."""

    def apply(self, at: Workplace) -> object:
        """Make the change inside the open transaction, and return what its caller waits for.

        Raises:
            ChatForgeError: it cannot be done now; nothing of it is.
            sqlite3.Error: as SQLite says.
        """
        raise NotImplementedError

    def after_commit(self, at: Workplace) -> None:
        """Do what must follow the commit before its caller is told, outside any transaction.

        Raises:
            sqlite3.Error: as SQLite says; the change itself is durable.
        """

    @property
    def size(self) -> int:
        """About how many bytes it holds, where that matters."""
        return 0

    @property
    def outlives_failure(self) -> bool:
        """Whether it is kept and tried again when writing fails, for its content exists nowhere else on disk."""
        return False


class TurnOperation(Operation):
    """A change of a live turn, superseded by the turn's end."""

    turn_id: TurnId

    @property
    def outlives_failure(self) -> bool:
        """What streamed in waits for the disk."""
        return True


class Barrier(Operation):
    """Changes nothing: its acknowledgement says that everything before it is durable."""

    def apply(self, at: Workplace) -> None:
        """Do nothing."""


class Probe(Operation):
    """Writes something that changes nothing: whether it can be committed says whether writing works again."""

    def apply(self, at: Workplace) -> None:
        """Write this program's row once more."""
        at.db.execute("UPDATE instance SET started = started WHERE id = ?", (at.me.instance_id,))


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
        _refuse_second_writer(at, session_id)
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
        _refuse_second_writer(at, session_id)
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
        _refuse_second_writer(at, self.session_id)
        holds.take(at.db, at.me, self.session_id)
        is_gone = rows.delete_unsent(at.db, self.turn_id)
        attached.forget_unused(at.db, self.session_id)
        return is_gone

    def after_commit(self, at: Workplace) -> None:
        """Wipe the words out of the index: what was taken back is not to be found."""
        search_index.forget(at.db, _FORGET_S)


class AppendText(TurnOperation, gc=False):
    """Text that a part grew by: one record of the log, however many deltas it was.

    There are 10,000 a second where 1,000 sessions stream, so they are kept out of Python's search for garbage, which took as
    long as a third of writing them.
    """

    turn_id: TurnId
    seq: int
    """Order within the turn, and of everything that this program writes; 0 until it has its place. A second try writes the
    same record again."""
    index: int
    text_field: TextField
    text: str
    more: list[str] | None = None
    """What came behind it."""

    @property
    def whole(self) -> str:
        """All of the text."""
        return self.text if self.more is None else "".join((self.text, *self.more))

    def apply(self, at: Workplace) -> None:
        """Log the text; a turn that has ended or is gone takes no more."""
        text = self.text if self.more is None else self.whole
        at.log.add(at.db, self.turn_id, self.seq, self.index, self.text_field, text)

    @property
    def size(self) -> int:
        """The text."""
        return len(self.text) + sum(map(len, self.more or ()))


class PutPart(TurnOperation):
    """A part that is new, or replaced whole."""

    turn_id: TurnId
    seq: int
    """As in AppendText."""
    part: Part

    def apply(self, at: Workplace) -> None:
        """Write the part, and let what had been appended to the one before it no longer count."""
        if _is_mine(at, self.turn_id):
            at.db.execute("DELETE FROM chunk WHERE turn = ? AND idx = ?", (self.turn_id, self.part.index))
            rows.put_parts(at.db, self.turn_id, (self.part,))
            at.log.add(at.db, self.turn_id, self.seq, self.part.index, "text", None)

    @property
    def size(self) -> int:
        """About the part: most are small."""
        return 200 + len(getattr(self.part, "text", ""))


class DropPart(TurnOperation):
    """A part that was superseded. Without it, nothing that was logged of it is anything's."""

    turn_id: TurnId
    index: int

    def apply(self, at: Workplace) -> None:
        """Delete the part and what was appended to it."""
        if _is_mine(at, self.turn_id):
            at.db.execute("DELETE FROM chunk WHERE turn = ? AND idx = ?", (self.turn_id, self.index))
            at.db.execute("DELETE FROM part WHERE turn = ? AND idx = ?", (self.turn_id, self.index))


class PutPlan(TurnOperation):
    """One more version of the plan."""

    turn_id: TurnId
    sequence: int
    plan: Plan

    def apply(self, at: Workplace) -> None:
        """Write the version."""
        if _is_mine(at, self.turn_id):
            rows.put_plans(at.db, self.turn_id, ((self.sequence, self.plan),))

    @property
    def size(self) -> int:
        """About the plan."""
        return 200 + 100 * len(self.plan.steps)


class PutHead(TurnOperation):
    """The turn's head changed."""

    turn_id: TurnId
    head: TurnHead

    def apply(self, at: Workplace) -> None:
        """Update the turn's columns."""
        if _is_mine(at, self.turn_id):
            rows.update(at.db, "turn", codec.encode_turn(self.head))


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


class TrashSession(Operation):
    """Put a session into the trash."""

    session_id: SessionId
    when: float

    def apply(self, at: Workplace) -> None:
        """Mark the row.

        Raises:
            SessionBusy: another program that is alive is answering in it.
        """
        _refuse_second_writer(at, self.session_id)
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
        _refuse_second_writer(at, self.session_id)
        rows.delete_session(at.db, self.session_id)
        at.doubt()

    def after_commit(self, at: Workplace) -> None:
        """Wipe the words out of the index and the write-ahead log, and delete them from the backups."""
        search_index.forget(at.db, _FORGET_S)
        at.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        backups.forget(at.path, self.session_id)


class HoldSession(Operation):
    """Make this program the writer of a session."""

    session_id: SessionId

    def apply(self, at: Workplace) -> SessionHead:
        """Take the session, interrupt what a dead program left live in it, and return its head.

        Raises:
            UnknownSession: it is gone, or in the trash.
            SessionBusy: another program that is alive holds it, or has a live turn in it.
        """
        _refuse_second_writer(at, self.session_id)
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


def interrupt_dead_turns(at: Workplace) -> int:
    """End every turn whose program is dead, with the text it had; return how many there were. Its rows of the log go."""
    found = at.db.execute(f"SELECT id, instance FROM turn WHERE {text_log.LIVE}").fetchall()
    writers = text_log.writers(at.db)
    # Asked once: of a program that dies meanwhile the rows must not go before its turns have their text.
    living = {program for program in {*writers, *(row["instance"] for row in found)} if at.me.is_alive(program)}
    dead = [TurnId(row["id"]) for row in found if row["instance"] not in living]
    for turn_id in dead:
        if (turn := queries.load_turn(at.db, living.__contains__, turn_id, at.reader)) is not None:
            rows.write_ended(at.db, turn)
    text_log.delete_of(at.db, [program for program in writers if program not in living])
    return len(dead)


def _refuse_second_writer(at: Workplace, session_id: SessionId) -> None:
    """Let no second program answer in a session; what a dead one left there is interrupted first."""
    found = at.db.execute(
        "SELECT id, instance FROM turn WHERE session = ? AND instance <> ? "
        "AND state IN ('queued', 'connecting', 'streaming')",
        (session_id, at.me.instance_id),
    ).fetchall()
    for row in found:
        owner = InstanceId(row["instance"])
        if at.me.is_alive(owner):
            message = f"This session is answering in another ChatForge: {instances.describe(at.db, owner)}."
            raise SessionBusy(message, hint="Take it over, or wait until it is done.")
    if found:
        interrupt_dead_turns(at)


def _is_mine(at: Workplace, turn_id: TurnId) -> bool:
    """Return whether the turn is live in this program: only then its records are written."""
    return at.log.is_live(at.db, turn_id)
