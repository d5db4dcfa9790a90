"""What transcript, engine, wire and store cost, each beside its floor of the same run: `python -m tests.benchmarks.parts`.

    --quick             once each, small: proves in seconds that it works; the figures mean nothing
    --only visible30    some rows: see MEASUREMENTS
    --rounds 3          how often; the ratio is the median of the rounds' ratios

Every measurement runs in a process of its own, the floor right before or behind ours. CPU is process time of all threads,
memory is what tracemalloc sees. Only ratios are worth quoting. The whole program is measured by `python -m tests.benchmarks`.
"""

import argparse
import asyncio
import gc
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate, cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.events import Accepted, StreamEvent, TextDelta
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.request import PromptRequest
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.store.file_system import is_local
from chatforge_tui.store.pragmas import choose_journal, prepare_writing
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.ui.transcript import TranscriptModel
from tests.benchmarks.answers import SECTION, Order, prompt, tokens_of
from tests.benchmarks.background import RATE, REF, BusyManager, Synthetic, SyntheticEndpoint
from tests.benchmarks.driver import ROOT, MockServerProcess
from tests.benchmarks.floors import raw_sockets
from tests.benchmarks.table import aligned
from tests.benchmarks.transcript_bench import Job, JobFailed, run
from tests.store.values import a_session, a_turn, counted, ended


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of everything."""

    seconds: float = 3.0
    """How long CPU is counted."""
    streams: int = 1000
    """Without a network."""
    http_streams: int = 100
    deltas: int = 200
    """Of each of 100 turns."""
    idle_sessions: int = 1000
    """Whose memory is counted: so many that the table they stand in is none of it."""
    sessions: int = 100
    """Streaming ones whose memory is counted."""
    turns: int = 1000
    """Of the session whose memory is counted."""


QUICK = Amounts(0.3, 20, 3, 20, 20, 10, 50)
Pair = tuple[float, float]
"""Ours and the floor's; 0 = there is no floor."""
Measure = Callable[[Amounts], Awaitable[Pair]]


@asynccontextmanager
async def home() -> AsyncIterator[Path]:
    """Give a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a task of a floor."""
    return asyncio.get_running_loop().create_task(work)


async def dismiss(tasks: list[asyncio.Task[None]]) -> None:
    """End the tasks of a floor."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def cpu_each(seconds: float, count: Callable[[], int]) -> float:
    """Let everything run for so long; return the microseconds of CPU for each of what `count` counts.

    What came is counted, not what was due: on a busy machine that is less.
    """
    before = count()
    began = time.process_time()
    await asyncio.sleep(seconds)
    used = time.process_time() - began
    return used / max(1, count() - before) * 1e6


class Beat:
    """One clock for all streams of a floor."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Return at the next beat, one of 30 a second."""
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.create_future()
            loop.call_at((loop.time() * RATE // 1 + 1) / RATE, self._strike)
        await self._next

    def _strike(self) -> None:
        beat, self._next = self._next, None
        if beat is not None and not beat.done():  # who waits last may have been cancelled: the streams end
            beat.set_result(None)


async def bare_stream(beat: Beat, name: str) -> AsyncGenerator[StreamEvent, None]:
    """Say a token at each beat."""
    for token in cycle(tokens_of(Order(5000, RATE, name))):
        await beat.wait()
        yield TextDelta(token)


def background_token(*, is_even: bool) -> Measure:
    """Microseconds a token of a hidden session takes in engine and store; floor: its task, generator and a list.

    The floor wakes up for each token. Ours reads a model of a socket, at which a token comes each 33 ms, at the pace of
    hidden sessions: ten times a second, three tokens at once. `is_even`: at that of a watched one, as the floor.
    """

    async def measure(amounts: Amounts) -> Pair:
        beat, kept = Beat(), list[object]()

        async def take(number: int) -> None:
            async for event in bare_stream(beat, str(number)):
                kept.append(event)

        floor = [spawn(take(number)) for number in range(amounts.streams)]
        await asyncio.sleep(amounts.seconds / 4)
        least = await cpu_each(amounts.seconds, lambda: len(kept))
        await dismiss(floor)
        kept.clear()
        endpoints = Synthetic(is_even=is_even)
        async with home() as directory, BusyManager(directory, amounts.streams, endpoints) as manager:
            manager.subscribe()
            await asyncio.sleep(amounts.seconds / 4)
            return await cpu_each(amounts.seconds, lambda: endpoints.said), least

    return measure


async def http_event(amounts: Amounts) -> Pair:
    """Microseconds an SSE event takes from the socket to the state and the store; floor: asyncio's reader and json."""
    orders = [
        Order(int(RATE * (amounts.seconds * 6 + 60)), RATE, f"k{number}x") for number in range(amounts.http_streams * 2)
    ]
    ends = list(accumulate(map(len, tokens_of(orders[0]))))  # the same for all but their last words
    said: list[list[str]] = [[] for _ in orders[::2]]
    server = MockServerProcess()
    try:
        asked = zip(orders[::2], said, strict=True)
        floor = [spawn(raw_sockets.answer(server.port, prompt(order), into)) for order, into in asked]
        await asyncio.sleep(amounts.seconds / 4 + 0.5)
        least = await cpu_each(amounts.seconds, lambda: sum(map(len, said)))
        await dismiss(floor)
        async with home() as directory, engine(directory, server.port) as manager:
            manager.subscribe()
            heads = await asyncio.gather(*(ask(manager, prompt(order)) for order in orders[1::2]))
            await asyncio.sleep(amounts.seconds / 4 + 0.5)

            def events() -> int:
                answers = (manager._workers.live_turn(head.session_id) for head in heads)
                return sum(bisect_right(ends, len(answer.answer)) for answer in answers if answer is not None)

            return await cpu_each(amounts.seconds, events), least
    finally:
        server.close()


def engine(directory: Path, port: int) -> SessionManager:
    """Return an engine that talks to the mock server."""
    settings = EndpointSettings(protocol="openai-chat", url=f"http://127.0.0.1:{port}/v1", model="mock")
    catalog = EndpointCatalog(Settings(endpoints={"bench": settings}), {})
    return SessionManager(store=SqliteStore(directory / "sessions.db"), endpoints=catalog)


async def ask(manager: SessionManager, text: str) -> SessionHead:
    """Send a prompt in a session of its own."""
    head = await manager.create_session(EndpointRef("bench"), title=text, activate=False)
    await manager.send(head.session_id, Prompt(text))
    return head


DELTA = "x" * 200
STREAMS_STORED = 100
A_COMMIT = 5
"""So often text of a stream of 30 events a second comes until it is committed."""


async def stored_delta(amounts: Amounts) -> Pair:
    """Microseconds of CPU that 200 bytes more of a turn take until they are in the store; floor: a raw write of them."""
    text, turns = DELTA, STREAMS_STORED
    async with home() as directory:
        least = written_raw(directory, amounts)
        store = SqliteStore(directory / "sessions.db")
        await store.open()
        heads = []
        for position in range(turns):
            session = a_session(position=position)
            await store.create_session(session)
            heads.append(a_turn(session))
            await store.begin_turn(heads[-1], counted(session, 1, TurnState.QUEUED))
            store.record(heads[-1].turn_id, [PartAdded(TextPart(0, ""))])
        await store.flush()
        began = time.process_time()
        for number in range(amounts.deltas):
            for head in heads:
                store.grow(head.turn_id, TextAppended(0, text))
            if number % A_COMMIT == A_COMMIT - 1:
                await store.flush()
        await store.flush()
        ours = time.process_time() - began
        await store.close()
    return ours * 1e6 / (turns * amounts.deltas), least


async def bare_delta(amounts: Amounts) -> Pair:
    """The same in bare sqlite3, synced as the store is: one row in a transaction for what 100 streams got meanwhile."""
    async with home() as directory:
        least = written_raw(directory, amounts)
        db = sqlite3.connect(directory / "bare.db", isolation_level=None)
        prepare_writing(db, choose_journal(local=is_local(directory)), alone=True)
        db.execute("CREATE TABLE log (key INTEGER PRIMARY KEY, written REAL, body BLOB)")
        body = DELTA.encode() * A_COMMIT * STREAMS_STORED
        began = time.process_time()
        for _ in range(amounts.deltas // A_COMMIT):
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO log (written, body) VALUES (?, ?)", (time.time(), body))
            db.execute("COMMIT")
        used = time.process_time() - began
        db.close()
    return used * 1e6 / (STREAMS_STORED * amounts.deltas), least


def written_raw(directory: Path, amounts: Amounts) -> float:
    """Return the microseconds of CPU that a raw write of 200 bytes takes."""
    data, times = DELTA.encode(), STREAMS_STORED * amounts.deltas
    with (directory / "raw").open("ab", buffering=0) as raw:
        began = time.process_time()
        for _ in range(times):
            raw.write(data)
        return (time.process_time() - began) * 1e6 / times


async def session_idle(amounts: Amounts) -> Pair:
    """Bytes that an idle session holds in the engine beside its title. Its endpoint is that of the others."""
    titles = [f"t{number}" for number in range(amounts.idle_sessions)]
    async with quiet_engine() as manager:
        await manager.create_session(REF, title="what is loaded once is loaded now", activate=False)
        await asyncio.sleep(0.3)
        before = traced()
        for title in titles:
            await manager.create_session(REF, title=title, activate=False)
        await asyncio.sleep(0.3)
        return (traced() - before) / amounts.idle_sessions, 0.0


class Still(SyntheticEndpoint):
    """Says 20 tokens and stands still, without keeping any more. One for all sessions."""

    def __init__(self) -> None:
        super().__init__(Synthetic())

    def connect(self, ref: EndpointRef) -> Self:
        del ref
        return self

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        del request
        yield Accepted("synthetic")
        for _ in range(20):
            yield TextDelta("word ")
        await asyncio.get_running_loop().create_future()


@asynccontextmanager
async def quiet_engine() -> AsyncIterator[SessionManager]:
    """Give an engine whose streams stand still."""
    async with (
        home() as directory,
        SessionManager(store=SqliteStore(directory / "sessions.db"), endpoints=Still()) as manager,
    ):
        yield manager


async def standing(stream: AsyncGenerator[StreamEvent, None]) -> Awaitable[StreamEvent]:
    """Read a stream of `Still` up to where it stands still, with no task around it; return what holds it there."""
    for _ in range(21):
        await anext(stream)
    last = stream.__anext__()
    last.__await__().send(None)
    return last


def session_streaming(*, is_whole: bool) -> Measure:
    """Bytes that a streaming session holds beyond an idle one, without a connection; floor: its task and generator.

    `is_whole`: with the stream, which is the endpoint's: a generator that waits. Without it the floor is its task alone.
    """

    async def measure(amounts: Amounts) -> Pair:
        endpoint = Still()
        async with quiet_engine() as manager:
            kept: list[object] = [None] * amounts.sessions

            async def take(number: int) -> None:
                async for event in endpoint.stream(SimpleNamespace()):
                    kept[number] = event

            first = await manager.create_session(REF, title="first", activate=False)
            await manager.send(first.session_id, Prompt("what is loaded once is loaded now"))
            await asyncio.sleep(0.3)
            before = traced()
            streams = [await standing(endpoint.stream(SimpleNamespace())) for _ in range(amounts.sessions)]
            apart = 0 if is_whole else traced() - before
            for stream in streams:
                with suppress(asyncio.CancelledError):
                    stream.__await__().throw(asyncio.CancelledError())
            del streams
            before = traced()
            floor = [spawn(take(number)) for number in range(amounts.sessions)]
            await asyncio.sleep(0.3)
            least = traced() - before
            await dismiss(floor)
            session_ids = [
                (await manager.create_session(REF, title=f"t{number}", activate=False)).session_id
                for number in range(amounts.sessions)
            ]
            await asyncio.sleep(0.3)
            before = traced()
            for session_id in session_ids:
                await manager.send(session_id, Prompt("go on"))
            await asyncio.sleep(0.5)
            ours = traced() - before
            return (ours - apart) / amounts.sessions, (least - apart) / amounts.sessions

    return measure


async def session_over_http(amounts: Amounts) -> Pair:
    """The same with its HTTP connection; floor: that of asyncio's reader."""
    server = MockServerProcess()
    try:
        ref = EndpointRef("bench")
        # one token a second: what a burst leaves until the next read is not what a session holds
        orders = [prompt(Order(100, 1, f"k{number}x")) for number in range(amounts.sessions * 2 + 1)]
        async with home() as directory, engine(directory, server.port) as manager:
            await ask(manager, orders[0])
            await asyncio.sleep(1.5)  # what is loaded with the first answer is loaded then
            before = traced()
            floor = [spawn(raw_sockets.answer(server.port, text, [])) for text in orders[1::2]]
            await asyncio.sleep(0.5)
            least = traced() - before
            await dismiss(floor)
            session_ids = [
                (await manager.create_session(ref, title=text, activate=False)).session_id for text in orders[2::2]
            ]
            await asyncio.sleep(0.3)
            before = traced()
            for session_id, text in zip(session_ids, orders[2::2], strict=True):
                await manager.send(session_id, Prompt(text))
            await asyncio.sleep(0.5)
            return (traced() - before) / amounts.sessions, least / amounts.sessions
    finally:
        server.close()


async def message_memory(amounts: Amounts) -> Pair:
    """Bytes that a message of a session which was opened holds; floor: its text. A turn is two messages."""
    async with home() as directory:
        store = SqliteStore(directory / "sessions.db")
        await store.open()
        session = a_session()
        await store.create_session(session)
        head = counted(session, amounts.turns, TurnState.COMPLETE)
        texts = [SECTION.replace("{n}", str(number))[:700] for number in range(amounts.turns)]
        prompts = [f"question {number}: {text[:200]}" for number, text in enumerate(texts)]
        pairs = enumerate(zip(prompts, texts, strict=True))
        done = [ended(a_turn(session, number, text=asked), text) for number, (asked, text) in pairs]
        await asyncio.gather(*(store.end_turn(turn, head) for turn in done))
        source = sum(len(text.encode()) for text in (*texts, *prompts))
        del done, texts, prompts, pairs
        before = traced()
        model = TranscriptModel()
        model.load(await store.load_turns(session.session_id))
        ours = traced() - before
        await store.close()
    return ours / amounts.turns / 2, source / amounts.turns / 2


def visible_token(rate: float, kind: str) -> Measure:
    """Microseconds of CPU that a token takes at a rate; floor: the same producer without a screen."""

    async def measure(amounts: Amounts) -> Pair:
        tokens = max(10, int(rate * amounts.seconds))
        floor = run(Job("floor", tokens, rate))["cpu_per_1k"]
        return run(Job(kind, tokens, rate, begin=1000))["cpu_per_1k"] * 1000, floor * 1000

    return measure


async def long_answer(amounts: Amounts) -> Pair:
    """Microseconds of a token at 300 a second when the answer has 50,000 already; floor: 1,000."""
    tokens = max(10, int(300 * amounts.seconds))
    after = (
        run(Job("transcript", tokens, 300, begin=begin))["cpu_per_1k"] * 1000 for begin in (1000, 50 * amounts.turns)
    )
    floor, ours = after
    return ours, floor


async def long_session(amounts: Amounts) -> Pair:
    """Microseconds of a token at 300 a second with 10,000 turns above it; floor: 10."""
    tokens = max(10, int(300 * amounts.seconds))
    below = (
        run(Job("transcript", tokens, 300, 1000, turns))["cpu_per_1k"] * 1000 for turns in (10, 10 * amounts.turns)
    )
    floor, ours = below
    return ours, floor


def by_size(figure: str) -> Measure:
    """Milliseconds of CPU that something takes with 10,000 turns; floor: with 10."""

    async def measure(amounts: Amounts) -> Pair:
        floor, ours = (run(Job("sizes", turns=turns))[figure] for turns in (10, 10 * amounts.turns))
        return ours, floor

    return measure


def traced() -> int:
    """Return the bytes that Python's objects take; tracing begins with the first call."""
    if not tracemalloc.is_tracing():
        tracemalloc.start()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row."""

    label: str
    unit: str
    target: str
    measure: Measure


MEASUREMENTS = {
    "visible300": Measurement(
        "visible token at 300/s; producer without a screen", "us CPU", "3x", visible_token(300, "transcript")
    ),
    "least300": Measurement(
        "the same, a Textual program that changes one cell", "us CPU", "", visible_token(300, "least")
    ),
    "stock300": Measurement("the same, Textual's MarkdownStream", "us CPU", "", visible_token(300, "stock")),
    "visible30": Measurement("visible token at 30/s", "us CPU", "4x", visible_token(30, "transcript")),
    "least30": Measurement(
        "the same, a Textual program that changes one cell", "us CPU", "", visible_token(30, "least")
    ),
    "stock30": Measurement("the same, Textual's MarkdownStream", "us CPU", "", visible_token(30, "stock")),
    "answer": Measurement("visible token in an answer of 50,000; of 1,000", "us CPU", "1.1x", long_answer),
    "session": Measurement("visible token below 10,000 turns; below 10", "us CPU", "1.1x", long_session),
    "switch": Measurement("switch to 10,000 turns; to 10", "ms CPU", "1.2x, 10", by_size("switch_ms")),
    "open": Measurement("first look at 10,000 turns; at 10", "ms CPU", "100", by_size("open_ms")),
    "resize": Measurement("another width with 10,000 turns; with 10", "ms CPU", "2x, 50", by_size("resize_ms")),
    "background": Measurement(
        "hidden token, 1,000 streams read ten times a second; tasks that only append",
        "us CPU",
        "3 us",
        background_token(is_even=False),
    ),
    "background30": Measurement("the same, read 30 times a second", "us CPU", "", background_token(is_even=True)),
    "event": Measurement("SSE event, socket to store; asyncio's reader and json", "us CPU", "2x", http_event),
    "delta": Measurement("200 bytes into the store, batched; a raw write", "us CPU", "2x", stored_delta),
    "bare": Measurement("the same, bare sqlite3", "us CPU", "", bare_delta),
    "idle": Measurement("an idle session, its title apart", "bytes", "250", session_idle),
    "streaming": Measurement(
        "a streaming session, its stream apart; its task", "bytes", "2,048", session_streaming(is_whole=False)
    ),
    "stream": Measurement(
        "the same with its stream, a generator that waits", "bytes", "", session_streaming(is_whole=True)
    ),
    "connected": Measurement("the same with its connection; asyncio's reader", "bytes", "", session_over_http),
    "message": Measurement("a message of an opened session; its text", "bytes", "1.5x + 400", message_memory),
}
ON_A_TERMINAL = tuple(MEASUREMENTS)[:11]
"""Rows that start their own processes."""


def child(name: str, amounts: Amounts) -> None:
    """Measure one row once."""
    written = asyncio.run(_measured(name, amounts))
    sys.stdout.write(json.dumps(written) + "\n")
    sys.stdout.flush()
    os._exit(0)


async def _measured(name: str, amounts: Amounts) -> Pair:
    return await MEASUREMENTS[name].measure(amounts)


def measured(name: str, *, is_quick: bool) -> Pair | None:
    """Measure one row once in a process of its own; None when that failed."""
    if name in ON_A_TERMINAL:
        try:
            return asyncio.run(_measured(name, QUICK if is_quick else Amounts()))
        except (OSError, JobFailed) as error:
            sys.stderr.write(f"{error}\n")
            return None
    command = [sys.executable, "-m", __spec__.name, "--child", name, *(["--quick"] if is_quick else [])]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired as error:
        sys.stderr.write(f"{error}\n")
        return None
    if done.returncode:
        sys.stderr.write(done.stderr)
        return None
    ours, floor = json.loads(done.stdout.splitlines()[-1])
    return ours, floor


def measure(names: Sequence[str], rounds: int, *, is_quick: bool = False) -> dict[str, list[Pair]]:
    """Measure rows in turns; what cannot be measured is told on stderr and has no pairs."""
    found: dict[str, list[Pair]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            if (pair := measured(name, is_quick=is_quick)) is not None:
                found[name].append(pair)
    return found


def cells_of(name: str, pairs: Sequence[Pair]) -> tuple[str, str, str, str, str]:
    """Return what a table shows of a row: label with unit, ours, floor, ratio, target."""
    row = MEASUREMENTS[name]
    label = f"{row.label}, {row.unit}"
    if not pairs:
        return label, "not measured", "", "", row.target
    ours, floor = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = f"{statistics.median(one / other for one, other in pairs):.2f}x" if floor else ""
    return label, _figure(ours), _figure(floor) if floor else "", ratio, row.target


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def markdown(found: Mapping[str, Sequence[Pair]]) -> str:
    """Return the table for the README."""
    rows = [("what; its floor", "ChatForge", "floor", "ratio", "target"), (":--", "--:", "--:", "--:", "--:")]
    rows += [cells_of(name, pairs) for name, pairs in found.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--child", choices=MEASUREMENTS)
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--only", default="", help=f"rows, with commas: {' '.join(MEASUREMENTS)}")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child, QUICK if asked.quick else Amounts())
        return
    names = asked.only.split(",") if asked.only else list(MEASUREMENTS)
    print(aligned(markdown(measure(names, 1 if asked.quick else asked.rounds, is_quick=asked.quick))))


if __name__ == "__main__":
    main()
