"""What waits to be written, in order, as small as it can be made. Pure: no thread, no file, no clock.

Three kinds of operations merge while they wait: text that follows text of the same part, patches of one session, and
heads of one turn. Merging never moves text past anything else of its turn.
"""

from asyncio import AbstractEventLoop, Future
from collections import deque
from typing import Any, Protocol

from msgspec import Struct

from chatforge_tui.domain.changes import (
    HeadChanged,
    PartAdded,
    PartDropped,
    PartReplaced,
    PlanRecorded,
    TextAppended,
    TurnChange,
)
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.store import codec
from chatforge_tui.store.operations import Operation, TurnOperation
from chatforge_tui.store.recording import AppendText, DropPart, PutHead, PutPart, PutPlan
from chatforge_tui.store.session_operations import PatchSession
from chatforge_tui.store.turn_operations import EndTurn
from chatforge_tui.store.workplace import Workplace


class Lookup(Protocol):
    """Something that is only read. It sees everything that was handed over before it."""

    def __call__(self, at: Workplace, /) -> object:
        """Return the answer."""
        ...


class Reply(Struct, frozen=True):
    """Who waits for an operation."""

    future: Future[Any]
    loop: AbstractEventLoop


class Entry(Struct, frozen=True, gc=False):
    """An operation or a lookup in the queue."""

    work: Operation | Lookup
    reply: Reply | None = None
    """None for an operation that nobody waits for."""

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return isinstance(self.work, Operation)

    @property
    def size(self) -> int:
        """About how many bytes wait with it."""
        return self.work.size if isinstance(self.work, Operation) else 0

    @property
    def outlives_failure(self) -> bool:
        """Whether it is tried again when it could not be written."""
        return isinstance(self.work, Operation) and self.work.outlives_failure


class Pending:
    """A queue whose neighbours merge."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: dict[int, Entry] = {}
        self._next = 0
        """Number of the next entry. Never one that was there before: it is the order of what is logged, too."""
        self._tails: dict[TurnId, AppendText] = {}
        self._heads: dict[TurnId, int] = {}
        self._patches: dict[SessionId, int] = {}
        self.size = 0
        """About how many bytes wait."""

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Put an operation at the end. What someone waits for is a border that no patch crosses."""
        if isinstance(entry.work, EndTurn):
            self._supersede(entry.work.turn.head.turn_id)
        self._patches.clear()
        self._append(entry)

    def add_patch(self, session_id: SessionId, columns: dict[str, codec.Value]) -> None:
        """Put a patch of a session at the end, together with the one that waits already."""
        # At the end, not where the earlier one stood: which session is active is decided by the last word.
        earlier = self._entries.pop(self._patches.pop(session_id, -1), None)
        if earlier is not None and isinstance(earlier.work, PatchSession):
            columns = {**earlier.work.columns, **columns}
        self._patches[session_id] = self._append(Entry(PatchSession(session_id, columns)))

    def add_change(self, turn_id: TurnId, change: TurnChange) -> None:
        """Put one change of a live turn at the end."""
        match change:
            case TextAppended():
                self.take_in(deque([AppendText(turn_id, 0, change.index, change.field, change.text)]))
            case PartAdded() | PartReplaced():
                self._tails.pop(turn_id, None)
                self._append(Entry(PutPart(turn_id, self._next, change.part)))
            case PartDropped():
                self._tails.pop(turn_id, None)
                self._append(Entry(DropPart(turn_id, change.index)))
            case PlanRecorded():
                self._append(Entry(PutPlan(turn_id, change.sequence, change.plan)))
            case HeadChanged():
                self._entries.pop(self._heads.pop(turn_id, -1), None)
                self._heads[turn_id] = self._append(Entry(PutHead(turn_id, change.head)))

    def take_in(self, texts: deque[AppendText]) -> None:
        """Put texts at the end, until there are no more; another thread may be adding some."""
        tails, size, next_text = self._tails, self.size, texts.popleft
        while texts:
            new = next_text()
            tail = tails.get(new.turn_id)
            if tail is not None and tail.index == new.index and tail.text_field == new.text_field:
                if tail.more is None:
                    tail.more = [new.text]
                else:
                    tail.more.append(new.text)
            else:
                new.seq = self._next
                tails[new.turn_id] = new
                self._entries[new.seq] = Entry(new)
                self._next += 1
            size += len(new.text)
        self.size = size

    def take(self) -> list[Entry]:
        """Return everything in order, and start empty."""
        entries = list(self._entries.values())
        self._entries.clear()
        self._tails.clear()
        self._heads.clear()
        self._patches.clear()
        self.size = 0
        return entries

    def _append(self, entry: Entry) -> int:
        """Put an entry at the end and return its number."""
        number = self._next
        self._next += 1
        self._entries[number] = entry
        self.size += entry.size
        return number

    def _supersede(self, turn_id: TurnId) -> None:
        """Drop what waits of a turn whose end is written whole."""
        superseded = [
            number
            for number, entry in self._entries.items()
            if isinstance(entry.work, TurnOperation) and entry.work.turn_id == turn_id
        ]
        self.size -= sum(self._entries.pop(number).size for number in superseded)
        self._tails.pop(turn_id, None)
        self._heads.pop(turn_id, None)


def condensed(entries: list[Entry]) -> list[Entry]:
    """Return the entries without what a later end of the same turn supersedes: records of it, and earlier ends."""
    ended: set[TurnId] = set()
    needed: list[Entry] = []
    for entry in reversed(entries):
        turn_id = _turn_of(entry.work)
        if turn_id is None or turn_id not in ended:
            needed.append(entry)
        if turn_id is not None and isinstance(entry.work, EndTurn):
            ended.add(turn_id)
    return needed[::-1]


def _turn_of(work: Operation | Lookup) -> TurnId | None:
    """Return the turn that an operation writes to."""
    match work:
        case EndTurn():
            return work.turn.head.turn_id
        case TurnOperation():
            return work.turn_id
        case _:
            return None
