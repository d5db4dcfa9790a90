"""Random hostile texts through everything pure that touches them: no exception, bounded time, nothing that steers."""

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.config.load import load_settings
from chatforge_tui.domain.form import Form, FormField
from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    PlanPart,
    QuestionKind,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
    ToolState,
)
from chatforge_tui.domain.plan import Plan, PlanStep
from chatforge_tui.endpoints.sse import SseDecoder
from chatforge_tui.errors import ConfigError, LimitExceeded
from chatforge_tui.safety.clean import clean, clean_line
from chatforge_tui.safety.patterns import may_be_slow
from chatforge_tui.streaming.plan_capture import PlanCapture
from chatforge_tui.ui.marks import UNICODE_MARKS
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.sections import section_of
from tests.hostile.checker import HIDDEN
from tests.hostile.corpus import BOMBS, OWN_DELTAS, SINK

ATOMS = [
    *OWN_DELTAS.values(), SINK, "\x1b", "]52;c;", "\x07", "\x9b", "\u202e", "\u200b", "\u200d", "\ufe0f", "\ud83d", "\U000e0041",
    "\r", "\n", "\t", "\\u001b", "\\u202e", "{\"a\": \"\\u009b\"}", "```", "`", "*", "_", "[x](", "](", ")", "<", ">", "|", "# ",
    "- ", "1. ", "> ", "&#27;", "&#x202e;", "⟦", "⟧", "✅ [a] b", "https://e.example/", "![", "~~", "😀", "e\u0301", "字",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(ATOMS), st.text(max_size=5)), max_size=12).map("".join)
widths = st.sampled_from([8, 20, 60, 100])


def parts(one: str, other: str):
    form = Form((FormField(one, label=other, description=one, default=other, options=(one,)),), other, one)
    arguments = json.dumps({one: [other]})
    return [
        TextPart(0, one),
        ReasoningPart(0, one, 1.0),
        ToolPart(0, "id", one, ToolState.DONE, other, one),
        ToolPart(0, "id", one, ToolState.RUNNING, arguments, other),
        ToolPart(0, "id", one, ToolState.FAILED, arguments, other),
        PlanPart(0, Plan((PlanStep(one, agent=other),))),
        FilePart(0, one, media_type=other, url=one),
        QuestionPart(0, QuestionKind.INPUT, one, form),
        NoticePart(0, NoticeLevel.WARNING, one),
    ]


def drawn(section, page: Page):
    return [line for piece in section.pieces(UNICODE_MARKS) for line in piece.lay_out(page)]


def hidden(text: str) -> list[str]:
    """Return what a terminal must not see; cleaned text may hold direction marks, which the line filter takes."""
    return [found[0] for found in HIDDEN.finditer(re.sub("[\t\u200e\u200f\u061c]", "", text))]


@settings(max_examples=120, deadline=None)
@given(texts, texts, widths, st.booleans())
def test_no_part_of_a_turn_shows_what_steers(one, other, width, ends):
    for part in parts(one, other):
        section = section_of(part)
        section.is_folded = False
        page = Page(width)
        lines = drawn(section, page)
        if ends:
            section.end()
            lines += drawn(section, page)
        for line in lines:
            assert "\n" not in line.text
            assert hidden(line.text) == []
            for _, ink in line.spans:
                assert not ink.link or re.fullmatch("https?://[!-~]+", ink.link)


@settings(max_examples=80, deadline=None)
@given(st.lists(texts, max_size=8), widths)
def test_no_way_to_cut_a_stream_lets_something_through(pieces, width):
    answer, reasoning = section_of(TextPart(0, "")), section_of(ReasoningPart(1, ""))
    tool = section_of(ToolPart(2, "id", "run", ToolState.RUNNING))
    reasoning.is_folded = tool.is_folded = False
    for piece in pieces:
        answer.append("text", piece)
        reasoning.append("text", piece)
        tool.append("input", piece)
        tool.append("output", piece)
        for section in (answer, reasoning, tool):
            assert [hidden(line.text) for line in drawn(section, Page(width)) if hidden(line.text)] == []


@pytest.mark.parametrize("name", sorted(BOMBS))
@pytest.mark.parametrize("size", [1, 4_096])
def test_a_bomb_is_laid_out_in_bounded_time_however_it_arrives(name, size):
    text = BOMBS[name][: 60_000 if size > 1 else 3_000]
    section = section_of(TextPart(0, ""))
    slowest, begin = 0.0, time.thread_time()
    for at in range(0, len(text), size):
        section.append("text", text[at : at + size])
        frame = time.thread_time()
        if size > 1 or not at % 100:
            drawn(section, Page(80))
        slowest = max(slowest, time.thread_time() - frame)
    section.end()
    drawn(section, Page(80))
    assert slowest < 2.0
    assert time.thread_time() - begin < 8.0


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, max_size=8))
def test_plans_are_captured_alike_however_the_text_is_cut(pieces):
    def told(cuts):
        capture = PlanCapture()
        return [piece for cut in cuts for piece in capture.feed(cut)] + list(capture.close())

    def plain(pieces):
        return "".join(getattr(piece, "text", "") for piece in pieces if type(piece).__name__ == "Plain")

    whole = "".join(pieces)
    assert plain(told(pieces)) == plain(told([whole])) == plain(told(whole))


@settings(max_examples=150, deadline=None)
@given(texts, st.data())
def test_events_are_read_alike_however_the_bytes_are_cut(text, data):
    def read(pieces):
        decoder = SseDecoder(max_event_bytes=100_000)
        return [event for piece in pieces for event in decoder.feed(piece)]

    raw = (text.replace("⟦", "data: ").replace("⟧", "\n\n") + "data: z\n\n").encode("utf-8", "surrogatepass")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[low:high] for low, high in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert read(pieces) == read([raw])


def test_an_endless_event_is_given_up():
    decoder = SseDecoder(max_event_bytes=1_000)
    endless = (b"data: " + b"x" * 100 + b"\n") * 100
    with pytest.raises(LimitExceeded):
        decoder.feed(endless)


@settings(max_examples=100, deadline=None)
@given(texts, texts)
def test_a_mistake_in_the_configuration_is_told_in_words_that_can_be_shown(tmp_path_factory, one, other):
    path = tmp_path_factory.mktemp("config") / "config.toml"
    for content in (
        f"[endpoints.{json.dumps(one)}]\n{json.dumps(other)} = {json.dumps(one)}\n",
        f"[endpoints.x]\nprotocol = {json.dumps(one)}\nurl = {json.dumps(other)}\n",
        f"{json.dumps(one)} = {json.dumps(other)}\n",
        f"[keys]\n{json.dumps(one)} = {json.dumps(other)}\n",
        one,
    ):
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
        assert hidden(complaint(path)) == []


def complaint(path: Path) -> str:
    """Return what is told about a configuration, "" when nothing is wrong with it."""
    try:
        load_settings(path)
    except ConfigError as error:
        return clean_line(f"{error} {error.hint}")
    return ""


PATTERN_ATOMS = [
    "a",
    "b",
    ".",
    "\\d",
    "\\w",
    "[ab]",
    "[^x]",
    "(",
    ")",
    "(?:",
    "|",
    "*",
    "+",
    "?",
    "{2,}",
    "{1,3}",
    "^",
    "$",
    "+?",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PATTERN_ATOMS), max_size=12).map("".join), st.integers(0, 60))
def test_a_pattern_that_is_let_through_is_not_slow(pattern, length):
    try:
        compiled = re.compile(pattern)
    except re.error:
        return
    if may_be_slow(pattern, length):
        return
    begin = time.thread_time()
    for text in ("a" * length, "ab" * (length // 2), "a" * max(length - 1, 0) + "!"):
        compiled.fullmatch(text)
    assert time.thread_time() - begin < 1.0


@pytest.mark.parametrize(
    "pattern",
    [
        "(a|a)*b",
        "(a|aa)+$",
        "(a+)+b",
        "(a?){50}a{50}",
        "a?" * 40 + "a" * 40,
        ".*.*.*.*.*x",
        "(.*)\\1x",
        "((a*)*)*",
        "(?=(a+))+b",
        "((a+))+b",
        "(((a|b)|c))*d",
    ],
)
def test_patterns_that_are_known_to_be_slow_are_not_run(pattern):
    assert may_be_slow(pattern, 200)


@pytest.mark.parametrize(
    "pattern",
    [
        r"[a-z]+",
        r"\d{4}-\d{2}-\d{2}",
        r"^[A-Za-z0-9_-]{3,50}$",
        r"[^@]+@[^@]+\.[a-z]{2,}",
        r"(yes|no)",
        r"v?\d+\.\d+",
        r"(https?)://\S+",
    ],
)
def test_ordinary_patterns_are_run(pattern):
    assert not may_be_slow(pattern, 60)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_what_is_cleaned_holds_nothing_that_steers(text):
    assert hidden(clean(text)) == []
