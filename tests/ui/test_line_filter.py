import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from chatforge_tui.ui.line_filter import SafetyFilter

BLACK = Color(0, 0, 0)


def filtered(text: str, style: Style | None = None) -> list[Segment]:
    return SafetyFilter().apply([Segment(text, style)], BLACK)


@pytest.mark.parametrize(
    "character", ["\x1b", "\x00", "\x07", "\x9b", "\x7f", "\u202e", "\u2066", "\U000e0041", "\u2028"]
)
def test_no_character_that_steers_a_terminal_passes(character):
    assert character not in filtered(f"a{character}b")[0].text


def test_what_is_removed_leaves_its_cells():
    text = "a\x1b]52;c\x07ü漢"

    assert cell_len(filtered(text)[0].text) == cell_len(text)


def test_a_harmless_line_comes_back_itself():
    segments = [Segment("plain ✓ 漢字", Style(bold=True))]

    assert SafetyFilter().apply(segments, BLACK) is segments


@pytest.mark.parametrize(
    "link", ["https://e/\x1b]52;c;eA==\x07", "javascript:alert(1)", "file:///etc/passwd", "https://a b"]
)
def test_a_link_that_is_not_plain_http_is_dropped(link):
    style = filtered("text", Style(link=link))[0].style

    assert style is not None
    assert style.link is None


def test_a_plain_link_stays():
    style = filtered("text", Style(link="https://example.com/a?b=c"))[0].style

    assert style is not None
    assert style.link == "https://example.com/a?b=c"
