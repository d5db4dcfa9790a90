"""Of a row that changed, as much is written again as a terminal may show otherwise, and no more."""

from rich.style import Style
from textual.geometry import Region

from chatforge_tui.ui.transcript.ink import BOLD, TEXT, Line, Span
from chatforge_tui.ui.transcript.paint import Palette
from chatforge_tui.ui.transcript.painter import Painter
from chatforge_tui.ui.transcript.place import Place, Row

WIDTH = 40


def changed(*lines: tuple[Span, ...]) -> Region:
    """Return where a row looks different after the last of these lines took the place of the one before."""
    painter, palette = Painter(), Palette(Style(), lambda _: Style())
    regions: list[Region] = []
    for spans in lines:
        regions = painter.paint([Row(Place(), Line(spans))], {}, WIDTH, palette)
    return regions[0]


def test_of_a_line_that_grows_its_end():
    assert changed((("some", TEXT),), (("some words", TEXT),)) == Region(6, 0, 6, 1)


def test_behind_an_emoji_what_it_may_have_taken_up_besides():
    assert changed((("👍🏿", TEXT),), (("one", TEXT),)) == Region(2, 0, 11, 1)
    assert changed((("ok", TEXT),), (("ok ", TEXT), ("👍🏿", BOLD))) == Region(4, 0, 11, 1)


def test_before_a_mark_without_a_letter_the_cell_that_it_is_drawn_in():
    whole = Region(0, 0, WIDTH, 1)
    assert changed((("\u0301", TEXT),), (("word", TEXT),)) == whole
    assert changed((("word", TEXT),), (("\u0301", TEXT),)) == whole
    assert changed((("bold", BOLD), ("\u0301", TEXT)), (("bold", BOLD), ("\u0301x", TEXT))) == whole
    assert changed((("bold", BOLD),), (("bold", BOLD), ("\u0301", TEXT))) == whole
