"""What is seen is found, however it is encoded, and however Markdown writes it."""

import re

import pytest

from chatforge_tui.ui.transcript.search import Query
from chatforge_tui.ui.transcript.spelling import pattern_of
from tests.ui.transcript.turns import all_lines, model_of, turn


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("snake_case", r"Call snake\_case now."),
        ("AT&T", "AT&amp;T"),
        ("a<b", "if a&lt;b then"),
        ("café", "cafe\u0301 au lait"),
        ("cafe\u0301", "café au lait"),
        ("strasse", "Die Straße"),
        ("straße", "DIE STRASSE"),
        ("ẞ", "groß"),
        ("office", "the oﬃce"),
        ("ﬁnd", "find it"),
        ("istanbul", "İstanbul"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("a.b*c", "a.b*c"),
        ("[x]", r"see \[x\] there"),
        ("(c:\\d)", "`(c:\\d)`"),
    ],
)
def test_it_is_found_in_the_source_and_shown(query: str, answer: str):
    model = model_of(turn(0, answer))
    wanted = Query(query)
    found = wanted.matches(model)
    assert len(found) == 1
    assert len(wanted.cells(all_lines(model))) == 1
    assert wanted.place(model, found[0]).turn == 0


def test_a_word_matches_itself_and_no_other():
    for word in ("plain", "a+b", "x^2", "{}", "\\", "ss", "é", "中文", "👍🏿"):
        assert re.fullmatch(pattern_of(word), word)
        assert not re.fullmatch(pattern_of(word), f"{word}x")
