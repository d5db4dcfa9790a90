"""The pieces that only a turn has: who speaks, what was sent, where it goes on unread, how it ended."""

from chatforge_tui.domain.attachment import size_words
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.safety.clean import clean, clean_name
from chatforge_tui.ui.cell_widths import width_of
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.ink import MUTED, TEXT, Ink, Line, Span
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.piece import GAP, Fixed, Margin, Piece, PlainPiece
from chatforge_tui.ui.transcript.section import plain_pieces


class Header(Piece):
    """A line with something at its left and something at its right end."""

    __slots__ = ("_left", "_right")

    is_frame = True

    def __init__(self) -> None:
        super().__init__()
        self._left: tuple[Span, ...] = ()
        self._right = ""

    def set(self, left: tuple[Span, ...], right: str) -> None:
        """Show this from now on."""
        if (left, right) != (self._left, self._right):
            self._left, self._right, self.lines = left, right, None

    def guess(self, page: Page) -> int:
        """Always one line."""
        del page
        return 1

    def build(self, page: Page) -> list[Line]:
        """Put the right side at the right, when there is room."""
        room = page.width - sum(width_of(text) for text, _ in self._left) - width_of(self._right)
        if not self._right or room < 2:
            return [Line(self._left)]
        return [Line((*self._left, (" " * room, MUTED._replace(copy="  ")), (self._right, MUTED)))]


class Divider(Piece):
    """The line above what is unread."""

    __slots__ = ()

    is_frame = True
    is_copied = False

    def build(self, page: Page) -> list[Line]:
        """Draw it over the whole body."""
        word = " new "
        line = "-" if page.is_ascii else "─"
        left = max(0, page.width - len(word) - 3)
        ink = Ink("unread", copy="")
        return [Line(((line * left + word + line * 3, ink),))]


def prompt_pieces(prompt: Prompt, marks: MarkSet) -> list[Piece]:
    """Return what the user sent: the words, then a line for each file."""
    words = plain_pieces(clean(prompt.text), TEXT) if prompt.text.strip() or not prompt.attachments else []
    files: list[Piece] = []
    for file in prompt.attachments:
        facts = f"  {clean_name(file.media_type)} {marks.dot} {size_words(file.size)}"
        line = Fixed()
        line.set((("+ ", MUTED), (clean_name(file.name), Ink(bold=True)), (facts, MUTED)))
        files.append(line)
    return [*words, *files]


def divided(pieces: list[Piece], at: int) -> list[Piece]:
    """Return pieces with a divider before one of them."""
    before, after = pieces[:at], pieces[at:]
    if before and before[-1].is_gap:
        before.pop()
    if after and after[0].is_gap:
        after = after[1:]
    return [*before, GAP, Divider(), GAP, *after]


def hanging(mark: Span, words: Span) -> Piece:
    """Return words that hang behind their mark, however narrow the page."""
    return PlainPiece(words[0], words[1], Margin(mark, (" " * len(mark[0]), words[1]._replace(copy=""))))
