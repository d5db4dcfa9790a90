"""The writer thread: one connection, one transaction at a time, everything in the order in which it was handed over.

What nobody waits for is collected and committed together (group commit) at most `flush_s` after the first of it, or
as soon as `flush_bytes` have gathered. What someone waits for is committed at once and takes everything before it
along, in the same transaction. A transaction that fails is taken back whole; what must not be lost of it is kept and
tried again, before everything newer (failed_work.py). What a transaction does is in transaction.py.

Nobody ever waits in vain: what fails is answered with an error, and if the thread itself ends by a fault, so is
everyone who waits and everyone who comes later.
"""

import logging
import sqlite3
import sys
import threading
import time
from asyncio import AbstractEventLoop, Future, get_running_loop, shield
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

from msgspec import Struct

from chatforge_tui.domain.changes import NOT_SAVED, TextAppended
from chatforge_tui.domain.ids import TurnId
from chatforge_tui.errors import ChatForgeError, StoreError, StoreStopped, StoreUnavailable
from chatforge_tui.store.cells import UNREADABLE
from chatforge_tui.store.connection import immediate
from chatforge_tui.store.failed_work import FailedWork
from chatforge_tui.store.failure import translate
from chatforge_tui.store.operations import Operation
from chatforge_tui.store.pending import Entry, Lookup, Pending, Reply
from chatforge_tui.store.recording import AppendText
from chatforge_tui.store.transaction import after_commit, do_all, look
from chatforge_tui.store.workplace import Workplace

_log = logging.getLogger("chatforge.store")


class WriterSettings(Struct, frozen=True):
    """How long things may wait, and how much may."""

    flush_s: float = 0.12
    """Seconds, at most, until collected operations are committed."""
    late_s: float = 0.125
    """Seconds until they are to be on the disk: what its commits take is waited less. The promise is 250 ms from when a
    server sent it, and what nobody watches has waited 100 ms before it is read."""
    flush_bytes: int = 64 * 1024
    """Collected operations are committed at once from here on. Less would make a row of each piece where many fast
    streams run: 100 of them bring 20 KB with 200 bytes each. More would be behind for longer when the disk is slow."""
    retry_s: float = 2.0
    """Seconds between two tries while writing fails."""
    chore_s: float = 1.0
    """Seconds after the last commit until chores begin."""
    chore_pause_s: float = 0.02
    """Seconds between two pieces of a chore: what is to be written comes first."""
    kept_bytes: int = 32 * 1024 * 1024
    """What may wait while writing fails. Beyond it, streamed text is no longer taken (the turn's end still is)."""


DEFAULTS = WriterSettings()

_FADES = 0.9
"""What is left of a slow commit's mark after each further one."""


class Writer:
    """The thread, and the way to it from the event loop."""

    def __init__(
        self, open_workplace: Callable[[], Workplace], settings: WriterSettings, chore: Callable[[Workplace], bool]
    ) -> None:
        """Keep what to open; `start` opens it, in the thread.

        Args:
            open_workplace: opens the store; called in the thread.
            settings: how long things may wait.
            chore: a few milliseconds of work for when nothing is to be written; returns whether there is more of it.
        """
        self._open_workplace = open_workplace
        self._chore = chore
        self._chore_at: float | None = None
        self._settings = settings
        self._thread: threading.Thread | None = None
        self.tell: Callable[[str], None] = _say_nothing
        """Says a sentence about the store's health on the event loop; may be called in any thread."""
        self._texts: deque[AppendText] = deque()
        """What live turns got, in order, behind what is in `_pending`. Handed over without the lock: taking it for each of
        them, and looking for the text before it, took twice as long."""
        self._size = 0
        """About how many bytes wait. Without the lock, too: what it may be wrong by only has someone look again."""
        self._enough = 0
        """From what size on text is handed over the long way, where it is looked whether too much waits; 0 in a store that
        takes none."""
        self._wake = threading.Condition(threading.Lock())
        """Guards everything below."""
        self._pending = Pending()
        self._since: float | None = None
        """When the oldest of `_pending` was handed over; None when nothing waits."""
        self._in_hand: list[Entry] = []
        """What the thread is working on."""
        self._is_urgent = False
        self._is_closing = False
        self._closed: Reply | None = None
        self._fault: StoreStopped | None = None
        """Set when the thread ended by a fault of its own."""
        self._failed = FailedWork()
        self._commit_s = 0.0
        """About how long the slowest commit of the last ten or so took."""

    @property
    def is_open(self) -> bool:
        """Whether the store takes anything."""
        return self._thread is not None and not self._is_closing

    @property
    def is_full(self) -> bool:
        """Whether so much waits for a failing disk that no more text can be taken."""
        return self._failed.size + self._size > self._settings.kept_bytes

    async def start(self, tell: Callable[[str], None]) -> None:
        """Start the thread and return when the store is open.

        Args:
            tell: called on this event loop with one sentence when writing fails, with "" when it works again.

        Raises:
            StoreError: it cannot be opened; the thread has ended.
        """
        loop = get_running_loop()
        self.tell = lambda message: _call(loop, tell, message)
        self._is_closing, self._closed, self._fault = False, None, None
        opened = Reply(loop.create_future(), loop)
        # A daemon: a program that ends without closing the store must not hang on it. Its commits are whole anyway.
        self._thread = threading.Thread(target=self._run, args=(opened,), name="store", daemon=True)
        self._thread.start()
        try:
            await opened.future
        except ChatForgeError:
            self._thread.join()
            self._thread = None
            raise

    def hand_over(self, add: Callable[[Pending], None], *, urgent: bool = False) -> bool:
        """Let `add` put work into the queue that nobody waits for; return False, without doing so, when it is closed."""
        with self._wake:
            if not self.is_open:
                return False
            # Something behind other things, as most is, changes when the thread works next only when enough has gathered.
            # Reckoning when that is would cost more than writing it down.
            is_plain = self._since is not None and not urgent and not self._failed
            before, due = self._pending.size, None if is_plain else self._due()
            self._pending.take_in(self._texts)
            add(self._pending)
            self._size = size = self._pending.size
            if self._enough and size >= self._enough:
                self._enough = self._next_enough(size)
            if is_plain:
                if before < self._settings.flush_bytes <= size:
                    self._wake.notify()
                return True
            if self._since is None:
                self._since = time.monotonic()
            self._is_urgent = self._is_urgent or urgent
            if (now_due := self._due()) is not None and (due is None or now_due < due):
                self._wake.notify()
            return True

    def grow(self, turn_id: TurnId, change: TextAppended) -> bool:
        """Take text of a turn the short way; False, and nothing done, where it has to be handed over."""
        size = self._size + len(change.text)
        if size >= self._enough:
            return False
        self._texts.append(AppendText(turn_id, 0, change.index, change.field, change.text))
        self._size = size
        # Looked at only now: whoever takes what waits says first that nothing does, and then takes the texts.
        if self._since is None:
            self.hand_over(_add_nothing)
        return True

    def _next_enough(self, size: int) -> int:
        """Return from what size on text is next handed over the long way, when so many bytes wait."""
        return min(size + self._settings.flush_bytes, self._settings.kept_bytes)

    async def submit(self, work: Operation | Lookup) -> Any:  # noqa: ANN401 - the answer depends on the work
        """Put work into the queue and wait until it, and everything before it, is durable.

        Raises:
            StoreError: it is not (what outlives failure is tried again nevertheless), or the store is closed.
            ChatForgeError: the operation's own refusal.
        """
        loop = get_running_loop()
        reply = Reply(loop.create_future(), loop)
        if not self.hand_over(lambda pending: pending.add(Entry(work, reply)), urgent=True):
            message = "The store is not open."
            raise self._fault or StoreError(message)
        return await reply.future

    async def stop(self) -> None:
        """Write what waits, close the store, and return when the thread has ended. Idempotent.

        Raises:
            StoreError: something could not be written, and is lost with this program.
        """
        if self._thread is None:
            return
        loop = get_running_loop()
        with self._wake:
            if self._closed is None:
                self._closed = Reply(loop.create_future(), loop)
            # Of a thread that has ended by a fault, nobody answers any more: its end was told to all.
            closed = None if self._fault is not None else self._closed
            self._is_closing = True
            self._enough = 0
            self._wake.notify()
        if closed is None:
            self._thread.join()
            self._thread = None
            return
        try:
            await shield(closed.future)
        finally:
            if closed.future.done():
                self._thread.join()
                self._thread = None

    # From here on: in the thread.

    def _run(self, opened: Reply) -> None:
        """Be the thread, and let nobody wait any more when it ends, whatever ended it."""
        is_orderly = False
        try:
            self._work(opened)
            is_orderly = True
        finally:
            if not is_orderly:
                _log.critical("the store's thread ended by a fault of its own", exc_info=sys.exception())
            self._say_farewell(opened, None if is_orderly else StoreStopped())

    def _work(self, opened: Reply) -> None:
        """Open, write until told to stop, close."""
        try:
            workplace = self._open_workplace()
        except ChatForgeError as error:
            _answer(opened, error)
            return
        if workplace.log.instance is not None:
            self._enough = self._next_enough(0)
        _answer(opened, None)
        self._chore_at = time.monotonic() + self._settings.chore_s
        try:
            while self._wait():
                if batch := self._take():
                    self._commit(workplace, batch)
                else:
                    self._do_chore(workplace)
                del batch  # it would stay in memory until there is another
            self._commit(workplace, self._take())
        finally:
            workplace.close()

    def _say_farewell(self, opened: Reply, fault: StoreStopped | None) -> None:
        """Answer everyone who still waits: for the opening, for work, for the end."""
        with self._wake:
            self._is_closing = True
            self._enough = 0
            self._fault = fault
            waiting, closed = self._in_hand + self._pending.take(), self._closed
        _answer(opened, fault)
        for entry in waiting:
            if entry.reply is not None:
                _answer(entry.reply, fault or StoreError("The store is closed."))
        if fault is not None:
            self.tell(str(fault))
        if closed is not None:
            lost = StoreUnavailable(f"Not everything could be saved. {self._failed.trouble}")
            _answer(closed, lost if self._failed.has_content else fault)

    def _wait(self) -> bool:
        """Wait until there is something to do, and return True; False when it is time to stop."""
        with self._wake:
            while not self._is_closing:
                due = self._due()
                if due is not None and due <= time.monotonic():
                    return True
                self._wake.wait(None if due is None else due - time.monotonic())
            return False

    def _due(self) -> float | None:
        """Return when to work next, by the monotonic clock; None when there is nothing to do."""
        if self._is_urgent:
            return 0.0
        if self._failed:
            return self._failed.due
        if self._since is None:
            return self._chore_at
        if self._pending.size >= self._settings.flush_bytes:
            return 0.0
        return self._since + self._patience_s

    @property
    def _patience_s(self) -> float:
        """How long what is collected waits: as much less as commits are slow, but no less than a third of the most."""
        settings = self._settings
        return min(settings.flush_s, max(settings.flush_s / 3, settings.late_s - self._commit_s))

    def _take(self) -> list[Entry]:
        """Return all that waits, what failed before first."""
        with self._wake:
            self._since = None
            self._is_urgent = False
            self._pending.take_in(self._texts)
            batch = self._failed.take() + self._pending.take()
            self._size = 0
            if self._enough:
                self._enough = self._next_enough(0)
            self._in_hand = batch
            return batch

    def _commit(self, workplace: Workplace, batch: list[Entry]) -> None:
        """Do a batch in one transaction, and answer everyone who waits for a part of it."""
        writes = any(entry.is_write for entry in batch)
        began = time.monotonic()
        try:
            with immediate(workplace.db) if writes else nullcontext():
                done = do_all(workplace, batch)
        except (sqlite3.Error, OSError) as error:
            workplace.doubt()
            self._fail(workplace, batch, translate(error, workplace.path))
            self._in_hand = []
            return
        for entry, answer in done:
            after_commit(workplace, entry)
            if entry.reply is not None:
                _answer(entry.reply, answer)
        self._in_hand = []
        workplace.reader.expire()
        if writes:
            now = time.monotonic()
            self._commit_s = max(now - began, self._commit_s * _FADES)
            self._chore_at = now + self._settings.chore_s
        if writes and self._failed.note(""):
            _log.info("the store can be written again")
            self.tell("")

    def _do_chore(self, workplace: Workplace) -> None:
        """Do a little of what can wait; without writing nothing is left to do until something is written again."""
        self._chore_at = None
        try:
            if self._chore(workplace):
                self._chore_at = time.monotonic() + self._settings.chore_pause_s
        except (sqlite3.Error, *UNREADABLE) as error:
            _log.warning("a chore is put off: %s", error)

    def _fail(self, workplace: Workplace, batch: list[Entry], error: StoreError) -> None:
        """Keep what must not be lost for the next try, and tell everyone."""
        if any(entry.is_write for entry in batch):
            _log.warning("the store cannot be written: %s", error)
            with self._wake:
                self._failed.keep(batch, time.monotonic() + self._settings.retry_s)
            if self._failed.note(str(error)):
                self.tell(f"{NOT_SAVED} {error}")
        for entry in batch:
            if entry.reply is not None:
                _answer(entry.reply, error if entry.is_write else look(workplace, entry, error))


def _answer(reply: Reply, answer: object) -> None:
    """Give an answer to who waits, on their event loop; an error is raised there."""
    _call(reply.loop, _settle, reply.future, answer)


def _settle(future: Future[Any], answer: object) -> None:
    """Give a future its result, unless its waiter has gone."""
    if future.done():
        return
    if isinstance(answer, ChatForgeError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _call(loop: AbstractEventLoop, function: Callable[..., None], *args: object) -> None:
    """Call a function on an event loop, unless that is closed and nobody listens any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *args)


def _add_nothing(_pending: Pending) -> None:
    """Have what is handed over already looked at."""


def _say_nothing(_message: str) -> None:
    """Stand in until someone listens."""
