"""Other programs on the same store: what they do becomes events here, and what two of them want is settled.

The rule: a program is the one writer of every session that it has a tab of, from the moment the tab is there until it
is closed (and what still streams then has ended), and of one without a tab from its first prompt. Who comes second
has a tab that only shows: its place, draft and reading mark stay in this program's memory. Such a tab becomes a writer
by itself once nobody else holds the session, or when its user takes it over: the other program is asked, ends its
request as interrupted, and lets go. A program without tabs (`send`) leaves everyone's tabs alone.

Knows no worker: what has to be stopped, the session manager stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.changes import TurnBegan, TurnChanged, TurnEnded, TurnRemoved
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.session import SessionHead, SessionPatch
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.errors import ChatForgeError, SessionBusy, StoreError
from chatforge_tui.sessions.event_bus import EventBus
from chatforge_tui.sessions.ports import SessionStore
from chatforge_tui.sessions.session_book import SessionBook
from chatforge_tui.sessions.session_log import note
from chatforge_tui.sessions.settings import EngineSettings

if TYPE_CHECKING:
    from chatforge_tui.domain.sighting import Sighting
    from chatforge_tui.sessions.cleanup import Start


class Hooks(Struct, frozen=True):
    """What the session manager does for other programs' sake."""

    start: Start
    is_live: Callable[[SessionId], bool]
    """Whether a request of the session runs in this program."""
    stop: Callable[[SessionId], Awaitable[bool]]
    """Ends what runs in the session, for it is handed over; returns whether everything of it is durable."""
    taken_over: Callable[[SessionId], None]
    """Told when this program has become the writer of a session that another one held."""


class OtherPrograms:
    """Watches the store for one engine."""

    def __init__(
        self, store: SessionStore, bus: EventBus, book: SessionBook, settings: EngineSettings, hooks: Hooks
    ) -> None:
        """Start without having seen anything."""
        self._store = store
        self._bus = bus
        self._book = book
        self._settings = settings
        self._hooks = hooks
        self._followed: dict[SessionId, Turn | None] = {}
        """Sessions of others that are shown here -> their last turn, as it was told last."""
        self._closing: set[SessionId] = set()
        """Sessions without a tab that this program still holds."""
        self._handing: set[SessionId] = set()
        """Sessions on their way to who asked for them."""

    async def watch(self, every_s: float) -> None:
        """Look around for ever.

        Args:
            every_s: seconds between two looks, > 0.
        """
        while True:
            await asyncio.sleep(every_s)
            try:
                await self._look()
            except ChatForgeError as error:
                note(f"what other programs do cannot be seen: {error}", None)

    def turn(self, session_id: SessionId, turn_id: TurnId) -> Turn | None:
        """Return a turn that another program streams, as it was told last."""
        turn = self._followed.get(session_id)
        return turn if turn is not None and turn.head.turn_id == turn_id else None

    def follow(self, session_id: SessionId, turns: Sequence[Turn]) -> Sequence[Turn]:
        """Tell of the session's turns from here on, if another program holds it.

        Args:
            session_id: whose transcript was read just now.
            turns: the transcript, in order.

        Returns:
            The transcript as far as it was told already: the next event goes on exactly there.
        """
        head = self._book.find(session_id)
        if head is None or not head.held_by:
            return turns
        turns = _sent(turns)
        if session_id not in self._followed:
            self._followed[session_id] = turns[-1] if turns else None
        last = self._followed[session_id]
        return () if last is None else (*(turn for turn in turns if turn.head.ordinal < last.head.ordinal), last)

    def meet(self, stored: SessionHead) -> None:
        """Take in a session as it is on the disk. Of one's own only the title may have been changed elsewhere."""
        session_id = stored.session_id
        local = self._book.find(session_id)
        if local is None:
            self._book.meet(stored.without_tab())
        elif local.held_by and not stored.held_by and self._has_tab(local):
            self._hooks.start(self._claim(session_id))
        elif stored.held_by or not (self._has_tab(local) or self._hooks.is_live(session_id)):
            self._book.put(_with_tab_of(stored, local))
        else:
            self._book.put(replace(local, title=stored.title, title_is_manual=stored.title_is_manual))

    def opened(self, session_id: SessionId) -> None:
        """A session has got a tab: hold it, unless another program does."""
        self._closing.discard(session_id)
        if self._settings.has_tabs:
            self._hooks.start(self._claim(session_id))

    def closed(self, session_id: SessionId) -> None:
        """A session's tab is gone: give it up as soon as nothing of it runs."""
        if self._settings.has_tabs:
            self._closing.add(session_id)

    async def hold(self, session_id: SessionId) -> None:
        """Become the session's writer, with everything that another program wrote in it until now.

        Raises:
            SessionBusy: another living program is its writer.
            UnknownSession: the session is gone.
            StoreError: the store cannot say.
        """
        stored = await self._store.hold_session(session_id)
        local = self._book.find(session_id)
        if local is None:
            return
        was_held = bool(local.held_by)
        if was_held or not self._hooks.is_live(session_id):
            self._book.put(_with_tab_of(stored, local))
        if session_id in self._followed:
            await self._catch_up(session_id)
            self._followed.pop(session_id, None)
        local = self._book.find(session_id)
        if local is not None and self._has_tab(local):
            tab = SessionPatch(is_open=True, position=local.position, is_active=local.is_active)
            self._store.update_session(session_id, tab, local.updated)
        if was_held:
            self._hooks.taken_over(session_id)

    def _has_tab(self, head: SessionHead) -> bool:
        """Whether this program shows a tab of the session; a program without tabs only knows where others had some."""
        return self._settings.has_tabs and head.is_open

    async def take_over(self, session_id: SessionId) -> None:
        """Become the session's writer: at once if its program is dead, or else by asking it.

        Raises:
            SessionBusy: the other program lives and did not answer in time.
            UnknownSession: the session is gone.
            StoreError: the store cannot do it.
        """
        if await self._got(session_id) is None:
            return
        await self._store.ask_for_session(session_id)
        end = asyncio.get_running_loop().time() + self._settings.take_over_s
        while (busy := await self._got(session_id)) is not None:
            if asyncio.get_running_loop().time() >= end:
                raise busy
            await asyncio.sleep(self._settings.take_over_pause_s)

    async def _got(self, session_id: SessionId) -> SessionBusy | None:
        """Try to hold a session; return None when it is held, else who holds it."""
        try:
            await self.hold(session_id)
        except SessionBusy as busy:
            return busy
        return None

    async def _claim(self, session_id: SessionId) -> None:
        """Hold a session if nobody else does; who does is told by the next look."""
        try:
            await self._got(session_id)
        except ChatForgeError as error:
            note(f"the session cannot be held: {error}", session_id)

    async def _look(self) -> None:
        sighting = await self._store.look_around()
        if sighting is not None:
            self._take_in(sighting)
            for session_id in list(self._followed):
                await self._catch_up(session_id)
        await self._let_go()

    def _take_in(self, sighting: Sighting) -> None:
        for session_id in sighting.removed:
            self._followed.pop(session_id, None)
            self._book.lose(session_id)
        for head in sighting.changed:
            self.meet(head)
        for session_id in sighting.asked - self._handing:
            self._handing.add(session_id)
            self._hooks.start(self._hand_over(session_id))

    async def _catch_up(self, session_id: SessionId) -> None:
        """Tell what happened to the turns of a session that another program holds."""
        last = self._followed.get(session_id)
        turns = _sent(await self._store.load_turns(session_id, since=last.head.ordinal if last else 0))
        if last is not None and not _has(turns, last):
            turns = self._without(last, _sent(await self._store.load_turns(session_id)))
        for turn in turns:
            if session_id in self._followed:
                self._tell(self._followed[session_id], turn)
                self._followed[session_id] = turn

    def _without(self, last: Turn, turns: list[Turn]) -> list[Turn]:
        """Take back a turn that was told of and could not leave: it waits in its program. Return what is still to be told."""
        session_id = last.head.session_id
        if session_id not in self._followed or _has(turns, last):
            return turns
        self._bus.publish(TurnRemoved(session_id, last.head.turn_id))
        earlier = [turn for turn in turns if turn.head.ordinal < last.head.ordinal]
        self._followed[session_id] = earlier[-1] if earlier else None
        return turns[len(earlier) :]

    def _tell(self, before: Turn | None, after: Turn) -> None:
        head = after.head
        if before is None or before.head.turn_id != head.turn_id:
            if before is not None and head.ordinal < before.head.ordinal:
                return
            self._bus.publish(TurnBegan(after))
            if not head.state.is_live:
                self._bus.publish(TurnEnded(after))
        elif before == after:
            return
        elif not head.state.is_live:
            self._bus.publish(TurnEnded(after))
        elif before.head.state.is_live:
            # Lazy: 1 ms, for who watches another program.
            from chatforge_tui.domain.difference import difference  # noqa: PLC0415 - see above

            changes = difference(before, after)
            self._bus.publish(TurnChanged(head.session_id, head.turn_id, head.request_id, changes))
        else:
            self._bus.publish(TurnBegan(after))

    async def _let_go(self) -> None:
        """Give up what has no tab any more and does not run."""
        done = {session_id for session_id in self._closing if not self._hooks.is_live(session_id)}
        if done:
            self._closing.difference_update(done - await self._store.give_up_sessions(done))

    async def _hand_over(self, session_id: SessionId) -> None:
        """Stop what runs in a session and let who asked have it. What cannot be done now, the next look asks for again."""
        try:
            if not await self._hooks.stop(session_id):
                note("the session cannot be handed over before the end of its last turn is saved", session_id)
                return
            turns = _sent(await self._store.load_turns(session_id))
            if session_id in await self._store.give_up_sessions([session_id]):
                note("the session cannot be handed over: a prompt was sent in it just now", session_id)
                return
            self._followed[session_id] = turns[-1] if turns else None
            note("another program has taken over session", session_id)
        except StoreError as error:
            note(f"the session cannot be handed over: {error}", session_id)
        finally:
            self._handing.discard(session_id)


def _sent(turns: Sequence[Turn]) -> list[Turn]:
    """Leave out what waits to be sent: that is its program's own."""
    return [turn for turn in turns if turn.head.state is not TurnState.UNSENT]


def _has(turns: Sequence[Turn], one: Turn) -> bool:
    return any(turn.head.turn_id == one.head.turn_id for turn in turns)


def _with_tab_of(stored: SessionHead, local: SessionHead) -> SessionHead:
    """Return a session as it is on the disk, with this program's tab."""
    return replace(
        stored,
        is_open=local.is_open,
        is_active=local.is_active,
        position=local.position,
        unread=local.unread,
        anchor=local.anchor,
        context_id=stored.context_id or None,
        waiting_task=stored.waiting_task or None,
    )
