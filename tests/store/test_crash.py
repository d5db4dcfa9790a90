"""Programs killed while they write: nothing acknowledged is lost, nothing is doubled, nothing is out of order."""

import asyncio
import random
import subprocess
import sys

import pytest

from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.waiting import rows
from tests.store.writing_program import text_of

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


async def check(path, lines):
    """Hold what is in the store against what was acknowledged."""
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    store = SqliteStore(path)
    await store.open()
    try:
        sessions = await store.load_sessions()
        turns = {turn.head.turn_id: turn for head in sessions for turn in await store.load_turns(head.session_id)}
    finally:
        await store.close()
    assert {words[1] for words in lines if words[0] == "session"} <= {head.session_id for head in sessions}
    for kind, turn_id, *length in (words for words in lines if words[0] not in {"open", "session"}):
        turn = turns[turn_id]
        if kind == "text":
            assert len(turn.answer) >= int(length[0])
        if kind == "end":
            assert (turn.head.state, len(turn.answer)) == (TurnState.COMPLETE, int(length[0]))
    for turn_id, turn in turns.items():
        assert turn.answer == text_of(turn_id, len(turn.answer)), "a prefix, with no piece missing or twice"
        assert turn.head.state in {TurnState.COMPLETE, TurnState.INTERRUPTED}
        assert len(turn.parts) <= 1
    return len(turns)


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
