"""Events that wait for one subscriber: order kept, texts merged, memory bounded. Sans-I/O.

What grows without a bound is streamed text. When more than `pending_chars` of one turn wait, its waiting text is
dropped, and when the subscriber comes it is told the parts as they are by then (PartReplaced, or PartAdded for parts it
has not heard of): the state it ends up with is the same. Everything else is kept: turns that begin and end always
arrive, of a session's heads the newest.
"""

from collections.abc import Callable, Iterator

from chatforge_tui.domain.changes import (
    EngineEvent,
    HeadChanged,
    PartAdded,
    PartDropped,
    PartReplaced,
    PlanRecorded,
    SessionChanged,
    SessionRemoved,
    StoreRepaired,
    StoreTrouble,
    TextAppended,
    TurnBegan,
    TurnChange,
    TurnChanged,
    TurnEnded,
    TurnRemoved,
)
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.turn import Turn

ReadTurn = Callable[[SessionId, TurnId], Turn | None]
"""Gives a live turn as it is now."""


class PendingTurn:
    """What is waiting about one live turn."""

    __slots__ = ("_changes", "_chars", "_last", "_limit", "_overflow", "event", "texts")

    def __init__(self, event: TurnChanged, limit: int) -> None:
        """Start with nothing; `event` names session, turn and request."""
        self.event = event
        self._limit = limit
        self._chars = 0
        self._changes: list[TurnChange | list[str]] = []
        """A text that grows is a list: its pieces, to be joined when they are fetched."""
        self._last: TextAppended | None = None
        self._overflow: dict[int, bool] | None = None
        """After the bound: the index of each part that changed -> whether the subscriber has yet to hear of it."""
        self.texts: list[TextAppended] = []
        """For each list in `_changes`, in order, where its text goes."""

    def add(self, event: TurnChanged) -> None:
        """Take more changes."""
        self.event = event
        for change in event.changes:
            if self._overflow is not None:
                self._note(change, self._overflow)
            elif isinstance(change, TextAppended):
                self._append(change)
            else:
                self._last = None
                self._chars += _size(change)
                self._keep(change)
        if self._chars > self._limit and self._overflow is None:
            self._begin_overflow()

    def reduce(self) -> bool:
        """Keep only what an unfocused session's subscriber gets. Returns whether anything is left."""
        self._changes = [change for change in self._changes if isinstance(change, HeadChanged | PlanRecorded)]
        self.texts, self._last, self._chars, self._overflow = [], None, 0, None
        return bool(self._changes)

    def fetch(self, turn: Turn | None) -> TurnChanged:
        """Return everything as one event.

        Args:
            turn: the turn as it is now; only looked at after the bound was reached.
        """
        texts = iter(self.texts)
        changes: list[TurnChange] = []
        for change in self._changes:
            if isinstance(change, list):
                to = next(texts)
                changes.append(TextAppended(to.index, "".join(change), to.field))
            else:
                changes.append(change)
        if self._overflow is not None:
            changes.extend(_reread(self._overflow, turn))
        event = self.event
        return TurnChanged(event.session_id, event.turn_id, event.request_id, tuple(changes))

    @property
    def overflowed(self) -> bool:
        """Whether `fetch` needs the turn as it is."""
        return self._overflow is not None

    def _append(self, change: TextAppended) -> None:
        self._chars += len(change.text)
        last = self._last
        if last is not None and last.index == change.index and last.field == change.field:
            pieces = self._changes[-1]
            if isinstance(pieces, list):
                pieces.append(change.text)
            return
        self._last = change
        self.texts.append(change)
        self._changes.append([change.text])

    def _keep(self, change: TurnChange) -> None:
        """Add a change; of two heads in a row the newer one says it all."""
        if isinstance(change, HeadChanged) and self._changes and isinstance(self._changes[-1], HeadChanged):
            self._changes.pop()
        self._changes.append(change)

    def _begin_overflow(self) -> None:
        """Forget the waiting texts and parts, remember only which parts they were of."""
        changes, texts = self._changes, iter(self.texts)
        self._overflow, self._changes, self.texts, self._last = {}, [], [], None
        for change in changes:
            self._note(next(texts) if isinstance(change, list) else change, self._overflow)

    def _note(self, change: TurnChange, overflow: dict[int, bool]) -> None:
        match change:
            case HeadChanged() | PlanRecorded():
                self._keep(change)
            case PartAdded(part=part):
                overflow[part.index] = True
            case PartReplaced(part=part):
                overflow.setdefault(part.index, False)
            case PartDropped(index=index) | TextAppended(index=index):
                overflow.setdefault(index, False)


def _size(change: TurnChange) -> int:
    """Return roughly what a change weighs, in characters."""
    part = change.part if isinstance(change, PartAdded | PartReplaced) else None
    return 64 + sum(len(getattr(part, name, "")) for name in ("text", "input", "output"))


def _reread(overflow: dict[int, bool], turn: Turn | None) -> Iterator[TurnChange]:
    """Yield the parts that changed as they are now."""
    parts = {part.index: part for part in turn.parts} if turn else {}
    for index, is_new in sorted(overflow.items()):
        part = parts.get(index)
        if part is not None:
            yield PartAdded(part) if is_new else PartReplaced(part)
        elif not is_new:
            yield PartDropped(index)


class PendingEvents:
    """One subscriber's waiting events, in order."""

    __slots__ = ("_events", "_limit")

    def __init__(self, limit: int) -> None:
        """Start empty; `limit`: characters, > 0, of one turn's streamed text that may wait."""
        self._limit = limit
        self._events: dict[object, EngineEvent | PendingTurn] = {}
        """In order of insertion: what replaces an entry takes its place. Keys make entries findable."""

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._events)

    def add(self, event: EngineEvent) -> None:
        """Take an event."""
        match event:
            case TurnChanged(turn_id=turn_id):
                pending = self._events.get(("changes", turn_id))
                if not isinstance(pending, PendingTurn):
                    pending = PendingTurn(event, self._limit)
                    self._events["changes", turn_id] = pending
                pending.add(event)
            case TurnBegan(turn=turn):
                self._let_go(turn.head.turn_id)
                self._events["began", turn.head.turn_id] = event
            case TurnEnded(turn=turn):
                self._settle(turn)
                self._events["ended", turn.head.turn_id] = event
            case TurnRemoved(turn_id=turn_id):
                self._let_go(turn_id)
                self._events["turn removed", turn_id] = event
            case SessionChanged(head=head):
                self._events["head", head.session_id] = event
            case SessionRemoved(session_id=session_id):
                self._events.pop(("head", session_id), None)
                self._events.pop(("removed", session_id), None)
                self._events["removed", session_id] = event
            case StoreTrouble():
                self._events["trouble"] = event
            case StoreRepaired():
                self._events["repaired"] = event

    def forget(self, session_id: SessionId) -> None:
        """Drop what a session's transcript, read just now, already holds. The end of a turn is told twice rather."""
        begun: set[TurnId] = set()
        for key, event in reversed(list(self._events.items())):
            match event:
                case PendingTurn():
                    stale = event.event.session_id == session_id
                case TurnBegan(turn=turn):
                    stale = turn.head.session_id == session_id
                    begun.add(turn.head.turn_id)
                case TurnEnded(turn=turn):  # but an end before a new beginning is over
                    stale = turn.head.session_id == session_id and turn.head.turn_id in begun
                case _:
                    stale = False
            if stale:
                del self._events[key]

    def reduce(self, keeps: Callable[[SessionId], bool]) -> None:
        """Drop streamed text of sessions whose text the subscriber does not want any more."""
        for key, event in list(self._events.items()):
            if isinstance(event, PendingTurn) and not keeps(event.event.session_id) and not event.reduce():
                del self._events[key]

    def fetch(self, read_turn: ReadTurn) -> list[EngineEvent]:
        """Return everything that waits and start again, empty."""
        events, self._events = self._events, {}
        return [_fetched(event, read_turn) if isinstance(event, PendingTurn) else event for event in events.values()]

    def _let_go(self, turn_id: TurnId) -> None:
        """Keep what waits of an earlier request of the turn apart from what follows: a turn can be taken up again."""
        if any((kind, turn_id) in self._events for kind in ("began", "changes", "ended", "turn removed")):
            self._events = {
                object() if isinstance(key, tuple) and key[-1] == turn_id else key: event
                for key, event in self._events.items()
            }

    def _settle(self, turn: Turn) -> None:
        """Put the last word on a turn whose waiting text was dropped: nobody can read it from the engine any more."""
        key = ("changes", turn.head.turn_id)
        pending = self._events.get(key)
        if isinstance(pending, PendingTurn) and pending.overflowed:
            self._events[key] = pending.fetch(turn)


def _fetched(pending: PendingTurn, read_turn: ReadTurn) -> EngineEvent:
    event = pending.event
    return pending.fetch(read_turn(event.session_id, event.turn_id) if pending.overflowed else None)
