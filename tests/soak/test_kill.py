"""The short form of the soak: the real program killed while it streams, held against both official servers."""

import pytest

from tests.soak.kill import KINDS, LATE_MOST_MS, soak


@pytest.mark.timeout(300)
async def test_a_killed_program_loses_doubles_and_sends_again_nothing(tmp_path):
    verdict = await soak(tmp_path, runs=len(KINDS), sessions=4, seed=7)
    assert not verdict.faults, str(verdict)
    assert verdict.turns == 4 * len(KINDS)
    # from the server's write, not from its arrival: twice the promise leaves room for a busy machine
    assert max(verdict.late_ms) <= 2 * LATE_MOST_MS, str(verdict)
