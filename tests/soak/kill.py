"""The whole program killed at random moments while many sessions stream, again and again; then what is left is judged.

    python -m tests.soak kill [--runs 200] [--sessions 20] [--seed 1] [--first 0] [--results DIRECTORY]

A run is one life of the real program in a pseudo terminal, ended by SIGKILL at a random moment while all sessions
stream. Runs share a home in groups of four: the first life types the prompts, each later one finds what the one before
left and reads on with it; some are killed while they still start, too. At last the program is started once more and
left alone until every answer is complete. Judged against the servers' own logs (a2a-sdk 0.3.26 and 1.3.0 in turn):

    lost            prompts that a server received and the store does not have, or has in another order
    corrupt         what SQLite's own integrity check finds
    re-sent         requests that a server received more than once, and tasks it was told to stop
    doubled, wrong  answers on disk that are no prefix of what the server sent, or not its whole answer at the end
    behind          milliseconds before the kill since which the program had text that is not on disk (its promise: at
                    most 250), since which its store had it, and since which the server had written some, which also
                    counts how long the program had to wait for the processor before it could read
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatforge_tui.domain.turn import Turn, TurnState
from tests.servers.a2a_process import A2aServer, run_a2a_server
from tests.servers.a2a_scenes import answer
from tests.soak.agent_home import AgentHome, type_prompts
from tests.soak.receipts import Receipts
from tests.soak.results import Results, Tally, quantile
from tests.store.waiting import rows
from tests.terminal import Terminal, terminal

KINDS = ("0.3", "1.0")
LATE_MOST_MS = 250.0
"""What the durability contract allows, from the moment at which the program received a text."""
RUNS_IN_A_HOME = 4
RATE = 30
"""Tokens a second of each answer."""
WATCHED_S = 1.5
"""For at most so long a life goes on once all its sessions stream."""
STREAMING_S = 3.0
"""A session of which text came within so many seconds before the kill was streaming."""
LIMIT_S = 60.0
_LOOK_S = 0.025
_IN_MEMORY = "/dev/shm"
"""Where a note does not wait for the disk: the program under test would wait with it, and be late for being watched."""
_LONGEST = 50_000
"""Tokens that no answer reaches."""


@dataclass
class Verdict(Tally):
    """What all runs came to."""

    runs: int = 0
    early_kills: int = 0
    turns: int = 0
    late_ms: list[float] = field(default_factory=list[float])
    """Of each run: since when text that the program had received was not on disk."""
    server_late_ms: list[float] = field(default_factory=list[float])
    """Of each run: since when text that the server had written was not on disk."""
    work_ms: list[float] = field(default_factory=list[float])
    """Of each commit and chore of the store's thread, those that a kill cut among them: how long it took."""
    streaming: int | None = None
    """Sessions that streamed at a kill, the fewest of all runs."""

    def summary(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "runs": self.runs,
            "killed while starting": self.early_kills,
            "answers": self.turns,
            "sessions streaming at a kill, fewest": self.streaming,
            "faults": len(self.faults),
            "behind what was received, ms: median, p95, most": quantile(self.late_ms),
            "behind what was sent, ms: median, p95, most": quantile(self.server_late_ms),
            "a commit or chore, ms: median, p95, most": quantile(self.work_ms),
            "runs over 250 ms": sum(late > LATE_MOST_MS for late in self.late_ms),
        }


class Tail:
    """A server's log, read on as it grows."""

    def __init__(self, server: A2aServer) -> None:
        self._server = server
        self._offset = 0
        self._prompts: dict[str, str] = {}
        """Task → prompt."""
        self.sent: dict[str, int] = {}
        """Prompt → characters that the server has written so far."""

    def read(self) -> dict[str, int]:
        """Read on, and return prompt → characters."""
        with self._server.log_file.open("rb") as log:
            log.seek(self._offset)
            data = log.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for entry in map(json.loads, whole.splitlines()):
            if entry["event"] == "request":
                self._prompts[entry["task"]] = entry["text"]
            elif entry["event"] == "chunk":
                prompt = self._prompts[entry["task"]]
                self.sent[prompt] = self.sent.get(prompt, 0) + len(entry["text"])
        return dict(self.sent)


@dataclass
class Home:
    """One home and one server, for some runs."""

    home: Path
    server: A2aServer
    sessions: int
    verdict: Verdict
    rng: random.Random
    whole: str
    """What every answer is the beginning of."""
    results: Results
    notes: Path
    """Directory for what the program notes."""

    def __post_init__(self) -> None:
        self.tail = Tail(self.server)
        self._agent_home = AgentHome(self.home, self.server.url)
        self._end = self.home / "end"
        self.prompts = [f"stream at {RATE}/s until {self._end} {number}" for number in range(self.sessions)]
        self._lives = 0

    async def play(self, runs: int) -> None:
        """Type, kill, look, start again; at last let every answer come to its end, and judge."""
        for run in range(runs):
            if run and self.rng.random() < 0.25:
                async with self._program() as (screen, _):
                    await asyncio.sleep(self.rng.uniform(0.2, 1.5))
                    await self._kill(screen)
                    self.verdict.early_kills += 1
            async with self._program() as (screen, receipts):
                await self._run(screen, receipts, is_first=not run)
        async with self._program() as (screen, _):
            await screen.wait_for("Enter send")
            self._end.touch()
            await self._until_complete()
        await self._judge_end()

    @asynccontextmanager
    async def _program(self) -> AsyncIterator[tuple[Terminal, Receipts]]:
        """Start the program once more."""
        notes = self.notes / f"{self.home.name}-{self._lives}"
        self._lives += 1
        argv = (sys.executable, "-m", "tests.soak.noting_program", str(notes))
        async with terminal(argv, home=self.home) as screen:
            yield screen, Receipts(notes)

    async def _run(self, screen: Terminal, receipts: Receipts, *, is_first: bool) -> None:
        """Let all sessions stream, kill the program at a random moment, and judge what is on disk then."""
        if is_first:
            await type_prompts(screen, self.prompts, lambda prompt: prompt in self.tail.read())
        await screen.until(
            lambda: receipts.read().growing(0.0) == self.sessions, "all sessions streaming", seconds=LIMIT_S
        )
        seen: list[tuple[float, dict[str, int]]] = []
        end = time.monotonic() + self.rng.uniform(0.3, WATCHED_S)
        while (now := time.monotonic()) < end:
            seen.append((now, self.tail.read()))
            await asyncio.sleep(min(_LOOK_S, end - now))
        load = os.getloadavg()[0]
        killed, turns = await self._kill(screen)
        streaming = receipts.read().growing(killed - STREAMING_S)
        late = receipts.late(killed, {turn.head.turn_id: len(turn.answer) for turn in turns})
        server_late_ms = _server_late_ms(seen, killed, {turn.head.prompt.text: len(turn.answer) for turn in turns})
        verdict, work_ms = self.verdict, receipts.work_ms(killed)
        verdict.runs += 1
        verdict.late_ms.append(late.came_s * 1_000)
        verdict.server_late_ms.append(server_late_ms)
        verdict.work_ms += work_ms
        verdict.streaming = min(streaming, self.sessions if verdict.streaming is None else verdict.streaming)
        self.results.add(
            home=self.home.name,
            streaming=streaming,
            characters=sum(len(turn.answer) for turn in turns),
            behind_received_ms=round(late.came_s * 1_000),
            behind_given_ms=round(late.given_s * 1_000),
            behind_sent_ms=round(server_late_ms),
            work_ms=quantile(work_ms),
            last_work_ms=round(work_ms[-1], 1),
            load=round(load, 1),
            faults=len(verdict.faults),
        )

    async def _kill(self, screen: Terminal) -> tuple[float, list[Turn]]:
        """Kill the program, and judge what is on disk; return when it was killed, and the turns."""
        killed = time.monotonic()
        screen.kill()
        await screen.until_ended()
        turns = await self._agent_home.turns()
        if [turn.head.prompt.text for turn in turns] != self.prompts:
            self._fault("prompts lost or in another order")
        for turn in turns:
            if not self.whole.startswith(turn.answer):
                self._fault(f"text on disk is no prefix of what was sent: {turn.answer[-80:]!r}")
            if turn.head.state is not TurnState.INTERRUPTED:
                self._fault(f"a dead program's turn is {turn.head.state}")
        if (found := rows(self._agent_home.store_file, "PRAGMA integrity_check")) != [("ok",)]:
            self._fault(f"corrupt: {found}")
        return killed, turns

    async def _until_complete(self) -> None:
        end = time.monotonic() + LIMIT_S
        while any(turn.head.state is not TurnState.COMPLETE for turn in await self._agent_home.turns()):
            if time.monotonic() > end:
                return
            await asyncio.sleep(0.25)

    async def _judge_end(self) -> None:
        turns = await self._agent_home.turns()
        if [turn.head.prompt.text for turn in turns] != self.prompts:
            self._fault("prompts lost or in another order at the end")
        for number, turn in enumerate(turns):
            self.verdict.turns += 1
            if turn.head.state is not TurnState.COMPLETE:
                self._fault(f"session {number}: {turn.head.state}, {turn.head.problem}")
            elif turn.answer != self.server.answer(turn.head.task_id or ""):
                self._fault(f"session {number}: not the server's text")
            if len(self.server.log("request", message_id=turn.head.turn_id)) != 1:
                self._fault(f"session {number}: sent again")
            if self.server.log("cancel", task=turn.head.task_id):
                self._fault(f"session {number}: the agent was told to stop")
        if sum(entry["text"] in self.prompts for entry in self.server.log("request")) != len(self.prompts):
            self._fault("a prompt was sent again")

    def _fault(self, what: str) -> None:
        self.verdict.note_fault(self.home.name, what)


def _server_late_ms(seen: list[tuple[float, dict[str, int]]], killed: float, stored: dict[str, int]) -> float:
    """Return how long before the kill the server had written no more than is on disk, of the worst session."""
    worst = 0.0
    for prompt, length in stored.items():
        covered = [when for when, sent in seen if sent.get(prompt, 0) <= length]
        worst = max(worst, (killed - max(covered, default=seen[0][0])) * 1_000)
    return worst


async def soak(
    directory: Path,
    *,
    runs: int,
    sessions: int,
    seed: int,
    first: int = 0,
    in_a_home: int = RUNS_IN_A_HOME,
    results: Results | None = None,
) -> Verdict:
    """Play the runs, home by home from the `first` on, each with the next server; return what they came to."""
    verdict, results, whole = Verdict(), results or Results(None), answer(_LONGEST)
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None) as notes:
        for number in range(first, first + -(-runs // in_a_home)):
            kind = KINDS[number % len(KINDS)]
            with run_a2a_server(kind, directory / f"server-{number}.jsonl") as server:
                rng, home = random.Random(f"{seed}-{number}"), directory / f"home-{number}-{kind}"
                lives = Home(home, server, sessions, verdict, rng, whole, results, Path(notes))
                await lives.play(min(in_a_home, runs - verdict.runs))
    results.end(verdict.summary(), verdict.faults)
    return verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first home: its dice are its own")


def run(options: argparse.Namespace) -> int:
    """Run from the command line; return 1 when anything was lost, doubled, corrupt, too late or sent again."""
    with tempfile.TemporaryDirectory() as directory:
        verdict = asyncio.run(
            soak(
                Path(directory),
                runs=options.runs,
                sessions=options.sessions,
                seed=options.seed,
                first=options.first,
                results=Results(options.results, "kill"),
            )
        )
    print(verdict)
    return int(bool(verdict.faults) or max(verdict.late_ms) > LATE_MOST_MS)
