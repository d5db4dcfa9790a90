"""Two programs are killed again and again while their endpoint comes and goes: what waits is sent once, and none is lost.

    python -m tests.soak outbox [--kills 200] [--seed 1] [--results DIRECTORY]

Each program is an engine on the one store, allowed to send what waits by itself. It sends prompts, takes some back, and
says so when it is told that it is done. Judged by that, by what the server read, and by the store:

    twice     prompts that the server read more than once, or that it read although they were taken back
    lost      acknowledged prompts that are not in the store exactly once, or are, although they were taken back
    stuck     prompts that still wait when the endpoint has been there for long enough
    unheard   prompts that a kill met between the store and the server: interrupted, and not sent again. No fault.
"""

import argparse
import asyncio
import json
import random
import re
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.errors import SessionBusy, UnknownSession
from chatforge_tui.sessions import EngineSettings, SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.soak.results import Results

SETTINGS = EngineSettings(
    max_retries=0, keeps_unsent=True, sends_unsent=True, unsent_pauses_s=(0.05, 0.2), has_tabs=True, look_s=0.1
)
REF = EndpointRef("flapping")
PROGRAMS = 2
SESSIONS = 5
"""That each program opens."""
LAST_S = 30.0
"""What waits has so long to go, at the end, when the endpoint stays."""
_EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"so "}}]}\n\n'
_END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@dataclass
class Verdict:
    """What all lives came to."""

    kills: int = 0
    sent: int = 0
    taken_back: int = 0
    heard: int = 0
    unheard: int = 0
    failed: int = 0
    twice: list[str] = field(default_factory=list[str])
    lost: list[str] = field(default_factory=list[str])
    stuck: list[str] = field(default_factory=list[str])

    @property
    def faults(self) -> list[str]:
        return [f"{name} {one}" for name in ("twice", "lost", "stuck") for one in getattr(self, name)]

    def __str__(self) -> str:
        return (
            f"kills {self.kills}, prompts {self.sent}, taken back {self.taken_back}, read by the server {self.heard}, "
            f"interrupted unheard {self.unheard}, failed {self.failed}; "
            f"twice {len(self.twice)}, lost {len(self.lost)}, stuck {len(self.stuck)}"
        )


class Flapping:
    """A server that listens only now and then, on one port of this machine."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.heard: Counter[str] = Counter()
        """Prompt -> how often its request was read whole."""
        self._server: asyncio.Server | None = None

    async def up(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)

    async def down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def flap(self, dice: random.Random) -> None:
        while True:
            await self.up()
            await asyncio.sleep(dice.uniform(0.02, 0.4))
            await self.down()
            await asyncio.sleep(dice.uniform(0.02, 0.6))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            if length is None:
                writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            else:
                body = json.loads(await reader.readexactly(int(length[1])))
                self.heard.update(re.findall(r"p\d+\.\d+\.\d+\.", body["messages"][-1]["content"])[-1:])
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
                for _ in range(3):
                    writer.write(_EVENT)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                writer.write(_END)
            await writer.drain()
        writer.close()


async def live(path: Path, port: int, name: str, seed: str) -> None:
    """Be one program: send and take back for ever, and say on standard output what is acknowledged."""
    dice, count = random.Random(seed), 0
    async with _manager(path, port) as manager:
        while len(manager.sessions()) < SESSIONS * PROGRAMS:
            await manager.create_session(REF)
        while True:
            count += 1
            try:
                session_id = dice.choice(manager.sessions()).session_id
                if dice.random() < 0.15:
                    print("taking", flush=True)
                    taken = await manager.take_back(session_id)
                    print("back", taken.text if taken is not None else "nothing", flush=True)
                else:
                    text = f"{name}.{count}."
                    await manager.send(session_id, Prompt(text))
                    print("sent", text, flush=True)
            except (SessionBusy, UnknownSession):
                pass
            await asyncio.sleep(dice.uniform(0.0, 0.1))


def _manager(path: Path, port: int) -> SessionManager:
    settings = EndpointSettings(protocol="openai-chat", url=f"http://127.0.0.1:{port}/v1", model="m", proxy="direct")
    catalog = EndpointCatalog(Settings(endpoints={REF.name: settings}), {})
    return SessionManager(store=SqliteStore(path), endpoints=catalog, settings=SETTINGS)


class Lives:
    """The programs, one life after another, and what they said."""

    def __init__(self, path: Path, port: int, dice: random.Random) -> None:
        self._path, self._port, self._dice = path, port, dice
        self.sent: list[str] = []
        self.taken_back: list[str] = []
        self.cut = 0
        """Lives that ended while a prompt was being taken back: it may be gone without a word."""

    async def live(self, number: int, life: int) -> None:
        """Let one program live for a while, and kill it."""
        name = f"p{number}.{life}"
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "tests.soak.outbox",
                str(self._path),
                str(self._port),
                name,
                str(self._dice.random()),
            ),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        first = await process.stdout.readline()
        said = [first]
        await asyncio.sleep(self._dice.uniform(0.05, 1.5))
        process.send_signal(signal.SIGKILL)
        said += (await process.stdout.read()).splitlines()
        await process.wait()
        for line in said:
            match line.decode().split():
                case ["sent", text]:
                    self.sent.append(text)
                case ["back", text] if text != "nothing":
                    self.taken_back.append(text)
                case _:
                    pass
        self.cut += said[-1].strip() == b"taking"


async def soak(directory: Path, *, kills: int, seed: int, results: Results) -> Verdict:
    """Kill the programs so often, then let one send what is left, and judge."""
    dice, server, path = random.Random(seed), Flapping(), directory / "data" / "store.db"
    lives, began = Lives(path, server.port, dice), time.monotonic()

    async def one(number: int) -> None:
        for life in range(kills // PROGRAMS):
            await lives.live(number, life)

    async with asyncio.TaskGroup() as group:
        flaps = group.create_task(server.flap(dice))
        await asyncio.gather(*(one(number) for number in range(PROGRAMS)))
        flaps.cancel()
    await server.up()
    verdict = await _judge(path, server, lives)
    verdict.kills = kills // PROGRAMS * PROGRAMS
    await server.down()
    results.add(seconds=round(time.monotonic() - began, 1), verdict=str(verdict))
    return verdict


async def _judge(path: Path, server: Flapping, lives: Lives) -> Verdict:
    async with _manager(path, server.port) as manager:
        for head in manager.sessions():
            manager.activate(head.session_id)
            await manager.send_unsent(head.session_id)
        watcher = manager.subscribe()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_S):
                while any(_is_busy(head.unsent, head.last_state) for head in manager.sessions()):
                    await watcher.batch()
        watcher.close()
        turns = [turn.head for head in manager.sessions() for turn in await manager.turns(head.session_id)]
    kept, gone = Counter(head.prompt.text for head in turns), set(lives.taken_back)
    lost = [
        f"{text} (in the store {kept[text]} times, taken back {text in gone}, read {server.heard[text]} times)"
        for text in lives.sent
        if kept[text] != (text not in gone)
    ]
    gone_silently = [text for text in lives.sent if not kept[text] and text not in gone and not server.heard[text]]
    return Verdict(
        sent=len(lives.sent),
        taken_back=len(gone),
        heard=sum(server.heard.values()),
        unheard=sum(not server.heard[head.prompt.text] for head in turns if head.state is TurnState.INTERRUPTED),
        failed=sum(head.state is TurnState.FAILED for head in turns),
        twice=[text for text, count in server.heard.items() if count > 1 or text in gone],
        lost=lost if len(lost) > len(gone_silently) or len(lost) > lives.cut else [],
        stuck=[head.prompt.text for head in turns if head.state is TurnState.UNSENT],
    )


def _is_busy(unsent: int, state: TurnState | None) -> bool:
    return unsent > 0 or (state is not None and state.is_live)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be chosen."""
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> int:
    """Soak, and say what came of it."""
    results = Results(options.results, "outbox")
    with tempfile.TemporaryDirectory() as directory:
        verdict = asyncio.run(soak(Path(directory), kills=options.kills, seed=options.seed, results=results))
    summary: dict[str, Any] = {"verdict": str(verdict)}
    results.end(summary, verdict.faults)
    print(verdict, *verdict.faults[:10], sep="\n")
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]))
