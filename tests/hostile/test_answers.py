"""Hostile answers, one turn each, through the real program: raw bytes, screen, store and log."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.hostile.checker import hidden_in, leaked_bytes, leaks, passed
from tests.hostile.corpus import Case, collected, is_plain, own_deltas, shown
from tests.hostile.entries import COLLECTED, json_bytes
from tests.hostile.stage import Run, Stage, Tab, visible

pytestmark = pytest.mark.timeout(300)

LONGEST = 10_000
"""Bytes of a payload; longer ones are bombs, with a program of their own."""
BY_ESCAPES = {"esc-split-json-u", "lone-surrogate-json"}
"""Cases whose bytes are what stands in the JSON."""
CASES = [
    case
    for case in [*collected(), *own_deltas()]
    if case.where.startswith("delta text") and len(case.payload) <= LONGEST
]
SCREENFUL = 1_200
"""Characters that stay in sight whole."""
WEB_LINK = re.compile(rb"\x1b\]8;[^;]*;([^\x1b]+)\x1b")


def act(case: Case):
    return json_bytes(case) if case.id in BY_ESCAPES else COLLECTED[case.where].build(case)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home: Path = tmp_path_factory.mktemp("answers") / "home"
    return asyncio.run(Stage(home).run([Tab("chat", [act(case) for case in CASES])]))


@pytest.fixture(scope="module")
def turns(run: Run):
    return asyncio.run(run.turns())


def test_the_program_survives_all_of_them(run: Run):
    assert run.code == 0
    assert len(run.seen) == len(CASES)


def test_not_one_byte_that_steers_reaches_the_terminal(run: Run):
    found = leaks(run.raw)
    assert (leaked_bytes(found), [str(leak) for leak in found[:5]]) == (0, [])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_control_character_of_the_payload_reaches_the_terminal(run: Run, case: Case):
    assert passed(case.whole, run.raw) == []


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if is_plain(case) and case.id not in BY_ESCAPES and len(shown(case)) < SCREENFUL],
    ids=lambda case: case.id,
)
def test_what_can_be_shown_is_shown_character_for_character(run: Run, case: Case):
    if any(mark in case.id for mark in ("zalgo", "combining", "regional", "wide", "fillers", "vs-", "rtl", "private")):
        pytest.skip("the emulator joins what combines; the store is looked at below")
    assert re.sub("[\u061c\u200e\u200f]", "", shown(case)) in visible(run, case.id)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_store_keeps_what_came(turns, case: Case):
    if case.id in BY_ESCAPES:
        expected = {"esc-split-json-u": "\x1b]52;c;ZXZpbA==\x07", "lone-surrogate-json": "\ufffd"}[case.id]
    else:
        expected = case.whole
    answer = turns[case.id].answer
    if case.id == "own-think-tags":
        assert turns[case.id].parts[0].text == "\x1b]52;c;ZXZpbA==\x07"
        expected = "after"
    assert answer == f"{expected}\n\n{case.end}"


def test_links_lead_to_the_web_or_nowhere(run: Run):
    targets = set(WEB_LINK.findall(run.raw))
    assert targets
    assert all(re.fullmatch(rb"https?://[!-~]+", target) for target in targets)
    assert not any(b"@" in target.split(b"/")[2] for target in targets)


def test_a_link_that_lies_says_where_it_leads(run: Run):
    assert "https://bank.example (evil.example)" in run.seen["own-md-link-lie"].screen
    assert "(evil.example)" in run.seen["own-md-link-userinfo"].screen
    assert "xn--ypal-43d9g.com" in run.seen["own-md-link-idn"].screen


def test_a_link_that_is_none_shows_its_target(run: Run):
    for case, target in {"mdlink-0": "javascript:alert(1)", "mdlink-1": "file:///etc/passwd"}.items():
        assert target in run.seen[case].screen


def test_the_log_holds_none_of_it(run: Run):
    assert run.log
    assert [line for line in run.log.splitlines() if hidden_in(line)] == []
