"""The short form of the soak: the real program killed while 20 sessions stream, held against both official servers."""

import pytest

from tests.soak.kill import KINDS, LATE_MOST_MS, soak

RUNS, SESSIONS = 20, 20


def late_runs(verdict):
    """Return by how much the runs were late that were.

    What came while one commit was under way is in the next one: a disk that is slower than the promise sets the limit.
    """
    limit_ms = max(LATE_MOST_MS, 2 * max(verdict.work_ms))
    return [ms for ms in verdict.late_ms if ms > limit_ms]


@pytest.mark.timeout(580)
async def test_a_killed_program_loses_doubles_and_sends_again_nothing(tmp_path):
    async def play(name):
        directory = tmp_path / name
        directory.mkdir()
        verdict = await soak(directory, runs=RUNS, sessions=SESSIONS, seed=7, in_a_home=RUNS // len(KINDS))
        assert not verdict.faults, str(verdict)
        assert (verdict.runs, verdict.turns, verdict.streaming) == (RUNS, SESSIONS * len(KINDS), SESSIONS)
        return verdict

    verdict = await play("once")
    if len(late_runs(verdict)) == 1:
        # Beside a whole test run the program stands still now and then, for want of a processor: its own notes stop for a
        # quarter of a second. That does not come at the same throw of the dice again; a fault would.
        verdict = await play("again")
    assert not late_runs(verdict), str(verdict)
