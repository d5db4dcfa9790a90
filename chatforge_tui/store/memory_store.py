"""A store without a disk: for tests, and for a program that is asked to keep nothing.

It matches sessions.ports.SessionStore and passes the same contract suite as the store on disk. What it holds outlives
`close`, so that a second `open` plays a restart of the program.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from chatforge_tui.domain.attachment import AttachedContent, Attachment
from chatforge_tui.domain.changes import TextAppended, TurnChange
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.merged import Mergeable, Merged
from chatforge_tui.domain.repair import RepairReport
from chatforge_tui.domain.search import FoundIn, SearchHit
from chatforge_tui.domain.session import SessionHead, SessionPatch
from chatforge_tui.domain.sighting import Sighting
from chatforge_tui.domain.turn import FIRST_UNSENT, Turn, TurnHead, TurnState, is_unsent_ordinal
from chatforge_tui.errors import ContentLost, UnknownSession
from chatforge_tui.store.interruption import interrupted

_BEFORE, _AFTER = 40, 120
"""Characters of an excerpt before and after the place where the first word begins."""


class MemoryStore:
    """Sessions and turns in dictionaries, each change "durable" as soon as it is made."""

    def __init__(self) -> None:
        """Start empty."""
        self.on_trouble: Callable[[str], None] | None = None
        self.refusal = ""
        self.repair: RepairReport | None = None
        self.salvaged: int | None = None
        self._sessions: dict[SessionId, SessionHead] = {}
        self._turns: dict[SessionId, dict[TurnId, Turn]] = {}
        self._owner: dict[TurnId, SessionId] = {}
        self._live: dict[TurnId, list[TurnChange]] = {}
        self._contents: dict[SessionId, dict[str, bytes]] = {}

    async def open(self, *, takes_tabs: bool = False) -> None:
        """Interrupt the turns that were live when the store was last used. Nobody else can hold a session."""
        del takes_tabs
        for turn_id in list(self._live):
            session_id = self._owner[turn_id]
            turn = self._read(session_id, turn_id)
            self._turns[session_id][turn_id] = replace(turn, head=interrupted(turn.head))
            del self._live[turn_id]
            if session := self._sessions.get(session_id):
                self._sessions[session_id] = replace(session, last_state=TurnState.INTERRUPTED)

    async def recover(self) -> bool:
        """Return False: nothing ever keeps this store from being changed."""
        return False

    async def close(self) -> None:
        """Do nothing: there is nothing to flush."""

    async def flush(self) -> None:
        """Do nothing: everything handed over is kept already."""

    async def load_sessions(self, *, trashed: bool = False) -> list[SessionHead]:
        """Return all sessions, or those in the trash: open ones by position, then the others, newest first."""
        heads = [self._counted(head) for head in self._sessions.values() if (head.trashed is not None) is trashed]
        return sorted(heads, key=lambda head: (not head.is_open, head.position if head.is_open else -head.updated))

    async def load_turns(
        self, session_id: SessionId, *, since: int = 0, before: int | None = None, but: TurnId | None = None
    ) -> list[Turn]:
        """Return the session's turns of these ordinals, in order."""
        turns = [self._read(session_id, turn_id) for turn_id in self._turns.get(session_id, {}) if turn_id != but]
        wanted = [
            turn for turn in turns if turn.head.ordinal >= since and (before is None or turn.head.ordinal < before)
        ]
        return sorted(wanted, key=lambda turn: turn.head.ordinal)

    async def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """Return where all words of the query stand: titles first, then turns, the newest first; by plain reading."""
        words = query.casefold().split()
        heads = await self.load_sessions() if words else []
        hits = [
            _hit(head.title, words, head.session_id, head.title, FoundIn.TITLE, head.updated)
            for head in heads
            if all(word in head.title.casefold() for word in words)
        ]
        turns = [(head, turn) for head in heads for turn in await self.load_turns(head.session_id)]
        for head, turn in sorted(turns, key=lambda pair: -pair[1].head.started):
            prompt, answer = turn.head.prompt.text, turn.readable_answer
            if all(word in f"{prompt}\n{answer}".casefold() for word in words):
                is_in_prompt = words[0] in prompt.casefold()
                text, place = (prompt, FoundIn.PROMPT) if is_in_prompt else (answer, FoundIn.ANSWER)
                found = _hit(text, words, head.session_id, head.title, place, turn.head.started)
                hits.append(replace(found, turn_id=turn.head.turn_id))
        return hits[:limit]

    async def create_session(self, head: SessionHead) -> None:
        """Add a session."""
        self._sessions[head.session_id] = head
        self._turns.setdefault(head.session_id, {})

    def update_session(self, session_id: SessionId, patch: SessionPatch, updated: float) -> None:
        """Change some fields of a session."""
        if head := self._sessions.get(session_id):
            self._sessions[session_id] = replace(patch.apply_to(head), updated=updated)

    async def set_attachments(
        self, session_id: SessionId, attachments: tuple[Attachment, ...], contents: Mapping[str, bytes]
    ) -> None:
        """Say which files go along with a session's next prompt; what nothing refers to any more is forgotten.

        Raises:
            UnknownSession: the session is gone, or in the trash.
            ContentLost: the content of a file is neither given nor here.
        """
        head = await MemoryStore.hold_session(self, session_id)
        known = self._contents.get(session_id, {}) | dict(contents)
        _require(known, attachments)
        self._sessions[session_id], self._contents[session_id] = replace(head, attachments=attachments), known
        self._forget_unused(session_id)

    async def load_content(self, session_id: SessionId, file: Attachment) -> bytes:
        """Return the content of an attachment.

        Raises:
            ContentLost: it is not here.
        """
        known = self._contents.get(session_id, {})
        _require(known, (file,))
        return known[file.sha256]

    async def begin_turn(self, head: TurnHead, session: SessionHead) -> None:
        """Add a turn.

        Raises:
            UnknownSession: the session was never created, or is in the trash.
            ContentLost: the content of an attachment is not here.
        """
        known = self._sessions.get(session.session_id)
        if known is None or known.trashed is not None:
            message = "There is no such session."
            raise UnknownSession(message)
        _require(self._contents.get(session.session_id, {}), head.prompt.attachments)
        known = _used(known, session)
        if head.prompt.attachments:
            known = replace(known, attachments=session.attachments)
        self._sessions[session.session_id] = known
        self._turns[session.session_id][head.turn_id] = Turn(head)
        self._owner[head.turn_id] = session.session_id
        if head.state.is_live:
            self._live[head.turn_id] = []

    def record(self, turn_id: TurnId, changes: Sequence[TurnChange]) -> None:
        """Keep changes of a live turn; those of a turn that has ended or is gone change nothing."""
        if (log := self._live.get(turn_id)) is not None:
            log.extend(changes)

    def grow(self, turn_id: TurnId, growth: TextAppended) -> None:
        """Keep that a text of a live turn grew."""
        if (log := self._live.get(turn_id)) is not None:
            log.append(growth)

    async def end_turn(self, turn: Turn, session: SessionHead) -> None:
        """Keep the turn as it ended. A session that is gone stays gone, one in the trash stays there."""
        known = self._sessions.get(session.session_id)
        if known is None:
            return
        known = replace(_used(known, session), waiting_task=session.waiting_task, unread=session.unread)
        self._sessions[session.session_id] = known
        self._turns[session.session_id][turn.head.turn_id] = turn
        self._owner[turn.head.turn_id] = session.session_id
        self._live.pop(turn.head.turn_id, None)

    async def lost_turns(self) -> list[TurnHead]:
        """Return the interrupted turns that are bound to a task and the last of their sessions that were sent."""
        last = [turn.head for session_id in self._kept() if (turn := await self._last_sent(session_id))]
        return [head for head in last if head.state is TurnState.INTERRUPTED and head.task_id is not None]

    async def unsent_turns(self) -> list[TurnHead]:
        """Return the prompts that wait to be sent, each session's in order."""
        turns = [turn for session_id in self._kept() for turn in await MemoryStore.load_turns(self, session_id)]
        return [turn.head for turn in turns if turn.head.state is TurnState.UNSENT]

    async def adopt_turn(self, head: TurnHead, *, was: TurnState) -> Turn | None:
        """Make an interrupted, waiting or unsent turn live, under this head."""
        session = self._sessions.get(head.session_id)
        turn = self._turns.get(head.session_id, {}).get(head.turn_id)
        if session is None or session.trashed is not None or turn is None:
            return None
        last = await self._last_sent(head.session_id)
        is_in_place = was is TurnState.UNSENT or (last is not None and last.head.turn_id == head.turn_id)
        if turn.head.state is not was or not is_in_place:
            return None
        turn = self._turns[head.session_id][head.turn_id] = replace(turn, head=head)
        self._live[head.turn_id] = []
        self._sessions[head.session_id] = replace(session, last_state=head.state)
        return turn

    async def drop_turn(self, head: TurnHead) -> bool:
        """Delete a turn that was never sent; return whether it was there and still unsent."""
        turn = self._turns.get(head.session_id, {}).get(head.turn_id)
        if turn is None or turn.head.state is not TurnState.UNSENT:
            return False
        del self._turns[head.session_id][head.turn_id], self._owner[head.turn_id]
        self._forget_unused(head.session_id)
        return True

    def _forget_unused(self, session_id: SessionId) -> None:
        """Forget the contents that neither the session's draft nor any of its turns refers to."""
        sent = (file for turn in self._turns[session_id].values() for file in turn.head.prompt.attachments)
        used = {file.sha256 for file in (*self._sessions[session_id].attachments, *sent)}
        known = self._contents.get(session_id, {})
        self._contents[session_id] = {sha256: content for sha256, content in known.items() if sha256 in used}

    def _counted(self, head: SessionHead) -> SessionHead:
        heads = [turn.head for turn in self._turns[head.session_id].values()]
        sent = [turn for turn in heads if turn.state is not TurnState.UNSENT]
        last = max(sent, key=lambda turn: turn.ordinal).turn_id if sent else None
        state = None if last is None else self._read(head.session_id, last).head.state
        return replace(head, turns=len(heads), unsent=len(heads) - len(sent), last_state=state)

    def _kept(self) -> list[SessionId]:
        return [head.session_id for head in self._sessions.values() if head.trashed is None]

    async def _last_sent(self, session_id: SessionId) -> Turn | None:
        turns = await MemoryStore.load_turns(self, session_id)
        return next((turn for turn in reversed(turns) if turn.head.state is not TurnState.UNSENT), None)

    async def merge(self, items: tuple[Mergeable, ...]) -> tuple[Merged, ...]:
        """Take in sessions and turns from elsewhere; what is here already stays as it is."""
        return tuple(self._merge(item) for item in items)

    def _merge(self, item: Mergeable) -> Merged:
        if isinstance(item, AttachedContent):
            return self._keep(item)
        if isinstance(item, SessionHead):
            if item.session_id in self._sessions:
                return Merged.SAME
            self._sessions[item.session_id], self._turns[item.session_id] = item, {}
            return Merged.ADDED
        session_id, turn_id = item.head.session_id, item.head.turn_id
        if is_unsent_ordinal(item.head.ordinal):
            known = self._turns.get(session_id, {})
            ordinal = known[turn_id].head.ordinal if turn_id in known else _next_ordinal(known.values())
            item = replace(item, head=replace(item.head, ordinal=ordinal))
        if owner := self._owner.get(turn_id):
            return Merged.SAME if self._read(owner, turn_id) == item else Merged.KEPT
        if session_id not in self._sessions:
            return Merged.HOMELESS
        self._turns[session_id][turn_id], self._owner[turn_id] = item, session_id
        return Merged.ADDED

    def _keep(self, item: AttachedContent) -> Merged:
        if item.session_id not in self._sessions:
            return Merged.HOMELESS
        known = self._contents.setdefault(item.session_id, {})
        outcome = Merged.SAME if item.sha256 in known else Merged.ADDED
        known.setdefault(item.sha256, item.data)
        return outcome

    async def hold_session(self, session_id: SessionId) -> SessionHead:
        """Return the session's head: there is no other program to hold it.

        Raises:
            UnknownSession: it is gone, or in the trash.
        """
        head = self._sessions.get(session_id)
        if head is None or head.trashed is not None:
            message = "There is no such session."
            raise UnknownSession(message)
        return head

    async def ask_for_session(self, session_id: SessionId) -> None:
        """Do nothing: there is nobody to ask."""

    async def give_up_sessions(self, session_ids: Collection[SessionId]) -> frozenset[SessionId]:
        """Do nothing: there is nobody to give anything to."""
        del session_ids
        return frozenset()

    async def look_around(self) -> Sighting | None:
        """Return None: there are no other programs."""
        return None

    async def trash_session(self, session_id: SessionId, when: float) -> None:
        """Put a session into the trash."""
        if head := self._sessions.get(session_id):
            self._sessions[session_id] = replace(head, trashed=when)

    async def restore_session(self, session_id: SessionId) -> SessionHead:
        """Bring a session back from the trash.

        Raises:
            UnknownSession: it is not in the trash.
        """
        head = self._sessions.get(session_id)
        if head is None or head.trashed is None:
            message = "This session is not in the trash."
            raise UnknownSession(message)
        self._sessions[session_id] = restored = self._counted(replace(head, trashed=None))
        return restored

    async def purge_session(self, session_id: SessionId) -> None:
        """Forget a session and all its turns."""
        self._sessions.pop(session_id, None)
        self._contents.pop(session_id, None)
        for turn_id in self._turns.pop(session_id, {}):
            self._owner.pop(turn_id, None)
            self._live.pop(turn_id, None)

    def _read(self, session_id: SessionId, turn_id: TurnId) -> Turn:
        """Return a turn with what was recorded since it began."""
        return fold(self._turns[session_id][turn_id], self._live.get(turn_id, ()))


def _used(known: SessionHead, session: SessionHead) -> SessionHead:
    """Return the session that is known here, with what any step of a turn changes of it."""
    title = known.title or (session.title if not known.title_is_manual else "")
    return replace(known, title=title, updated=max(known.updated, session.updated))


def _require(contents: Mapping[str, bytes], attachments: tuple[Attachment, ...]) -> None:
    for file in attachments:
        if file.sha256 not in contents:
            raise ContentLost(file.name)


def _next_ordinal(turns: Iterable[Turn]) -> int:
    """Return the ordinal behind everything that was sent."""
    return max((turn.head.ordinal for turn in turns if turn.head.ordinal < FIRST_UNSENT), default=-1) + 1


def _hit(text: str, words: list[str], session_id: SessionId, title: str, place: FoundIn, when: float) -> SearchHit:
    """Return the hit for the first word in a text that has it."""
    offset = max(text.casefold().find(words[0]), 0)
    first = max(0, offset - _BEFORE)
    line = " ".join(text[first : offset + _AFTER].split("\n"))
    start = offset - first
    return SearchHit(session_id, title, place, line, start, start + len(words[0]), when, offset=offset)
