"""The heads of all sessions, in memory: the one place that changes one, writes the change and tells of it.

Knows tabs (order, open, active, unread) and nothing of streams. Sessions in the trash are not in here.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.changes import SessionChanged, SessionRemoved
from chatforge_tui.domain.ids import ContextId, SessionId, TaskId
from chatforge_tui.domain.session import SessionHead, SessionPatch
from chatforge_tui.domain.turn import TurnHead, TurnState
from chatforge_tui.errors import SessionBusy, UnknownSession
from chatforge_tui.sessions.clock import Clock
from chatforge_tui.sessions.event_bus import EventBus
from chatforge_tui.sessions.ports import SessionStore

_TITLE_CHARS = 50


class SessionBook:
    """Heads by session id."""

    def __init__(self, store: SessionStore, bus: EventBus, clock: Clock) -> None:
        """Start empty."""
        self._store = store
        self._bus = bus
        self._clock = clock
        self._heads: dict[SessionId, SessionHead] = {}
        self._misplaced: set[SessionId] = set()
        """Sessions whose place on the disk is not the one here: there were gaps, or two programs used one place."""
        self._leaving: set[SessionId] = set()
        """Sessions on their way to the trash: nobody can start anything in them any more."""

    def load(self, heads: Iterable[SessionHead]) -> None:
        """Take over what the store holds, with positions from 0 up and at most one active tab.

        Places are written with the next tab that comes, goes or moves: a start writes nothing.

        A context or waiting task that was taken back may come as "": see SessionPatch.
        """
        self._heads = {head.session_id: _without_empty_ids(head) for head in heads}
        order = self.open_ones()
        active = next((head.session_id for head in order if head.is_active), None)
        self._misplaced = {head.session_id for position, head in enumerate(order) if head.position != position}
        for position, head in enumerate(order):
            is_active = head.session_id == active
            if (head.position, head.is_active) != (position, is_active):
                self._heads[head.session_id] = replace(head, position=position, is_active=is_active)

    def all(self) -> tuple[SessionHead, ...]:
        """Return open sessions by position, then closed ones, the last used first."""
        closed = [head for head in self._heads.values() if not head.is_open and head.session_id not in self._leaving]
        return (*self.open_ones(), *sorted(closed, key=lambda head: -head.updated))

    def open_ones(self) -> list[SessionHead]:
        """Return the sessions with a tab, leftmost first."""
        heads = [head for head in self._heads.values() if head.is_open and head.session_id not in self._leaving]
        return sorted(heads, key=lambda head: head.position)

    def get(self, session_id: SessionId) -> SessionHead:
        """Return a session's head.

        Raises:
            UnknownSession: there is none, or it is on its way to the trash.
        """
        head = self._heads.get(session_id)
        if head is None or session_id in self._leaving:
            message = f"There is no session {session_id}."
            raise UnknownSession(message, hint="`chatforge sessions` lists what there is.")
        return head

    def find(self, session_id: SessionId) -> SessionHead | None:
        """Return a session's head, even on its way to the trash; None when it is gone."""
        return self._heads.get(session_id)

    def here(self, session_id: SessionId) -> SessionHead | None:
        """Return a session's head; None when it is gone or on its way to the trash."""
        return None if session_id in self._leaving else self._heads.get(session_id)

    def put(self, head: SessionHead) -> None:
        """Replace a session's head; one that is gone stays gone."""
        known = self._heads.get(head.session_id)
        if known is not None and known != head:
            self._heads[head.session_id] = head
            if head.session_id not in self._leaving:
                self._bus.publish(SessionChanged(head))

    def patch(self, session_id: SessionId, patch: SessionPatch, *, used: bool = False) -> None:
        """Change some fields, in memory at once and on disk soon.

        Args:
            session_id: of a session in the book; any other is ignored.
            patch: what changes.
            used: whether it counts as using the session, which moves it up among the closed ones.
        """
        head = self._heads.get(session_id)
        if head is None or patch.apply_to(head) == head:
            return
        updated = self._clock.now() if used else head.updated
        self.put(replace(patch.apply_to(head), updated=updated))
        if head.held_by:  # a tab that only shows: nothing of it but the title is for the disk
            patch = SessionPatch(title=patch.title, title_is_manual=patch.title_is_manual)
            if patch == SessionPatch():
                return
        self._store.update_session(session_id, patch, updated)

    def change(self, session_id: SessionId, patch: SessionPatch) -> None:
        """Change what a user may change directly; tabs have commands of their own.

        Raises:
            UnknownSession: there is no such session.
            SessionBusy: another program holds it, so that its endpoint is not ours to change.
            ValueError: the patch moves, opens, closes or activates a tab. A programming mistake.
        """
        head = self.get(session_id)
        if (patch.position, patch.is_open, patch.is_active) != (None, None, None):
            message = "Use move, open, close or activate."
            raise ValueError(message)
        if patch.endpoint is not None and head.held_by:
            message = f"This session is open in another ChatForge: {head.held_by}."
            raise SessionBusy(message, hint="Take it over, or change it there.")
        if patch.title is not None and patch.title_is_manual is None:
            patch = replace(patch, title_is_manual=bool(patch.title))
        if patch.endpoint is not None and patch.endpoint.name != head.endpoint.name:
            patch = replace(patch, context_id=ContextId(""), waiting_task=TaskId(""))
        self.patch(session_id, patch, used=patch.title is not None)

    def insert(self, head: SessionHead, position: int) -> SessionHead:
        """Add a session, with a tab at this position if it is open; the others make room. Tells nobody yet."""
        self._heads[head.session_id] = head = replace(head, position=position, is_active=False)
        if head.is_open:
            self.move(head.session_id, position)
        return self._heads[head.session_id]

    def meet(self, head: SessionHead) -> None:
        """Take in a session that another program made or brought back, and tell of it. It has no tab here."""
        self._heads[head.session_id] = head
        self._bus.publish(SessionChanged(head))

    def lose(self, session_id: SessionId) -> None:
        """Forget a session that another program deleted; one on its way to the trash of this one goes its way."""
        if session_id in self._heads and session_id not in self._leaving:
            self.leave(session_id)
            self.remove(session_id)

    def move(self, session_id: SessionId, position: int) -> None:
        """Put an open session's tab at this position, 0 = leftmost; beyond the end is the end."""
        order = [head.session_id for head in self.open_ones() if head.session_id != session_id]
        order.insert(min(max(position, 0), len(order)), session_id)
        self._number(order)

    def open(self, session_id: SessionId, position: int | None) -> None:
        """Give a closed session a tab at this position; None = at the right end."""
        self.patch(session_id, SessionPatch(is_open=True))
        self.move(session_id, len(self._heads) if position is None else position)

    def close(self, session_id: SessionId) -> None:
        """Take a session's tab away. The tab to its right comes to the front if it was there, or else the one to its left."""
        self._step_back(session_id)
        self.patch(session_id, SessionPatch(is_open=False, is_active=False))
        self._number([head.session_id for head in self.open_ones()])

    def activate(self, session_id: SessionId) -> None:
        """Bring a session's tab to the front."""
        for head in self.open_ones():
            if head.is_active and head.session_id != session_id:
                self.patch(head.session_id, SessionPatch(is_active=False))
        self.patch(session_id, SessionPatch(is_active=True, unread=False))

    def leave(self, session_id: SessionId) -> None:
        """Let a session be on its way to the trash: its tab goes, its head stays for what is still being written."""
        self._step_back(session_id)
        self._leaving.add(session_id)
        self._number([head.session_id for head in self.open_ones()])

    def stay(self, session_id: SessionId) -> None:
        """Take `leave` back: the trash could not take it."""
        self._leaving.discard(session_id)
        head = self.get(session_id)
        if head.is_open:
            self.move(session_id, head.position)
        self._bus.publish(SessionChanged(self.get(session_id)))

    def remove(self, session_id: SessionId) -> None:
        """Forget a session and say so."""
        self._leaving.discard(session_id)
        if self._heads.pop(session_id, None) is not None:
            self._bus.publish(SessionRemoved(session_id))

    def drop(self, session_id: SessionId) -> None:
        """Take `insert` back: nobody was told."""
        del self._heads[session_id]
        self._number([head.session_id for head in self.open_ones()])

    def touch(self, session_id: SessionId, when: float, *, has_news: bool = False) -> SessionHead | None:
        """Note that a turn of the session is about to be written: whoever changes the head meanwhile builds on this.

        Args:
            session_id: one that is gone is ignored.
            when: Unix seconds of its last use.
            has_news: mark it as unread unless it is in front.
        """
        head = self._heads.get(session_id)
        if head is not None:
            unread = head.unread or (has_news and not head.is_active)
            self._heads[session_id] = head = replace(head, updated=max(head.updated, when), unread=unread)
        return head

    def note_state(self, session_id: SessionId, state: TurnState) -> None:
        """Show that the last turn is live, or how it ended; what is on disk changes with the turn's own row.

        How far a live one is its own head says.
        """
        head = self._heads.get(session_id)
        if head is not None and not (state.is_live and head.last_state is not None and head.last_state.is_live):
            self.put(replace(head, last_state=state))

    def count(self, session_id: SessionId, *, turns: int = 0, unsent: int = 0) -> None:
        """Add to the numbers of turns and of unsent ones; on disk they are what the turns' rows say."""
        if (head := self._heads.get(session_id)) is not None:
            self.put(replace(head, turns=head.turns + turns, unsent=head.unsent + unsent))

    def _step_back(self, session_id: SessionId) -> None:
        """If this tab is in front, bring a neighbour to the front instead."""
        order = [head.session_id for head in self.open_ones()]
        if session_id in order and self._heads[session_id].is_active:
            place = order.index(session_id)
            neighbours = [*order[place + 1 : place + 2], *order[max(place - 1, 0) : place]]
            self.patch(session_id, SessionPatch(is_active=False))
            if neighbours:
                self.activate(neighbours[0])

    def _number(self, order: Iterable[SessionId]) -> None:
        for position, session_id in enumerate(order):
            head = self._heads[session_id]
            if head.position != position:
                self.patch(session_id, SessionPatch(position=position))
            elif session_id in self._misplaced and not head.held_by:
                self._store.update_session(session_id, SessionPatch(position=position), head.updated)
        self._misplaced.clear()


def begun(head: SessionHead, turn: TurnHead) -> SessionHead:
    """Return the session's head with one more turn, its files gone along, and with a title if it has none."""
    prompt = turn.prompt
    named_after = prompt.text if prompt.text.strip() else ", ".join(file.name for file in prompt.attachments)
    return replace(
        head,
        turns=turn.ordinal + 1 + head.unsent,
        last_state=turn.state,
        title=head.title if head.title or head.title_is_manual else auto_title(named_after),
        attachments=without(head, prompt.attachments).attachments,
        updated=max(head.updated, turn.started),
    )


def without(head: SessionHead, files: tuple[Attachment, ...]) -> SessionHead:
    """Return the session's head when these files have gone along with a prompt."""
    return replace(head, attachments=tuple(file for file in head.attachments if file not in files))


def next_ordinal(head: SessionHead) -> int:
    """Return the ordinal of the next turn that is sent in the session."""
    return head.turns - head.unsent


def ended(head: SessionHead, turn: TurnHead) -> SessionHead:
    """Return the session's head after a turn that was sent; unchanged if there is a later one already."""
    if next_ordinal(head) != turn.ordinal + 1:
        return head
    waiting_task = head.waiting_task
    if turn.state is TurnState.WAITING:
        waiting_task = turn.task_id or turn.answers_task
    return replace(
        head,
        last_state=turn.state,
        waiting_task=waiting_task,
        updated=max(head.updated, turn.ended or 0.0),
    )


def auto_title(prompt: str) -> str:
    """Return a title for a session: the first line with text in it, at most 50 characters, then "…"."""
    line = next((stripped for line in prompt.splitlines() if (stripped := line.strip())), "")
    return line if len(line) <= _TITLE_CHARS else f"{line[:_TITLE_CHARS].rstrip()}…"


def _without_empty_ids(head: SessionHead) -> SessionHead:
    if "" not in {head.context_id, head.waiting_task}:
        return head
    return replace(head, context_id=head.context_id or None, waiting_task=head.waiting_task or None)
