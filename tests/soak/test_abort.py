"""The short form of the leak run: sessions stopped in each of six states and deleted, with real sockets."""

import pytest

from tests.soak.leaks import MOST_MS, STATES, soak


@pytest.mark.timeout(120)
async def test_stopped_and_deleted_sessions_leave_nothing_and_every_stop_is_quick(tmp_path):
    verdict = await soak(tmp_path, sessions=120, most_ms=5 * MOST_MS)  # a busy machine: 466 ms were seen
    assert not verdict.faults, str(verdict)
    assert {state: len(times) for state, times in verdict.close_ms.items()} == {"headers": 20, "body": 20}
    assert all(len(verdict.abort_ms[state]) == 120 / len(STATES) for state in STATES), str(verdict)
