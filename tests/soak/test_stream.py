"""The short form of the soak: sessions that stream among stored ones, and a user who goes round them."""

import pytest

from tests.soak.stream import soak


@pytest.mark.timeout(180)
async def test_sessions_that_stream_for_long_lose_nothing_and_memory_stays_flat(tmp_path):
    verdict = await soak(tmp_path, seconds=12, sessions=12, stored=1_000)
    facts = str(verdict.facts())
    assert not verdict.lost + verdict.faults, facts + "\n".join(verdict.lost + verdict.faults)
    assert verdict.turns >= 12, facts  # each session's at least, on however slow a machine
    full = verdict.full
    assert {sample.threads for sample in full} == {full[0].threads}, facts
    assert max(sample.descriptors for sample in full) - min(sample.descriptors for sample in full) <= 6, facts
    assert abs(verdict.growth) < 0.1, facts
