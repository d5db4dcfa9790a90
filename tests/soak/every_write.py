"""Every write, sync, link and unlink of a run of the store is hit once: by death, by a full disk, by an I/O error.

    python -m tests.soak every-write [--step 1] [--results DIRECTORY]

strace stops the program at its Nth call of a kind on the store's own files (database, journal, log, index of the log,
the file that a new store is built in, their directory), for N = 1, 2, 3, ... until a run gets through unharmed: each
boundary between two steps towards the disk is tried, where random kills would miss some. Each kind of call is counted
by itself, for strace counts them so. Afterwards a fresh program holds what is on the disk against what was acknowledged.

    lost, corrupt    what was acknowledged before and is not there, text that is no prefix, what SQLite's check finds
"""

import argparse
import asyncio
import itertools
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from chatforge_tui.errors import ChatForgeError
from tests.soak.results import Results
from tests.store.judging import check

JOURNALS = ("delete", "wal")
CALLS = ("pwrite64", "ftruncate", "fdatasync", "fsync", "link", "unlink")
"""What SQLite and the store use under Linux."""
FAULTS = {"death": "signal=KILL", "full disk": "error=ENOSPC", "I/O error": "error=EIO"}
BUILDING = UUID(int=0)
"""In the name of the file that a new store is built in, so that strace can be told of it."""
_HIT = re.compile(r"^\d+ +\w+\((?:\d+<)?\"?([^>\"]+)", re.MULTILINE)


@dataclass
class Verdict:
    """What the points of one kind came to."""

    points: Counter[str] = field(default_factory=Counter[str])
    """What was hit, by the end of the file's name."""
    faults: list[str] = field(default_factory=list[str])

    @property
    def tried(self) -> int:
        """How many points were hit."""
        return self.points.total()


@dataclass(frozen=True)
class Kind:
    """One kind of point."""

    journal: str
    call: str
    fault: str

    def __str__(self) -> str:
        return f"{self.journal}, {self.call}, {self.fault}"


def can_trace() -> bool:
    """Whether strace is there and may trace."""
    strace = shutil.which("strace")
    if strace is None:
        return False
    probe = [strace, "-qq", "-o", "/dev/null", "true"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def files_of(path: Path) -> list[Path]:
    """Return the files whose calls count."""
    building = path.with_name(f"{path.name}.new-{BUILDING.hex}")
    endings = ("", "-journal", "-wal", "-shm")
    return [path.parent, *(Path(f"{file}{ending}") for file in (path, building) for ending in endings)]


def run_with_fault(path: Path, kind: Kind, number: int) -> tuple[list[list[str]], str]:
    """Run the writing program with its `number`th call hit.

    Returns:
        What it acknowledged, and the file whose call was hit; "" when the program made fewer calls.
    """
    trace = path.with_name("trace")
    injection = f"inject={kind.call}:{FAULTS[kind.fault]}:when={number}"
    strace = ["strace", "-f", "-y", "-qq", "-o", trace, "-e", f"trace={kind.call}", "-e", injection]
    only = [word for file in files_of(path) for word in ("-P", file)]
    program = [sys.executable, "-m", "tests.store.writing_program", path, "1", "1", kind.journal, BUILDING.hex]
    output = subprocess.run([*strace, *only, *program], check=False, capture_output=True, text=True).stdout
    told = trace.read_text()
    trace.unlink()
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n")]
    if "INJECTED" not in told and "+++ killed" not in told:
        return lines, ""
    return lines, _ending(path, Path(_HIT.findall(told)[number - 1]))


def _ending(path: Path, file: Path) -> str:
    """Return what tells a file of the store from the others."""
    if file == path.parent:
        return "directory"
    return file.name.removeprefix(path.name).replace(BUILDING.hex, "*") or "database"


async def hit(home: Path, kind: Kind, number: int, verdict: Verdict) -> bool:
    """Try one point; return whether there was one.

    Args:
        home: an empty directory, deleted afterwards.
        kind: what is hit, and how.
        number: which call of its kind, from 1.
        verdict: learns what came of it.
    """
    path = home / "store.db"
    lines, file = await asyncio.to_thread(run_with_fault, path, kind, number)
    try:
        if path.exists():
            await check(path, lines)
        elif lines:
            verdict.faults.append(f"{kind} {number}: acknowledged, and no store")
    except (AssertionError, ChatForgeError) as error:
        verdict.faults.append(f"{kind} {number}: {type(error).__name__}: {error}")
    shutil.rmtree(home)
    if file:
        verdict.points[file] += 1
    return bool(file)


async def hit_all(directory: Path, kind: Kind, *, step: int = 1) -> Verdict:
    """Try every `step`th point of a kind."""
    verdict = Verdict()
    for number in itertools.count(1, step):
        if not await hit(Path(tempfile.mkdtemp(dir=directory)), kind, number, verdict):
            return verdict
    raise AssertionError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--step", type=int, default=1, help="try only every Nth point")


def run(options: argparse.Namespace) -> int:
    """Run from the command line; return 1 when something acknowledged was lost, 2 when strace cannot be used."""
    if not can_trace():
        print("strace is not there, or may not trace; nothing was tried.")
        return 2
    results, points, faults = Results(options.results, "every-write"), 0, list[str]()
    for kind in (Kind(*words) for words in itertools.product(JOURNALS, CALLS, FAULTS)):
        with tempfile.TemporaryDirectory() as directory:
            verdict = asyncio.run(hit_all(Path(directory), kind, step=options.step))
        points += verdict.tried
        faults += verdict.faults
        results.add(kind=str(kind), points=verdict.tried, files=dict(verdict.points), faults=len(verdict.faults))
    results.end({"points": points, "faults": len(faults)}, faults)
    print(f"{points} points, {len(faults)} faults", *faults, sep="\n")
    return int(bool(faults))
