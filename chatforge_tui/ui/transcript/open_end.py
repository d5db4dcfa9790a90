"""The end of growing Markdown that is not closed yet: a run of blocks, or one code block read line by line."""

import re

from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.transcript.growing import GrowingCode
from chatforge_tui.ui.transcript.ink import Ink, Line
from chatforge_tui.ui.transcript.inline import Environment, definitions
from chatforge_tui.ui.transcript.markdown import lay_out_markdown
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.piece import Margin, Piece, guess_height, with_margin

_OPENING = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def trial_of(environment: Environment) -> Environment:
    """Return a copy to parse with, what it learns of link definitions being only a guess."""
    return {"references": dict(definitions(environment))}


class OpenEnd(Piece):
    """The open text, laid out as Markdown as far as it is known."""

    __slots__ = ("_base", "_environment", "_margin", "ordinal", "text")

    def __init__(self, environment: Environment, base: Ink, margin: Margin | None) -> None:
        super().__init__()
        self._environment = environment
        self._base = base
        self._margin = margin
        self.text = ""
        self.ordinal: int | None = None

    def set(self, text: str, ordinal: int | None) -> None:
        """Show this from now on."""
        if text != self.text or ordinal != self.ordinal:
            self.text, self.ordinal = text, ordinal
            self.lines = None
            if self.page is not None:
                self.height = self.guess(self.page)

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
        return with_margin(
            self._margin,
            page,
            lambda inner: lay_out_markdown(self.text, trial, inner, ordinal=self.ordinal, base=self._base),
        )


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
