"""Single writes, syncs and unlinks that fail or kill the program; `python -m tests.soak every-write` tries them all."""

import random

import pytest

from tests.soak.every_write import FAULTS, JOURNALS, Kind, Verdict, can_trace, hit

SAMPLE = {"pwrite64": (1, 250), "fdatasync": (1, 36), "unlink": (1, 1)}
"""A point of each kind, from a range that every run has."""

needs_strace = pytest.mark.skipif(not can_trace(), reason="strace is not there, or may not trace")


@needs_strace
@pytest.mark.timeout(120)
@pytest.mark.parametrize("journal", JOURNALS)
@pytest.mark.parametrize("fault", list(FAULTS))
async def test_a_sample_of_all_writes_syncs_and_unlinks_can_fail_without_loss(tmp_path, journal, fault):
    verdict, dice = Verdict(), random.Random(f"{journal} {fault}")
    for call, (first, last) in SAMPLE.items():
        number, home = dice.randint(first, last), tmp_path / call
        home.mkdir()
        assert await hit(home, Kind(journal, call, fault), number, verdict), (call, number)
    assert verdict.faults == []
    assert verdict.tried == len(SAMPLE)
