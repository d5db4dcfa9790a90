"""The engine's parts, wired together, and how they start and end.

Owns the one task group of the engine and nothing of a stream: a session's worker does the work, the book keeps the
heads, the keeper writes the turns, the pool has the workers, transcripts are read by a reader of their own. The commands
are in manager.py and turn_commands.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from msgspec.structs import replace

from chatforge_tui.domain.changes import SessionChanged, StoreRepaired, StoreTrouble
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnHead
from chatforge_tui.errors import StoreError
from chatforge_tui.sessions.clock import Clock, SystemClock
from chatforge_tui.sessions.event_bus import EventBus
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
    from chatforge_tui.domain.repair import RepairReport
    from chatforge_tui.sessions.worker import SessionWorker


class _Closed(Exception):
    """The engine ends: whatever still runs is cancelled."""


class Engine:
    """Takes the store's sessions over, and leaves nothing running. Use it as `async with`."""

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
            store: where everything is kept; opened and closed by the engine.
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
