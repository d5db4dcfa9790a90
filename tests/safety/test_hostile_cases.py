"""Every hostile payload that was collected, through the wall that stands where text enters the view."""

import codecs
import json
import re
from pathlib import Path

import pytest

from chatforge_tui.safety.clean import clean, clean_line, clean_name
from chatforge_tui.safety.file_names import safe_file_name
from chatforge_tui.safety.urls import judge_link

CASES = json.loads((Path(__file__).parents[1] / "data" / "hostile" / "cases.json").read_text())["cases"]
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e0fff]")


def payload(case):
    raw = codecs.decode(case["bytes"], "unicode_escape").encode("latin-1") * case.get("repeat", 1)
    return raw.decode("utf-8", "replace")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_no_payload_steers_a_terminal(case):
    text = payload(case)
    for cleaned in (clean(text), clean_line(text), clean_name(text)):
        assert not FORBIDDEN.search(cleaned)


@pytest.mark.parametrize(
    "case", [one for one in CASES if one["required"] == "visible-marker"], ids=lambda case: case["id"]
)
def test_what_is_invisible_is_marked_not_dropped(case):
    text = payload(case)
    cleaned = clean_name(text)
    assert "<U+" in cleaned
    assert len(cleaned) >= len(text)


@pytest.mark.parametrize("case", [one for one in CASES if one["required"] == "path-safe"], ids=lambda case: case["id"])
def test_no_name_leaves_its_directory(case):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", safe_file_name(payload(case)))


@pytest.mark.parametrize("case", [one for one in CASES if one["id"].startswith("mdlink")], ids=lambda case: case["id"])
def test_only_real_web_links_are_links(case):
    for target in re.findall(r"\]\((.*?)\)$|<(.*)>|: (\S+)$", payload(case)):
        link = judge_link("".join(target))
        assert link is None or link.url.startswith(("http://", "https://"))
