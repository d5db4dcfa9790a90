"""Every write, sync, link and unlink of a run is hit once: by death, by a full disk, by an I/O error.

strace stops the program at its Nth call of a kind, for N = 1, 2, 3, ... until a run gets through unharmed: each
boundary between two steps towards the disk is tried, where random kills would miss some.
"""

import asyncio
import itertools
import shutil
import subprocess
import sys

import pytest

from tests.store.test_crash import check

CALLS = {
    "writes": "pwrite64,write,ftruncate",
    "syncs": "fdatasync,fsync",
    "names": "link,linkat,unlink,unlinkat,rename",
}
FAULTS = {"death": "signal=KILL", "full disk": "error=ENOSPC", "I/O error": "error=EIO"}


def run(*command):
    return subprocess.run(command, check=False, capture_output=True, text=True)


def can_trace():
    """Whether strace is there and may trace."""
    return bool(shutil.which("strace")) and run("strace", "-qq", "-o", "/dev/null", "true").returncode == 0


def run_with_fault(path, journal, calls, fault, number):
    """Run the writing program with its `number`th call on the store hit; return its lines and whether it was hit."""
    trace = path.with_name("trace")
    strace = ["strace", "-f", "-qq", "-o", trace, "-e", f"trace={calls}", "-e", f"inject={calls}:{fault}:when={number}"]
    program = [sys.executable, "-m", "tests.store.writing_program", path, "1", "1", journal]
    output = run(*strace, *only_the_store(path), *program).stdout
    was_hit = "INJECTED" in trace.read_text() or "+++ killed" in trace.read_text()
    trace.unlink()
    return [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n")], was_hit


def only_the_store(path):
    """Name the files whose calls count, for strace."""
    files = [path.parent, *(f"{path}{ending}" for ending in ("", "-journal", "-wal", "-shm"))]
    return [word for file in files for word in ("-P", file)]


async def hit_everything(tmp_path, journal, calls, fault, *, step=1, most=2000):
    """Try every `step`th point; return how many were tried."""
    tried = 0
    for number in itertools.count(1, step):
        home = tmp_path / str(number)
        home.mkdir()
        path = home / "store.db"
        lines, was_hit = await asyncio.to_thread(run_with_fault, path, journal, calls, fault, number)
        if path.exists():
            await check(path, lines)
        else:
            assert lines == []
        shutil.rmtree(home)
        tried += was_hit
        if not was_hit or tried == most:
            return tried
    raise AssertionError


needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not there, or may not trace")


@needs_strace
@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", list(FAULTS))
async def test_a_sample_of_all_writes_and_syncs_can_fail_without_loss(tmp_path, fault):
    assert await hit_everything(tmp_path, "auto", ",".join(CALLS.values()), FAULTS[fault], step=97, most=4) > 1


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("calls", list(CALLS))
async def test_every_write_sync_and_name_can_fail_without_loss(tmp_path, journal, fault, calls):
    tried = await hit_everything(tmp_path, journal, CALLS[calls], FAULTS[fault])
    print(f"{journal}, {calls}, {fault}: {tried} points")
    assert tried > 0
