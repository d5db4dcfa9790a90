"""Sessions made, streamed, stopped in every state and deleted, a thousand of them, with real sockets and a real store.

    python -m tests.soak leaks [--sessions 1000] [--results DIR]

The engine runs in this process on its own event loop; A2A and OpenAI agents in a mock server of their own process. Judged:

    aborts     milliseconds until the abort has its effect and its row is saved, 99th percentile for each of the six states;
               ten sessions at a time. An abort while a turn's end is being saved comes too late on purpose: the turn is
               complete, and what counts is when its row is there
    closes     milliseconds until the server sees that the client has gone, where it has a connection
    leaks      tasks, sockets, descriptors and threads after all was deleted, over what there was after the warm-up; memory
"""

import argparse
import asyncio
import gc
import json
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Prompt, Turn, TurnState
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.sessions import ALL
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.benchmarks.answers import Order, prompt, read_order
from tests.benchmarks.process_tree import MEBIBYTE, PAGE
from tests.soak.stream import Server, mock_server

STATES = ("connecting", "headers", "body", "retry wait", "saving", "queued")
MOST_MS = 200.0
"""What an abort may take."""
AT_ONCE = 10
LASTING_S = 5.0
"""What is still there after this has leaked."""
WARM_UP = 60
"""Sessions that come before anything is counted: what is loaded once is loaded then."""


@dataclass(frozen=True)
class Count:
    """What this process holds."""

    tasks: int
    sockets: int
    descriptors: int
    threads: int
    rss_mb: float
    open_files: tuple[str, ...] = field(default=(), repr=False)
    """What the descriptors lead to."""

    @classmethod
    def now(cls) -> "Count":
        """Count."""
        gc.collect()
        files = list(Path("/proc/self/fd").iterdir())
        kinds = [str(file.readlink()) for file in files if file.is_symlink()]
        rss = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / MEBIBYTE
        sockets = sum(kind.startswith("socket:") for kind in kinds)
        return cls(len(asyncio.all_tasks()), sockets, len(kinds), threading.active_count(), round(rss, 1), tuple(kinds))

    def more_than(self, other: "Count") -> list[str]:
        """Return what there is more of here, in words."""
        found: list[str] = []
        for what in ("tasks", "sockets", "descriptors", "threads"):
            more = getattr(self, what) - getattr(other, what)
            if more > 0:
                found.append(f"{what} {more:+d}")
        if found:
            new = Counter(self.open_files) - Counter(other.open_files)
            found.append(f"open now: {', '.join(sorted(new.elements()))}")
        return found


@dataclass
class Verdict:
    """What a run came to."""

    sessions: int = 0
    abort_ms: dict[str, list[float]] = field(default_factory=lambda: {state: [] for state in STATES})
    close_ms: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """State → times from the abort to its server's end of the connection, by the server's own clock."""
    before: Count | None = None
    after: Count | None = None
    faults: list[str] = field(default_factory=list[str])

    def judge(self, most_ms: float) -> None:
        """Compare the counts, and the aborts with what was promised: at most so many milliseconds."""
        assert self.before is not None
        assert self.after is not None
        self.faults += self.after.more_than(self.before)
        if self.after.rss_mb > self.before.rss_mb * 1.1:
            self.faults.append(f"memory {self.before.rss_mb} to {self.after.rss_mb} MB")
        for what, measured in (("abort", self.abort_ms), ("close", self.close_ms)):
            for state, times in measured.items():
                if times and p99(times) > most_ms:
                    self.faults.append(f"{what} while {state}: p99 {p99(times):.0f} ms")

    def __str__(self) -> str:
        lines = [f"{self.sessions} sessions, {sum(map(len, self.abort_ms.values()))} aborts"]
        lines += [
            f"{what} while {state:12} median {sorted(times)[len(times) // 2]:6.1f} ms   p99 {p99(times):6.1f} ms   "
            f"most {max(times):6.1f} ms   of {len(times)}"
            for what, measured in (("abort", self.abort_ms), ("close", self.close_ms))
            for state, times in measured.items()
            if times
        ]
        return "\n".join([*lines, f"before {self.before}", f"after  {self.after}", *self.faults])


def p99(times: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(times)[int(len(times) * 0.99)]


class WatchedStore(SqliteStore):
    """Says which turns are on their way to the disk with their end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.ending: dict[SessionId, asyncio.Event] = {}
        """Set while the end of the session's turn is being written; the entries are made by who waits."""

    async def end_turn(self, turn: Turn, session: SessionHead) -> None:
        is_ending = self.ending.get(turn.head.session_id)
        if is_ending is None:
            await super().end_turn(turn, session)
            return
        is_ending.set()
        try:
            await super().end_turn(turn, session)
        finally:
            is_ending.clear()


@asynccontextmanager
async def silent_server(server: Server) -> AsyncIterator[int]:
    """Run a server that takes requests and answers nothing; yields its port. Notes them beside those of `server`."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received, name = b"", ""
        try:
            while data := await reader.read(65536):
                received += data
                if (order := read_order(received.decode(errors="replace"))) is not None:
                    name = order.name
                    server.asked[name] = time.monotonic()
        except ConnectionError:
            pass
        finally:
            server.left[name] = time.monotonic()
            writer.close()

    listener = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


class Hole:
    """A listener whose queue is full: connecting to it takes for ever."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._waiting = [socket.socket() for _ in range(4)]
        for each in self._waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", self.port))

    def close(self) -> None:
        """Let go."""
        for each in (*self._waiting, self._listener):
            each.close()


class Round:
    """One session after the other: made, streamed, stopped, deleted."""

    def __init__(self, manager: SessionManager, store: WatchedStore, server: Server, verdict: Verdict) -> None:
        self._manager, self._store, self._server, self._verdict = manager, store, server, verdict

    async def play(self, number: int, *, is_measured: bool) -> None:
        """Play the number-th session."""
        state = STATES[number % len(STATES)]
        protocol = ("agent", "model")[number // len(STATES) % 2]
        endpoint = {"connecting": "hole", "headers": "silent", "retry wait": "refused"}.get(state, protocol)
        manager = self._manager
        session_id = (await manager.create_session(EndpointRef(endpoint), title="t", activate=False)).session_id
        short = state == "saving"
        if short:
            self._store.ending[session_id] = asyncio.Event()
        asked = prompt(Order(5 if short else 100_000, 0 if short else 100, f"n{number}"))
        await manager.send(session_id, Prompt(asked))
        await self._until_in(state, session_id, f"n{number}")
        began = time.monotonic()
        stopped = await manager.abort(session_id)
        if short:
            await manager.finished(session_id)
            del self._store.ending[session_id]
        spent = (time.monotonic() - began) * 1_000
        turn = (await manager.turns(session_id))[-1]
        if turn.head.state is not (TurnState.COMPLETE if short else TurnState.ABORTED) or stopped == short:
            self._verdict.faults.append(f"{state}: a stopped turn is {turn.head.state}")
        if is_measured:
            self._verdict.abort_ms[state].append(spent)
        if state in ("headers", "body"):
            await self._note_close(state, f"n{number}", began, is_measured=is_measured)
        await manager.delete_session(session_id)
        await manager.purge_session(session_id)
        self._verdict.sessions += is_measured

    async def _note_close(self, state: str, name: str, began: float, *, is_measured: bool) -> None:
        """Wait until the server has seen the end of the connection."""
        end = time.monotonic() + LASTING_S
        while name not in self._server.left:
            if time.monotonic() > end:
                self._verdict.faults.append(f"{state}: the server never saw the end of the connection")
                return
            await asyncio.sleep(0.005)
        if is_measured:
            self._verdict.close_ms.setdefault(state, []).append((self._server.left[name] - began) * 1_000)

    async def _until_in(self, state: str, session_id: SessionId, name: str) -> None:
        """Wait until the turn is where it is to be stopped."""
        if state == "queued":
            return
        if state == "saving":
            await asyncio.wait_for(self._store.ending[session_id].wait(), 30)
            return
        end = time.monotonic() + 30
        while time.monotonic() < end:
            live = self._manager._workers.live_turn(session_id)
            match state:
                case "connecting":
                    await asyncio.sleep(0.02)
                    return
                case "headers" if name in self._server.asked:
                    return
                case "body" if live is not None and live.answer:
                    return
                case "retry wait" if live is not None and live.head.retry_at is not None:
                    return
                case _:
                    await asyncio.sleep(0.002)
        self._verdict.faults.append(f"never {state}")


async def soak(directory: Path, *, sessions: int, most_ms: float = MOST_MS) -> Verdict:
    """Run, and return what it came to."""
    verdict = Verdict()
    async with mock_server() as server, silent_server(server) as silent:
        with closing(Hole()) as hole:
            url = f"http://127.0.0.1:{server.port}"
            settings = Settings(
                endpoints={
                    "agent": EndpointSettings(protocol="a2a", url=url),
                    "model": EndpointSettings(protocol="openai-chat", url=f"{url}/v1", model="m"),
                    "hole": EndpointSettings(protocol="openai-chat", url=f"http://127.0.0.1:{hole.port}/v1", model="m"),
                    "silent": EndpointSettings(protocol="openai-chat", url=f"http://127.0.0.1:{silent}/v1", model="m"),
                    "refused": EndpointSettings(protocol="openai-chat", url="http://127.0.0.1:1/v1", model="m"),
                }
            )
            store = WatchedStore(directory / "sessions.db")
            async with SessionManager(store=store, endpoints=EndpointCatalog(settings, {})) as manager:
                subscription = manager.subscribe()
                subscription.focus(ALL)
                play = Round(manager, store, server, verdict).play
                for first in range(0, WARM_UP, AT_ONCE):
                    await asyncio.gather(*(play(number, is_measured=False) for number in range(first, first + AT_ONCE)))
                    subscription.drain()
                await settled()
                verdict.before = Count.now()
                for first in range(WARM_UP, WARM_UP + sessions, AT_ONCE):
                    await asyncio.gather(*(play(number, is_measured=True) for number in range(first, first + AT_ONCE)))
                    subscription.drain()
                await settled()
                verdict.after = await lasting(verdict.before)
    verdict.judge(most_ms)
    return verdict


async def settled() -> None:
    """Give what is told to agents in the background, and sockets that are closing, their time."""
    seen = 0
    while (now := len(asyncio.all_tasks())) != seen:
        seen = now
        await asyncio.sleep(1.0)


async def lasting(before: Count) -> Count:
    """Count until there is no more than before, for `LASTING_S` at most: a journal that is just being written is no leak."""
    end = time.monotonic() + LASTING_S
    while True:
        now = Count.now()
        if not now.more_than(before) or time.monotonic() > end:
            return now
        await asyncio.sleep(0.1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--sessions", type=int, default=1_000)


def run(options: argparse.Namespace) -> int:
    """Run, print the figures, and return 1 when something leaked or an abort took too long."""
    with tempfile.TemporaryDirectory() as directory:
        verdict = asyncio.run(soak(Path(directory), sessions=options.sessions))
    sys.stdout.write(f"{verdict}\n")
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / "leaks.txt").write_text(f"{verdict}\n", encoding="utf-8")
        (options.results / "leaks.json").write_text(json.dumps(verdict.abort_ms), encoding="utf-8")
    return 1 if verdict.faults else 0
