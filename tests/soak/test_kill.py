"""The short form of the soak: the real program killed while 20 sessions stream, held against both official servers."""

import pytest

from tests.soak.kill import KINDS, LATE_MOST_MS, soak

RUNS, SESSIONS = 20, 20


@pytest.mark.timeout(400)
async def test_a_killed_program_loses_doubles_and_sends_again_nothing(tmp_path):
    verdict = await soak(tmp_path, runs=RUNS, sessions=SESSIONS, seed=7, in_a_home=RUNS // len(KINDS))
    assert not verdict.faults, str(verdict)
    assert (verdict.runs, verdict.turns, verdict.streaming) == (RUNS, SESSIONS * len(KINDS), SESSIONS)
    # what came while one commit was under way is in the next one: a disk that is slower than the promise sets the limit
    assert max(verdict.late_ms) <= max(LATE_MOST_MS, 2 * max(verdict.work_ms)), str(verdict)
