"""Programs killed while they write: nothing acknowledged is lost, nothing is doubled, nothing is out of order."""

import asyncio
import random
import subprocess
import sys

import pytest

from tests.store.judging import check

ENDLESS = 100_000
"""Turns per session: more than there is time for."""


def run_and_kill(path, seed, journal, after):
    """Run the writing program, kill -9 it after so many acknowledgements, and return all that it acknowledged."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.store.writing_program", path, str(seed), str(ENDLESS), journal],
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [program.stdout.readline() for _ in range(after)]
    program.kill()
    rest = program.communicate()[0]
    assert program.returncode == -9
    # The kill may cut the last line: it acknowledges nothing then.
    return [line.split() for line in [*lines, *rest.splitlines(keepends=True)] if line.endswith("\n")]


async def survive(path, journal, kills):
    """One store for all the kills: each program starts on what the one before it left."""
    rng = random.Random(kills)
    everything = []
    for seed in range(kills):
        after = rng.choice([1, 2, rng.randrange(3, 20), rng.randrange(20, 120)])
        everything += await asyncio.to_thread(run_and_kill, path, seed, journal, after)
    assert await check(path, everything) > kills


async def test_a_store_survives_twenty_kills_of_its_program(path):
    await survive(path, "auto", 20)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("journal", ["delete", "wal"])
async def test_a_store_survives_two_hundred_kills_in_either_journal_mode(path, journal):
    await survive(path, journal, 200)
