"""Several programs on one store, each doing a thousand things to everyone's sessions; then the store is judged.

    python -m tests.soak contention [--processes 2 4] [--operations 1000] [--seed 1] [--results DIRECTORY]

Every process is an engine with tabs of its own: it makes, names, drafts, answers, closes, opens, takes over and deletes
sessions, its own and the others'. Judged by what it wrote down itself, and by a lock file of this harness for each
session that is held while a request of it runs, which knows nothing of the store:

    errors      anything raised but "busy" and "no such session"
    lost        acknowledged prompts that the store does not have exactly once, or whose whole answer it does not have
    two owners  requests of one session that ran in two processes at once
"""

import argparse
import asyncio
import fcntl
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatforge_tui.domain.events import Accepted, Finished, StreamEvent, TextDelta
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.session import EndpointRef, SessionPatch
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import ChatForgeError, SessionBusy, UnknownSession
from chatforge_tui.sessions import EngineSettings, SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.soak.results import Results
from tests.store.waiting import rows

SETTINGS = EngineSettings(has_tabs=True, look_s=0.1, take_over_s=5.0, take_over_pause_s=0.05)
REF = EndpointRef("echo")
WORDS = 5
"""Pieces of each answer."""


@dataclass
class Verdict:
    """What all processes came to."""

    operations: Counter[str] = field(default_factory=Counter[str])
    busy: int = 0
    errors: list[str] = field(default_factory=list[str])
    two_owners: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list[str])
    seconds: float = 0.0

    def __str__(self) -> str:
        done = ", ".join(f"{name} {count}" for name, count in sorted(self.operations.items()))
        lines = [
            f"{sum(self.operations.values())} operations in {self.seconds:.1f} s ({done}); refused as busy {self.busy}",
            f"errors {len(self.errors)}, two owners at once {self.two_owners}, "
            f"acknowledged prompts {self.acknowledged}, lost {len(self.lost)}",
        ]
        return "\n".join([*lines, *self.errors[:5], *self.lost[:5]])


class Echo:
    """Answers a prompt with itself, word by word. Matches ports.Endpoint and ports.Endpoints."""

    needs_history = False
    can_resume = False

    def __init__(self, locks: Path) -> None:
        self.two_owners = 0
        self._locks = locks

    def connect(self, ref: EndpointRef) -> "Echo":
        del ref
        return self

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        lock = os.open(self._locks / request.session_id, os.O_CREAT | os.O_RDWR)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.two_owners += 1
            yield Accepted("echo")
            for _ in range(WORDS):
                yield TextDelta(request.prompt.text)
                await asyncio.sleep(0.001)
            yield Finished()
        finally:
            os.close(lock)

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        del task
        return
        yield  # pragma: no cover - makes it a generator; nothing has a task here

    async def cancel_task(self, task: TaskRef) -> None:
        del task

    def attend(self, *, is_watched: bool) -> None:
        """There is nothing to read more slowly."""

    async def aclose(self) -> None:
        """Nothing is open."""


class Player:
    """One process's share."""

    def __init__(self, manager: SessionManager, dice: random.Random, name: str) -> None:
        self._manager = manager
        self._dice = dice
        self._name = name
        self.done: Counter[str] = Counter()
        self.busy = 0
        self.errors: list[str] = []
        self.sent: list[str] = []
        """Prompts whose sending was acknowledged."""

    async def play(self, operations: int) -> None:
        kinds = ("send", "new", "rename", "draft", "close", "open", "take over", "delete", "read")
        weights = (40, 6, 12, 10, 8, 8, 8, 3, 5)
        for number, kind in enumerate(self._dice.choices(kinds, weights, k=operations)):
            self.done[kind] += 1
            try:
                await self._do(kind, number)
            except SessionBusy:
                self.busy += 1
            except UnknownSession:
                continue  # deleted by somebody else a moment ago
            except ChatForgeError as error:
                self.errors.append(f"{kind}: {type(error).__name__}: {error}")

    async def _do(self, kind: str, number: int) -> None:
        manager, heads = self._manager, self._manager.sessions()
        if kind == "new" or not heads:
            await manager.create_session(REF, title=f"{self._name} {number}")
            return
        session_id = self._dice.choice(heads).session_id
        match kind:
            case "send":
                await self._send(session_id, f"{self._name}.{number} ")
            case "rename":
                manager.update_session(session_id, SessionPatch(title=f"{self._name} {number}"))
            case "draft":
                manager.update_session(session_id, SessionPatch(draft=f"{self._name} {number}"))
            case "close":
                await manager.close_session(session_id)
            case "open":
                await manager.reopen_session(session_id)
            case "take over":
                await manager.take_over(session_id)
            case "delete":
                await manager.delete_session(session_id)
            case _:
                await manager.turns(session_id)

    async def _send(self, session_id: SessionId, text: str) -> None:
        await self._manager.send(session_id, Prompt(text))
        self.sent.append(text)
        if self._dice.random() < 0.8:  # else the next thing is done while it streams
            await self._manager.finished(session_id)


async def play(path: Path, name: str, operations: int, seed: int) -> None:
    """Be one process; say on standard output what was done."""
    echo = Echo(path.parent / "locks")
    manager = SessionManager(store=SqliteStore(path), endpoints=echo, settings=SETTINGS)
    player = Player(manager, random.Random(f"{seed} {name}"), name)
    try:
        async with manager:
            await player.play(operations)
    except* ChatForgeError as group:
        player.errors += [f"at the end: {error}" for error in group.exceptions]
    json.dump([player.done, player.busy, player.errors, player.sent, echo.two_owners], sys.stdout)


async def contend(directory: Path, *, processes: int, operations: int, seed: int) -> Verdict:
    """Run the processes at the same time on one new store, and judge what they left."""
    path = directory / "data" / "store.db"
    (path.parent / "locks").mkdir(parents=True)
    verdict, sent, began = Verdict(), list[str](), time.monotonic()
    started = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.soak.contention", str(path), f"p{number}", str(operations), str(seed)),
            stdout=asyncio.subprocess.PIPE,
        )
        for number in range(processes)
    ]
    for process in started:
        said, _ = await process.communicate()
        if process.returncode:
            verdict.errors.append(f"a process ended with {process.returncode}")
            continue
        done, busy, errors, acknowledged, two_owners = json.loads(said)
        verdict.operations += Counter(done)
        verdict.busy += busy
        verdict.errors += errors
        verdict.two_owners += two_owners
        sent += acknowledged
    verdict.seconds, verdict.acknowledged = time.monotonic() - began, len(sent)
    await _judge(path, sent, verdict)
    return verdict


async def _judge(path: Path, sent: list[str], verdict: Verdict) -> None:
    """Look for every acknowledged prompt and its answer in what is on the disk."""
    store = SqliteStore(path, read_only=True)
    await store.open()
    heads = [*await store.load_sessions(), *await store.load_sessions(trashed=True)]
    turns = [turn for head in heads for turn in await store.load_turns(head.session_id)]
    await store.close()
    verdict.lost += [f"corrupt: {row}" for row in rows(path, "PRAGMA integrity_check") if row != ("ok",)]
    found = Counter(turn.head.prompt.text for turn in turns)
    verdict.lost += [f"prompt {text!r} is there {found[text]} times" for text in sent if found[text] != 1]
    for turn in turns:
        whole = turn.head.prompt.text * WORDS
        is_right = turn.answer == whole if turn.head.state is TurnState.COMPLETE else whole.startswith(turn.answer)
        if not is_right or turn.head.state.is_live or turn.head.state is TurnState.FAILED:
            verdict.lost.append(f"{turn.head.prompt.text!r} is {turn.head.state} with {turn.answer!r}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--processes", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--operations", type=int, default=1_000, help="of each process")
    parser.add_argument("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> int:
    """Run from the command line; return 1 when a promise was broken."""
    results, summary, faults = Results(options.results, "contention"), dict[str, Any](), list[str]()
    for processes in options.processes:
        with tempfile.TemporaryDirectory() as directory:
            verdict = asyncio.run(
                contend(Path(directory), processes=processes, operations=options.operations, seed=options.seed)
            )
        print(f"{processes} processes: {verdict}")
        figures = {
            "operations": verdict.operations.total(),
            "seconds": round(verdict.seconds, 1),
            "refused as busy": verdict.busy,
            "acknowledged prompts": verdict.acknowledged,
            "errors": len(verdict.errors),
            "lost": len(verdict.lost),
            "two owners": verdict.two_owners,
        }
        results.add(processes=processes, **figures)
        summary[f"{processes} processes"] = figures
        faults += [*verdict.errors, *verdict.lost, *["two owners"] * verdict.two_owners]
    results.end(summary, faults)
    return int(bool(faults))


if __name__ == "__main__":  # one of the processes
    asyncio.run(play(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
