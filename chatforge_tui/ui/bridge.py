"""The one place where threads meet: the engine's thread with its own event loop, and the UI's.

Owns the engine thread, the subscription to its events, and the pace at which they reach the screen: at most one batch
a frame, the next only after the UI has taken the last one, none while the terminal does not read. So a stalled
terminal blocks neither streams nor store; what happens meanwhile is merged by the subscription and delivered later.
It knows no widget, and nobody else may touch the manager.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from textual.message import Message

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.errors import EngineStopped, StoreError, UnknownSession
from chatforge_tui.ui.engine_messages import (
    EarlierTurnsLoaded,
    EngineBatch,
    EngineEnded,
    EngineReady,
    EngineRepairing,
    TurnsLoaded,
    TurnsUnread,
)

if TYPE_CHECKING:  # the engine is imported in its own thread, behind the first frame
    from chatforge_tui.sessions.event_bus import Subscription
    from chatforge_tui.sessions.manager import SessionManager

Result = TypeVar("Result")

FRAME_S = 1 / 30
"""Seconds between two batches, at least."""
HAND_OVER_S = 0.001
"""Seconds after which a busy thread gives way to a waiting one. Python's own 5 ms are waited for by a key three times:
where it is read, where it is shown, and where that is written. Beside bursts of 12 ms its p95 falls from 24 to 16 ms."""
_BESIDE = 32
"""Threads, at most, for what blocks: a command that fetches a credential, a large file. Python makes 6 on two cores, and six
sessions that wait for their credentials held up all others."""
LOOK_S = 0.5
"""Seconds between two looks how far the repair of a damaged store is; a sound store is open before the first."""
FIRST_TURNS = 30
"""Turns at the end of a long session that are shown before the others are read."""
STEP_TURNS = 500
"""How many of the others are read, and taken in by the screen, at a time."""
AIR_S = 0.008
"""Seconds after a batch was applied in which none follows, however long it took: keys come first."""


class _Wish(Struct, frozen=True):
    """What `EngineThread.show` was asked for."""

    session_id: SessionId
    is_loaded: bool
    in_steps: bool


class _Running(Struct, frozen=True):
    """What the UI's commands need of the engine thread; used in that thread only."""

    loop: asyncio.AbstractEventLoop
    manager: SessionManager


class EngineThread:
    """Runs a SessionManager in a thread and an event loop of its own. Start once, stop once, from the UI's loop."""

    def __init__(
        self,
        start_engine: Callable[[], SessionManager],
        *,
        deliver: Callable[[Message], object],
        may_paint: Callable[[], bool] = lambda: True,
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            start_engine: makes the manager; called in the engine's thread.
            deliver: takes each message to the UI, in order; called in the engine's thread.
            may_paint: whether the terminal takes output at the moment; called in the engine's thread.
        """
        self._start_engine = start_engine
        self._deliver = deliver
        self._may_paint = may_paint
        self._running: Future[_Running] = Future()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chatforge-engine")
        self._ended: Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._taken = asyncio.Event()
        self._wanted: _Wish | None = None
        self._wants = asyncio.Event()

    def start(self) -> None:
        """Start the thread; EngineReady or EngineEnded follows, after an EngineRepairing now and then where that takes long."""
        sys.setswitchinterval(min(sys.getswitchinterval(), HAND_OVER_S))
        self._ended = self._thread.submit(lambda: asyncio.run(self._run()))
        self._ended.add_done_callback(self._tell_end)
        self._thread.shutdown(wait=False)

    async def stop(self, limit_s: float) -> bool:
        """End every stream, flush and close the store, join the thread.

        Args:
            limit_s: seconds to wait at most.

        Returns:
            Whether the thread is over.
        """
        if self._ended is None:
            return True
        self._in_engine(self._stopping.set)
        ended = asyncio.wrap_future(self._ended)
        done, _ = await asyncio.wait({ended}, timeout=limit_s)
        if done:
            ended.exception()
            self._thread.shutdown(wait=True)  # its work is done: this waits for its last lines only
        return bool(done)

    async def call(self, command: Callable[[SessionManager], Awaitable[Result]]) -> Result:
        """Run a command in the engine and return its result. Waits for an engine that is still starting.

        A command that was given runs to its end, whatever becomes of the caller.

        Raises:
            EngineStopped: the engine is over.
            ChatForgeError: what the command raises.
        """
        if not self._running.done():
            await asyncio.shield(asyncio.wrap_future(self._running))
        running = self._running.result()

        async def run() -> Result:
            return await command(running.manager)

        if self._stopping.is_set() or running.loop.is_closed():
            raise EngineStopped
        return await asyncio.shield(asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), running.loop)))

    def post(self, command: Callable[[SessionManager], None]) -> None:
        """Run a command in the engine, in order with all others, without a result. Ignored when the engine is over.

        A session that is gone meanwhile is no error.
        """

        def run(manager: SessionManager) -> None:
            with suppress(UnknownSession):
                command(manager)

        def schedule(future: Future[_Running]) -> None:
            if future.exception() is None:
                self._in_engine(run, future.result().manager)

        self._running.add_done_callback(schedule)

    def show(self, session_id: SessionId, *, is_loaded: bool, in_steps: bool = False) -> None:
        """Have the deltas of this session delivered, and no other's. TurnsLoaded or TurnsUnread follows, unless it is gone.

        Args:
            session_id: the session to show; the last call wins.
            is_loaded: the pane has its transcript; it is sent again only if a turn is live, whose deltas were missed.
            in_steps: the pane has nothing yet: of a long session the last turns come first, the others behind them.
        """

        def want() -> None:
            self._wanted = _Wish(session_id, is_loaded, in_steps)
            self._wants.set()

        self._in_engine(want)

    def acknowledge(self) -> None:
        """Say that the last batch has been applied: the next may come."""
        self._in_engine(self._taken.set)

    def _in_engine(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the engine's loop; at once when there is no loop yet, never when it is closed."""
        if self._loop is None:
            function(*arguments)
            return
        with suppress(RuntimeError):  # the loop closed between two lines of ours: nothing is left to be told
            self._loop.call_soon_threadsafe(function, *arguments)

    def _tell_end(self, ended: Future[None]) -> None:
        if not self._running.done():
            self._running.set_exception(EngineStopped())
        self._deliver(EngineEnded(ended.exception()))

    async def _run(self) -> None:
        """Be the engine thread: one manager, one subscription, until `stop`."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_BESIDE, thread_name_prefix="chatforge-beside"))
        manager = self._start_engine()
        self._look_at_repair(self._loop, manager)
        async with manager:
            subscription = manager.subscribe()
            self._running.set_result(_Running(self._loop, manager))
            self._deliver(EngineReady(manager.sessions(), manager.refusal))
            async with asyncio.TaskGroup() as group:
                jobs = (
                    group.create_task(self._pump(subscription)),
                    group.create_task(self._show_wanted(manager, subscription)),
                )
                await self._stopping.wait()
                for job in jobs:
                    job.cancel()

    def _look_at_repair(self, loop: asyncio.AbstractEventLoop, manager: SessionManager) -> None:
        """Tell how far the repair of the store is, again and again, until the engine runs."""
        if manager.salvaged is not None:
            self._deliver(EngineRepairing(manager.salvaged))
        if not self._running.done():
            loop.call_later(LOOK_S, self._look_at_repair, loop, manager)

    async def _pump(self, subscription: Subscription) -> None:
        """Carry events to the UI, batch by batch, no faster than it takes them."""
        loop = asyncio.get_running_loop()
        while True:
            await subscription.wait()
            while not self._may_paint():  # noqa: ASYNC110 - the terminal's queue gives no signal; asked only while it is full
                await asyncio.sleep(FRAME_S)
            events = subscription.drain()
            if events:
                next_frame = loop.time() + FRAME_S
                self._taken.clear()
                self._deliver(EngineBatch(events))
                await self._taken.wait()
                await asyncio.sleep(max(next_frame - loop.time(), AIR_S))

    async def _show_wanted(self, manager: SessionManager, subscription: Subscription) -> None:
        """Focus the subscription on the session wanted last, one after another, so that none overtakes a later one."""
        while True:
            await self._wants.wait()
            self._wants.clear()
            if self._wanted is not None:
                session_id = self._wanted.session_id
                try:
                    first = await self._focus(manager, subscription, self._wanted)
                    await self._load_earlier(manager, session_id, first)
                except UnknownSession:
                    continue
                except StoreError as error:  # of this session: the others go on
                    subscription.focus(session_id)
                    self._deliver(TurnsUnread(session_id, error))

    async def _focus(self, manager: SessionManager, subscription: Subscription, wish: _Wish) -> int:
        """Deliver the session's transcript, or its last turns; return the ordinal of the first one delivered, 0 for all."""
        session_id = wish.session_id
        head = manager.session(session_id)
        is_quiet = not head.held_by and not (head.last_state and head.last_state.is_live)
        if wish.is_loaded and is_quiet:
            subscription.focus(session_id)
            self._deliver(TurnsLoaded(session_id, None))
            return 0
        first = head.turns - head.unsent - FIRST_TURNS if wish.in_steps and not head.held_by else 0
        if first < FIRST_TURNS:
            first = 0  # so few are read at once
        turns = await manager.turns(session_id, subscription, since=first)
        if first and (len(turns) < FIRST_TURNS or not _has_reader(head, turns)):  # damage: its count is not true
            first, turns = 0, await manager.turns(session_id, subscription)
        self._deliver(TurnsLoaded(session_id, turns, is_whole=not first))
        return first

    async def _load_earlier(self, manager: SessionManager, session_id: SessionId, before: int) -> None:
        """Deliver the turns below an ordinal, step by step upward, until another session is wanted."""
        while before and not self._wants.is_set():
            since = max(0, before - STEP_TURNS)
            turns = await manager.earlier_turns(session_id, since, before)
            self._deliver(EarlierTurnsLoaded(session_id, turns, is_whole=not since))
            before = since


def _has_reader(head: SessionHead, turns: Sequence[Turn]) -> bool:
    """Whether the reader of a session was in one of these turns, or at its end."""
    return not head.anchor or any(head.anchor.startswith(f"{turn.head.turn_id}/") for turn in turns)
