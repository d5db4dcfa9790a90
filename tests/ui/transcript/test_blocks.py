"""Blocks are found inside a piece, whatever the pieces are; their text is that of the source."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import ReasoningPart, TextPart
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.transcript.blocks import block_at, next_block
from chatforge_tui.ui.transcript.markdown import lay_out_markdown, outline_markdown
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.place import START, Place
from tests.ui.transcript.test_growing_markdown import documents, widths
from tests.ui.transcript.turns import began, changed, model_of, turn

ANSWER = """# Title
A paragraph of the answer
in two lines.

1. first
2. second of many words that do not fit on one line of the screen
   - nested

3. third

```python
x = 1

y = 2
```
| a | b |
|---|---|
| 1 | 2 |

last words
"""
BLOCKS = [
    "# Title",
    "A paragraph of the answer\nin two lines.",
    "1. first",
    "2. second of many words that do not fit on one line of the screen\n   - nested",
    "3. third",
    "```python\nx = 1\n\ny = 2\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "last words",
]


def blocks_below(model: TranscriptModel) -> list[str]:
    found, place = [], START
    while (place := next_block(model, place, 1)) is not None:
        found.append(block_at(model, place).source)
    return found


def streamed(answer: str) -> TranscriptModel:
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(TextPart(0, ""))))
    for begin in range(0, len(answer), 7):
        model.apply(changed(0, TextAppended(0, answer[begin : begin + 7])))
        model.prepared(0)
    return model


@pytest.mark.parametrize("make", [lambda text: model_of(turn(0, text)), streamed])
def test_every_block_of_an_answer_is_gone_to_and_has_its_source(make):
    model = make(ANSWER)
    assert blocks_below(model)[:9] == ["question 0", *BLOCKS]


def test_the_way_back_leads_to_the_beginning_of_the_block_and_then_to_the_one_before():
    model = model_of(turn(0, ANSWER), turn(1, "other"))
    down, place = [], START
    while (place := next_block(model, place, 1)) is not None:
        down.append(place)
    up, place = [], down[-1]._replace(line=99)
    while (place := next_block(model, place, -1)) is not None:
        up.append(place)
    assert up[::-1] == down


def test_numbers_of_items_count_although_a_block_is_looked_at_alone():
    model = model_of(turn(0, "1. one\n1. two\n1. three\n\ntext"))
    place = next_block(model, next_block(model, next_block(model, START, 1), 1), 1)
    line = model.prepared(0).lay_out(place.piece, model.page)[place.line]
    assert line.text == "2. two"
    assert block_at(model, place).source == "1. two"


def test_code_has_its_own_source_inside_an_item_too():
    model = model_of(turn(0, "```\none\n```\n\n- item\n\n      two\n"))
    first = next_block(model, next_block(model, START, 1), 1)
    assert block_at(model, first).code == "one"
    assert block_at(model, next_block(model, first, 1)).source == "- item\n\n      two"


def test_a_header_that_folds_is_a_block_and_headers_of_turns_are_none():
    model = model_of(turn(0, "", ReasoningPart(0, "deep\n\nthoughts", 1.0), TextPart(1, "answer")))
    assert blocks_below(model) == ["question 0", "", "answer"]
    model.toggle_fold(0, 0)
    assert blocks_below(model) == ["question 0", "", "deep", "thoughts", "answer"]
    assert block_at(model, START) is None


@settings(max_examples=200, deadline=None)
@given(documents, widths)
def test_an_outline_is_of_the_lines_that_are_laid_out(document, width):
    page, cleaned = Page(width), clean(document)
    lines = lay_out_markdown(cleaned, {}, page)
    extents = outline_markdown(cleaned, {}, page)
    starts = [extent.line for extent in extents]
    assert starts == sorted(set(starts))
    assert all(start < len(lines) for start in starts)
    assert starts[:1] == [0] * bool(lines)
    assert all(one.after <= other.row for one, other in pairwise(extents))


@settings(max_examples=60, deadline=None)
@given(documents)
def test_every_line_of_an_answer_is_in_a_block_or_blank(document):
    model = model_of(turn(0, document))
    layout = model.prepared(0)
    for number, key in enumerate(layout.keys):
        if key != 0:
            continue
        for line, shown in enumerate(layout.lay_out(number, model.page)):
            block = block_at(model, Place(0, number, line))
            assert block is not None or not shown.spans
            assert block is None or block.first <= Place(0, number, line) <= block.last


FORMS = (
    "{}\n", "{}\n\n", "# {}\n", "- {}\n", "- {}\n\n", "1. {}\n", "7. {}\n\n   more {}\n", "> {}\n", "> - {}\n\n",
    "```\n{}\n```\n", "\n    {}\n\n", "| a | {} |\n|---|---|\n| {} | x |\n\n", "{}\n===\n", "- [ ] {}\n", "---\n\n", "  - {}\n",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(FORMS), min_size=1, max_size=12), st.sampled_from([12, 24, 60]), st.booleans())
def test_what_a_line_says_is_in_the_source_of_its_block(forms, width, is_streamed):
    document = "".join(form.replace("{}", f"w{number}w") for number, form in enumerate(forms))
    model = streamed(document) if is_streamed else model_of(turn(0, document))
    model.fit(Page(width), model.marks)
    layout = model.prepared(0)
    for number, key in enumerate(layout.keys):
        for line, shown in enumerate(layout.lay_out(number, model.page) if key == 0 else ()):
            for word in re.findall(r"w\d+w", shown.text):
                assert word in block_at(model, Place(0, number, line)).source
