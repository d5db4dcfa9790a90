"""What an earlier program, or another one, left in sessions: tasks to read on with, prompts that wait to be sent."""

from collections.abc import Callable

from chatforge_tui.domain.ids import SessionId, TaskId
from chatforge_tui.domain.session import SessionPatch
from chatforge_tui.domain.turn import TurnHead, TurnState
from chatforge_tui.errors import ChatForgeError, StoreError, TaskForgotten
from chatforge_tui.sessions.cleanup import Start
from chatforge_tui.sessions.outbox import Outbox
from chatforge_tui.sessions.ports import SessionStore
from chatforge_tui.sessions.session_book import SessionBook, next_ordinal
from chatforge_tui.sessions.session_log import note
from chatforge_tui.sessions.settings import EngineSettings


class LeftBehind:
    """Looks for it, and has it taken up."""

    def __init__(
        self,
        store: SessionStore,
        book: SessionBook,
        outbox: Outbox,
        settings: EngineSettings,
        *,
        start: Start,
        take_up: Callable[[TurnHead], bool],
    ) -> None:
        """Start without having looked.

        Args:
            store: where it is.
            book: the sessions.
            outbox: takes the prompts.
            settings: whether anything is taken up by itself.
            start: starts a task of the engine.
            take_up: has a session's worker read on with a task; False when it is busy.
        """
        self._store = store
        self._book = book
        self._outbox = outbox
        self._settings = settings
        self._start = start
        self._take_up = take_up
        self._lost: dict[SessionId, TurnHead] = {}
        """Of sessions without a tab: the turn to be taken up when they get one."""

    def look(self) -> None:
        """Look in all sessions, behind whatever else happens.

        The store is asked only for what some head says is there: with 1,000 sessions either question takes it 10 to 20
        ms, in which the first transcript waits.
        """
        heads = self._book.all()
        if self._settings.takes_up and any(head.last_state is TurnState.INTERRUPTED for head in heads):
            self._start(self._find_lost())
        if not self._settings.keeps_unsent:
            return
        if self._outbox.has_any or any(head.unsent for head in heads):
            self._start(self._find_unsent())
        else:
            self._outbox.begin_empty()

    def opened(self, session_id: SessionId) -> None:
        """A session has got a tab: what was left in it is taken up now."""
        head = self._book.get(session_id)
        if head.unsent:
            self._start(self._find_unsent(session_id))
        if not head.held_by and (lost := self._lost.pop(session_id, None)) is not None:
            self._take_up(lost)

    def taken_over(self, session_id: SessionId) -> None:
        """This program writes in a session that another one had to leave."""
        self._lost.pop(session_id, None)
        if self._settings.takes_up:
            self._start(self._take_up_from_other(session_id))

    async def reattach(self, session_id: SessionId) -> bool:
        """Read on with the task of a session's interrupted or waiting last turn.

        An agent that waits may have gone on by itself: its user signed in elsewhere, or answered in another program.

        Returns:
            Whether there is one that its agent may still know.

        Raises:
            StoreError: the store cannot be read.
        """
        if self._book.get(session_id).last_state is TurnState.WAITING:
            return await self._look_again(session_id)
        return await self._reattach_lost(session_id)

    async def _reattach_lost(self, session_id: SessionId) -> bool:
        """Read on with the task of a session's interrupted last turn, as `reattach`."""
        for head in await self._store.lost_turns():
            if head.session_id == session_id and _may_be_known(head):
                return self._take_up(head)
        return False

    async def _look_again(self, session_id: SessionId) -> bool:
        """Read on with the task that a session's last turn waits in. Until it waits again, no prompt answers it."""
        turns = await self._store.load_turns(session_id, since=next_ordinal(self._book.get(session_id)) - 1)
        waiting = next((turn.head for turn in turns if turn.head.state is TurnState.WAITING), None)
        if waiting is None or not self._take_up(waiting):
            return False
        self._book.patch(session_id, SessionPatch(waiting_task=TaskId("")))
        return True

    async def _take_up_from_other(self, session_id: SessionId) -> None:
        try:
            await self._reattach_lost(session_id)
            await self._outbox.load(session_id)
            self._outbox.tell(session_id)
        except ChatForgeError as error:
            note(f"what the other program left cannot be taken up: {error}", session_id)

    async def _find_lost(self) -> None:
        """Take up what an earlier program left: open sessions at once, the others when they are opened."""
        try:
            lost = await self._store.lost_turns()
        except StoreError as error:
            note(f"the store does not tell which tasks were left: {error}", None)
            return
        for head in filter(_may_be_known, lost):
            session = self._book.find(head.session_id)
            if session is not None and session.is_open:
                self._take_up(head)
            elif session is not None:
                self._lost[head.session_id] = head

    async def _find_unsent(self, session_id: SessionId | None = None) -> None:
        """Look which prompts wait, in all sessions or in one."""
        try:
            await self._outbox.load(session_id)
        except StoreError as error:
            note(f"the store does not tell what waits to be sent: {error}", session_id)


def _may_be_known(lost: TurnHead) -> bool:
    """Whether the agent may still know the task of an interrupted turn: it has not said otherwise."""
    return lost.problem is None or lost.problem.kind != TaskForgotten.kind
