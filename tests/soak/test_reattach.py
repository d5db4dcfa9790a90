"""The short form: the real program, killed after a random number of the agent's bytes, reads on with both official servers."""

import pytest

from tests.soak.reattach import soak

RUNS, SESSIONS = 4, 4


@pytest.mark.timeout(300)
async def test_a_killed_program_reads_on_to_the_servers_own_text(tmp_path):
    verdict = await soak(tmp_path, runs=RUNS, sessions=SESSIONS, seed=2)
    assert not verdict.faults, str(verdict)
    assert verdict.kills >= RUNS, str(verdict)
    assert verdict.read_on > 0, str(verdict)
    assert verdict.answers > verdict.never_bound, str(verdict)
