"""The commands for turns: what is sent, waits, runs and is stopped in a session, and what was said in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.turn import Prompt, Turn
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.sessions.engine import Engine
from chatforge_tui.streaming.cancellation import CancelReason

if TYPE_CHECKING:
    from chatforge_tui.sessions.event_bus import Subscription
    from chatforge_tui.sessions.turn_run import TurnRun


class TurnCommands(Engine):
    """Has prompts answered, each by its session's worker. All calls from its event loop."""

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
        run = self._stop(session_id)
        if run is None:
            return False
        await run.settled()
        return True

    def stop(self, session_id: SessionId) -> None:
        """Stop the session's live request, if any, without waiting for its end: what `abort` begins with.

        Raises:
            UnknownSession: there is no such session outside the trash.
        """
        self._stop(session_id)

    def _stop(self, session_id: SessionId) -> TurnRun | None:
        self._book.get(session_id)
        return self._workers.stop(session_id, CancelReason.USER)

    async def abort_all(self) -> int:
        """Stop every live request, all at the same time. Returns how many there were."""
        runs = self._workers.stop_all(CancelReason.USER)
        for run in runs:
            await run.settled()
        return len(runs)

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

    async def _must_queue(self, session_id: SessionId) -> bool:
        """Return whether a prompt has to wait its turn: others do, or the one before it is between two tries."""
        if self.refusal:
            return False
        if await self._outbox.has_prompts(session_id):
            return True
        run = self._workers.run(session_id)
        return run is not None and run.unreached is not None and run.state.token.reason is None
