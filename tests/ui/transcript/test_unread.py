"""Where a session is read on: the divider inside an answer that went on, and the place that outlives another layout."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.domain.changes import PartAdded, TextAppended, TurnBegan
from chatforge_tui.domain.part import Part, TextPart, ToolPart, ToolState
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.transcript.blocks import block_at
from chatforge_tui.ui.transcript.markdown import parse_blocks
from chatforge_tui.ui.transcript.markdown_text import MarkdownText
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.place import Place
from chatforge_tui.ui.transcript.viewport import settle
from tests.ui.transcript.test_blocks import ANSWER
from tests.ui.transcript.test_growing_markdown import documents
from tests.ui.transcript.turns import all_lines, began, changed, ended, model_of, text_of, turn, waiting

DIVIDER = "─" * 52 + " new ───"


def live(text: str, *more: Part) -> TranscriptModel:
    """Return a model whose turn is being written, as far as it has been looked at."""
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, *(PartAdded(part) for part in (TextPart(0, text), *more))))
    all_lines(model)
    return model


def below_divider(model: TranscriptModel) -> list[str]:
    lines = text_of(model)
    assert lines.count(DIVIDER) <= 1
    return [line for line in lines[lines.index(DIVIDER) + 1 :] if line] if DIVIDER in lines else []


@pytest.mark.parametrize("is_loaded", [True, False], ids=["read from the store", "told by the engine"])
def test_a_divider_stands_above_the_block_that_was_being_written(is_loaded):
    model = live("one\n\ntwo\n\nthr")
    model.leave()
    whole = turn(0, "one\n\ntwo\n\nthree\n\nfour", state=TurnState.STREAMING)
    if is_loaded:
        model.enter()
        model.load([whole])
    else:
        model.apply(changed(0, TextAppended(0, "ee\n\nfour")))
        model.enter()
    assert below_divider(model) == ["three", "four▌"]
    model.apply(changed(0, TextAppended(0, " and\n\nfive")))
    assert below_divider(model) == ["three", "four and", "five▌"]
    model.apply(ended(turn(0, "one\n\ntwo\n\nthree\n\nfour and\n\nfive\n\nsix")))
    assert below_divider(model) == ["three", "four and", "five", "six"]


def test_an_answer_that_ended_meanwhile_has_it_and_the_turn_after_it_none():
    model = live("one\n\ntw")
    model.leave()
    model.apply(ended(turn(0, "one\n\ntwo\n\nthree")))
    model.apply(began(1))
    model.enter()
    assert below_divider(model)[:2] == ["two", "three"]


def test_it_is_drawn_in_the_answer_before_what_waits_to_be_sent():
    model = live("one\n\ntwo")
    model.apply(TurnBegan(waiting(7)))
    all_lines(model)
    model.leave()
    model.apply(changed(0, TextAppended(0, "\n\nthree")))
    model.enter()
    assert below_divider(model)[:2] == ["two", "three▌"]


def test_a_part_that_came_meanwhile_is_below_it():
    model = live("one")
    model.leave()
    model.apply(changed(0, PartAdded(ToolPart(1, "1", "tool", ToolState.DONE)), PartAdded(TextPart(2, "two"))))
    model.enter()
    assert below_divider(model) == ["▸ tool", "two▌"]


def test_there_is_none_where_nothing_came_or_only_words_of_the_last_block():
    model = live("one\n\ntwo")
    model.leave()
    model.apply(changed(0, TextAppended(0, " words")))
    model.enter()
    model.load([turn(0, "one\n\ntwo words", state=TurnState.STREAMING)])
    model.apply(changed(0, TextAppended(0, "\n\nread while it came"), PartAdded(ToolPart(1, "1", "t", ToolState.DONE))))
    assert below_divider(model) == []


def test_it_is_gone_when_the_reader_was_away_once_more():
    model = live("one\n\ntw")
    model.leave()
    model.apply(changed(0, TextAppended(0, "o\n\nthree\n\nfour")))
    model.enter()
    assert below_divider(model) == ["two", "three", "four▌"]
    model.leave()
    model.enter()
    assert below_divider(model) == []


@settings(max_examples=150, deadline=None)
@given(documents, st.lists(st.integers(1, 20), max_size=40))
def test_the_pieces_of_a_text_that_grew_are_the_text(document, sizes):
    growing, begin = MarkdownText(), 0
    for size in sizes:
        growing.feed(document[begin : begin + size])
        begin += size
    growing.feed(document[begin:])
    growing.end()
    cleaned = clean(document)
    whole = "".join(piece.source for piece in growing.closed)
    if growing.closed:  # what follows the last block, blank lines and definitions of links, is in no piece
        assert cleaned.startswith(whole.rstrip())
        assert parse_blocks(cleaned[len(whole.rstrip()) :], {}) == []


@pytest.mark.parametrize("width", [24, 60])
def test_a_place_in_an_answer_that_streamed_is_the_same_when_it_is_loaded(width):
    answer = ANSWER * 30 + "\n\n```\ncode\n```\n\n\n\n" + ANSWER * 30
    model = live("")
    for begin in range(0, len(answer), 997):
        model.apply(changed(0, TextAppended(0, answer[begin : begin + 997])))
        all_lines(model)
    model.apply(ended(turn(0, answer)))
    flow = model.prepared(0).flow
    pieces = [number for number, key in enumerate(model.prepared(0).keys) if key == 0 and not flow[number].is_gap]
    for piece in pieces[:: len(pieces) // 23]:
        lines = model.prepared(0).lay_out(piece, model.page)
        place = Place(0, piece, len(lines) - 1)
        said = lines[-1].text
        anchor = model.anchor_of(place)
        other = model_of(turn(0, answer))
        other.fit(Page(width), other.marks)
        other.anchor = str(anchor)
        found = settle(other, 1).rows[0]
        assert found.line.text == said or width != 60
        assert block_at(other, found.place).source == block_at(model, place).source
        assert str(other.anchor_of(found.place)).rsplit("/", 1)[0] == str(anchor).rsplit("/", 1)[0]


def test_cursor_and_place_stay_when_a_session_out_of_sight_lets_its_layouts_go():
    model = live("")
    answer = "\n\n".join(f"paragraph {number}" for number in range(200))
    model.apply(changed(0, TextAppended(0, answer)))
    all_lines(model)
    model.apply(ended(turn(0, answer)))
    rows = settle(model, 1_000).rows
    top, cursor = (next(row.place for row in rows if row.line.text == f"paragraph {number}") for number in (50, 53))
    model.follows, model.top, model.cursor = False, top, cursor
    model.leave()
    model.enter()
    rows = settle(model, 10).rows
    assert rows[0].line.text == "paragraph 50"
    assert next(row.line.text for row in rows if row.place == model.cursor) == "paragraph 53"


def test_what_began_while_the_view_was_elsewhere_stands_below_a_divider():
    model = model_of(turn(0, "seen"))
    model.leave()
    model.apply(began(1))
    model.apply(ended(turn(1, "unseen")))
    model.enter()
    lines = text_of(model)
    assert [at for at, line in enumerate(lines) if " new ─" in line] == [lines.index("seen") + 2]
    model.leave()
    model.enter()
    assert not any(" new ─" in line for line in text_of(model))
