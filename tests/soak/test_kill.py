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
    limit_ms = max(LATE_MOST_MS, 2 * max(verdict.commit_ms))
    late = [ms for ms in verdict.late_ms if ms > limit_ms]
    # beside the whole test run the machine stands still now and then: 560 ms were seen once; the long form allows none
    assert len(late) <= 1, str(verdict)
