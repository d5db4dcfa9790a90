"""What is written for a frame makes a terminal show exactly what the screen holds, and nothing besides is written."""

import random

import pyte
import pytest
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Static, TextArea

from chatforge_tui.ui.frame import FrameCompositor, FrameUpdate, _between, _Row

COLUMNS, ROWS = 60, 20
WORDS = ("plain", "two words", "東京 wide", "🚀", "naïve", "x" * 70, "")


class Board(Screen[None]):
    """Widgets beside, in and over each other."""

    CSS = "#over { layer: top; offset: 10 3; width: 20; height: 3; background: blue; } Board { layers: base top; }"

    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrameCompositor()

    def compose(self) -> ComposeResult:
        with Horizontal():
            with Vertical():
                yield Static(id="a")
                yield Static(id="b")
            yield TextArea(id="c")
        yield Static("over", id="over")


class Emulated:
    """A terminal that is told every frame."""

    def __init__(self, app: App[None]) -> None:
        self._console = app.console
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.Stream(self.screen)

    def feed(self, update) -> None:
        """Show a frame."""
        self._stream.feed(update.render_segments(self._console))

    def rows(self) -> list[str]:
        # The cell behind a wide character holds nothing: the text of a row is what its cells hold.
        return ["".join(self.screen.buffer[y][x].data for x in range(COLUMNS)).rstrip() for y in range(ROWS)]


def held(board: Board) -> list[str]:
    return [strip.text.rstrip() for strip in board._compositor.render_strips()]


@pytest.mark.parametrize("seed", range(4))
async def test_a_terminal_that_is_told_only_what_changed_shows_the_whole_screen(seed):
    chance = random.Random(seed)
    app = App()
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        board = Board()
        await app.push_screen(board)
        await pilot.pause()
        terminal = Emulated(app)
        for _ in range(25):
            widget = board.query_one(chance.choice(("#a", "#b", "#over")), Static)
            # Same height each time: another layout would be a whole frame.
            widget.styles.height = 3
            widget.update("\n".join(chance.choice(WORDS) for _ in range(3)))
            board._refresh_layout()
            terminal.feed(board._compositor.render_update(full=True))
            board.query_one(TextArea).insert(chance.choice("abc 東\n"))
            widget.update("\n".join(chance.choice(WORDS) for _ in range(3)), layout=False)
            board._compositor.update_widgets({widget, board.query_one(TextArea)})
            update = board._compositor.render_update()
            if update is not None:
                terminal.feed(update)
            assert terminal.rows() == held(board)


def test_half_of_a_wide_character_becomes_a_blank():
    strip = Strip([Segment("ab東cd", Style(bold=True)), Segment("efgh")])
    for first in range(strip.cell_length):
        for after in range(first + 1, strip.cell_length + 1):
            text = "".join(text for text, _ in _between(strip, first, after))
            assert text == strip.crop(first, after).text


def test_a_mark_at_the_end_goes_with_the_cell_before_it():
    strip = Strip([Segment("ab"), Segment("\u0301"), Segment("cd")])
    assert "".join(text for text, _ in _between(strip, 0, 2)) == "ab\u0301"
    assert "".join(text for text, _ in _between(strip, 2, 4)) == "cd"


def test_a_look_is_set_where_it_begins_and_taken_back_at_the_end():
    bold = Strip([Segment("bold", Style(bold=True)), Segment(" too", Style(bold=True)), Segment(" not")])
    rows = [_Row(0), _Row(1)]
    for row in rows:
        row.gaps.append((0, 12))
        row.take(bold, 0, 12)
    console = App().console
    assert FrameUpdate(rows[:1]).render_segments(console) == "\x1b[1;1H\x1b[0;1mbold too\x1b[0m not"
    rows[0].pieces[0] = (0, 8, bold, 0)
    rows[1].pieces[0] = (4, 8, bold, 0)
    assert FrameUpdate(rows).render_segments(console) == "\x1b[1;1H\x1b[0;1mbold too\x1b[2;5H too\x1b[0m"
