"""The engine's front: every command there is, for a screen, for the command line, for tests.

Owns the one task group of the engine and nothing of a stream: a session's worker does the work, the book keeps the
heads, the keeper writes the turns, the pool has the workers, transcripts are read by a reader of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from msgspec.structs import replace

from chatforge_tui.domain.changes import SessionChanged, StoreRepaired, StoreTrouble
from chatforge_tui.domain.ids import SessionId, TurnId, new_session_id
from chatforge_tui.domain.session import EndpointRef, SessionHead, SessionPatch
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead
from chatforge_tui.errors import (
    StoreError,
    StoreUnavailable,
    UnknownSession,
)
from chatforge_tui.sessions.clock import Clock, SystemClock
from chatforge_tui.sessions.event_bus import EventBus, Subscription
from chatforge_tui.sessions.left_behind import LeftBehind
from chatforge_tui.sessions.other_programs import Hooks, OtherPrograms
from chatforge_tui.sessions.outbox import Hooks as OutboxHooks
from chatforge_tui.sessions.outbox import Outbox
from chatforge_tui.sessions.ports import Endpoints, SessionStore
from chatforge_tui.sessions.session_book import SessionBook
from chatforge_tui.sessions.session_files import SessionFiles
from chatforge_tui.sessions.settings import EngineSettings
from chatforge_tui.sessions.transcripts import Transcripts
from chatforge_tui.sessions.turn_keeper import TurnKeeper
from chatforge_tui.sessions.worker_context import WorkerContext
from chatforge_tui.sessions.worker_pool import WorkerPool
from chatforge_tui.streaming.cancellation import CancelReason
from chatforge_tui.streaming.registry import StreamingRegistry

if TYPE_CHECKING:
    from chatforge_tui.domain.attachment import Attachment
    from chatforge_tui.domain.merged import Mergeable, Merged
    from chatforge_tui.domain.repair import RepairReport
    from chatforge_tui.domain.search import SearchHit
    from chatforge_tui.sessions.worker import SessionWorker


class _Closed(Exception):
    """The engine ends: whatever still runs is cancelled."""


class SessionManager:
    """Many sessions, each answered by a worker of its own. Use it as `async with`; all calls from its event loop."""

    def __init__(
        self,
        *,
        store: SessionStore,
        endpoints: Endpoints,
        clock: Clock | None = None,
        settings: EngineSettings | None = None,
    ) -> None:
        """Take the ports; nothing is opened yet.

        Args:
            store: where everything is kept; opened and closed by the manager.
            endpoints: makes connections.
            clock: for the times of turns and sessions; the machine's clock if None.
            settings: limits; the usual ones if None.
        """
        self._store = store
        self._settings = settings or EngineSettings()
        self._clock = clock or SystemClock()
        self._registry = StreamingRegistry()
        self._workers = WorkerPool(self._make_worker, self._start)
        self._bus = EventBus(self._read_live, self._settings.pending_chars, self._workers.attend)
        self._book = SessionBook(store, self._bus, self._clock)
        self._keeper = TurnKeeper(store, self._bus, self._book)
        self._transcripts = Transcripts(store, self._bus, self._keeper, self._workers)
        self._group = asyncio.TaskGroup()
        self._task_context = copy_context()
        self._is_open = False
        self._outbox = Outbox(
            store,
            self._bus,
            self._book,
            self._clock,
            self._settings,
            OutboxHooks(self._start, self._workers.is_live, self._attach, self._detach, self._send_unsent),
        )
        hooks = Hooks(self._start, self._workers.is_live, self._stop_for_other, self._on_taken_over)
        self._others = OtherPrograms(store, self._bus, self._book, self._settings, hooks)
        self.files = SessionFiles(store, endpoints, self._book, self._others.hold)
        """The files beside prompts and in answers."""
        self._left = LeftBehind(
            store, self._book, self._outbox, self._settings, start=self._start, take_up=self._take_up
        )
        self._context = WorkerContext(
            store=store,
            endpoints=endpoints,
            clock=self._clock,
            settings=self._settings,
            registry=self._registry,
            bus=self._bus,
            book=self._book,
            keeper=self._keeper,
            outbox=self._outbox,
            gate=asyncio.Semaphore(self._settings.rejoin_at_once),
            start=self._start,
            retire=self._workers.retire,
        )

    async def __aenter__(self) -> Self:
        """Open the store and take over its sessions.

        Raises:
            StoreError: the store cannot be used.
        """
        self._store.on_trouble = self._on_trouble
        await (self._store.open(takes_tabs=True) if self._settings.has_tabs else self._store.open())
        try:
            self._book.load(map(self._as_tab, await self._store.load_sessions()))
        except BaseException:
            await self._store.close()
            raise
        await self._group.__aenter__()
        self._is_open = True
        if self._settings.look_s is not None:
            self._start(self._others.watch(self._settings.look_s))
        if self.refusal:
            self._start(self._await_store())
        else:
            self._begin_work()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Interrupt every live turn, write everything, close the store. Nothing of the engine runs afterwards.

        Raises:
            StoreError: something could not be written, and no other error is on its way.
        """
        self._is_open = False
        self._outbox.stop()
        try:
            await self._workers.shut_down(self._settings.shutdown_s)
            await self._end_tasks()
        finally:
            await self._close_store(is_failing=error is not None)

    @property
    def refusal(self) -> str:
        """Why sessions can only be read, if that, in one or two sentences; "" when they can be changed."""
        return self._store.refusal

    @property
    def salvaged(self) -> int | None:
        """How many rows of a damaged store its repair has read so far, while `open` makes one; else None."""
        return self._store.salvaged

    def sessions(self) -> tuple[SessionHead, ...]:
        """Return open sessions by position, then closed ones, the last used first; not the trash."""
        return self._book.all()

    def session(self, session_id: SessionId) -> SessionHead:
        """Return a session's head.

        Raises:
            UnknownSession: there is no such session outside the trash.
        """
        return self._book.get(session_id)

    async def create_session(
        self,
        endpoint: EndpointRef,
        *,
        title: str = "",
        has_tab: bool = True,
        activate: bool = True,
        after: SessionId | None = None,
    ) -> SessionHead:
        """Add a session; returns when it is durable.

        Args:
            endpoint: where its agent answers; not contacted before the first prompt.
            title: given by the user; "" = named after the first prompt.
            has_tab: whether it gets a tab. One that gets none never has one on the disk: another program that looks there
                in between would take it over.
            activate: whether its tab comes to the front.
            after: its tab stands to the right of this session's; None = at the right end.

        Raises:
            StoreError: it cannot be kept; there is no such session then.
            UnknownSession: there is no session `after`.
        """
        now = self._clock.now()
        place = len(self._book.open_ones())
        if after is not None and self._book.get(after).is_open:
            place = self._book.get(after).position + 1
        new = SessionHead(new_session_id(), endpoint, title, title_is_manual=bool(title), created=now, updated=now)
        head = self._book.insert(new if has_tab else new.without_tab(), place)
        try:
            await self._store.create_session(head)
        except BaseException:
            self._book.drop(head.session_id)
            raise
        self._bus.publish(SessionChanged(self._book.get(head.session_id)))
        if has_tab and activate:
            self._book.activate(head.session_id)
        return self._book.get(head.session_id)

    async def send(self, session_id: SessionId, prompt: Prompt) -> TurnId:
        """Have a prompt answered. Takes the place of the session's live request, and answers its waiting task if any.

        Where prompts wait to be sent, it queues up behind them, and they go one after another. Returns when the prompt
        is durable and the session's worker is at it.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: the prompt cannot be kept, so nothing was sent; ContentLost for an attachment without content.
            SessionBusy: another running program holds this session.
        """
        if self._book.get(session_id).held_by:
            await self._others.hold(session_id)
        if await self._must_queue(session_id):
            return await self.queue(session_id, prompt)
        run = self._workers.worker(session_id).begin(prompt)
        if run.began is not None:
            await asyncio.shield(run.began)
        return run.state.head.turn_id

    async def queue(self, session_id: SessionId, prompt: Prompt) -> TurnId:
        """Have a prompt answered after whatever runs or waits in the session; returns when it is durable.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: the prompt cannot be kept.
            SessionBusy: another running program holds this session.
        """
        if self._book.get(session_id).held_by:
            await self._others.hold(session_id)
        turn_id = await self._outbox.add(session_id, prompt)
        self._outbox.go(session_id)
        return turn_id

    async def send_unsent(self, session_id: SessionId) -> bool:
        """Send the prompts that wait in the session, one after another. Returns whether there are any.

        Raises:
            UnknownSession: there is no such session outside the trash.
            SessionBusy: another running program holds this session.
            StoreError: the store cannot be read.
        """
        if self._book.get(session_id).held_by:
            await self._others.hold(session_id)
        await self._outbox.look_again(session_id)
        return self._outbox.go(session_id)

    async def take_back(self, session_id: SessionId, *, into_draft: bool = False) -> Prompt | None:
        """Take back the last prompt that waits in the session: it is gone when this returns.

        Args:
            session_id: whose.
            into_draft: its text becomes the session's draft first.

        Returns:
            The prompt; None when none waits (any more).

        Raises:
            UnknownSession: there is no such session outside the trash.
            SessionBusy: another running program holds this session.
            StoreError: it cannot be deleted: it waits on.
        """
        self._book.get(session_id)
        if self.refusal:
            raise StoreUnavailable(self.refusal)
        return await self._outbox.take_back(session_id, into_draft=into_draft)

    async def finished(self, session_id: SessionId) -> Turn | None:
        """Wait until nothing of the session is live, and return its last turn; None if it never had one.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: the turn has ended but could not be written (it is tried again).
        """
        self._book.get(session_id)
        return await self._transcripts.last(session_id)

    async def abort(self, session_id: SessionId) -> bool:
        """Stop the session's live request; returns when the turn is aborted, its row durable, its socket closed.

        Returns:
            Whether this call stopped something. When the store cannot write, StoreTrouble has said so.

        Raises:
            UnknownSession: there is no such session outside the trash.
        """
        self._book.get(session_id)
        run = self._workers.stop(session_id, CancelReason.USER)
        if run is None:
            return False
        await run.settled()
        return True

    async def reattach(self, session_id: SessionId) -> bool:
        """Read on with the task of the session's interrupted or waiting last turn; nothing is sent.

        Returns:
            Whether there is one that its agent may still know. What comes of it is told as of any turn.

        Raises:
            UnknownSession: there is no such session outside the trash.
            SessionBusy: another running program holds this session.
            StoreError: the store cannot be read.
        """
        if self._book.get(session_id).held_by:
            await self._others.hold(session_id)
        return await self._left.reattach(session_id)

    async def take_over(self, session_id: SessionId) -> None:
        """Become the writer of a session that another program holds. What runs in it there ends as interrupted.

        Raises:
            UnknownSession: there is no such session outside the trash.
            SessionBusy: the other program lives and did not answer in time.
            StoreError: the store cannot do it.
        """
        if self._book.get(session_id).held_by:
            await self._others.take_over(session_id)

    async def abort_all(self) -> int:
        """Stop every live request, all at the same time. Returns how many there were."""
        runs = self._workers.stop_all(CancelReason.USER)
        for run in runs:
            await run.settled()
        return len(runs)

    async def close_session(self, session_id: SessionId) -> None:
        """Take the session's tab away. Its stream goes on.

        Raises:
            UnknownSession: there is no such session outside the trash.
        """
        if self._book.get(session_id).is_open:
            self._book.close(session_id)
            self._others.closed(session_id)

    async def reopen_session(self, session_id: SessionId, position: int | None = None) -> None:
        """Give a closed session a tab again; does not bring it to the front.

        Args:
            session_id: an open one stays where it is, unless a position is given.
            position: of the tab, 0 = leftmost; None = at the right end.

        Raises:
            UnknownSession: there is no such session outside the trash.
        """
        if not self._book.get(session_id).is_open:
            self._open(session_id, position)
        elif position is not None:
            self._book.move(session_id, position)

    async def delete_session(self, session_id: SessionId) -> None:
        """Stop what runs in the session and put it into the trash.

        Its tab goes as soon as that is durable; the call returns when the agent was told, too, and every socket closed.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: the store cannot do it; the session stays.
        """
        self._book.get(session_id)
        if self.refusal:
            raise StoreUnavailable(self.refusal)
        self._book.leave(session_id)
        self.files.stop_fetching(session_id)
        worker = self._workers.take(session_id)
        try:
            if worker is not None:
                worker.stop(CancelReason.DELETED)
                await worker.settled()
            await self._store.trash_session(session_id, self._clock.now())
        except BaseException:
            self._book.stay(session_id)
            raise
        else:
            self._outbox.forget(session_id)
            self._book.remove(session_id)
        finally:
            if worker is not None:
                await worker.close()

    async def restore_session(self, session_id: SessionId) -> SessionHead:
        """Bring a session back from the trash, its tab where it was.

        Raises:
            UnknownSession: it is not in the trash.
            StoreError: the store cannot do it.
        """
        stored = await self._store.restore_session(session_id)
        head = self._book.insert(stored, stored.position)
        if head.is_open:
            self._others.opened(session_id)
        self._bus.publish(SessionChanged(head))
        if head.unsent:
            await self._outbox.load(session_id)
        return head

    async def purge_session(self, session_id: SessionId) -> None:
        """Delete a session for good, from the trash or from where it is.

        Raises:
            UnknownSession: there is no such session, nor in the trash.
            StoreError: the store cannot do it.
        """
        if self._book.find(session_id) is not None:
            await self.delete_session(session_id)
        elif all(head.session_id != session_id for head in await self.trash()):
            message = f"There is no session {session_id}."
            raise UnknownSession(message)
        await self._store.purge_session(session_id)

    async def trash(self) -> list[SessionHead]:
        """Return the sessions in the trash."""
        return await self._store.load_sessions(trashed=True)

    async def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """Return where all words of the query stand in titles, prompts and answers of all sessions but the trash's.

        Args:
            query: words, separated by white space; any text is one.
            limit: hits at most, > 0.

        Raises:
            StoreError: the store cannot be read.
        """
        return await self._store.search(query, limit)

    def update_session(self, session_id: SessionId, patch: SessionPatch) -> None:
        """Rename a session, keep its draft or its scroll position, mark it, point it at another endpoint.

        A title that is given here is the user's: nothing renames it any more. Another endpoint knows nothing of the
        context and the waiting task that the one before had named.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreUnavailable: the store can only be read, and the patch names or points the session.
        """
        if self.refusal and (patch.title is not None or patch.endpoint is not None):
            raise StoreUnavailable(self.refusal)
        self._book.change(session_id, patch)

    def activate(self, session_id: SessionId) -> None:
        """Bring the session's tab to the front, which marks it as read. A closed one gets a tab at the right end.

        Raises:
            UnknownSession: there is no such session outside the trash.
        """
        if not self._book.get(session_id).is_open:
            self._open(session_id, None)
        self._book.activate(session_id)

    async def move_session(self, session_id: SessionId, position: int) -> None:
        """Put an open session's tab at this position, 0 = leftmost; beyond the end is the end.

        Raises:
            UnknownSession: there is no such session outside the trash.
        """
        if self._book.get(session_id).is_open:
            self._book.move(session_id, position)

    async def turns(
        self, session_id: SessionId, subscription: Subscription | None = None, *, since: int = 0
    ) -> tuple[Turn, ...]:
        """Return the transcript: what is stored, the live turn as it is now.

        Args:
            session_id: whose.
            subscription: focused on the session at the moment of the answer: what it delivers afterwards goes on
                exactly where the answer ends.
            since: ordinal of the first turn wanted; `earlier_turns` has the others. Of a session that another program
                holds, everything is wanted: what that program does in it is told from there on.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: it cannot be read.
        """
        transcript = self._others.follow(session_id, await self.read_turns(session_id, since=since))
        if subscription is not None:
            subscription.focus_from_here(session_id)
        return tuple(transcript)

    async def earlier_turns(self, session_id: SessionId, since: int, before: int) -> tuple[Turn, ...]:
        """Return the turns from one ordinal to below another: those that `turns` has left out, which change no more.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: it cannot be read.
        """
        self._book.get(session_id)
        return tuple(await self._store.load_turns(session_id, since=since, before=before))

    async def read_turns(self, session_id: SessionId, *, since: int = 0) -> list[Turn]:
        """Return the transcript as `turns` does, for who does not watch what becomes of it.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: it cannot be read.
        """
        self._book.get(session_id)
        return await self._transcripts.read(session_id, since)

    async def take_in(self, items: tuple[Mergeable, ...]) -> tuple[Merged, ...]:
        """Take in sessions and what belongs to them from elsewhere, each session first. New sessions have no tab.

        What is here already stays as it is.

        Returns:
            For each item what became of it.

        Raises:
            StoreError: the store cannot do it; nothing of these was taken in.
        """
        closed = (one.without_tab() if isinstance(one, SessionHead) else one for one in items)
        outcomes = await self._store.merge(tuple(closed))
        added = {_session_of(item) for item, merged in zip(items, outcomes, strict=True) if merged == "added"}
        for stored in await self._store.load_sessions() if added else ():
            if stored.session_id in added:
                local = self._book.find(stored.session_id)
                if local is None:
                    self._book.meet(stored.without_tab())
                else:
                    self._book.put(replace(local, turns=stored.turns))
        return outcomes

    def subscribe(self) -> Subscription:
        """Return a new watcher of everything that happens; close it when done."""
        return self._bus.subscribe()

    def _open(self, session_id: SessionId, position: int | None) -> None:
        """Give a closed session a tab; a task that an earlier program left in it is read on with."""
        self._book.open(session_id, position)
        self._others.opened(session_id)
        self._left.opened(session_id)

    async def _await_store(self) -> None:
        """Go on by itself as soon as the store can be written that could not be at the start."""
        while reason := self.refusal:
            await asyncio.sleep(self._settings.store_retry_s)
            try:
                can_write = await self._store.recover()
            except StoreError as error:
                self._on_trouble(str(error))
                return
            if can_write:
                await self._meet_stored()
            if self.refusal != reason:
                self._on_trouble(self.refusal)

    async def _meet_stored(self) -> None:
        """Take in every session of a store that can be written from now on, and tell of it."""
        stored = await self._list_stored()
        for gone in {head.session_id for head in self._book.all()} - {head.session_id for head in stored}:
            self._book.lose(gone)
        self._book.load(map(self._as_tab, stored))
        for head in self._book.all():
            self._bus.publish(SessionChanged(head))
        self._begin_work()

    async def _list_stored(self) -> list[SessionHead]:
        """Return the sessions of the store, as soon as they can be read: before that nobody knows what waits in them."""
        while True:
            try:
                return await self._store.load_sessions()
            except StoreError as error:
                self._on_trouble(str(error))
            await asyncio.sleep(self._settings.store_retry_s)

    def _begin_work(self) -> None:
        """Tell of a repair, and look what an earlier program left: tasks to be taken up, prompts that wait."""
        if self._store.repair is not None:
            self._start(self._tell_of_repair(self._store.repair))
        self._left.look()

    async def _tell_of_repair(self, report: RepairReport) -> None:
        """Tell it in a step of its own: who subscribes right after the start is told, too."""
        self._bus.publish(StoreRepaired(report))

    async def _must_queue(self, session_id: SessionId) -> bool:
        """Return whether a prompt has to wait its turn: others do, or the one before it is between two tries."""
        if self.refusal:
            return False
        if await self._outbox.has_prompts(session_id):
            return True
        run = self._workers.run(session_id)
        return run is not None and run.unreached is not None and run.state.token.reason is None

    async def _attach(self, session_id: SessionId, files: tuple[Attachment, ...]) -> None:
        """Have files of a prompt that is taken back go along with the next one."""
        if files:
            await self.files.attach(session_id, files)

    async def _detach(self, session_id: SessionId, files: tuple[Attachment, ...]) -> None:
        """Take `_attach` back."""
        for file in files:
            await self.files.detach(session_id, file)

    def _send_unsent(self, unsent: TurnHead, once: bool) -> bool:
        """Have a worker send a prompt that waits. Returns False when the session has a live request."""
        return self._is_open and self._workers.worker(unsent.session_id).send(unsent, once=once) is not None

    def _take_up(self, lost: TurnHead) -> bool:
        """Have a worker read on with a lost task. Returns False when the session has a live request already."""
        if not self._is_open:
            return False
        return self._workers.worker(lost.session_id).take_up(lost) is not None

    def _make_worker(self, session_id: SessionId) -> SessionWorker:
        # Lazy: 60 ms of requests, events and retries, which a start that sends nothing does not need.
        from chatforge_tui.sessions.worker import SessionWorker  # noqa: PLC0415 - see above

        return SessionWorker(session_id, self._context)

    def _read_live(self, session_id: SessionId, turn_id: TurnId) -> Turn | None:
        """Return a live turn as it is now, of this program or of the one that holds the session."""
        return self._transcripts.live_turn(session_id, turn_id) or self._others.turn(session_id, turn_id)

    def _as_tab(self, head: SessionHead) -> SessionHead:
        """Return a stored session as this program shows it: what another living program holds has only its own tab."""
        if not head.held_by or not self._settings.has_tabs:
            return head
        local = self._book.find(head.session_id)
        return replace(
            head, is_open=local is not None and local.is_open, is_active=local is not None and local.is_active
        )

    async def _stop_for_other(self, session_id: SessionId) -> bool:
        """End what runs in a session that another program takes over. Returns whether all of it is durable."""
        worker = self._workers.find(session_id)
        if worker is not None:
            worker.stop(CancelReason.HANDED_OVER)
            await worker.settled()
            self._workers.retire(session_id)
        if self._keeper.unsaved(session_id):
            return False
        self._outbox.forget(session_id)
        return True

    def _on_taken_over(self, session_id: SessionId) -> None:
        """Read on with the task that the other program had to leave."""
        if self._is_open:
            self._left.taken_over(session_id)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # One name and one context for all: a number of its own is 56 bytes more, a context, of which nothing here knows, 64.
        return self._group.create_task(work, name=work.__qualname__, context=self._task_context)

    def _on_trouble(self, message: str) -> None:
        self._bus.publish(StoreTrouble(message))

    async def _end_tasks(self) -> None:
        """Cancel what is still running (news for agents, turns to be saved later) and wait for it."""
        try:
            await self._group.__aexit__(_Closed, _Closed(), None)
        except* _Closed:
            pass

    async def _close_store(self, *, is_failing: bool) -> None:
        try:
            await self._keeper.save_all()
            await self._store.flush()
        except StoreError:
            if not is_failing:
                raise
        finally:
            await self._store.close()


def _session_of(item: Mergeable) -> SessionId:
    return item.head.session_id if isinstance(item, Turn) else item.session_id
