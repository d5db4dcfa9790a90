"""The end of growing Markdown that is not closed yet: a run of blocks, or one code block read line by line.

Parsing and laying out the open block is most of what a frame of a stream costs, and most of what arrives are words that
make its last line longer and change nothing else. What is certain to be that is put at the end of that line.
"""

import re
from enum import Enum, auto

from markdown_it.token import Token

from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.cell_widths import is_narrow
from chatforge_tui.ui.transcript.growing import GrowingCode
from chatforge_tui.ui.transcript.ink import Ink, Line
from chatforge_tui.ui.transcript.inline import Environment, definitions
from chatforge_tui.ui.transcript.markdown import Extent, lay_out_tokens, outline_markdown, parse_blocks
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.piece import Margin, Piece, guess_height, page_beside, with_margin
from chatforge_tui.ui.transcript.wrap import wrap

_OPENING = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_WORDS = re.compile(r"(?:[A-Za-z0-9 ,;'\"()?!]|[.:](?=[ .:]|\Z))*")
"""Text that means nothing but itself: no mark of emphasis, code or table, nothing that could be, or become, a link."""
_NUMBER = re.compile(r"\d+[.)]?")
"""What may be the number of an item as soon as more follows."""
_AROUND = frozenset({"list_item_close", "bullet_list_close", "ordered_list_close", "blockquote_close"})
_ENDS = frozenset({"paragraph_close", "heading_close"})


class _End(Enum):
    """What a run of blocks ends with."""

    PARAGRAPH = auto()
    """A paragraph or heading that nothing surrounds."""
    INSIDE = auto()
    """One in a list or a quote."""
    OTHER = auto()


def _end_of(tokens: list[Token], source: str) -> _End:
    """Tell what ends with the last row of the source."""
    at = len(tokens) - 1
    while at > 0 and tokens[at].type in _AROUND:
        at -= 1
    if at < 1 or tokens[at].type not in _ENDS or tokens[at - 1].type != "inline":
        return _End.OTHER
    rows = tokens[at - 1].map
    if "]:" in source or rows is None or rows[1] != source.count("\n") + 1:  # "]:": a definition, perhaps
        return _End.OTHER
    return _End.PARAGRAPH if at == len(tokens) - 1 else _End.INSIDE


def trial_of(environment: Environment) -> Environment:
    """Return a copy to parse with, what it learns of link definitions being only a guess."""
    return {"references": dict(definitions(environment))}


class OpenEnd(Piece):
    """The open text, laid out as Markdown as far as it is known."""

    __slots__ = ("_base", "_end", "_environment", "_margin", "ordinal", "text")

    def __init__(self, environment: Environment, base: Ink, margin: Margin | None) -> None:
        super().__init__()
        self._end = _End.OTHER
        self._environment = environment
        self._base = base
        self._margin = margin
        self.text = ""
        self.ordinal: int | None = None

    def set(self, text: str, ordinal: int | None) -> None:
        """Show this from now on."""
        if text == self.text and ordinal == self.ordinal:
            return
        is_longer = ordinal == self.ordinal and text.startswith(self.text) and self._grow(text[len(self.text) :])
        self.text, self.ordinal = text, ordinal
        if not is_longer:
            self.lines = None
            if self.page is not None:
                self.height = self.guess(self.page)

    def _grow(self, added: str) -> bool:
        """Put words at the end of the last line; False, and nothing done, when more than that may change."""
        lines, page = self.lines, self.page
        if self._end is _End.OTHER or not lines or page is None or not lines[-1].spans:
            return False
        row = self.text[self.text.rfind("\n") + 1 :]
        shown = row.rstrip(" ")
        word = shown[shown.rfind(" ") + 1 :]
        blanks = row[len(shown) :]
        if not word or _NUMBER.fullmatch(word) or not _WORDS.fullmatch(f"{word}{blanks}{added}"):
            return False
        if ")" in added and "[" in self.text:  # the end of a link's target
            return False
        *before, (text, ink) = lines[-1].spans
        if not text.endswith(word):
            return False
        grown = (*before, (f"{text}{blanks}{added}".rstrip(" "), ink))
        if self._end is _End.PARAGRAPH and self._margin is None and all(is_narrow(text) for text, _ in grown):
            lines[-1:] = wrap(grown, page.width)
            self.height = len(lines)
            return True
        line = Line(grown, lines[-1].joint)
        if line.cells > page.width:
            return False
        lines[-1] = line
        return True

    @property
    def source(self) -> str:
        """The open text."""
        return self.text

    def guess(self, page: Page) -> int:
        """Count newlines and full lines."""
        return guess_height(self.text, page.width)

    def build(self, page: Page) -> list[Line]:
        """Parse and lay out with the definitions known so far; those of the open text may still change."""
        trial: Environment = trial_of(self._environment)
        text = self.text
        tokens = parse_blocks(text, trial)
        self._end = _end_of(tokens, text)
        return with_margin(
            self._margin,
            page,
            lambda inner: lay_out_tokens(tokens, text, trial, inner, ordinal=self.ordinal, base=self._base),
        )

    def outline(self, page: Page) -> list[Extent]:
        """Return where the blocks are that are known so far."""
        inner, trial = page_beside(self._margin, page), trial_of(self._environment)
        return outline_markdown(self.text, trial, inner, ordinal=self.ordinal, base=self._base)


class OpenFence:
    """A code block being read line by line."""

    @classmethod
    def of(cls, text: str, margin: Margin | None) -> "OpenFence | None":
        """Return the open code block that `text` is, None when it does not begin like one."""
        opening = _OPENING.match(text)
        if opening is None:
            return None
        fence = cls(opening, margin)
        fence.take(text)
        return fence

    def __init__(self, opening: re.Match[str], margin: Margin | None) -> None:
        marker = opening[1]
        self._closing = re.compile(rf" {{0,3}}{re.escape(marker[0])}{{{len(marker)},}}[ \t]*")
        self._indent = len(opening[0]) - len(opening[0].lstrip(" "))
        self._rows: list[str] = []
        self._marker = marker
        self.is_closed = False
        self.piece = GrowingCode(opening[2].strip(), margin)

    def take(self, text: str) -> str:
        """Take lines up to the closing one; return what stands after it."""
        while text and not self.is_closed:
            row, _, text = text.partition("\n")
            if self._rows and self._closing.fullmatch(row):
                self.is_closed = True
            elif self._rows:
                self.piece.add(self._without_indent(row))
            self._rows.append(row)
        return text

    def show_partial(self, row: str) -> None:
        """Show the line being written, unless it looks like the closing one."""
        row = clean(row.removesuffix("\r"))
        is_closing = bool(row.strip()) and not row.strip(f" {self._marker[0]}")
        self.piece.set_partial("" if is_closing else self._without_indent(row))

    @property
    def source(self) -> str:
        """The block as Markdown."""
        return "\n".join(self._rows) + "\n"

    def _without_indent(self, row: str) -> str:
        spaces = len(row) - len(row.lstrip(" "))
        return row[min(spaces, self._indent) :]
