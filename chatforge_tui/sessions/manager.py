"""The engine's front: every command there is, for a screen, for the command line, for tests.

Those for sessions are here, those for what is said in one in turn_commands.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from chatforge_tui.domain.changes import SessionChanged
from chatforge_tui.domain.ids import SessionId, new_session_id
from chatforge_tui.domain.session import EndpointRef, SessionHead, SessionPatch
from chatforge_tui.domain.turn import Turn
from chatforge_tui.errors import StoreUnavailable, UnknownSession
from chatforge_tui.sessions.event_bus import Subscription
from chatforge_tui.sessions.turn_commands import TurnCommands
from chatforge_tui.streaming.cancellation import CancelReason

if TYPE_CHECKING:
    from chatforge_tui.domain.merged import Mergeable, Merged
    from chatforge_tui.domain.search import SearchHit


class SessionManager(TurnCommands):
    """Many sessions, each answered by a worker of its own. Use it as `async with`; all calls from its event loop."""

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

    async def take_over(self, session_id: SessionId) -> None:
        """Become the writer of a session that another program holds. What runs in it there ends as interrupted.

        Raises:
            UnknownSession: there is no such session outside the trash.
            SessionBusy: the other program lives and did not answer in time.
            StoreError: the store cannot do it.
        """
        if self._book.get(session_id).held_by:
            await self._others.take_over(session_id)

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


def _session_of(item: Mergeable) -> SessionId:
    return item.head.session_id if isinstance(item, Turn) else item.session_id
