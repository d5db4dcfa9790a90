"""Prompts that wait in their sessions because their agent could not be reached. Each goes once, oldest first.

Owns which prompts wait and when they go. A prompt waits only if nothing of it has left; sending it means that a worker
takes the turn over, which of any number of programs one can. What has been sent never comes back here.

A session's prompts go when the user says so (`send`), or sends another one, which queues up behind them; with
`sends_unsent` also by themselves, when the endpoint answers again: one session an endpoint tries, after growing pauses,
and takes the others along when it is answered. A turn that ends in any way but well stops its session's queue.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from chatforge_tui.domain.changes import TurnBegan, TurnEnded, TurnRemoved
from chatforge_tui.domain.ids import SessionId, TurnId, first_request_id, new_turn_id
from chatforge_tui.domain.session import SessionHead, SessionPatch
from chatforge_tui.domain.turn import FIRST_UNSENT, Prompt, Turn, TurnHead, TurnState, unsent_ordinal
from chatforge_tui.errors import ChatForgeError
from chatforge_tui.sessions.clock import Clock
from chatforge_tui.sessions.event_bus import EventBus
from chatforge_tui.sessions.ports import SessionStore
from chatforge_tui.sessions.session_book import SessionBook, without
from chatforge_tui.sessions.session_log import note
from chatforge_tui.sessions.settings import EngineSettings

if TYPE_CHECKING:
    from chatforge_tui.domain.attachment import Attachment
    from chatforge_tui.sessions.cleanup import Start

_TAKEN_ALONG = 8
"""Sessions that one answered session lets go at the same time; each of them lets as many go."""


class Hooks(Struct, frozen=True):
    """What the session manager does for the outbox."""

    start: Start
    is_live: Callable[[SessionId], bool]
    """Whether a request of the session runs in this program."""
    attach: Callable[[SessionId, tuple[Attachment, ...]], Awaitable[None]]
    """Has files that the session knows go along with its next prompt."""
    detach: Callable[[SessionId, tuple[Attachment, ...]], Awaitable[None]]
    """Takes `attach` back."""
    send: Callable[[TurnHead, bool], bool]
    """Has the session's worker send an unsent turn, once (True) or with the usual further tries; False when it is busy."""


class Outbox:
    """All waiting prompts of one engine."""

    def __init__(
        self,
        store: SessionStore,
        bus: EventBus,
        book: SessionBook,
        clock: Clock,
        settings: EngineSettings,
        hooks: Hooks,
    ) -> None:
        """Start empty; `load` brings what waits in the store."""
        self._store = store
        self._bus = bus
        self._book = book
        self._clock = clock
        self._settings = settings
        self._hooks = hooks
        self._waiting: dict[SessionId, list[TurnHead]] = {}
        """In the order in which they are to go; never an empty list."""
        self._adding: dict[TurnId, TurnHead] = {}
        """Waiting prompts that are not durable yet."""
        self._dropping: set[TurnId] = set()
        """Prompts on their way out of the store: they do not wait any more."""
        self._unsaved: set[SessionId] = set()
        """Sessions with a turn that waits from now on, which the store does not know yet: nothing is sent before it does."""
        self._going: set[SessionId] = set()
        """Sessions whose prompts go one after another, as long as each is answered."""
        self._stuck: set[SessionId] = set()
        """Sessions that are left alone until the user does something: another try would end as the last one did."""
        self._pauses: dict[str, float] = {}
        """By name of an endpoint that was not reached: seconds until the try after the next."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._loaded = asyncio.Event()
        self._is_stopped = False

    async def load(self, session_id: SessionId | None = None) -> None:
        """Read what waits, in all sessions or in one.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            heads = await self._store.unsent_turns()
        finally:
            self._loaded.set()
        for known in list(self._waiting) if session_id is None else [session_id]:
            self._waiting.pop(known, None)
        for head in (*heads, *self._adding.values()):  # the store may have looked before it was given the latter
            if session_id in {None, head.session_id} and head.turn_id not in self._dropping:
                self._insert(head)
        for known in self._waiting if session_id is None else self._waiting.keys() & {session_id}:
            self._try_later(known)

    def begin_empty(self) -> None:
        """Know that nothing waits in the store."""
        self._loaded.set()

    @property
    def has_any(self) -> bool:
        """Whether a prompt waits in any session, as far as it is known here."""
        return bool(self._waiting or self._adding)

    def place(self, session_id: SessionId, when: float) -> int:
        """Return the ordinal of a turn that was begun at `when` (Unix seconds) and waits now: before all others."""
        waiting = self._waiting.get(session_id)
        return waiting[0].ordinal - 1 if waiting else unsent_ordinal(when)

    async def has_prompts(self, session_id: SessionId) -> bool:
        """Return whether prompts of the session wait, so that another one has to wait its turn.

        An answer that the agent waits for has not: it comes first.
        """
        if not self._settings.keeps_unsent:
            return False
        await self._loaded.wait()
        return session_id in self._unsaved or (session_id in self._waiting and not self._is_asked(session_id))

    async def add(self, session_id: SessionId, prompt: Prompt) -> TurnId:
        """Have a prompt wait behind the others of its session; returns when it is durable.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: it cannot be kept.
        """
        now = self._clock.now()
        waiting = self._waiting.get(session_id, [])
        ordinal = max(unsent_ordinal(now), *(head.ordinal + 1 for head in waiting), FIRST_UNSENT)
        turn_id, state = new_turn_id(), TurnState.UNSENT
        head = TurnHead(turn_id, session_id, ordinal, prompt, first_request_id(turn_id), state, started=now)
        self._insert(head)
        self._adding[turn_id] = head
        try:
            await self._store.begin_turn(head, without(self._book.get(session_id), prompt.attachments))
        except BaseException:
            self._remove(head)
            raise
        finally:
            del self._adding[turn_id]
        if (session := self._book.find(session_id)) is not None:
            self._book.put(without(session, prompt.attachments))
        self._book.count(session_id, turns=1, unsent=1)
        self._bus.publish(TurnBegan(Turn(head)))
        self._bus.publish(TurnEnded(Turn(head)))
        return turn_id

    async def look_again(self, session_id: SessionId) -> None:
        """Read once more what waits in a session when that is not as much as its head says: a look may have failed.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: the store cannot be read.
        """
        if self._book.get(session_id).unsent != len(self._waiting.get(session_id, ())):
            await self.load(session_id)

    def go(self, session_id: SessionId) -> bool:
        """Let a session's prompts go, one after another. Returns whether there are any."""
        if session_id not in self._waiting:
            return False
        self._going.add(session_id)
        self._stuck.discard(session_id)
        self._send_first(session_id, once=False)
        return True

    async def take_back(self, session_id: SessionId, *, into_draft: bool) -> Prompt | None:
        """Take the session's last waiting prompt back; it is gone when this returns.

        Args:
            session_id: whose.
            into_draft: its text becomes the session's draft, and its files go along with the next prompt; both are
                durable as such before the turn goes.

        Returns:
            The prompt; None when none waits (any more).

        Raises:
            SessionBusy: another living program is the session's writer.
            StoreError: it cannot be deleted: it waits on.
        """
        await self._loaded.wait()
        await self.look_again(session_id)
        waiting = self._waiting.get(session_id)
        if not waiting:
            return None
        head = waiting[-1]
        self._remove(head)  # so that it does not go while it is being deleted
        self._dropping.add(head.turn_id)
        try:
            was_there = await (self._move_into_draft(head) if into_draft else self._store.drop_turn(head))
        except BaseException:
            self._insert(head)
            raise
        finally:
            self._dropping.discard(head.turn_id)
        if was_there:
            self._book.count(session_id, turns=-1, unsent=-1)
            self._bus.publish(TurnRemoved(session_id, head.turn_id))
        return head.prompt if was_there else None

    def tell(self, session_id: SessionId) -> None:
        """Tell of what waits in a session that another program held: it showed none of it."""
        for head in self._waiting.get(session_id, ()):
            self._bus.publish(TurnBegan(Turn(head)))
            self._bus.publish(TurnEnded(Turn(head)))

    def sending(self, head: TurnHead) -> None:
        """Note that a waiting turn is being sent: it is a turn like any other from now on."""
        self._remove(head)

    def missed(self, head: TurnHead) -> None:
        """Note that a turn could not be sent from here: another program has, or the store cannot; look what waits."""
        self._hooks.start(self._load_again(head.session_id))

    def not_saved(self, session_id: SessionId) -> None:
        """Note that the store cannot take the end of a turn that waits from now on: its place is not free yet."""
        self._unsaved.add(session_id)

    def saved(self, turn: Turn) -> None:
        """Note that the store has taken it: the turn waits, and what was to be sent meanwhile goes, after it."""
        session_id = turn.head.session_id
        is_going = session_id in self._going
        self._unsaved.discard(session_id)
        self.ended(turn, may_pass=True)
        if is_going:
            self.go(session_id)

    def ended(self, turn: Turn, *, may_pass: bool) -> None:
        """Note the end of a session's turn, with the worker at rest again.

        Args:
            turn: as it ended; one that is unsent waits from now on.
            may_pass: another try may end otherwise.
        """
        session_id = turn.head.session_id
        if session_id in self._unsaved:
            self._going.discard(session_id)
        elif turn.head.state is TurnState.UNSENT:
            self._insert(turn.head)
            self._going.discard(session_id)
            if may_pass:
                self._stuck.discard(session_id)
                self._try_later(session_id)
            else:
                self._stuck.add(session_id)
        elif turn.head.state is not TurnState.COMPLETE:
            self._going.discard(session_id)
            if session_id in self._waiting:
                self._stuck.add(session_id)
            if turn.head.state is not TurnState.FAILED:  # it says nothing of the endpoint, which others may wait for
                self._try_for_others(session_id)
        elif session_id not in self._waiting:
            self._going.discard(session_id)
        elif session_id in self._going:
            self._send_first(session_id, once=False)

    def answered(self, session_id: SessionId) -> None:
        """Note that an endpoint has answered a request: what waits for it can go, where that is allowed."""
        head = self._book.find(session_id)
        if head is None:
            return
        name = head.endpoint.name
        self._pauses.pop(name, None)
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()
        if self._settings.sends_unsent and self._waiting:
            self._going.add(session_id)
            for other in list(self._ready(name))[:_TAKEN_ALONG]:
                self._going.add(other)
                self._send_first(other, once=False)

    def forget(self, session_id: SessionId) -> None:
        """Drop a session that is on its way to the trash, or another program's now."""
        self._waiting.pop(session_id, None)
        self._going.discard(session_id)
        self._stuck.discard(session_id)

    def stop(self) -> None:
        """Send nothing more by itself: the engine ends."""
        self._is_stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._going.clear()

    def _send_first(self, session_id: SessionId, *, once: bool) -> None:
        """Have the prompt that waits longest sent, unless the session is busy: then its end comes here again."""
        waiting = self._waiting.get(session_id)
        head = self._book.here(session_id)
        is_free = head is not None and not head.held_by and not self._hooks.is_live(session_id)
        if waiting and is_free and session_id not in self._unsaved:
            first = waiting[0]
            if not self._hooks.send(first, once):
                note("the session is busy: what waits in it goes later", session_id)

    def _try_later(self, session_id: SessionId) -> None:
        """Have the session's endpoint tried again after a pause, where that is allowed."""
        head = self._book.find(session_id)
        if not self._settings.sends_unsent or self._is_stopped or head is None or head.endpoint.name in self._timers:
            return
        name, (first, most) = head.endpoint.name, self._settings.unsent_pauses_s
        pause = self._pauses.get(name, first)
        self._pauses[name] = min(most, pause * 2)
        jitter = random.uniform(0.75, 1.0)  # noqa: S311 - spreads tries in time, hides nothing
        self._timers[name] = asyncio.get_running_loop().call_later(pause * jitter, self._try_endpoint, name)

    def _try_for_others(self, session_id: SessionId) -> None:
        """Go on trying the endpoint of a session that will not, for the others that wait there."""
        head = self._book.find(session_id)
        if head is not None and next(self._ready(head.endpoint.name), None) is not None:
            self._try_later(session_id)

    def _try_endpoint(self, name: str) -> None:
        """Send one session's first prompt, once: its end says how it goes on."""
        del self._timers[name]
        session_id = next(self._ready(name), None)
        if session_id is not None:
            self._send_first(session_id, once=True)

    def _ready(self, name: str) -> Iterator[SessionId]:
        """Yield the sessions at an endpoint whose prompts may go by themselves, those with a tab first."""
        heads = [head for head in map(self._book.here, self._waiting) if head is not None]
        for head in sorted(heads, key=lambda head: (not head.is_open, head.position)):
            if self._may_go(head) and head.endpoint.name == name:
                yield head.session_id

    def _may_go(self, head: SessionHead) -> bool:
        session_id = head.session_id
        is_free = not head.held_by and session_id not in self._stuck | self._unsaved
        return is_free and not self._hooks.is_live(session_id) and not self._is_asked(session_id)

    def _is_asked(self, session_id: SessionId) -> bool:
        """Whether the session's agent waits for an answer, which no prompt is that was written before the question."""
        head = self._book.find(session_id)
        return head is not None and head.last_state is TurnState.WAITING

    async def _move_into_draft(self, head: TurnHead) -> bool:
        """Make a waiting prompt the session's draft, then delete its turn. Return whether it was there; else nothing changes."""
        session_id, before = head.session_id, self._book.get(head.session_id)
        added = tuple(file for file in head.prompt.attachments if file not in before.attachments)
        was_there = False
        self._book.patch(session_id, SessionPatch(draft=head.prompt.text))
        try:
            await self._hooks.attach(session_id, added)
            was_there = await self._store.drop_turn(head)
        finally:
            if not was_there:
                self._book.patch(session_id, SessionPatch(draft=before.draft))
                await self._hooks.detach(session_id, added)
        return was_there

    async def _load_again(self, session_id: SessionId) -> None:
        try:
            await self.load(session_id)
        except ChatForgeError as error:
            note(f"what waits to be sent cannot be read: {error}", session_id)

    def _insert(self, head: TurnHead) -> None:
        waiting = [one for one in self._waiting.get(head.session_id, ()) if one.turn_id != head.turn_id]
        self._waiting[head.session_id] = sorted((*waiting, head), key=lambda one: one.ordinal)

    def _remove(self, head: TurnHead) -> None:
        waiting = [one for one in self._waiting.get(head.session_id, ()) if one.turn_id != head.turn_id]
        if waiting:
            self._waiting[head.session_id] = waiting
        else:
            self._waiting.pop(head.session_id, None)
