"""What the store does before its power is cut: its own operations, statements and pragmas, over a disk that records.

Driven without threads: the same queue (`Pending`) and the same commit (`Writer`) as in the program, one batch after the
other, so that an acknowledgement stands in the disk's journal exactly where the commit returned.
"""

import random
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, cast
from unittest import mock

import apsw
from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnHead, TurnState
from chatforge_tui.store import opening, pragmas, search_index, store_file, text_log
from chatforge_tui.store.deletion import PurgeSession, TrashSession
from chatforge_tui.store.operations import Operation
from chatforge_tui.store.pending import Entry, Pending
from chatforge_tui.store.session_operations import CreateSession
from chatforge_tui.store.turn_operations import BeginTurn, EndTurn
from chatforge_tui.store.workplace import Workplace
from chatforge_tui.store.writer import DEFAULTS, Writer
from tests.soak.power_disk import RecordingDisk
from tests.store.values import a_session, a_turn, counted
from tests.store.writing_program import text_of

CHECKPOINT_PAGES = 40
"""So early is the log carried into the file (the program: 1,000), that many cuts hit a checkpoint."""
LOG_LIMIT = 4_000
"""Bytes from which on the log of live text is moved (the program: 4 MiB)."""
_numbers = count()


@dataclass(frozen=True)
class Mode:
    """A journal and how hard it is synced."""

    journal: str
    synchronous: str

    def __str__(self) -> str:
        return f"{self.journal.upper()}+{self.synchronous}"


class Row(tuple[Any, ...]):
    """A row whose columns have names."""

    names: tuple[str, ...] = ()

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


class Answer:
    """What a statement returned, all of it."""

    def __init__(self, rows: list[Row], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def fetchone(self) -> Row | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[Row]:
        rows, self._rows = self._rows, []
        return rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.fetchall())


class Driver:
    """What the store uses of sqlite3.Connection, over apsw."""

    def __init__(self, path: Path, disk: str) -> None:
        self._db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=disk)

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    @property
    def total_changes(self) -> int:
        return self._db.total_changes()

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> Answer:
        rows, cursor = list[Row](), self._db.cursor()
        named: type[Row] | None = None
        for values_of_row in cursor.execute(statement, values or None):
            if named is None:
                names = tuple(column[0] for column in cursor.get_description())
                named = type("NamedRow", (Row,), {"names": names})
            rows.append(named(values_of_row))
        return Answer(rows, self._db.changes())

    def executemany(self, statement: str, many: Iterable[Sequence[Any]]) -> None:
        self._db.cursor().executemany(statement, many)

    def close(self) -> None:
        self._db.close()


@contextmanager
def open_store(path: Path, mode: Mode) -> Iterator[tuple[RecordingDisk, Workplace]]:
    """Make a store, and open it as the program does, over a disk that records from then on.

    Nothing is closed in order at the end: the power is cut.
    """
    store_file.create(path)
    disk = RecordingDisk(f"disk-{next(_numbers)}")
    disk.adopt(path)
    drivers: list[Driver] = []

    def connect(file: Path) -> sqlite3.Connection:
        drivers.append(Driver(file, disk.name))
        return cast("sqlite3.Connection", drivers[-1])

    with (
        mock.patch.object(opening, "connect", connect),
        mock.patch.object(opening, "choose_journal", return_value=mode.journal),
        mock.patch.dict(pragmas._SYNCHRONOUS, {mode.journal: mode.synchronous}),
        mock.patch.object(pragmas, "_WAL_PAGES", CHECKPOINT_PAGES),
    ):
        place = opening.open_for_writing(path)
    try:
        with mock.patch.object(text_log, "LIMIT", LOG_LIMIT):
            yield disk, place
    finally:
        place.me.leave()
        for driver in drivers:
            driver.close()


class Script:
    """Some sessions whose turns stream, end, are searched; some go to the trash and are deleted for good."""

    def __init__(self, disk: RecordingDisk, place: Workplace, dice: random.Random) -> None:
        self._disk = disk
        self._place = place
        self._dice = dice
        self._writer = Writer(lambda: place, DEFAULTS, lambda _: False)
        self._pending = Pending()
        self._sessions: list[SessionHead] = []
        self._live: dict[str, tuple[TurnHead, int]] = {}
        """Session → its live turn, and how long that is."""
        self._named = 0

    def play(self, steps: int) -> None:
        """Do so many things, each with the commit that makes it durable."""
        self._disk.acknowledge("open")
        for _ in range(3):
            self._begin_session()
        for _ in range(steps):
            kind = self._dice.choices(
                ("stream", "turn", "end", "name", "index", "session", "purge"), (9, 4, 3, 2, 2, 1, 1)
            )
            getattr(self, f"_{kind[0]}")()

    def _commit(self, *operations: Operation) -> None:
        """Commit what waits, and these, in one transaction: with anything but success the script is wrong."""
        for operation in operations:
            self._pending.add(Entry(operation))
        self._writer._commit(self._place, self._pending.take())
        assert not self._writer._failed, self._writer._failed.trouble

    def _session(self) -> None:
        if len(self._sessions) < 6:
            self._begin_session()

    def _begin_session(self) -> None:
        session = a_session(title="name 0", position=len(self._sessions), is_open=True)
        self._commit(CreateSession(session))
        self._sessions.append(session)
        self._disk.acknowledge("session", session.session_id)

    def _turn(self) -> None:
        idle = [session for session in self._sessions if session.session_id not in self._live]
        if not idle:
            return
        session = self._dice.choice(idle)
        head = a_turn(session, session.turns, text=f"prompt of {session.session_id} {session.turns} " + "word " * 40)
        session = self._put(counted(session, session.turns + 1, TurnState.QUEUED))
        self._commit(BeginTurn(head, session))
        self._disk.acknowledge("prompt", head.turn_id, head.prompt.text)
        self._pending.add_change(head.turn_id, HeadChanged(replace(head, state=TurnState.STREAMING)))
        self._pending.add_change(head.turn_id, PartAdded(TextPart(0, "")))
        self._live[session.session_id] = (head, 0)

    def _stream(self) -> None:
        for session_id, (head, length) in self._live.items():
            longer = length + self._dice.randrange(1, 1_500)
            self._pending.add_change(head.turn_id, TextAppended(0, text_of(head.turn_id, longer)[length:]))
            self._live[session_id] = (head, longer)
        self._commit()
        for head, length in self._live.values():
            self._disk.acknowledge("text", head.turn_id, str(length))

    def _end(self) -> None:
        if not self._live:
            return
        session_id = self._dice.choice(list(self._live))
        head, length = self._live.pop(session_id)
        done = replace(head, state=TurnState.COMPLETE, ended=1.0)
        session = next(session for session in self._sessions if session.session_id == session_id)
        self._commit(EndTurn(Turn(done, (TextPart(0, text_of(head.turn_id, length)),)), session))
        self._disk.acknowledge("end", head.turn_id, str(length))

    def _name(self) -> None:
        self._named += 1
        session = self._dice.choice(self._sessions)
        self._pending.add_patch(session.session_id, {"title": f"name {self._named}"})
        self._commit()
        self._disk.acknowledge("name", session.session_id, str(self._named))

    def _index(self) -> None:
        search_index.take_in_some(self._place.db)

    def _purge(self) -> None:
        if len(self._sessions) < 3:
            return
        session = self._sessions.pop(self._dice.randrange(len(self._sessions)))
        self._live.pop(session.session_id, None)
        self._disk.acknowledge("purging", session.session_id)  # from here on it may be gone
        self._commit(TrashSession(session.session_id, 1.0))
        self._commit(PurgeSession(session.session_id))
        self._disk.acknowledge("purged", session.session_id)

    def _put(self, session: SessionHead) -> SessionHead:
        place = next(index for index, one in enumerate(self._sessions) if one.session_id == session.session_id)
        self._sessions[place] = session
        return session
