"""Many sessions stream at once among a thousand stored ones, for as long as one likes, while their user works on.

    python -m tests.soak stream [--minutes 60] [--sessions 50] [--stored 1000] [--rate 30] [--turns 1] [--results DIR]

The real program in a pseudo terminal, on a store of 1,000 sessions whose first 50 are answered by a mock server, A2A and
OpenAI in turn, at 30 events a second each. All turns take as long, so they end in the order of their tabs: the user goes
to the next tab, waits for the end of its answer, types the next prompt, types letters and takes them back meanwhile, and
after the last tab goes back to the first. With `--turns 34` the sessions begin as they are after an hour. Judged:

    lost          finished turns whose text on disk has not the sha256 of what the server says it sent, or is not complete
    streaming     sessions that streamed at once, at each sample
    echo          milliseconds from a key to its letter in the program's output
    memory        RSS of the program; its growth is that of the run's last tenth over the tenth after the first half, and
                  a fault when it is more than a tenth in ten minutes or longer
    descriptors   open files and threads of the program, least and most once all sessions stream
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from chatforge_tui.config.locations import Locations
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.benchmarks.answers import Order, prompt, tokens_of
from tests.benchmarks.process_tree import MEBIBYTE, PAGE
from tests.benchmarks.seeded_store import seed_sessions
from tests.terminal import Terminal, terminal

STEP_S = 2.0
"""Seconds that the user spends on each tab; all tabs of a round take as long as one answer does."""
STEP_LEAST_S = 0.9
SAMPLE_S = 2.0
ECHO_MARK = "Ω"
"""A letter that no answer has and the screen shows nowhere else."""
ENDPOINTS = ("agent", "model")
GROWTH_MOST = 0.1
"""By what part memory may grow in the second half of a run of"""
GROWTH_FROM_S = 600.0
"""so many seconds or more."""
LATE_S = 60.0
"""How long a turn may take longer than the server's answer before the run counts as stuck."""


@dataclass
class Sample:
    """What the program used at one moment."""

    at_s: float
    rss_mb: float
    descriptors: int
    threads: int
    streaming: int
    load: float
    """The machine's load average over a minute: others work here, too."""


@dataclass
class Verdict:
    """What a run came to."""

    seconds: float = 0.0
    turns: int = 0
    """Whose text on disk was compared with the server's own account."""
    characters: int = 0
    lost: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])
    """Whatever else is not as it should be."""
    echo_ms: list[float] = field(default_factory=list[float])
    switches: int = 0
    samples: list[Sample] = field(default_factory=list[Sample])

    @property
    def full(self) -> list[Sample]:
        """The samples once every session had streamed."""
        most = max((sample.streaming for sample in self.samples), default=0)
        begun = next((at for at, sample in enumerate(self.samples) if sample.streaming >= most * 0.9), 0)
        return self.samples[begun:]

    @property
    def growth(self) -> float:
        """By what part the memory at the end is more than in the middle."""
        full = self.full
        tenth = max(1, len(full) // 10)
        middle = statistics.median(sample.rss_mb for sample in full[len(full) // 2 :][:tenth])
        return statistics.median(sample.rss_mb for sample in full[-tenth:]) / middle - 1

    def facts(self) -> dict[str, object]:
        """Return the figures for people and for scripts."""
        echo, full = sorted(self.echo_ms) or [0.0], self.full
        halves = self.echo_ms[: len(self.echo_ms) // 2], self.echo_ms[len(self.echo_ms) // 2 :]
        return {
            "seconds": round(self.seconds),
            "turns compared by sha256": self.turns,
            "characters": self.characters,
            "lost": len(self.lost),
            "tab switches": self.switches,
            "keys": len(self.echo_ms),
            "echo ms median": round(statistics.median(echo), 1),
            "echo ms p99": round(echo[int(len(echo) * 0.99)], 1),
            "echo ms most": round(echo[-1], 1),
            "echo ms median by half": [round(statistics.median(half or [0.0]), 1) for half in halves],
            "streaming median": statistics.median(sample.streaming for sample in full),
            "streaming least": min(sample.streaming for sample in full),
            "rss MB first, middle, end": [round(full[at].rss_mb) for at in (0, len(full) // 2, -1)],
            "rss growth of the second half": f"{self.growth:+.1%}",
            "descriptors": [min(s.descriptors for s in full), max(s.descriptors for s in full)],
            "threads": [min(s.threads for s in full), max(s.threads for s in full)],
            "load of the machine median, most": [
                round(statistics.median(s.load for s in full), 1),
                max(s.load for s in full),
            ],
        }


class Server:
    """The mock server in a process of its own, and its account of what it sent."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.port = 0
        self.is_listening = asyncio.Event()
        self.asked: dict[str, float] = {}
        """Name of an order → when it was asked for."""
        self.digests: dict[str, str] = {}
        """Name of an order → sha256 of its whole text, once all of it was sent."""
        self.left: dict[str, float] = {}
        """Name of an order → when the server saw that nobody reads on, by time.monotonic()."""

    async def read(self) -> None:
        """Read the log until the server ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            match json.loads(line):
                case {"event": "listening", "port": port}:
                    self.port = port
                    self.is_listening.set()
                case {"event": "asked", "name": name, "t": at}:
                    self.asked[name] = at
                case {"event": "last", "name": name, "sha256": digest}:
                    self.digests[name] = digest
                case {"event": "closed" | "cancelled", "name": name, "t": at}:
                    self.left.setdefault(name, at)
                case _:
                    pass

    @property
    def streaming(self) -> int:
        """How many answers are being sent."""
        return len(self.asked) - len(self.digests)


@asynccontextmanager
async def mock_server() -> AsyncIterator[Server]:
    """Run the mock server."""
    command = (sys.executable, "-m", "tests.benchmarks.mock_server")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    server = Server(process)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(server.read())
        await server.is_listening.wait()
        try:
            yield server
        finally:
            reading.cancel()
            process.kill()
            await process.wait()


class User:
    """Goes round the streaming tabs, and keeps every one of them streaming."""

    def __init__(
        self, screen: Terminal, server: Server, verdict: Verdict, *, sessions: int, order: Order, step_s: float
    ) -> None:
        self._screen, self._server, self._verdict = screen, server, verdict
        self._sessions, self._order, self._step_s = sessions, order, step_s
        self._dice = random.Random(1)
        self.names: list[list[str]] = [[] for _ in range(sessions)]
        """For each tab, the orders it was given, in order."""

    async def work(self, until: float) -> None:
        """Work until a moment, once round at least, then wait for the answers that still run."""
        while time.monotonic() < until:
            for tab in range(self._sessions):
                if time.monotonic() >= until and all(self.names):
                    break
                began = time.monotonic()
                if tab:
                    self._screen.press("ctrl+pagedown")
                    self._verdict.switches += 1
                await self._until_sent(self.names[tab])
                await self._ask(tab)
                await self._type(began + self._step_s)
                self._screen.forget()
            else:
                self._verdict.switches += self._sessions - 1
                self._screen.press(*["ctrl+pageup"] * (self._sessions - 1))
        for names in self.names:
            await self._until_sent(names)

    async def _until_sent(self, names: Sequence[str]) -> None:
        """Type on until the server has sent a tab's last answer whole."""
        end = time.monotonic() + self._order.tokens / self._order.rate + LATE_S
        while names and names[-1] not in self._server.digests:
            assert time.monotonic() < end, f"the answer {names[-1]} does not end:\n{self._screen.text}"
            await self._type(time.monotonic() + 0.2)
            self._screen.forget()

    async def _ask(self, tab: int) -> None:
        name = f"s{tab}t{len(self.names[tab])}"
        asked = prompt(self._order._replace(name=name))
        self._screen.send(asked.encode())
        await self._screen.wait_for(f"named {name}", seconds=LATE_S)
        end = time.monotonic() + LATE_S
        # Enter while the answer before is just being ended on the screen would take the place of that one: the same to
        # the server, for its text is sent whole by then.
        self._screen.press("enter")
        while name not in self._server.asked:
            assert time.monotonic() < end, f"{name} was not sent:\n{self._screen.text}"
            await asyncio.sleep(0.01)
        self.names[tab].append(name)

    async def _type(self, until: float) -> None:
        """Type single letters into the prompt, and take them back."""
        while time.monotonic() < until:
            await asyncio.sleep(min(self._dice.uniform(0.1, 0.3), max(0.0, until - time.monotonic())))
            since, began = len(self._screen.raw), time.monotonic()
            self._screen.send(ECHO_MARK.encode())
            await self._screen.wait_for_bytes(ECHO_MARK.encode(), since, seconds=LATE_S)
            self._verdict.echo_ms.append((self._screen.heard - began) * 1_000)
            self._screen.press("backspace")
            await self._screen.until(lambda: ECHO_MARK not in self._screen.text, "backspace")


async def watch(screen: Terminal, server: Server, verdict: Verdict, until: float) -> None:
    """Take a sample every few seconds, as long as the user works."""
    began = time.monotonic()
    process = Path(f"/proc/{screen.pid}")
    while time.monotonic() < until:
        # the name of a program may hold blanks, so the fields are counted from behind it
        stat = (process / "stat").read_text().rpartition(")")[2].split()
        sample = Sample(
            at_s=round(time.monotonic() - began, 1),
            rss_mb=round(int(stat[21]) * PAGE / MEBIBYTE, 1),
            descriptors=len(list((process / "fd").iterdir())),
            threads=int(stat[17]),
            streaming=server.streaming,
            load=round(os.getloadavg()[0], 2),
        )
        verdict.samples.append(sample)
        if len(verdict.samples) % 30 == 1:
            sys.stderr.write(f"{json.dumps(asdict(sample))} {len(server.digests)} answers\n")
        await asyncio.sleep(SAMPLE_S)


async def judge(home: Path, user: User, server: Server, verdict: Verdict, before: int = 1) -> None:
    """Compare every finished turn on disk, behind the first so many, with what the server says it sent."""
    store = SqliteStore(Locations.find(home, {}).data_dir / "sessions.db", read_only=True)
    await store.open()
    try:
        heads: dict[str, SessionHead] = {head.title: head for head in await store.load_sessions()}
        for tab, names in enumerate(user.names):
            turns = await store.load_turns(heads[f"session {tab}"].session_id, since=before)
            stored = {turn.head.prompt.text.rpartition(" ")[2]: turn for turn in turns}
            if list(stored) != names:
                verdict.lost.append(f"session {tab}: {len(stored)} turns of {len(names)}")
            for name in names:
                turn = stored.get(name)
                answer = turn.answer if turn else ""
                verdict.turns += 1
                verdict.characters += len(answer)
                digest = hashlib.sha256(answer.encode()).hexdigest()
                if turn is None or turn.head.state is not TurnState.COMPLETE or digest != server.digests.get(name):
                    verdict.lost.append(f"{name}: {turn.head.state if turn else 'absent'}, {len(answer)} characters")
    finally:
        await store.close()


async def soak(
    home: Path, *, seconds: float, sessions: int = 50, stored: int = 1_000, rate: int = 30, turns: int = 1
) -> Verdict:
    """Run, and return what it came to. The sessions that stream have `turns` turns before, as long as their answers."""
    step_s = max(STEP_LEAST_S, min(STEP_S, seconds / 3 / sessions))
    order = Order(int(sessions * step_s * rate), rate, "-")
    verdict = Verdict()
    before = [turns] * sessions + [1] * (stored - sessions)
    await seed_sessions(home, before, ENDPOINTS, answer="".join(tokens_of(order)))
    async with mock_server() as server:
        url = f"http://127.0.0.1:{server.port}"
        Locations.find(home, {}).config_file.write_text(
            f'default_endpoint = "agent"\n[endpoints.agent]\nprotocol = "a2a"\nurl = "{url}"\n'
            f'[endpoints.model]\nprotocol = "openai-chat"\nurl = "{url}/v1"\nmodel = "mock"\n',
            encoding="utf-8",
        )
        async with terminal(home=home) as screen, asyncio.TaskGroup() as group:
            await screen.wait_for("here-session-0-ends")
            began = time.monotonic()
            watching = group.create_task(watch(screen, server, verdict, began + seconds))
            user = User(screen, server, verdict, sessions=sessions, order=order, step_s=step_s)
            await user.work(began + seconds)
            verdict.seconds = time.monotonic() - began
            watching.cancel()
            await screen.until_quiet(
                1.0, seconds=LATE_S
            )  # the last answers are saved by then: nothing asks before it goes
            screen.press("ctrl+q")
            try:
                await screen.until_ended(seconds=LATE_S)
            except AssertionError as stuck:
                verdict.faults.append(f"the program did not quit: {stuck}")
        await judge(home, user, server, verdict, turns)
    if verdict.seconds >= GROWTH_FROM_S and verdict.growth > GROWTH_MOST:
        verdict.faults.append(f"memory grew by {verdict.growth:.1%} in the second half")
    return verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--sessions", type=int, default=50, help="that stream at once")
    parser.add_argument("--stored", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=30, help="events a second of each stream")
    parser.add_argument("--turns", type=int, default=1, help="that each of these sessions has before")


def run(options: argparse.Namespace) -> int:
    """Run, print the figures, and return 1 when anything was lost or the program did not quit."""
    results: Path | None = options.results
    if results:
        results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        verdict = asyncio.run(
            soak(
                Path(directory),
                seconds=options.minutes * 60,
                sessions=options.sessions,
                stored=options.stored,
                rate=options.rate,
                turns=options.turns,
            )
        )
    summary = "".join(f"{name:34}{value}\n" for name, value in verdict.facts().items())
    summary += "".join(f"{what}\n" for what in (*verdict.lost, *verdict.faults))
    sys.stdout.write(summary)
    if results:
        (results / "stream.json").write_text(json.dumps({**verdict.facts(), **asdict(verdict)}), encoding="utf-8")
        (results / "stream.txt").write_text(summary, encoding="utf-8")
    return 1 if verdict.lost or verdict.faults else 0
