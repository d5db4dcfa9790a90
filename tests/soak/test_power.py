"""The short form of the simulated power cuts, and the simulation itself held against what disks do."""

import random

import pytest

pytest.importorskip("apsw", reason="apsw, which lets a test be SQLite's disk, is not installed")

from tests.soak.power import ALLOWED, FORBIDDEN, Verdict, cut_power
from tests.soak.power_disk import SECTOR, Named, Synced, Truncated, Unnamed, Wreck, Written

CUTS = 300


@pytest.mark.parametrize("mode", ALLOWED, ids=str)
def test_a_mode_that_the_store_uses_loses_nothing_acknowledged(tmp_path, mode):
    verdict = cut_power(Verdict(mode), tmp_path, cuts=CUTS, seed=3)
    assert (verdict.cuts, verdict.lost, verdict.corrupt) == (CUTS, [], []), str(verdict)
    assert verdict.acknowledged > 10 * CUTS


@pytest.mark.parametrize("mode", FORBIDDEN, ids=str)
def test_a_mode_that_it_never_uses_fails_the_same_judgement(tmp_path, mode):
    verdict = cut_power(Verdict(mode), tmp_path, cuts=100, seed=3)
    assert len(verdict.lost) + len(verdict.corrupt) > 5, str(verdict)


def wrecks(*steps, times=300):
    """All that may be left after these steps."""
    wreck, dice = Wreck(), random.Random(1)
    for step in steps:
        wreck.play(step)
    return [wreck.remains(dice) for _ in range(times)]


BEGUN = (Named("a", 0), Written(0, 0, b"x" * 2 * SECTOR), Synced(0, names=True))


def test_what_was_synced_is_there_and_what_was_not_may_be_there_in_any_part():
    left = {remains["a"] for remains in wrecks(*BEGUN, Written(0, 0, b"y" * 2 * SECTOR))}
    old, new = b"x" * SECTOR, b"y" * SECTOR
    assert left == {old + old, old + new, new + old, new + new}
    assert {remains["a"] for remains in wrecks(*BEGUN, Written(0, 0, b"y"), Synced(0, names=False))} == {
        b"y" + b"x" * (2 * SECTOR - 1)
    }


def test_a_later_write_may_be_there_without_the_earlier_one():
    left = {remains["a"] for remains in wrecks(*BEGUN, Written(0, 0, b"1"), Written(0, SECTOR, b"2"))}
    assert {(content[0:1], content[SECTOR : SECTOR + 1]) for content in left} == {
        (first, second) for first in (b"x", b"1") for second in (b"x", b"2")
    }


def test_where_a_file_grew_and_nothing_arrived_there_is_nothing_or_rubbish():
    left = {remains["a"] for remains in wrecks(*BEGUN, Written(0, 2 * SECTOR, b"1"), Written(0, 3 * SECTOR, b"2"))}
    gaps = {content[2 * SECTOR : 3 * SECTOR] for content in left if len(content) > 3 * SECTOR}
    assert b"\0" * SECTOR in gaps
    assert any(gap[0] == gap[-1] and gap[0] not in b"\x001" for gap in gaps)


def test_a_deletion_is_undone_until_the_directory_is_synced():
    assert {len(remains) for remains in wrecks(*BEGUN, Unnamed("a", names=False))} == {0, 1}
    assert {len(remains) for remains in wrecks(*BEGUN, Unnamed("a", names=True))} == {0}


def test_a_file_whose_name_was_not_synced_may_be_missing_whole():
    steps = (Named("b", 1), Written(1, 0, b"new"), Synced(1, names=False))
    assert {remains.get("b") for remains in wrecks(*BEGUN, *steps)} == {None, b"new"}


def test_a_truncation_that_was_not_synced_may_be_undone():
    left = {len(remains["a"]) for remains in wrecks(*BEGUN, Truncated(0, SECTOR))}
    assert left == {SECTOR, 2 * SECTOR}
