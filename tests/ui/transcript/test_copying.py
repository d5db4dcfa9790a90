"""What is copied out of the transcript is what is stored, whatever was written, however it came and is laid out."""

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.safety.clean import clean, count_hidden
from chatforge_tui.ui.transcript import CopyRequested
from chatforge_tui.ui.transcript.blocks import block_at
from chatforge_tui.ui.transcript.extract import text_between
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.place import Place
from tests.ui.transcript.test_growing_markdown import documents, widths
from tests.ui.transcript.turns import TranscriptApp, began, changed, ended, model_of, turn

WORDS = (
    "word", "longer-word", "中文字符", "日本語", "한국어", "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "e\u0301a\u0308", "שלום", "مرحبا", "नमस्ते", "ﷺ", "x" * 70, "中" * 40,
    "é", "Ω", "—", "…", "a\u0335b", "ก็", "🏳️‍🌈",
)  # fmt: skip
"""What terminals draw one, two and no cells wide, from both sides."""
words = st.sampled_from(WORDS)
gaps = st.sampled_from([" ", " ", " ", "\t", "  ", "\t\t", " \t "])
"""Between words; what ends a line Markdown takes away."""
rows = st.lists(st.tuples(words, gaps), min_size=1, max_size=25).map(
    lambda pairs: "".join(w + g for w, g in pairs).rstrip()
)
prose = st.lists(rows, min_size=1, max_size=5).map("\n".join)
code_lines = st.lists(
    st.sampled_from((*WORDS, "\t", "  ", "#", "{", "}", "```", "'", '"', "\\", "<b>", "|", "- ")), max_size=8
)
codes = st.lists(code_lines.map("".join), min_size=1, max_size=8).map("\n".join)
languages = st.sampled_from(["", "python", "json", "sh", "made-up"])


def streamed(text: str, size: int) -> TranscriptModel:
    """Return a model whose answer came in chunks, each of which was drawn."""
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(TextPart(0, ""))))
    for begin in range(0, len(text), size):
        model.apply(changed(0, TextAppended(0, text[begin : begin + size])))
        layout = model.prepared(0)
        for piece in range(len(layout.flow)):
            layout.lay_out(piece, model.page)
    model.apply(ended(turn(0, text)))
    return model


def places(model: TranscriptModel, at: int = 0) -> list[Place]:
    """Return every line of the answer's first part."""
    layout = model.prepared(at)
    return [
        Place(at, number, line)
        for number, key in enumerate(layout.keys)
        if key == 0
        for line in range(len(layout.lay_out(number, model.page)))
    ]


@settings(max_examples=100, deadline=None)
@given(prose, widths, st.integers(0, 40))
def test_text_that_is_selected_whole_is_the_text(text, width, size):
    model = streamed(text, size) if size else model_of(turn(0, text))
    model.fit(Page(width), model.marks)
    lines = places(model)
    layout = model.prepared(0)
    assert all(layout.lay_out(place.piece, model.page)[place.line].cells <= width for place in lines)
    assert text_between(model, lines[0], 0, lines[-1], -1).removesuffix("\n") == text


@settings(max_examples=100, deadline=None)
@given(codes, languages, widths, st.integers(0, 40))
def test_a_code_block_gives_its_source_to_the_byte(code, language, width, size):
    fence = "`" * (2 + max((len(run) for run in re.findall("`+", code)), default=1))
    text = f"before\n\n{fence}{language}\n{code}\n{fence}\n\nafter"
    model = streamed(text, size) if size else model_of(turn(0, text))
    model.fit(Page(width), model.marks)
    found = {block_at(model, place).code for place in places(model) if block_at(model, place) is not None}
    assert found == {None, code}
    inside = [place for place in places(model) if (block := block_at(model, place)) and block.code is not None]
    selected = text_between(model, inside[0], 0, inside[-1], -1)
    assert selected == f"```{language}\n{code}\n```"


@settings(max_examples=60, deadline=None)
@given(codes.filter(lambda code: "\t" not in code and "```" not in code), st.sampled_from(["- ", "> ", "12. "]))
def test_a_code_block_inside_something_gives_its_source_too(code, marker):
    rows = ["text", "", "~~~~", *code.split("\n"), "~~~~"]
    margin = marker if marker == "> " else " " * len(marker)
    text = "\n".join((marker if not number else margin) + row for number, row in enumerate(rows))
    model = model_of(turn(0, text))
    lines = [model.prepared(0).lay_out(place.piece, model.page)[place.line] for place in places(model)]
    assert {line.code for line in lines} == {None, code}


@settings(max_examples=12, deadline=None)
@given(st.lists(st.one_of(documents, prose, codes), min_size=6, max_size=6), st.sampled_from([20, 60, 110]))
def test_an_answer_that_is_copied_is_what_is_stored(texts, width):
    texts = [text if text.strip() else f"{text}." for text in texts]

    async def copy_all() -> list[str]:
        app = TranscriptApp(model_of(*(turn(number, text) for number, text in enumerate(texts))))
        async with app.run_test(size=(width, 20)) as pilot:
            await pilot.press("g")
            for _ in texts:
                app.view.action_copy_answer()
                app.view.action_next_turn()
            await pilot.pause()
            return [message.text for message in app.said if isinstance(message, CopyRequested)]

    copied = asyncio.run(copy_all())
    assert copied == [clean(text) for text in texts]
    for text, found in zip(texts, copied, strict=True):
        if not count_hidden(text) and "\r" not in text:
            assert found.encode("utf-8", "surrogatepass") == text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("text", WORDS)
def test_the_words_here_have_nothing_to_hide(text):
    assert clean(text) == text
