"""What the transcript costs, as ratios to floors of the same run: `python -m tests.benchmarks.transcript_bench [--quick]`.

Every row runs in a process and pseudo-terminal of its own (120x40, drained), one after the other, so that Textual
really writes. CPU is process time of all threads. A token is 5 characters. Only ratios from one run are worth quoting.
"""

import argparse
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

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Markdown

from chatforge_tui.domain.changes import PartAdded, TextAppended, TurnBegan, TurnChanged
from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnState
from chatforge_tui.ui.frame_screen import FrameScreen
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


class TranscriptApp(App[None]):
    """The transcript and nothing else."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, job: Job, result: dict[str, Any]) -> None:
        super().__init__()
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
            if job.kind != "idle":
                view.refresh_model()

        flush(text_of(job.begin))
        view.show(model)
        await asyncio.sleep(0.4)
        began = time.process_time()
        await produce(job.tokens, job.rate, job.begin, flush)
        self.result["cpu_per_1k"] = (time.process_time() - began) / job.tokens * 1000

    async def sizes(self, view: TranscriptView) -> None:
        other = TranscriptModel()
        other.load([stored_turn(number, ANSWER) for number in range(10)])
        began = time.process_time()
        model = TranscriptModel()
        turns = [stored_turn(number, ANSWER) for number in range(self.job.turns)]
        made = time.process_time()
        model.load(turns)
        self.result["load_ms"] = (time.process_time() - made) * 1000
        began = time.process_time()
        view.show(model)
        self.result["first_show_ms"] = (time.process_time() - began) * 1000
        await asyncio.sleep(0.2)
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
        pages: list[float] = []
        for _ in range(8):
            began = time.process_time()
            view.action_pages(-1)
            await asyncio.sleep(0.06)
            pages.append((time.process_time() - began) * 1000)
        self.result["page_ms"] = statistics.median(pages)


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
            began = time.process_time()
            await produce(job.tokens, job.rate, job.begin, kept.append)
            result["cpu_per_1k"] = (time.process_time() - began) / job.tokens * 1000

        asyncio.run(floor())
    else:
        (StockApp if job.kind == "stock" else TranscriptApp)(job, result).run()
    Path(path).write_text(json.dumps(result))


def run(job: Job) -> dict[str, float]:
    """Run one row in a process on a terminal of its own; return what it measured and the bytes it wrote."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [sys.executable, "-m", __spec__.name, "--child", json.dumps(job.__dict__), result.name]
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ, close_fds=True)
        os.close(slave)
        written = 0
        tail = b""
        while True:
            ready, _, _ = select.select([master], [], [], 0.5)
            try:
                data = os.read(master, 65536) if ready else b""
            except OSError:
                break
            written += len(data)
            tail = (tail + data)[-3000:]
            if not ready and process.poll() is not None:
                break
        process.wait()
        os.close(master)
        text = Path(result.name).read_text()
        if not text:
            raise SystemExit(f"{job} failed:\n{tail.decode(errors='replace')}")
        return {**json.loads(text), "bytes_per_token": written / max(1, job.tokens)}


def median(job: Job, key: str, repeat: int) -> float:
    """Return the median of one figure over some runs."""
    return statistics.median(run(job)[key] for _ in range(repeat))


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", nargs=2)
    parser.add_argument("--quick", action="store_true", help="once each, without the slow rows")
    arguments = parser.parse_args()
    if arguments.child:
        child(Job(**json.loads(arguments.child[0])), arguments.child[1])
        return
    repeat = 1 if arguments.quick else 3
    print(f"{'CPU s per 1,000 visible tokens':44} {'seconds':>9} {'x floor':>8} {'bytes/token':>12}")
    for rate, tokens in ((300.0, 600), (30.0, 90)):
        floor = median(Job("floor", tokens, rate), "cpu_per_1k", repeat)
        idle = median(Job("idle", tokens, rate), "cpu_per_1k", repeat)
        print(f"{f'floor, no UI, {rate:.0f} tokens/s':44} {floor:9.3f} {1:8.1f}")
        print(f"{f'Textual that shows nothing new, {rate:.0f} tokens/s':44} {idle:9.3f} {idle / floor:8.1f}")
        for name, kind in (("transcript", "transcript"), ("Textual MarkdownStream", "stock")):
            results = [run(Job(kind, tokens, rate, begin=1000)) for _ in range(repeat)]
            cpu = statistics.median(result["cpu_per_1k"] for result in results)
            written = statistics.median(result["bytes_per_token"] for result in results)
            print(f"{f'{name}, {rate:.0f} tokens/s':44} {cpu:9.3f} {cpu / floor:8.1f} {written:12.0f}")
    print()
    base = median(Job("transcript", begin=1000), "cpu_per_1k", repeat)
    for name, job in (
        ("answer of 50,000 tokens / of 1,000", Job("transcript", begin=50_000)),
        ("10,000 turns above / none", Job("transcript", begin=1000, turns=10_000)),
    ):
        print(f"{name:44} {median(job, 'cpu_per_1k', repeat) / base:9.2f}")
    print()
    print(f"{'CPU ms':20} {'load':>9} {'first show':>11} {'switch':>9} {'resize':>9} {'page up':>9}")
    for turns in (10, 1000, 10_000):
        results = [run(Job("sizes", turns=turns)) for _ in range(repeat)]
        figures = [
            statistics.median(result[key] for result in results)
            for key in ("load_ms", "first_show_ms", "switch_ms", "resize_ms", "page_ms")
        ]
        print(
            f"{f'{turns} turns':20}"
            + "".join(f" {figure:{11 if at == 1 else 9}.1f}" for at, figure in enumerate(figures))
        )


if __name__ == "__main__":
    main()
