"""What Markdown looks like, block by block."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from chatforge_tui.ui.marks import ASCII_MARKS
from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.markdown import lay_out_markdown
from chatforge_tui.ui.transcript.page import Page


def lines_of(source: str, width: int = 40) -> list[Line]:
    return lay_out_markdown(source, {}, Page(width))


def shown(source: str, width: int = 40) -> list[str]:
    return [line.text.rstrip() for line in lines_of(source, width)]


def ink_of(source: str, word: str):
    return next(ink for line in lines_of(source) for text, ink in line.spans if text == word)


def test_emphasis_is_ink_not_signs():
    assert shown("**b** *i* ~~s~~ `c`") == ["b i s c"]
    assert ink_of("**b**", "b").bold
    assert ink_of("*i*", "i").italic
    assert ink_of("~~s~~", "s").strike
    assert ink_of("a `c`", "c").role == "inline-code"


def test_line_breaks_of_the_author_are_kept():
    assert shown("one\ntwo\n\nthree") == ["one", "two", "", "three"]


def test_lists_nest_and_keep_their_numbers():
    assert shown("- a\n  - b\n    - c\n\n3. x\n1. y") == ["• a", "  ◦ b", "    ▪ c", "", "3. x", "4. y"]


def test_a_loose_list_has_the_blank_lines_of_its_source():
    assert shown("- a\n- b\n\n- c") == ["• a", "• b", "", "• c"]


def test_tasks_show_whether_they_are_done():
    assert shown("- [ ] open\n- [x] done") == ["□ open", "✓ done"]
    assert [line.copied for line in lines_of("- [ ] open\n- [x] done")] == ["- [ ] open", "- [x] done"]


def test_quotes_nest():
    assert shown("> a\n>> b") == ["▎ a", "▎ ▎ b"]


def test_code_stands_in_a_frame_with_its_language_and_can_be_copied_without_it():
    lines = lines_of("```python\na = 1\n\nb\n```", 30)
    assert [line.text for line in lines] == [
        "┌ python ───────────── copy ─┐",
        "│ a = 1                      │",
        "│                            │",
        "│ b                          │",
        "└────────────────────────────┘",
    ]
    assert {line.code for line in lines} == {"a = 1\n\nb"}
    assert [line.copied for line in lines] == ["```python", "a = 1", "", "b", "```"]


def test_a_long_line_of_code_is_wrapped_and_copied_whole():
    lines = lines_of("```\n" + "x" * 50 + "\n```", 30)
    body = lines[1:-1]
    assert len(body) == 2
    assert "".join(line.copied for line in body) == "x" * 50
    assert body[0].joint == ""


def test_tabs_in_code_are_columns_on_the_screen_and_tabs_when_copied():
    line = lines_of("```\n\tif x:\n```", 30)[1]
    assert line.text.startswith("│     if x:")
    assert line.copied == "\tif x:"


def test_a_table_is_aligned():
    assert shown("| name | n |\n|---|--:|\n| one | 1 |\n| 中文 | 22 |") == [
        "name │  n",
        "─────┼───",
        "one  │  1",
        "中文 │ 22",
    ]


def test_a_table_wider_than_the_page_wraps_its_cells():
    lines = shown("| a | b |\n|---|---|\n| " + "word " * 20 + " | short |", 30)
    assert max(cell_len(line) for line in lines) <= 30
    assert " ".join(line.split("│")[0].strip() for line in lines[2:]).split() == ["word"] * 20


def test_a_table_of_too_many_columns_becomes_records():
    header = "|" + "|".join(f"column{number}" for number in range(9)) + "|\n"
    lines = shown(header + "|---" * 9 + "|\n" + "|v" * 9 + "|", 30)
    assert lines == [f"column{number}: v" for number in range(9)]


def test_html_is_shown_as_written():
    assert shown("<script>x</script> <b>y</b>") == ["<script>x</script> <b>y</b>"]


def test_an_image_is_its_alternative_text():
    lines = lines_of("![a chart](https://example.com/x.png)")
    assert [line.text for line in lines] == ["[image: a chart]"]
    assert not any(ink.link for line in lines for _, ink in line.spans)


def test_a_link_keeps_its_judged_target():
    assert ink_of("[here](https://example.com/a?b=1)", "here").link == "https://example.com/a?b=1"


def test_a_bare_address_is_a_link():
    assert ink_of("https://example.com/x", "https://example.com/x").link == "https://example.com/x"


@pytest.mark.parametrize(
    ("source", "host"),
    [
        ("[https://bank.example](https://evil.example/x)", "evil.example"),
        ("[www.bank.example/login](http://evil.example)", "evil.example"),
        ("[page](https://user:secret@evil.example/)", "evil.example"),
    ],
)
def test_a_link_whose_text_lets_one_expect_another_host_says_where_it_leads(source, host):
    line = lines_of(source, 80)[0]
    assert line.text.endswith(f"({host})")
    assert line.spans[-1][1].role == "warning"


def test_a_link_whose_text_is_its_target_is_not_marked():
    assert shown("[example.com](https://www.example.com/path)") == ["example.com"]


@pytest.mark.parametrize("target", ["docs/readme.md", "ftp://example.com/x"])
def test_what_cannot_be_opened_is_no_link_and_names_its_target(target):
    line = lines_of(f"[text]({target})")[0]
    assert line.text == f"text ({target})"
    assert not any(ink.link for _, ink in line.spans)


def test_javascript_is_no_link():
    assert not any(ink.link for line in lines_of("[x](javascript:alert(1))") for _, ink in line.spans)


def test_nesting_of_three_thousand_levels_is_shown_as_written():
    for source in (">" * 3000 + " deep", "- " * 3000 + "deep"):
        text = "".join(line.text for line in lines_of(source))
        assert text.endswith("deep")
        assert text.count(source[0]) == 3000


@pytest.mark.parametrize(
    "worst",
    [
        "[" * 20000,
        "*a " * 8000,
        "`" * 20000,
        "![[]()" * 4000,
        "_a_ **b " * 3000,
        "[a](" * 5000,
        "<a" * 9000,
        "|a" * 9000,
    ],
)
def test_the_worst_paragraph_takes_bounded_time(worst):
    began = time.process_time()
    lines = lines_of(worst, 100)
    assert time.process_time() - began < 5
    assert lines


def test_a_line_of_a_hundred_thousand_characters_is_laid_out():
    lines = lines_of("x" * 100_000, 100)
    assert len(lines) == 1000
    assert "".join(line.text + line.joint for line in lines[:-1]) + lines[-1].text == "x" * 100_000


def test_ascii_marks_draw_everything_in_ascii():
    source = "# h\n\n- a\n- [x] b\n\n> q\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx\n```\n"
    lines = lay_out_markdown(source, {}, Page(40, ASCII_MARKS))
    assert all(line.text.isascii() for line in lines)


WORDS = st.sampled_from(
    ["word", "中文字符", "👩‍👩‍👧‍👦", "❤️", "é", "e\u0301", "שלום", "longerword" * 3, "**b**", "`code`", "\t"]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(WORDS, st.sampled_from([" ", "\n", "\n\n", "\n- ", "\n> ", " | ", "\n1. "])), max_size=30),
    st.integers(8, 50),
)
def test_no_line_is_wider_than_the_page(words, width):
    source = "".join(word + after for word, after in words)
    for line in lines_of(source, width):
        assert cell_len(line.text) <= width
        assert sum(cell_len(text) for text, _ in line.spans) <= width


@pytest.mark.parametrize("source", ["[" * 4_000 + "a" + "]" * 3_999, "![" * 4_000, "[ " * 4_000])
def test_brackets_without_end_are_shown_as_written_and_not_looked_through(source: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("chatforge_tui.ui.transcript.inline._rows", None)
    monkeypatch.setattr("chatforge_tui.ui.transcript.inline._remembered_rows", None)
    assert "".join(line.text + line.joint for line in lines_of(source)).rstrip() == source.rstrip()


def test_lists_of_lists_are_still_text_with_emphasis():
    source = "[[1, 2], [3, 4]], " * 100 + "**end**"
    assert lines_of(source)[-1].text.endswith("end")
