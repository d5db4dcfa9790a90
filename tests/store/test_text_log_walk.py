"""Two programs and a reader on one store, doing anything in any order, on a disk that fails: each turn reads as what it was given.

The model is a turn and the changes that were recorded of it, folded; what is there at all, and where it stands, the store knows
alone: in the log, moved out of it, or in the turn's own rows.
"""

import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import contextmanager, suppress

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import PartAdded, PartDropped, PartReplaced, TextAppended, TextField, TurnChange
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.ids import SessionId, TaskId, new_request_id
from chatforge_tui.domain.part import TextPart, ToolPart, ToolState
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store import care, text_log, writer
from chatforge_tui.store.connection import immediate
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.store.writer import WriterSettings
from tests.store.values import a_session, a_turn
from tests.store.waiting import rows

STEPS = 150
SETTINGS = WriterSettings(flush_s=3600.0, chore_s=3600.0, retry_s=0.0)
"""Only what someone waits for is written, and what failed is tried again at once."""
WAITS = (TurnState.INTERRUPTED, TurnState.WAITING)


class Disk:
    """Says of each commit whether it succeeds, fails, or fails although it reached the disk."""

    def __init__(self, limit: Callable[[int], None]) -> None:
        self.fate: list[str] = []
        self.limit = limit

    @contextmanager
    def transaction(self, db):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        fate = self.fate.pop(0) if self.fate else "good"
        with immediate(db):
            yield
            if fate == "fails":
                raise error
        if fate == "lies":
            self.limit(1_000_000)  # what the first try moved, the second one does not
            raise error


class Walk:
    """What two programs do, and what came of it."""

    def __init__(self, path, seed: int, disk: Disk) -> None:
        self.dice, self.path, self.disk = random.Random(seed), path, disk
        self.programs = [SqliteStore(path, settings=SETTINGS) for _ in range(2)]
        self.reader = SqliteStore(path, read_only=True, settings=SETTINGS)
        self.heads: dict[SessionId, SessionHead] = {}
        self.live: list[dict[SessionId, Turn]] = [{}, {}]
        """What each program streams, as it is in memory."""
        self.over: dict[SessionId, tuple[Turn, int]] = {}
        """Ended turns, and who holds their sessions."""
        self.durable: dict[SessionId, Turn] = {}
        """What everyone else is to see."""
        self.count = 0

    async def open(self, store: SqliteStore) -> None:
        """Open a store that waits for no disk: nothing here is about a loss of power."""
        await store.open()
        await store._writer.submit(lambda at: at.db.execute("PRAGMA synchronous = OFF").fetchall())

    async def run(self) -> None:
        for store in (*self.programs, self.reader):
            await self.open(store)
        steps = [self.begin, self.grow, self.flush, self.read, self.end, self.adopt, self.purge, self.die]
        weights = [4, 8, 6, 6, 5, 8, 1, 1]
        for _ in range(STEPS):
            if self.dice.random() < 0.15:
                self.disk.limit(self.dice.choice([0, 1_000, 2_000, 5_000, 1_000_000]))
            await self.dice.choices(steps, weights)[0](self.dice.randrange(2))
        for program in range(2):
            await self.flush(program)
            for session_id in list(self.durable):
                await self.check(session_id, program)
            while self.live[program]:
                await self.end(program)
        assert rows(self.path, "SELECT (SELECT count(*) FROM text_log) + (SELECT count(*) FROM chunk)") == [(0,)]
        assert care.check(self.path).is_sound
        for store in (*self.programs, self.reader):
            await store.close()

    async def wait(self, program: int, work: Awaitable[object]) -> object:
        """Let a program do what takes everything along that it has recorded."""
        result = await work
        self.durable |= self.live[program]
        return result

    def text(self) -> str:
        self.count += 1
        return f"{self.count}{self.dice.choice(['', 'é', 'x' * self.dice.randrange(80)])};"

    async def begin(self, program: int) -> None:
        head = a_session()
        self.heads[head.session_id] = head
        turn = a_turn(head, state=TurnState.STREAMING, task_id=TaskId("task"))
        await self.wait(program, self.programs[program].create_session(head))
        await self.wait(program, self.programs[program].begin_turn(turn, head))
        self.durable[head.session_id] = self.live[program][head.session_id] = Turn(turn)
        self.record(program, head.session_id, PartAdded(TextPart(0, self.text())))

    async def grow(self, program: int) -> None:
        for session_id in list(self.live[program]):
            for _ in range(self.dice.randrange(4)):
                self.record(program, session_id, self.a_change(self.live[program][session_id]))

    def a_change(self, turn: Turn) -> TurnChange:
        index = turn.parts[-1].index + 1 if turn.parts else 100
        kind = self.dice.random() if turn.parts else 0.0
        if kind < 0.15:
            tool = ToolPart(index, f"call {index}", "tool")
            return PartAdded(self.dice.choice([TextPart(index, self.text()), TextPart(index, ""), tool]))
        part = self.dice.choice(turn.parts)
        if kind < 0.25:
            new = ToolPart(part.index, "call", "tool", ToolState.DONE, output=self.text())
            return PartReplaced(TextPart(part.index, self.text()) if isinstance(part, TextPart) else new)
        if kind < 0.3 and len(turn.parts) > 1:
            return PartDropped(turn.parts[-2].index)
        fields: list[TextField] = ["text"] if isinstance(part, TextPart) else ["input", "output"]
        return TextAppended(part.index, self.text(), self.dice.choice(fields))

    def record(self, program: int, session_id: SessionId, change: TurnChange) -> None:
        turn = self.live[program][session_id]
        self.programs[program].record(turn.head.turn_id, [change])
        self.live[program][session_id] = fold(turn, [change])

    async def flush(self, program: int) -> None:
        self.disk.fate[:] = self.dice.choices(["fails", "lies"], k=self.dice.choice([0, 0, 1, 2]))
        if "lies" in self.disk.fate and self.dice.random() < 0.5:
            self.disk.limit(0)
        for _ in range(3):
            with suppress(StoreUnavailable):
                await self.wait(program, self.programs[program].flush())
                break
        self.disk.fate.clear()

    async def read(self, program: int) -> None:
        for session_id in [*self.live[0], *self.live[1], *list(self.over)[-1:]]:
            await self.check(session_id, program)

    async def check(self, session_id: SessionId, program: int) -> None:
        """Read as a program, which sees what it has recorded, or as the reader."""
        if self.dice.random() < 0.3:
            [turn] = await self.reader.load_turns(session_id)
            wanted = self.durable[session_id]
        else:
            [turn] = await self.wait(program, self.programs[program].load_turns(session_id))
            wanted = self.durable[session_id]
        assert turn.parts == wanted.parts

    async def end(self, program: int) -> None:
        if not self.live[program]:
            return
        session_id = self.dice.choice(list(self.live[program]))
        turn = self.live[program].pop(session_id)
        state = self.dice.choice([TurnState.COMPLETE, *WAITS, *WAITS])
        turn = replace(turn, head=replace(turn.head, state=state, ended=5.0))
        self.disk.fate[:] = self.dice.choice([[], [], ["fails"], ["lies"]])
        with suppress(StoreUnavailable):
            await self.wait(program, self.programs[program].end_turn(turn, self.heads[session_id]))
        self.disk.fate.clear()
        await self.flush(program)
        self.over[session_id], self.durable[session_id] = (turn, program), turn
        self.programs[program].grow(turn.head.turn_id, TextAppended(0, "too late"))

    async def adopt(self, program: int) -> None:
        waiting = [session_id for session_id, (turn, _) in self.over.items() if turn.head.state in WAITS]
        if not waiting:
            return
        session_id = self.dice.choice(waiting)
        turn, holder = self.over.pop(session_id)
        program = self.dice.choice([program, holder, holder])
        await self.wait(holder, self.programs[holder].give_up_sessions([session_id]))
        head = replace(turn.head, state=TurnState.STREAMING, request_id=new_request_id(), ended=None, problem=None)
        adopted = await self.wait(program, self.programs[program].adopt_turn(head, was=turn.head.state))
        assert adopted == replace(turn, head=head)
        self.live[program][session_id] = self.durable[session_id] = replace(turn, head=head)

    async def purge(self, program: int) -> None:
        """Delete for good what is over, or what this program streams itself."""
        session_id = self.dice.choice([None, *self.over, *self.live[program]])
        if session_id is None:
            return
        turn = self.durable.pop(session_id)
        _, holder = self.over.pop(session_id, (turn, program))
        if self.live[program].pop(session_id, None) is None:
            await self.wait(holder, self.programs[holder].give_up_sessions([session_id]))
        await self.wait(program, self.programs[program].trash_session(session_id, 1.0))
        await self.wait(program, self.programs[program].purge_session(session_id))
        bodies = rows(self.path, "SELECT body FROM text_log")
        assert not [one for (body,) in bodies for one in text_log.decode(body)[0] if one[0] == turn.head.turn_id]
        self.programs[program].grow(turn.head.turn_id, TextAppended(0, "too late"))
        assert await self.reader.load_turns(session_id) == []

    async def die(self, program: int) -> None:
        """End a program amid its streams, as good as killed, and start it again; maybe the other one saw it first."""
        await self.flush(program)
        await self.programs[program].close()
        lost, self.live[program] = self.live[program], {}
        other = self.programs[1 - program]
        for session_id in lost:
            if self.dice.random() < 0.3:
                await self.wait(1 - program, other.hold_session(session_id))
                await self.wait(1 - program, other.give_up_sessions([session_id]))
        self.programs[program] = SqliteStore(self.path, settings=SETTINGS)
        await self.open(self.programs[program])
        for session_id, was in lost.items():
            [turn] = await self.programs[program].load_turns(session_id)
            assert (turn.head.state, turn.parts) == (TurnState.INTERRUPTED, was.parts)
            self.over[session_id], self.durable[session_id] = (turn, program), turn


@pytest.mark.parametrize("seed", range(8))
async def test_every_turn_reads_as_what_it_was_given(path, monkeypatch, seed):
    disk = Disk(lambda limit: monkeypatch.setattr(text_log, "LIMIT", limit))
    monkeypatch.setattr(writer, "immediate", disk.transaction)
    await Walk(path, seed, disk).run()
