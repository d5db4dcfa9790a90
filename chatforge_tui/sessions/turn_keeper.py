"""Turns on their way to disk and to whoever watches: what is told has the store's word for it.

A turn's begin and end are told when they are durable, its changes as they happen. An ended turn that the store cannot
take is kept and offered again until it can; until then it is shown as it was while it was live.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.changes import (
    NOT_SAVED,
    HeadChanged,
    StoreTrouble,
    TextAppended,
    TurnBegan,
    TurnChange,
    TurnChanged,
    TurnEnded,
)
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnHead, TurnState
from chatforge_tui.errors import StoreError
from chatforge_tui.sessions.event_bus import EventBus
from chatforge_tui.sessions.ports import SessionStore
from chatforge_tui.sessions.session_book import SessionBook, begun, ended, next_ordinal
from chatforge_tui.sessions.session_log import note

if TYPE_CHECKING:  # loaded with the first worker
    from chatforge_tui.sessions.turn_run import TurnRun
    from chatforge_tui.streaming.streaming_state import StreamingState

_PAUSE_FIRST_S, _PAUSE_MOST_S = 0.5, 8.0


class _Ended(Struct, frozen=True, gc=False):
    """A turn that has ended, and what it was before that."""

    turn: Turn
    live: TurnHead
    """Its last head while it was live."""
    state_before: TurnState | None
    """Of the session's last turn before it."""


class TurnKeeper:
    """Writes turns and tells of them, in this order."""

    def __init__(self, store: SessionStore, bus: EventBus, book: SessionBook) -> None:
        """Start with nothing unsaved."""
        self._store = store
        self._bus = bus
        self._book = book
        self._unsaved: dict[TurnId, _Ended] = {}
        """What is not durable. It is shown as it was while it was live."""

    def unsaved(self, session_id: SessionId) -> list[Turn]:
        """Return the session's ended turns that are not durable, as they are to be shown."""
        unsaved = [one for one in self._unsaved.values() if one.live.session_id == session_id]
        return [replace(one.turn, head=one.live) for one in unsaved]

    async def begin(self, run: TurnRun) -> None:
        """Give the turn its place in the session, make the prompt durable, then tell of it.

        Raises:
            ChatForgeError: it cannot be made durable, or the session is gone; nobody was told.
        """
        state, session_id = run.state, run.state.head.session_id
        self._book.touch(session_id, state.head.started)
        session = self._book.get(session_id)
        state.place(next_ordinal(session), session.waiting_task)
        run.state_before = session.last_state
        await self._store.begin_turn(state.head, begun(session, state.head))
        self._bus.publish(TurnBegan(Turn(state.head)))
        if (current := self._book.find(session_id)) is not None:
            self._book.put(begun(current, state.head))

    async def send(self, run: TurnRun) -> None:
        """Give an unsent turn its place among those that were sent, make it live, then tell of it.

        Raises:
            ChatForgeError: it cannot be sent from here, or not any more; nobody was told.
        """
        state = run.state
        session = self._book.get(state.head.session_id)
        state.place(next_ordinal(session), session.waiting_task)
        run.state_before = session.last_state
        await self._adopt(state, TurnState.UNSENT, "This prompt does not wait any more.")
        if (session := self._book.find(state.head.session_id)) is not None:
            after = begun(replace(session, unsent=session.unsent - 1), state.head)
            self._book.put(replace(after, attachments=session.attachments))  # its own files went when it began to wait

    async def adopt(self, state: StreamingState, *, was: TurnState) -> None:
        """Take up an interrupted or waiting turn of the session, with the parts that the store has of it, then tell of it.

        Args:
            state: the turn's, from now on.
            was: what it must be still.

        Raises:
            ChatForgeError: it cannot be taken up; nobody was told.
        """
        await self._adopt(state, was, "The answer that was to be read on with is not there any more.")
        self._book.note_state(state.head.session_id, state.head.state)

    async def _adopt(self, state: StreamingState, was: TurnState, missing: str) -> None:
        head = state.head
        turn = await self._store.adopt_turn(head, was=was)
        if turn is None:
            raise StoreError(missing)
        changes = state.take_over(turn)
        self._bus.publish(TurnBegan(state.snapshot()))
        if changes:
            self._store.record(head.turn_id, changes)

    def record(self, state: StreamingState, changes: Sequence[TurnChange]) -> None:
        """Write and tell changes of a live turn."""
        head = state.head
        if len(changes) == 1 and type(change := changes[0]) is TextAppended:
            self.grow(head, change)
            return
        self._store.record(head.turn_id, changes)
        self._bus.publish(TurnChanged(head.session_id, head.turn_id, head.request_id, tuple(changes)))
        if any(isinstance(change, HeadChanged) for change in changes):
            self._book.note_state(head.session_id, head.state)

    def grow(self, head: TurnHead, growth: TextAppended) -> None:
        """Write and tell that a text of a live turn grew: the way of nearly every event of a stream."""
        self._store.grow(head.turn_id, growth)
        if self._bus.is_watched(head.session_id):
            self._bus.publish(TurnChanged(head.session_id, head.turn_id, head.request_id, (growth,)))

    async def end(self, run: TurnRun, turn: Turn) -> bool:
        """Make a turn's end durable, then tell of it and let everyone go on who waits for it.

        Returns:
            Whether it is durable. If not, `save_later` is to be run, in a task of its own.
        """
        end = _Ended(turn, run.state.head, run.state_before)
        try:
            await self._save(end, has_news=run.adopted is None or run.has_news)
        except StoreError as error:
            self._unsaved[turn.head.turn_id] = end
            self._bus.publish(StoreTrouble(f"{NOT_SAVED} {error}"))
            run.fail(error)
            return False
        run.finish(turn)
        return True

    async def save_later(self, turn: Turn) -> None:
        """Offer a turn again, after growing pauses, until the store takes it."""
        pause = _PAUSE_FIRST_S
        while (end := self._unsaved.get(turn.head.turn_id)) is not None:
            await asyncio.sleep(pause)
            pause = min(_PAUSE_MOST_S, pause * 2)
            try:
                await self._save(end)
            except StoreError as error:
                note(f"the store still cannot take the end of a turn: {error}", turn.head.session_id)
        if not self._unsaved:
            self._bus.publish(StoreTrouble(""))

    async def save_all(self) -> None:
        """Offer every unsaved turn once more.

        Raises:
            StoreError: there is one that the store still cannot take.
        """
        for end in list(self._unsaved.values()):
            await self._save(end)

    async def _save(self, end: _Ended, *, has_news: bool = True) -> None:
        """Write the end of a turn and tell of it. A session that is gone has no rows to write."""
        turn, session_id = end.turn, end.live.session_id
        session = self._book.touch(session_id, turn.head.ended or 0.0, has_news=has_news)
        if session is not None:
            await self._store.end_turn(turn, _after(session, end))
        self._unsaved.pop(turn.head.turn_id, None)
        self._bus.publish(TurnEnded(turn))
        current = self._book.find(session_id)
        if current is not None:
            self._book.put(_after(current, end))


def _after(session: SessionHead, end: _Ended) -> SessionHead:
    """Return the session's head after a turn; one that stays unsent leaves it as it was before."""
    if end.turn.head.state is not TurnState.UNSENT:
        return ended(session, end.turn.head)
    is_last = next_ordinal(session) == end.live.ordinal + 1
    state = end.state_before if is_last else session.last_state
    return replace(session, unsent=session.unsent + 1, last_state=state)
