"""Measures the start: our program, empty and with a full store, against a bare Textual program, in one interleaved run.

Run as `python -m tests.benchmarks.startup [--rounds 7] [--sessions 1000] [--turns 100] [--store DIR]`. Every program runs
in a pseudo terminal of 120x40. Only the ratios compare between machines, and only within one run. It never fails.

first, first CPU: from the launch until the first frame is on the screen; what is typed from then on is for its prompt.
wall, CPU: from the launch until a prompt can be sent, that is until the hints and the first session's page are there.
settled CPU: until nothing more is written for a second. RSS, idle: then.
"""

import argparse
import asyncio
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chatforge_tui.config.locations import HOME_VARIABLE
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.benchmarks.store import fill, index

ROOT = Path(__file__).resolve().parents[2]
BARE = "bare Textual"
FIRST_FRAME = b"Opening your sessions"
LIMIT_S = 60.0
QUIET_S = 1.0
IDLE_S = 2.0
_CONTROL = re.compile(rb"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b[P_^X\]][^\x07\x1b]*(?:\x07|\x1b\\)|[\r\n]")


@dataclass(frozen=True)
class Contestant:
    """One program and how to see that it is ready."""

    name: str
    argv: Sequence[str]
    environ: dict[str, str]
    """Beside what all have."""
    first_mark: bytes
    """What the first frame shows."""
    marks: Sequence[bytes]
    """What all must have been written when it can be used."""


@dataclass(frozen=True)
class Start:
    """What one start cost."""

    first_s: float
    first_cpu_s: float
    wall_s: float
    cpu_s: float
    settled_cpu_s: float
    rss_mb: float
    idle_bytes: float
    """Bytes a second to the terminal while nobody does anything."""
    idle_cpu: float
    """Of one core."""


COLUMNS = {
    "first s": "first_s",
    "first CPU s": "first_cpu_s",
    "wall s": "wall_s",
    "CPU s": "cpu_s",
    "settled CPU s": "settled_cpu_s",
    "RSS MB": "rss_mb",
    "idle B/s": "idle_bytes",
    "idle CPU": "idle_cpu",
}


def environment(bytecode: Path) -> dict[str, str]:
    """Return what the programs run in: modules are compiled once, as an installed program's are."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    told = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
    return {**kept, **told, "PYTHONPYCACHEPREFIX": str(bytecode)}


@contextmanager
def in_a_terminal(argv: Sequence[str], environ: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Run a program in a pseudo terminal; yield its process and the other end of the terminal."""
    pid, descriptor = pty.fork()
    if not pid:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.execvpe(argv[0], list(argv), environ)
        finally:
            os._exit(127)
    try:
        yield pid, descriptor
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(descriptor)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads of a process, the ended ones too."""
    ended = Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()
    coarse = (int(ended[11]) + int(ended[12])) / os.sysconf("SC_CLK_TCK")
    running = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        running += int((task / "schedstat").read_text().split()[0])
    return max(coarse, running / 1e9)


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def start(contestant: Contestant, environ: dict[str, str]) -> Start:
    """Start a program once and measure it."""
    began = time.monotonic()
    written = bytearray()
    with in_a_terminal(contestant.argv, {**environ, **contestant.environ}) as (pid, descriptor):

        def read(seconds: float) -> int:
            ready, _, _ = select.select([descriptor], [], [], seconds)
            try:
                data = os.read(descriptor, 262_144) if ready else b""
            except OSError as error:
                said = _CONTROL.sub(b"", written)[-1000:].decode(errors="replace")
                raise ChildProcessError(f"{contestant.name} ended: {said}") from error
            written.extend(data)
            return len(data)

        def read_until(marks: Sequence[bytes]) -> tuple[float, float]:
            while not all(mark in _CONTROL.sub(b"", written) for mark in marks):
                if time.monotonic() - began > LIMIT_S:
                    raise TimeoutError(f"{contestant.name} did not come up")
                read(0.01)
            return time.monotonic() - began, cpu_seconds(pid)

        first_s, first_cpu_s = read_until([contestant.first_mark])
        wall_s, cpu_s = read_until(contestant.marks)
        heard = time.monotonic()
        while time.monotonic() - heard < QUIET_S and time.monotonic() - began < LIMIT_S / 4:
            if read(0.05) > 64:  # a blinking cursor is no start
                heard = time.monotonic()
        settled_cpu_s, rss_mb = cpu_seconds(pid), resident_mb(pid)
        end, idle_bytes = time.monotonic() + IDLE_S, 0
        while time.monotonic() < end:
            idle_bytes += read(0.05)
        idle_cpu = (cpu_seconds(pid) - settled_cpu_s) / IDLE_S
    return Start(first_s, first_cpu_s, wall_s, cpu_s, settled_cpu_s, rss_mb, idle_bytes / IDLE_S, idle_cpu)


async def write_store(home: Path, sessions: int, turns: int) -> None:
    """Make a store of finished turns, its full-text index complete, as it is when turns come one at a time."""
    path = home / "data" / "sessions.db"
    path.parent.mkdir(mode=0o700, parents=True)
    store = SqliteStore(path)
    await store.open()
    await fill(store, sessions, turns)
    await store.close()
    index(path)


def report(results: dict[str, list[Start]]) -> None:
    """Print medians, and ratios to the floor."""
    print(f"{'':24}" + "".join(f"{name:>17}" for name in COLUMNS))
    floor = {field: statistics.median(getattr(one, field) for one in results[BARE]) for field in COLUMNS.values()}
    for name, starts in results.items():
        cells = []
        for field in COLUMNS.values():
            value = statistics.median(getattr(one, field) for one in starts)
            ratio = f"({value / floor[field]:.2f}x)" if floor[field] else ""
            cells.append(f"{value:9.3f}{ratio:>8}")
        print(f"{name:24}" + "".join(cells))
    _, empty, full = results
    against = {
        title: statistics.median(getattr(one, field) for one in results[full])
        / max(statistics.median(getattr(one, field) for one in results[empty]), 1e-9)
        for title, field in COLUMNS.items()
        if not title.startswith("idle")
    }
    print(f"\n{full} against empty: " + ", ".join(f"{title} {ratio:.2f}x" for title, ratio in against.items()))


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sessions", type=int, default=1_000)
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--store", type=Path, help="home with a store to use; made there if it is not there yet")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chatforge-startup-") as directory:
        full, empty = chosen.store or Path(directory) / "full", Path(directory) / "empty"
        if not (full / "data" / "sessions.db").exists():
            asyncio.run(write_store(full, chosen.sessions, chosen.turns))
        environ = environment(Path(directory) / "bytecode")
        program = [sys.executable, "-m", "chatforge_tui"]
        contestants = (
            Contestant(BARE, [sys.executable, "-m", "tests.benchmarks.bare_textual"], {}, b"Enter send", []),
            Contestant(
                "ChatForge, empty",
                program,
                {HOME_VARIABLE: str(empty)},
                FIRST_FRAME,
                [b"Enter send", b"A new session with"],
            ),
            Contestant(
                f"ChatForge, {chosen.sessions}x{chosen.turns}",
                program,
                {HOME_VARIABLE: str(full)},
                FIRST_FRAME,
                [b"Enter send", b"The rollback touched"],
            ),
        )
        results: dict[str, list[Start]] = {}
        for number in range(chosen.rounds + 1):
            for contestant in contestants:
                if contestant.name.endswith("empty"):
                    shutil.rmtree(empty, ignore_errors=True)
                one = start(contestant, environ)
                if number:  # the first round only warms the file system's cache
                    results.setdefault(contestant.name, []).append(one)
        report(results)


if __name__ == "__main__":
    main()
