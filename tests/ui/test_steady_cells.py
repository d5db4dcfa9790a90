"""Whatever a terminal takes an emoji for: what stands behind it stands where the program counts it."""

import pyte
import pytest

from chatforge_tui.ui.steady_cells import steady


def shown(output: str) -> list[str]:
    """Return the cells of a row of a terminal that knows neither skin tones nor joiners nor selectors, full of dots before."""
    screen = pyte.Screen(20, 1)
    stream = pyte.Stream(screen)
    stream.feed("." * 20 + "\r" + output)
    return [screen.buffer[0][x].data for x in range(20)]


@pytest.mark.parametrize("emoji", ["👍🏿", "❤️", "👩‍👩‍👧‍👦", "1️⃣", "🇩🇪", "🏴‍☠️", "🫠"])
def test_what_follows_an_emoji_is_in_its_cell(emoji: str):
    cells = shown(steady(f"a{emoji}bc"))
    assert cells[0] == "a"
    assert cells[3:5] == ["b", "c"]
    assert "." not in cells[1:3]


def test_what_all_terminals_agree_about_is_written_as_it_is():
    for text in ("plain", "│ ─ ▎ • ✓", "東京 한국", "e\u0301", "שלום"):
        assert steady(text) is text


def test_a_title_and_the_address_of_a_link_are_left_alone():
    title = "\x1b[22;0;0t\x1b]0;👍🏿 done\x07"
    assert steady(title) == title
    assert steady("\x1b]8;id=1;https://x.y\x1b\\a\x1b]8;;\x1b\\") == "\x1b]8;id=1;https://x.y\x1b\\a\x1b]8;;\x1b\\"
