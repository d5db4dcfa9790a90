"""Runs the transcript, or what it is compared with, on a terminal of its own: the rows of parts.py that are about the screen.

Each job is a process on a pseudo-terminal of 120x40, drained, so that Textual really writes. CPU is process time of all
threads; what is loaded for the first answer only is not counted. A token is 5 characters.
"""

import asyncio
import fcntl
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Markdown

from chatforge_tui.domain.changes import PartAdded, TextAppended, TurnBegan, TurnChanged
from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnState
from chatforge_tui.ui.frame_screen import FrameScreen
from chatforge_tui.ui.terminal_input import UnixDriver
from chatforge_tui.ui.transcript import TranscriptModel, TranscriptView

COLUMNS, ROWS = 120, 40
TOKEN = 5
FRAME = 1 / 30
SESSION = SessionId("s")
PARAGRAPH = (
    "Streaming text into a terminal is **what the program exists for**, so here the code is `right` where the "
    "measurements say so. A paragraph of ordinary length follows another, with a [link](https://example.com/a) "
    "and some *emphasis* in it, as answers of models have.\n\n"
)
ANSWER = (
    "## A heading\n\n" + PARAGRAPH * 2 + "- one item of a list\n- another one, `with code`\n  - nested below it\n"
    "- the last\n\n"
    + PARAGRAPH
    + "```python\ndef answer(question: str) -> int:\n    return len(question) * 42\n```\n\n"
    "| column | other |\n|---|---|\n| a cell | 1 |\n| one more | 2 |\n\n"
)


def text_of(tokens: int) -> str:
    """Return so many tokens of Markdown."""
    need = tokens * TOKEN
    return (ANSWER * (need // len(ANSWER) + 1))[:need]


def stored_turn(number: int, text: str, state: TurnState = TurnState.COMPLETE) -> Turn:
    """Return a turn as the store gives it."""
    head = TurnHead(
        TurnId(f"t{number}"),
        SESSION,
        number,
        Prompt(f"question {number}"),
        RequestId(f"r{number}"),
        state=state,
        started=time.time(),
        ended=None if state.is_live else time.time(),
        agent="agent",
    )
    return Turn(head, (TextPart(0, text),))


LIMIT_S = 60.0
"""How long a job may take beyond its tokens."""
WARM_TOKENS, WARM_S = 400, 0.4
"""Before it is measured: so many tokens, and so long for what they have put off, such as colouring code."""


async def produce(tokens: int, rate: float, begin: int, flush: Callable[[str], None]) -> None:
    """Make tokens one by one at a rate, and hand them over once a frame: what every row has in common."""
    text = text_of(begin + tokens)
    start = shown = time.perf_counter()
    batch: list[str] = []
    for number in range(begin, begin + tokens):
        due = start + (number - begin) / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        batch.append(text[number * TOKEN : number * TOKEN + TOKEN])
        if time.perf_counter() - shown >= FRAME:
            flush("".join(batch))
            batch.clear()
            shown = time.perf_counter()
    flush("".join(batch))


@dataclass
class Job:
    """One row, in its own process."""

    kind: str
    tokens: int = 600
    rate: float = 300
    begin: int = 0
    """Tokens that the answer has already."""
    turns: int = 0
    """Turns above it."""


class JobFailed(Exception):
    """A job wrote no result; the message holds what it said last."""


class TranscriptApp(App[None]):
    """The transcript and nothing else."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, job: Job, result: dict[str, Any]) -> None:
        super().__init__(driver_class=UnixDriver)
        self.job, self.result = job, result

    def get_default_screen(self) -> FrameScreen:
        return FrameScreen()

    def compose(self) -> ComposeResult:
        yield TranscriptView()

    async def on_mount(self) -> None:
        self.run_worker(self.work(), exit_on_error=True)

    async def work(self) -> None:
        view, job = self.query_one(TranscriptView), self.job
        await asyncio.sleep(0.3)
        if job.kind == "sizes":
            await self.sizes(view)
        else:
            await self.stream(view)
        self.exit()

    async def stream(self, view: TranscriptView) -> None:
        job = self.job
        model = TranscriptModel()
        model.load([stored_turn(number, ANSWER) for number in range(job.turns)])
        live = stored_turn(job.turns, "", TurnState.STREAMING)
        model.apply(TurnBegan(Turn(live.head)))
        model.apply(TurnChanged(SESSION, live.head.turn_id, live.head.request_id, (PartAdded(TextPart(0, "")),)))

        def flush(text: str) -> None:
            change = TextAppended(0, text)
            model.apply(TurnChanged(SESSION, live.head.turn_id, live.head.request_id, (change,)))
            view.refresh_model()

        view.show(model)
        warm = text_of(WARM_TOKENS)
        first = (
            warm.index("//example") + 4
        )  # a link that is being written is looked at with expressions that are made then
        flush(warm[:first])
        flush(warm[first:])
        await asyncio.sleep(WARM_S)
        flush(text_of(job.begin)[WARM_TOKENS * TOKEN :])
        await produce(30, 300, job.begin, flush)
        await asyncio.sleep(WARM_S)
        began = time.process_time()
        await produce(job.tokens, job.rate, job.begin + 30, flush)
        self.result["cpu_per_1k"] = (time.process_time() - began) / job.tokens * 1000

    async def sizes(self, view: TranscriptView) -> None:
        other = TranscriptModel()
        other.load([stored_turn(number, ANSWER[400:] + ANSWER[:400]) for number in range(10)])  # no row is alike
        model = TranscriptModel()
        turns = [stored_turn(number, ANSWER) for number in range(self.job.turns)]
        made = time.process_time()
        model.load(turns)
        self.result["load_ms"] = (time.process_time() - made) * 1000
        began = time.process_time()
        view.show(model)
        await asyncio.sleep(0.2)
        self.result["open_ms"] = self.result["load_ms"] + (time.process_time() - began) * 1000
        switches: list[float] = []
        for _ in range(8):
            for shown in (other, model):
                began = time.process_time()
                view.show(shown)
                await asyncio.sleep(0.06)
                if shown is model:
                    switches.append((time.process_time() - began) * 1000)
        self.result["switch_ms"] = statistics.median(switches)
        resizes: list[float] = []
        for width in (100, 120, 90, 120):
            view.styles.width = width
            began = time.process_time()
            await asyncio.sleep(0.15)
            resizes.append((time.process_time() - began) * 1000)
        self.result["resize_ms"] = statistics.median(resizes)


class Cell(Widget):
    """Changes one cell at a time."""

    count = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        return [Strip([Segment(str(self.count % 10) + " " * (COLUMNS - 1))], COLUMNS)] * crop.height


class LeastApp(App[None]):
    """The least that a Textual program can do with a token: change one cell once a frame, past all styles."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, job: Job, result: dict[str, Any]) -> None:
        super().__init__()
        self.job, self.result = job, result

    def compose(self) -> ComposeResult:
        yield Cell()

    async def on_mount(self) -> None:
        self.run_worker(self.work(), exit_on_error=True)

    async def work(self) -> None:
        cell, job = self.query_one(Cell), self.job

        def flush(text: str) -> None:
            del text
            cell.count += 1
            cell.refresh(Region(0, 0, 1, 1))

        await produce(30, 300, 0, flush)
        await asyncio.sleep(WARM_S)
        began = time.process_time()
        await produce(job.tokens, job.rate, 0, flush)
        self.result["cpu_per_1k"] = (time.process_time() - began) / job.tokens * 1000
        self.exit()


class StockApp(App[None]):
    """Textual's own way: a Markdown widget and its stream."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, job: Job, result: dict[str, Any]) -> None:
        super().__init__()
        self.job, self.result = job, result

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Markdown(open_links=False)

    async def on_mount(self) -> None:
        self.query_one(VerticalScroll).anchor()
        self.run_worker(self.work(), exit_on_error=True)

    async def work(self) -> None:
        job = self.job
        stream = Markdown.get_stream(self.query_one(Markdown))
        if job.begin:
            await stream.write(text_of(job.begin))
        await asyncio.sleep(0.6)
        pending: list[str] = []
        began = time.process_time()
        writer = asyncio.get_running_loop().create_task(self.pump(stream, pending))
        await produce(job.tokens, job.rate, job.begin, pending.append)
        writer.cancel()
        await stream.stop()
        self.result["cpu_per_1k"] = (time.process_time() - began) / job.tokens * 1000
        self.exit()

    async def pump(self, stream: Any, pending: list[str]) -> None:
        while True:
            if pending:
                text = "".join(pending)
                pending.clear()
                await stream.write(text)
            await asyncio.sleep(FRAME / 2)


def child(job: Job, path: str) -> None:
    """Run one row and write its result down."""
    result: dict[str, Any] = {}
    if job.kind == "floor":

        async def floor() -> None:
            kept: list[str] = []
            await produce(30, 300, 0, kept.append)
            began = time.process_time()
            await produce(job.tokens, job.rate, job.begin, kept.append)
            result["cpu_per_1k"] = (time.process_time() - began) / job.tokens * 1000

        asyncio.run(floor())
    else:
        {"stock": StockApp, "least": LeastApp}.get(job.kind, TranscriptApp)(job, result).run()
    Path(path).write_text(json.dumps(result))


def run(job: Job) -> dict[str, float]:
    """Run one row in a process on a terminal of its own; return what it measured and the bytes it wrote."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [sys.executable, "-m", "tests.benchmarks.transcript_bench", json.dumps(job.__dict__), result.name]
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ, close_fds=True)
        os.close(slave)
        written = 0
        tail = b""
        deadline = time.monotonic() + LIMIT_S + job.tokens / job.rate
        while time.monotonic() < deadline:
            ready, _, _ = select.select([master], [], [], 0.5)
            try:
                data = os.read(master, 65536) if ready else b""
            except OSError:
                break
            written += len(data)
            tail = (tail + data)[-3000:]
            if not ready and process.poll() is not None:
                break
        process.kill()
        process.wait()
        os.close(master)
        text = Path(result.name).read_text()
        if not text:
            raise JobFailed(f"{job} failed:\n{tail.decode(errors='replace')}")
        return {**json.loads(text), "bytes_per_token": written / max(1, job.tokens)}


if __name__ == "__main__":
    child(Job(**json.loads(sys.argv[1])), sys.argv[2])
