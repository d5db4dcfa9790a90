"""The short form of the contention run: two processes, a hundred operations each."""

import pytest

from tests.soak.contention import contend


@pytest.mark.timeout(120)
async def test_two_processes_lose_nothing_and_never_own_one_session_at_once(tmp_path):
    verdict = await contend(tmp_path, processes=2, operations=100, seed=3)
    assert (verdict.errors, verdict.lost, verdict.two_owners) == ([], [], 0), str(verdict)
    assert verdict.acknowledged > 20, str(verdict)
