"""Colours of code: every line has them, and what is shown is the source."""

import pytest
from pygments.lexers import PythonLexer

from chatforge_tui.ui.transcript.highlight import _lexer, coloured_lines

DIFF = "- image: 1.9\n+ image: 1.8"


def text_of(rows) -> str:
    return "\n".join("".join(text for text, _ in row) for row in rows)


def test_the_last_line_has_its_colour_without_a_newline_behind_it():
    removed, added = coloured_lines(DIFF, "diff")
    assert [ink.role for _, ink in removed] == ["error"]
    assert [ink.role for _, ink in added] == ["success"]


@pytest.mark.parametrize("code", ["", "\n", "x = 1", "x = 1\n", "x = 1\n\n\n", "  # é\t日本", "'''a\nb"])
@pytest.mark.parametrize("language", ["python", "diff", "sh", "yaml", "rust", "html"])
def test_what_is_shown_is_the_source(code, language):
    rows = coloured_lines(code, language)
    assert rows is None or text_of(rows) == code


def test_a_language_nobody_knows_stays_plain():
    assert coloured_lines("x", "klingon") is None


def test_a_language_that_is_none_is_not_looked_for_among_all_packages(monkeypatch):
    monkeypatch.setattr("pygments.plugin.iter_entry_points", lambda _: pytest.fail("it was"))
    assert coloured_lines("x = 1", "pyth-being-written") is None
    assert coloured_lines("x = 1", "Python") is not None


PYTHON = """
@decorated.by("x")
async def größe_2(self, *, _a: int = 0x1F) -> "Straße":
    \"\"\"Say {it}.\"\"\"
    import os.path as p; from .a import b
    raise ValueError(f"{self.ключ!r:>{_a}} {1_000.5e3j}") if not None else print  # 名前
class Ünder(Base): 変数 = lambda π: π @ 3
"""


def test_python_has_the_colours_of_the_lexer_that_lists_all_letters():
    ours = list(_lexer("python").get_tokens_unprocessed(PYTHON))
    assert ours == list(PythonLexer(stripnl=False, ensurenl=False).get_tokens_unprocessed(PYTHON))


def test_the_letters_of_a_name_are_not_listed_in_each_expression():
    expressions = [match.__self__.pattern for state in _lexer("python")._tokens.values() for match, *_ in state]
    assert max(map(len, expressions)) < len(PythonLexer.uni_name)
