"""What is measured: each scenario drives one program and returns figures by name. See the rows in table.py for units."""

import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.benchmarks.answers import Order, end_of, prompt
from tests.benchmarks.background import FIRST_TITLE
from tests.benchmarks.driver import Driver, MockServerProcess, Sight
from tests.benchmarks.programs import Program
from tests.benchmarks.seeded_store import LAST_WORDS, seed

READY_S = 40.0
"""How long a program may take until it can be used."""
ANSWER_S = 90.0
"""How long an answer may take beyond its own time."""
LETTERS = "bcdfghjklmnpqrstvwxz"
FIRST_LETTERS = "zq"
"""Typed before the letters that are timed; no prompt and no answer holds them in a row."""

Figures = dict[str, float]


class MeasureError(Exception):
    """A program did not do what was wanted; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    paced_tokens: int = 1000
    flood_tokens: Sequence[int] = (2000, 10_000)
    keys: int = 40
    aborts: int = 5
    idle_s: float = 3.0
    window_s: float = 6.0
    streams: Sequence[int] = (1, 10, 32, 100)
    """Side by side over HTTP, each opened with keys."""
    background: Sequence[int] = (0, 1, 100, 1000)
    """Side by side without a network."""
    stalls: Sequence[int] = (1, 100)
    """Side by side over HTTP, opened by themselves."""
    stall_windows: int = 7
    """Of two seconds each."""
    turns: Sequence[int] = (10, 100, 1000, 10_000)
    lengths: Sequence[int] = (1000, 10_000, 50_000)
    """Tokens that an answer has already."""
    tabs: Sequence[int] = (1, 1000)
    rounds: int = 2
    """Runs of each program."""
    growth_rounds: int = 1
    """In how many of them it is measured how cost grows: that takes as long as all the rest."""


SHORT = Sizes(60, (300,), 4, 1, 0.3, 0.5, (2,), (0, 2), (2,), 2, (3,), (100,), (), rounds=1)
LONG = Sizes(streams=(1, 10, 32, 100, 1000), rounds=3, growth_rounds=3)


def rate_of(streams: int) -> int:
    """Return the tokens a second of each of so many streams: 1,000 of them say 3,000 a second in all, as 100 do."""
    return 50 if streams <= 32 else max(1, 3000 // streams)


@dataclass(slots=True)
class Stage:
    """One running program, ready to be used."""

    program: Program
    driver: Driver
    server: MockServerProcess
    home: Path
    sizes: Sizes
    start: Figures = field(default_factory=dict)
    count: int = 0

    def order(self, tokens: int, rate: int, head_start: int = 0) -> Order:
        """Return an order with a name of its own."""
        self.count += 1
        return Order(tokens, rate, f"k{self.count}x", head_start)

    def begin(self, order: Order) -> None:
        """Send a prompt; wait until its answer begins.

        Raises:
            MeasureError: the request did not reach the server.
        """
        self.driver.press(self.program.send, prompt(order))
        for _ in range(2):
            if self.driver.run(5, lambda: self.server.at("first", order.name)):
                return
            self.driver.press(self.program.send[-1:])  # some take a key that comes too soon for a part of the text
        raise MeasureError("no request reached the server")

    def answer(self, tokens: int, rate: int) -> Figures:
        """Have one answer streamed; return what that cost from the prompt's keys to the calm after it.

        Raises:
            MeasureError: the answer, or its end on the screen, did not come.
        """
        driver, order, end = self.driver, self.order(tokens, rate), Sight("")
        end.pattern = re.compile(end_of(order.name))
        driver.calm(0.3, 5)
        driver.look()
        cpu, size, writes = driver.use().cpu_s, driver.size, 0
        used, written = 0.0, 0
        self.begin(order)
        seconds = tokens / rate if rate else 0
        if not driver.run(seconds + ANSWER_S, lambda: self.server.at("last", order.name)):
            raise MeasureError("the answer was not taken to its end")
        sent = self.server.at("last", order.name) or 0.0
        is_calm = False
        while not (is_calm and end.at) and time.monotonic() < sent + ANSWER_S and not driver.ended:
            is_calm = driver.calm(0.5, ANSWER_S)  # a busy machine may let a program stand still before its end
            used, written = driver.use().cpu_s - cpu, driver.size - size
            writes += len(driver.reads)
            driver.look(end)
        if end.at is None:
            raise MeasureError("the end of the answer did not come on the screen")
        return {
            "cpu_per_1k": used / tokens * 1000,
            "bytes_per_token": written / tokens,
            "reads_per_token": writes / tokens,
            "lag_ms": max(0.0, end.at - sent) * 1000,
        }

    def echo(self, keys: int) -> list[float]:
        """Type letters at an uneven pace; return the milliseconds until each was on the screen."""
        driver, pace = self.driver, random.Random(keys)  # the same pace each time
        driver.look()
        driver.write(FIRST_LETTERS.encode())
        driver.run(0.1)
        typed, stamps, sights = FIRST_LETTERS, list[float](), list[Sight]()
        for at in range(keys):
            letter = LETTERS[at % len(LETTERS)]
            typed += letter
            sights.append(Sight(re.escape(typed)))
            stamps.append(driver.write(letter.encode()))
            driver.run(pace.uniform(0.07, 0.15))
        driver.run(0.5)
        driver.look(*sights)
        return [(sight.at - stamp) * 1000 for sight, stamp in zip(sights, stamps, strict=True) if sight.at is not None]

    def clear(self) -> None:
        """Empty the prompt."""
        self.driver.press(self.program.clear)


@contextmanager
def running(
    program: Program, sizes: Sizes, furnish: Callable[[Path, int], None] = lambda home, port: None
) -> Iterator[Stage]:
    """Start a program with a home and a server of its own.

    Args:
        program: what to start.
        sizes: how much of everything.
        furnish: puts things into the home before the start; takes it and the server's port.

    Raises:
        MeasureError: it does not become ready.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        home = Path(directory)
        server = MockServerProcess()
        try:
            command, environ = program.prepare(home, server.port)
            furnish(home, server.port)
            driver = Driver(command, environ, home, server)
            try:
                ready = driver.wait_for(program.ready, READY_S)
                if ready is None:
                    last = " / ".join(line for line in driver.text().splitlines() if line.strip())[-200:]
                    raise MeasureError(f"did not become ready: {last}")
                start = {"start_s": ready - driver.began, "start_cpu_s": driver.use().cpu_s}
                yield Stage(program, driver, server, home, sizes, start)
            finally:
                driver.close()
        finally:
            server.close()


def start(stage: Stage) -> Figures:
    """Measure what is there before anything is asked."""
    driver = stage.driver
    driver.calm(0.5, 10)
    cpu, size, began = driver.use().cpu_s, driver.size, time.monotonic()
    driver.run(stage.sizes.idle_s)
    seconds = time.monotonic() - began
    return {
        **stage.start,
        "rss_mb": driver.use().rss_mb,
        "idle_cpu": (driver.use().cpu_s - cpu) / seconds * 100,
        "idle_bytes": (driver.size - size) / seconds,
    }


def paced(stage: Stage) -> Figures:
    """Measure one answer at 200 tokens a second."""
    stage.answer(40, 0)  # what is loaded for the first answer only is not its cost
    return {f"paced_{name}": value for name, value in stage.answer(stage.sizes.paced_tokens, 200).items()}


def flood(stage: Stage) -> Figures:
    """Measure answers as fast as they are taken."""
    figures: Figures = {}
    for tokens in stage.sizes.flood_tokens:
        figures |= {f"flood{tokens}_{name}": value for name, value in stage.answer(tokens, 0).items()}
    return {**figures, "flood_rss_mb": stage.driver.use().rss_mb}


def echo_idle(stage: Stage) -> Figures:
    """Measure how fast a key is shown while nothing else happens."""
    stage.driver.calm(0.5, 10)
    echoes = stage.echo(stage.sizes.keys)
    stage.clear()
    return _spread("idle_echo", echoes)


def echo(stage: Stage) -> Figures:
    """Measure how fast a key is shown while an answer streams at 200 tokens a second, and while none does."""
    figures = echo_idle(stage)
    seconds = 1 + stage.sizes.keys * 0.11 + 2
    stage.begin(order := stage.order(int(seconds * 200), 200))
    stage.driver.run(1)
    echoes = stage.echo(stage.sizes.keys)
    stage.clear()
    stage.driver.run(seconds + 10, lambda: stage.server.at("last", order.name))
    return {**figures, **_spread("echo", echoes)}


def abort(stage: Stage) -> Figures:
    """Measure the time from the key that stops an answer until the server sees its connection closed.

    Esc is a key only when nothing follows for a while; a key that begins no longer sequence shows what the program needs.
    """
    figures = _spread("abort", _aborts(stage, stage.program.abort))
    if stage.program.stop:
        figures |= _spread("stop", _aborts(stage, stage.program.stop))
    return figures


def _aborts(stage: Stage, keys: Sequence[str]) -> list[float]:
    """Stop answers with these keys; return the milliseconds that each took."""
    taken: list[float] = []
    for _ in range(stage.sizes.aborts):
        stage.begin(order := stage.order(6000, 200))
        stage.driver.run(1)
        pressed = stage.driver.press(keys)
        if not stage.driver.run(5, lambda name=order.name: stage.server.at("closed", name)):
            raise MeasureError("the server did not see an end within 5 s of the abort")
        taken.append(((stage.server.at("closed", order.name) or 0.0) - pressed) * 1000)
        stage.driver.run(0.5)
    return taken


def many(stage: Stage, streams: int) -> Figures:
    """Measure so many sessions that stream at once."""
    program, driver, sizes = stage.program, stage.driver, stage.sizes
    rate = rate_of(streams)
    tokens = int(rate * (streams * program.opens_s * 2 + sizes.window_s * 2 + 10))
    for number in range(streams):
        if number:
            driver.press(program.new)
        stage.begin(stage.order(tokens, rate))
    driver.run(1)
    cpu, size, began = driver.use().cpu_s, driver.size, time.monotonic()
    echoes = stage.echo(sizes.keys) if program.can("echo") else []
    driver.run(sizes.window_s - (time.monotonic() - began))
    seconds, used = time.monotonic() - began, driver.use()
    cores = (used.cpu_s - cpu) / seconds
    if any(stage.server.at("last", f"k{number + 1}x") for number in range(streams)):
        raise MeasureError(f"some of {streams} answers ended before the last had begun")
    figures = {"cores": cores, "cpu_per_1k": cores / (streams * rate) * 1000, "rss_mb": used.rss_mb}
    figures |= {"bytes_per_s": (driver.size - size) / seconds, **_spread("echo", echoes)}
    return {f"many{streams}_{name}": value for name, value in figures.items()}


def background(program: Program, sizes: Sizes, count: int) -> Figures:
    """Measure the program while so many sessions stream out of nowhere, 30 tokens a second each, one of them in front."""
    command = ("{python}", "-m", "tests.benchmarks.background", "{home}", str(count))
    with running(replace(program, command=command), sizes) as stage:
        driver = stage.driver
        if driver.wait_for(FIRST_TITLE, READY_S) is None:
            raise MeasureError("its streams did not begin")
        driver.run(2)
        cpu, began = driver.use().cpu_s, time.monotonic()
        driver.run(sizes.window_s)
        used, seconds = driver.use(), time.monotonic() - began
        figures = {"cores": (used.cpu_s - cpu) / seconds, "rss_mb": used.rss_mb}
        figures |= _spread("echo", stage.echo(sizes.keys * 2))
    return {f"background{count}_{name}": value for name, value in figures.items()}


def stalls(program: Program, sizes: Sizes, count: int) -> Figures:
    """Measure how late the UI's loop is while so many sessions stream over HTTP, 30 tokens a second each.

    The largest of some hundred delays is what the machine does just then. So a second program, which stands still, is watched
    at the same moments, and the figures are medians of several windows.
    """
    with _watched(program, sizes, count) as loaded, _watched(program, sizes, 0) as beside:
        loaded.driver.run(2)
        windows: dict[str, list[Figures]] = {"late": [], "beside": []}
        for _ in range(sizes.stall_windows):
            for stage in (loaded, beside):
                (stage.home / "order").write_text(str(sizes.window_s / 3))
                (stage.home / "order").rename(stage.home / "watch")
            for name, stage in (("late", loaded), ("beside", beside)):
                windows[name].append(_spread("", _delays(stage)))
    return {
        f"stalls{count}_{name}{key}": statistics.median(figures[key] for figures in found)
        for name, found in windows.items()
        for key in found[0]
    }


@contextmanager
def _watched(program: Program, sizes: Sizes, count: int) -> Iterator[Stage]:
    """Start the program with so many streams over HTTP and its loop under watch."""
    command = ("{python}", "-m", "tests.benchmarks.background", "{home}", str(count), "{port}")
    with running(replace(program, command=command), sizes) as stage:
        if stage.driver.wait_for(FIRST_TITLE, READY_S) is None:
            raise MeasureError("its streams did not begin")
        yield stage


def _delays(stage: Stage) -> list[float]:
    """Wait for what was seen of a loop; return how late it was each time, in milliseconds."""
    result = stage.home / "stalls"
    if not stage.driver.run(stage.sizes.window_s + 20, result.exists):
        raise MeasureError("its loop was not seen")
    late = [float(line) for line in result.read_text().split()]
    result.unlink()
    return late


def lengths(program: Program, sizes: Sizes, count: int) -> Figures:
    """Measure an answer at 200 tokens a second that has so many tokens already."""
    with running(program, sizes) as stage:
        driver = stage.driver
        stage.answer(40, 0)
        stage.begin(order := stage.order(count + int((count / 5000 + 4 + sizes.window_s) * 200), 200, count))
        driver.run(2 + count / 5000)
        cpu, began = driver.use().cpu_s, time.monotonic()
        driver.run(sizes.window_s)
        seconds, used = time.monotonic() - began, driver.use()
        if stage.server.at("last", order.name):
            raise MeasureError("the answer ended too early")
    figures = {"cpu_per_1k": (used.cpu_s - cpu) / seconds / 200 * 1000, "rss_mb": used.rss_mb}
    return {f"length{count}_{name}": value for name, value in figures.items()}


def turns(program: Program, sizes: Sizes, count: int) -> Figures:
    """Measure a session that holds so many turns already, and the way to it from another one."""
    with running(program, sizes, lambda home, port: seed(home, [count, 1, count])) as stage:
        driver = stage.driver
        if driver.wait_for(LAST_WORDS.format(0), 20) is None:
            raise MeasureError("the seeded session is not shown")
        driver.calm(0.5, 20)
        figures = {"start_s": stage.start["start_s"], "rss_mb": driver.use().rss_mb}
        for keys, where in ((("ctrl+pagedown",), 1), (("ctrl+pageup",), 0)) * 3:
            pressed = driver.press(keys)
            shown = driver.wait_for(LAST_WORDS.format(where), 10)
            if shown is None:
                raise MeasureError("the other session is not shown")
            if where == 0:
                figures["switch_ms"] = min(figures.get("switch_ms", 1e9), (shown - pressed) * 1000)
            driver.calm(0.2, 5)
        pressed = driver.press(("ctrl+pageup",))  # around the end: to one that was never shown
        shown = driver.wait_for(LAST_WORDS.format(2), 10)
        if shown is None:
            raise MeasureError("the session that was never shown is not shown")
        figures["open_ms"] = (shown - pressed) * 1000
        driver.calm(0.5, 20)
        driver.press(("ctrl+pagedown",))
        driver.calm(0.5, 20)
        stage.answer(40, 0)
        # From its first token on: that a protocol without a memory is sent the whole session again is not a token's cost.
        stage.begin(order := stage.order(int((4 + sizes.window_s) * 200), 200))
        driver.run(2)
        cpu, began = driver.use().cpu_s, time.monotonic()
        driver.run(sizes.window_s)
        figures["cpu_per_1k"] = (driver.use().cpu_s - cpu) / (time.monotonic() - began) / 200 * 1000
        if stage.server.at("last", order.name):
            raise MeasureError("the answer ended too early")
    return {f"turns{count}_{name}": value for name, value in figures.items()}


def tabs(program: Program, sizes: Sizes, count: int) -> Figures:
    """Measure a program that stands still with so many open tabs."""
    with running(program, sizes, lambda home, port: seed(home, [1] * count)) as stage:
        if stage.driver.wait_for(LAST_WORDS.format(0), 20) is None:
            raise MeasureError("the seeded session is not shown")
        return {f"tabs{count}_{name}": value for name, value in start(stage).items()}


def _spread(name: str, values: Sequence[float]) -> Figures:
    """Return median, 95th and 99th percentile and maximum; nothing of nothing."""
    if not values:
        return {}
    at95, at99 = (sorted(values)[min(len(values) - 1, round(part * len(values)))] for part in (0.95, 0.99))
    figures = {"p50": statistics.median(values), "p95": at95, "p99": at99, "max": max(values)}
    return {f"{name}_{key}_ms": value for key, value in figures.items()}


IN_ONE_PROCESS: dict[str, Callable[[Stage], Figures]] = {
    "start": start,
    "echo-idle": echo_idle,
    "paced": paced,
    "echo": echo,
    "abort": abort,
    "flood": flood,
}
"""In the order in which one process goes through them."""
GROWTH: dict[str, Callable[[Program, Sizes, int], Figures]] = {
    "background": background,
    "stalls": stalls,
    "turns": turns,
    "lengths": lengths,
    "tabs": tabs,
}
"""Each in a process of its own for each size; the name is also that of the sizes."""
