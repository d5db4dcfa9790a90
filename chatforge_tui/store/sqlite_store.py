"""The store on disk: sessions.ports.SessionStore over one writer thread.

Runs on the engine's event loop and touches no file there: every call becomes an operation or a lookup in the
writer's queue, and what must be durable is awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, TextAppended, TurnChange
from chatforge_tui.domain.ids import SessionId, TaskId, TurnId
from chatforge_tui.domain.session import SessionHead, SessionPatch
from chatforge_tui.domain.turn import Turn, TurnHead, TurnState
from chatforge_tui.errors import ContentLost, StoreCorrupt, StoreUnavailable
from chatforge_tui.store import attached, codec, holds, queries
from chatforge_tui.store.access import Access
from chatforge_tui.store.deletion import PurgeSession, RestoreSession, TrashSession
from chatforge_tui.store.door import Door
from chatforge_tui.store.merging import Merge
from chatforge_tui.store.operations import Barrier
from chatforge_tui.store.pending import Pending
from chatforge_tui.store.session_operations import AskForSession, CreateSession, GiveUpSessions, HoldSession
from chatforge_tui.store.turn_operations import AdoptTurn, BeginTurn, DropTurn, EndTurn
from chatforge_tui.store.workplace import Workplace
from chatforge_tui.store.writer import DEFAULTS, WriterSettings

if TYPE_CHECKING:
    from chatforge_tui.domain.attachment import Attachment
    from chatforge_tui.domain.merged import Mergeable, Merged
    from chatforge_tui.domain.repair import RepairReport
    from chatforge_tui.domain.search import SearchHit
    from chatforge_tui.domain.sighting import Sighting
    from chatforge_tui.store.surroundings import Surroundings

T = TypeVar("T")

BACKUP_AFTER_S = 5.0
"""The first seconds belong to the screen, and a command that ends within them makes no backup."""


class SqliteStore:
    """Sessions and turns in one SQLite file."""

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        goes_on: bool = False,
        settings: WriterSettings = DEFAULTS,
        backup_after_s: float = BACKUP_AFTER_S,
    ) -> None:
        """Name the file; `open` touches it.

        Args:
            path: of the database. Its directory is made when missing; the lock files are in `run` beside it.
            read_only: for commands that only look, also while another program writes: nothing is ever written, a
                turn whose program is dead reads `interrupted` all the same, and a store that is not there is empty.
            goes_on: whether a store that cannot be used as it is is opened all the same. One that is damaged is repaired
                (`repair` says what came back). One that cannot be written (a newer ChatForge made it, a full disk,
                no rights) is opened for reading, or, where nothing can be read either, empty: `refusal` says why,
                and `recover` tries again.
            settings: how long things may wait.
            backup_after_s: seconds after opening until a backup is made, if one is due.
        """
        self.path = path
        self.on_trouble: Callable[[str], None] | None = None
        self._access = Access(
            path,
            Door(path, read_only=read_only, goes_on=goes_on),
            settings,
            backup_after_s=backup_after_s,
            on_trouble=self._on_trouble,
        )
        self._writer = self._access.writer
        self._is_listed = False
        """Whether its sessions were read once."""
        self._tasks: dict[TurnId, TaskId] = {}
        """The task that each live turn is bound to, as far as it was recorded."""
        self._halted: set[TurnId] = set()
        """Live turns whose text is no longer taken: too much waits for a failing disk. Their end is written whole."""
        self._surroundings: Surroundings | None = None
        self._unsaved: dict[TurnId, Turn] = {}
        """Turns that ended while the disk failed; they wait in the writer."""
        self._is_in_trouble = False
        """Whether writing fails."""

    async def open(self, *, takes_tabs: bool = False) -> None:
        """Open or create the store; turns whose program is dead become `interrupted`.

        Args:
            takes_tabs: hold the sessions with a tab that no living program holds.

        Raises:
            StoreUnavailable: no rights, no space, an I/O error. Not where it goes on.
            StoreCorrupt: the file is damaged, empty, or not ours. Not where it goes on.
            StoreTooNew: a newer ChatForge wrote it. Not where it goes on.
        """
        await self._access.open(takes_tabs=takes_tabs)

    async def recover(self) -> bool:
        """Open a store once more that could not be written; return whether it can be now.

        Then everything is to be read anew: others may have written, and what waited here is written first.
        """
        return await self._access.recover()

    async def close(self) -> None:
        """Write what waits, close the file, end the thread. Idempotent.

        Raises:
            StoreUnavailable: something could not be written, and is lost with this program.
        """
        await self._access.close()

    async def flush(self) -> None:
        """Return when everything handed over before is durable."""
        if self._access.can_write:
            await self._writer.submit(Barrier())

    async def load_sessions(self, *, trashed: bool = False) -> list[SessionHead]:
        """Return all sessions, or those in the trash: open ones by position, then the others, newest first."""

        def look(at: Workplace) -> list[SessionHead]:
            held = {} if at.is_newer else holds.holders(at.db, at.me)
            heads = queries.load_sessions(at.db, at.me.is_alive, trashed=trashed)
            return [replace(head, held_by=held.get(head.session_id, "")) for head in heads] if held else heads

        try:
            heads = await self._access.look(look)
        except StoreCorrupt as damage:
            if self._is_listed:
                raise
            heads = await self._access.mend(damage, look)
        self._is_listed = self._access.can_write
        return heads

    async def load_turns(
        self, session_id: SessionId, *, since: int = 0, before: int | None = None, but: TurnId | None = None
    ) -> list[Turn]:
        """Return the session's turns of these ordinals, in order, with everything handed over so far."""

        def look(at: Workplace) -> list[Turn]:
            return queries.load_turns(at.db, at.me.is_alive, session_id, at.reader, since=since, before=before, but=but)

        return [self._unsaved.get(turn.head.turn_id, turn) for turn in await self._access.look(look)]

    async def create_session(self, head: SessionHead) -> None:
        """Add a session."""
        await self._access.write(CreateSession(head))

    def update_session(self, session_id: SessionId, patch: SessionPatch, updated: float) -> None:
        """Change some fields of a session; on disk within 250 ms, or as soon as the store can be written."""
        columns = codec.encode_patch(patch) | {"updated": updated}
        self._access.patch(session_id, columns, urgent=patch.context_id is not None)

    async def set_attachments(
        self, session_id: SessionId, attachments: tuple[Attachment, ...], contents: Mapping[str, bytes]
    ) -> None:
        """Say which files go along with a session's next prompt; that and their content are durable on return.

        Raises:
            UnknownSession: the session is gone, or in the trash.
            SessionBusy: another living program is its writer.
            ContentLost: the content of a file is neither given nor here.
        """
        # Lazy: 1 ms, for whoever attaches something.
        from chatforge_tui.store.attaching import SetAttachments  # noqa: PLC0415 - see above

        await self._access.write(SetAttachments(session_id, attachments, contents))

    async def load_content(self, session_id: SessionId, file: Attachment) -> bytes:
        """Return the content of an attachment.

        Raises:
            ContentLost: it is not in the store any more, or damaged there.
        """
        for content in await self._access.look(lambda at: attached.load(at.db, session_id, file)):
            return content
        raise ContentLost(file.name)

    async def begin_turn(self, head: TurnHead, session: SessionHead) -> None:
        """Add a turn; it is durable on return.

        Raises:
            UnknownSession: the session was never created, is gone, or is in the trash.
            SessionBusy: another program is answering in it.
            ContentLost: the content of an attachment is not here.
            StoreError: it is not stored: nothing may be sent.
        """
        await self._access.write(BeginTurn(head, session))

    def record(self, turn_id: TurnId, changes: Sequence[TurnChange]) -> None:
        """Write changes of a live turn; on disk within 250 ms, at once when they bind a task."""
        if turn_id in self._halted or not self._access.can_write or not changes:
            return
        if self._writer.is_full:
            self._halted.add(turn_id)
            return

        def add(pending: Pending) -> None:
            for change in changes:
                pending.add_change(turn_id, change)

        self._writer.hand_over(add, urgent=self._binds_task(turn_id, changes))

    def grow(self, turn_id: TurnId, growth: TextAppended) -> None:
        """Write that a text of a live turn grew; on disk within 250 ms."""
        if turn_id not in self._halted and not self._writer.grow(turn_id, growth):
            self.record(turn_id, (growth,))

    async def end_turn(self, turn: Turn, session: SessionHead) -> None:
        """Write a turn as it ended, in place of what was recorded of it.

        Raises:
            StoreError: it is not stored yet; it is kept and tried again.
        """
        turn_id = turn.head.turn_id
        self._tasks.pop(turn_id, None)
        self._halted.discard(turn_id)
        try:
            await self._access.write(EndTurn(turn, session))
        except StoreUnavailable:
            if self._is_in_trouble:  # else it was tried again with success before this was heard
                self._unsaved[turn_id] = turn
            raise

    async def lost_turns(self) -> list[TurnHead]:
        """Return the interrupted turns that are bound to a task and the last of their sessions."""
        return await self._access.look(lambda at: queries.lost_turns(at.db, at.me.is_alive))

    async def adopt_turn(self, head: TurnHead, *, was: TurnState) -> Turn | None:
        """Make an interrupted, waiting or unsent turn live, as this program's own; it is durable on return.

        Raises:
            SessionBusy: another program is answering in the session.
            StoreError: it is not stored: the turn is as it was.
        """
        turn: Turn | None = await self._access.write(AdoptTurn(head, was))
        if turn is not None and head.task_id is not None:
            self._tasks[head.turn_id] = head.task_id
        return turn

    async def unsent_turns(self) -> list[TurnHead]:
        """Return the prompts that wait to be sent, those of the trash left out, each session's in order."""
        return await self._access.look(lambda at: queries.unsent_turns(at.db))

    async def drop_turn(self, head: TurnHead) -> bool:
        """Delete a turn that was never sent; return whether it was there and still unsent.

        Raises:
            SessionBusy: another living program is the session's writer.
            StoreError: it is not deleted.
        """
        is_gone: bool = await self._access.write(DropTurn(head.session_id, head.turn_id))
        return is_gone

    async def hold_session(self, session_id: SessionId) -> SessionHead:
        """Make this program the session's writer.

        Raises:
            UnknownSession: it is gone, or in the trash.
            SessionBusy: another living program is its writer.
        """
        head: SessionHead = await self._access.write(HoldSession(session_id))
        return head

    async def ask_for_session(self, session_id: SessionId) -> None:
        """Ask the session's writer to give it up to this program."""
        await self._access.write(AskForSession(session_id))

    async def give_up_sessions(self, session_ids: Collection[SessionId]) -> frozenset[SessionId]:
        """Hand sessions to who asked for them, or free them; return those in which this program still answers."""
        kept: frozenset[SessionId] = await self._access.write(GiveUpSessions(tuple(session_ids)))
        if self._surroundings is not None:
            self._surroundings.expect_news()
        return kept

    async def look_around(self) -> Sighting | None:
        """Return what other programs may have changed since the last look; None when nothing is new."""
        if not self._access.can_write:
            return None
        if self._surroundings is None:
            # Lazy: 2 ms, which nobody misses until the first look.
            from chatforge_tui.store.surroundings import Surroundings  # noqa: PLC0415 - see above

            self._surroundings = Surroundings()
        sighting: Sighting | None = await self._writer.submit(self._surroundings.look)
        return sighting

    async def trash_session(self, session_id: SessionId, when: float) -> None:
        """Put a session into the trash.

        Raises:
            SessionBusy: another program is answering in it.
        """
        await self._access.write(TrashSession(session_id, when))

    async def restore_session(self, session_id: SessionId) -> SessionHead:
        """Bring a session back from the trash.

        Raises:
            UnknownSession: it is not in the trash.
        """
        head: SessionHead = await self._access.write(RestoreSession(session_id))
        return head

    async def purge_session(self, session_id: SessionId) -> None:
        """Delete a session for good: no word of it stays in the database or its side files.

        Raises:
            SessionBusy: another program is answering in it.
        """
        await self._access.write(PurgeSession(session_id))

    async def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """Return where all words of the query stand in titles, prompts and answers, the trash left out.

        Any text is a query; none is a command.

        Args:
            query: words, separated by white space.
            limit: hits at most, > 0.
        """
        # Lazy: 12 ms, for whoever searches.
        from chatforge_tui.store.search import search  # noqa: PLC0415 - see above

        return await self._access.look(lambda at: search(at.db, query, limit))

    async def merge(self, items: tuple[Mergeable, ...]) -> tuple[Merged, ...]:
        """Take in sessions and what belongs to them from elsewhere, each session first, in one transaction.

        What is here already stays as it is.

        Returns:
            For each item what became of it.
        """
        outcomes: tuple[Merged, ...] = await self._access.write(Merge(items))
        return outcomes

    @property
    def refusal(self) -> str:
        """Why nothing can be changed, in one or two sentences, once the store is open; "" when it can."""
        return self._access.refusal

    @property
    def is_newer(self) -> bool:
        """Whether a newer ChatForge wrote the store, once it is open: then it can only be read."""
        return self._access.is_newer

    @property
    def repair(self) -> RepairReport | None:
        """What the repair of a damaged store brought back, when this program had to make one."""
        return self._access.repair

    @property
    def salvaged(self) -> int | None:
        """How many rows the repair that is being made has read so far; None when none is being made."""
        return self._access.salvaged

    def _on_trouble(self, message: str) -> None:
        """Pass on that writing fails ("": works again); called on the event loop."""
        self._is_in_trouble = bool(message)
        if not message:
            self._unsaved.clear()
        if self.on_trouble is not None:
            self.on_trouble(message)

    def _binds_task(self, turn_id: TurnId, changes: Sequence[TurnChange]) -> bool:
        """Return whether the changes name a task that was not recorded yet: without it nothing can be re-attached."""
        task_id: TaskId | None = None
        for change in changes:
            if isinstance(change, HeadChanged):
                task_id = change.head.task_id
        if task_id is None or self._tasks.get(turn_id) == task_id:
            return False
        self._tasks[turn_id] = task_id
        return True
