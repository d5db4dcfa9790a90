"""The short form of the outbox soak: twenty kills."""

import pytest

from tests.soak.outbox import soak
from tests.soak.results import Results


@pytest.mark.timeout(180)
async def test_what_waits_is_sent_once_and_nothing_is_lost_whatever_is_killed(tmp_path):
    verdict = await soak(tmp_path, kills=20, seed=3, results=Results(None))
    assert verdict.faults == [], str(verdict)
    assert verdict.sent > 40, str(verdict)
    assert verdict.heard > 20, str(verdict)
