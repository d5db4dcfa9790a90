"""Markdown that grows: what is closed becomes pieces and is never parsed again, only the open end is.

A block is closed when a whole line after it begins another block; of a list, every item but the last is closed. Whole
lines decide, never the line that is still being written: it may yet turn out to be something else (a `#` that becomes
`#42`, a rule that becomes a table). The cost of a frame is the length of the open end, at most RAW_BEYOND.
"""

import re

from markdown_it.token import Token
from msgspec import Struct

from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.transcript.chunks import DEFINITION, safe_chunks
from chatforge_tui.ui.transcript.clean_line import GrowingLine
from chatforge_tui.ui.transcript.growing import GrowingText
from chatforge_tui.ui.transcript.ink import TEXT, Ink
from chatforge_tui.ui.transcript.inline import Environment, definitions
from chatforge_tui.ui.transcript.markdown import blocks_of, is_blank_row, is_heading, parse_blocks
from chatforge_tui.ui.transcript.open_end import OpenEnd, OpenFence, trial_of
from chatforge_tui.ui.transcript.open_table import OpenTable
from chatforge_tui.ui.transcript.piece import Margin, MarkdownPiece, Piece, gap_beside, written_pieces

LARGEST_CHUNK = 16_000
"""Characters beyond which the rest of a loaded text is not laid out as one piece."""
RAW_BEYOND = 8_000
"""Characters of open text beyond which it is shown as written until it closes."""
RAW_BEYOND_ROWS = 300
"""The same in lines: many short lines are as dear to parse."""
CUT_BEYOND = 64_000
"""Characters of one open block beyond which it is given up and stays as written."""

LONGEST_CHUNK = 128_000
"""Characters that come at once, or are loaded, with no place between them at which all blocks certainly end, beyond which they
stay as written: a list takes 0.7 ms a KB, a table 1.4."""
LONGEST_CODE = 500_000
"""The same with a code block among them, which takes 0.3."""
LONGEST_LINE = 128_000
"""Characters of a line that never ends, beyond which it is broken on the way in; it is copied whole."""


_UNDECIDED = re.compile(r"[-=*_#>+|`~: \t]{1,40}|[ \t]*\d{1,3}[.)]?[ \t]*")
"""The beginning of a line that may become a list, a heading, a rule, a table: not shown before it is decided, so that
nothing jumps."""


class _Cut(Struct):
    """One block, or item of a list, found at the beginning of the open text."""

    row: int
    """Line of the open text where it begins."""
    has_gap: bool
    ordinal: int | None
    """Number of the first item, when it begins with one of an ordered list."""


def _is_too_long(chunk: str) -> bool:
    """Tell whether a stretch is not to be parsed: it would take longer than a key may wait.

    It is too long, or a line of it outside all code blocks is longer than any block may be: a table of 50,000 columns, say.
    """
    if not CUT_BEYOND < len(chunk) <= LONGEST_CODE:
        return len(chunk) > LONGEST_CODE
    if "```" in chunk or "~~~" in chunk:
        return False
    return len(chunk) > LONGEST_CHUNK or max(map(len, chunk.split("\n"))) > CUT_BEYOND


class MarkdownText:
    """The text of one part."""

    def __init__(self, base: Ink = TEXT, margin: Margin | None = None) -> None:
        self.closed: list[Piece] = []
        """What will not change any more, gaps included."""
        self.is_ended = False
        self._base = base
        self._margin = margin
        self._gap = gap_beside(margin)
        self._environment: Environment = {}
        self._open = ""  # whole lines after the closed pieces, cleaned
        self._tried = 0  # length of the open text when it was last looked through in vain
        self._lead = ""  # lines before the open text that are in no block: blank ones, definitions of links
        self._has_gap = False  # whether a blank line stands before the open text
        self._ordinal: int | None = None  # number of the list item that the open text begins with
        self._partial = ""  # the line being written, as received
        self._line = GrowingLine()
        self._fence: OpenFence | None = None
        self._table: OpenTable | None = None  # reads the open text row by row, while that is one table
        self._end_piece = OpenEnd(self._environment, base, margin)
        self._raw: GrowingText | None = None
        self._raw_fed = 0

    def feed(self, text: str) -> None:
        """Add text as received; any chunking gives the same result."""
        head, newline, tail = text.rpartition("\n")
        if newline:
            whole = self._line.clean(self._partial + head + newline)
            self._partial = tail
            self._take(whole)
        else:
            self._partial += tail
            if len(self._partial) > LONGEST_LINE:
                rest, self._partial = self._line.clean(self._partial), ""
                self._take(rest)

    def load(self, text: str) -> None:
        """Take the whole text at once, instead of `feed` and `end`: only what comes near the screen is parsed."""
        for chunk in safe_chunks(clean(text)):
            self._take_chunk(chunk)
        self.end()

    def _take_chunk(self, chunk: str) -> None:
        """Take a stretch that ends where all its blocks do: a short one is parsed when it comes near the screen."""
        if _is_too_long(chunk):
            body = chunk.rstrip("\n")
            self._open = body + chunk[len(body) : len(body) + 1]
            self._give_up()
        elif not chunk.strip(" \t\n"):  # blank lines are in no block
            self._lead += chunk
        elif len(chunk) > LARGEST_CHUNK or DEFINITION.search(chunk):
            self._open = chunk
            self._cut_all()
        else:
            self._close(chunk, _Cut(0, self._has_gap, self._ordinal))
        self._open, self._raw = "", None
        self._has_gap = chunk.endswith("\n") and is_blank_row(chunk[:-1].rpartition("\n")[2])
        self._ordinal, self._tried = None, 0

    def _cut_all(self) -> None:
        """Make pieces of all open text: no more of it comes."""
        if self._fence is not None:
            self._close_fence()
        self._cut(keep_last=False)
        self._open = ""

    def end(self) -> None:
        """No more text comes: everything is closed."""
        if self.is_ended:
            return
        self.is_ended = True
        rest = self._line.clean(self._partial)
        self._partial = ""
        if rest:
            self._take(rest)
        self._cut_all()
        self._see_late_definitions()

    @property
    def open_text(self) -> str:
        """The text after the closed pieces, cleaned."""
        partial = self._line.clean(self._partial)
        return f"{self._fence.source}{partial}" if self._fence is not None else f"{self._open}{partial}"

    def open_pieces(self) -> list[Piece]:
        """Return what is shown after the closed pieces: nothing, or a gap and the open end."""
        if self._fence is not None:
            self._fence.show_partial(self._partial)
            return self._with_gap(self._fence.piece)
        partial = self._line.clean(self._partial.removesuffix("\r"))
        if _UNDECIDED.fullmatch(partial):
            partial = ""
        if not (self._open or partial).strip():
            return []
        if self._table is not None and (self._table.show_partial(partial) or self._is_raw(0)):
            return self._with_gap(self._table)
        if self._is_raw(len(partial)):
            return self._with_gap(self._raw_piece(partial))
        self._raw = None
        self._end_piece.set(self._open + partial, self._ordinal)
        return self._with_gap(self._end_piece)

    def _with_gap(self, piece: Piece) -> list[Piece]:
        if not self.closed:
            return [piece]
        row = self._open.split("\n", 1)[0] if self._open else self._partial
        starts_heading = re.match(r" {0,3}#{1,6}(?:\s|$)", row) is not None
        has_gap = self._has_gap or starts_heading or (self._fence is None and bool(self._open) and is_blank_row(row))
        return [self._gap, piece] if has_gap else [piece]

    def _is_raw(self, partial: int) -> bool:
        return len(self._open) + partial > RAW_BEYOND or self._open.count("\n") > RAW_BEYOND_ROWS

    def _raw_piece(self, partial: str) -> GrowingText:
        text = self._open + partial
        if self._raw is None or len(text) < self._raw_fed:
            self._raw = GrowingText(self._base, self._margin)
            self._raw_fed = 0
        self._raw.feed(text[self._raw_fed :])
        self._raw_fed = len(text)
        return self._raw

    def _take(self, text: str) -> None:
        """Take cleaned text of whole lines (the last one only at the end of the part may lack its newline)."""
        if len(text) > LARGEST_CHUNK:
            text = self._take_much(text)
        while text:
            if self._fence is None:
                self._open += text
                if self._table is not None and self._table.take(text):
                    return
                text, self._table = "", None
                if len(self._open) > max(RAW_BEYOND, self._tried) * 5 // 4 or not self._is_raw(0):
                    self._cut(keep_last=True)
            else:
                text = self._fence.take(text)
                if self._fence.is_closed:
                    self._close_fence()

    def _take_much(self, text: str) -> str:
        """Take what comes at once and would hold up a frame, as far as its blocks certainly end; return the rest."""
        self._table = None
        if self._fence is not None:
            if len(text) <= LONGEST_CODE:
                return text
            self._open, self._fence = self._fence.source, None
        *chunks, rest = safe_chunks(self._open + text)
        if _is_too_long(rest):
            chunks.append(rest)
            rest = ""
        if chunks:
            self._open = ""
            for chunk in chunks:
                self._take_chunk(chunk)
            return rest
        return text

    def _cut(self, *, keep_last: bool) -> None:
        """Make pieces of the blocks that are closed."""
        self._table = None
        environment: Environment = trial_of(self._environment)
        tokens = parse_blocks(self._open, environment)
        rows = self._open.split("\n")
        cuts = self._cuts(tokens, rows)
        end = len(rows)
        if keep_last:
            end = cuts[-1].row if cuts else 0
        self._keep_definitions(environment, end)
        self._lead += "".join(f"{row}\n" for row in rows[: cuts[0].row if cuts else 0])
        for cut, after in zip(cuts, [*(cut.row for cut in cuts[1:]), end], strict=False):
            if cut.row < end:
                newline = "\n" if after < len(rows) else ""
                self._close("\n".join(rows[cut.row : after]) + newline, cut)
        if not keep_last or not cuts:
            self._tried = len(self._open)
            return
        last = cuts[-1]
        if last.row:
            self._open, self._raw = "\n".join(rows[last.row :]), None
        self._has_gap, self._ordinal, self._tried = last.has_gap, last.ordinal, len(self._open)
        self._open_fence(tokens)
        if self._fence is None and cuts[0] is last:
            self._table = OpenTable.of(tokens, self._open, self._environment, self._margin)
        if len(self._open) > CUT_BEYOND:
            self._give_up()

    def _cuts(self, tokens: list[Token], rows: list[str]) -> list[_Cut]:
        """Find where the blocks, and the items of lists, begin."""
        cuts: list[_Cut] = []
        for begin, end in blocks_of(tokens, 0, len(tokens)):
            token = tokens[begin]
            row = token.map[0] if token.map else 0
            carried = not cuts
            has_gap = self._gap_before(row, rows, carried=carried) or is_heading(token)
            if not token.type.endswith("_list_open"):
                cuts.append(_Cut(row, has_gap, None))
                continue
            number = None
            if token.type == "ordered_list_open":
                number = self._ordinal if carried and self._ordinal is not None else int(token.attrs.get("start", 1))
            for low, _ in blocks_of(tokens, begin + 1, end - 1):
                item = tokens[low].map
                row = item[0] if item else row
                cuts.append(_Cut(row, self._gap_before(row, rows, carried=not cuts), number))
                number = None if number is None else number + 1
        return cuts

    def _gap_before(self, row: int, rows: list[str], *, carried: bool) -> bool:
        if row == 0:
            return carried and self._has_gap
        return is_blank_row(rows[row - 1])

    def _close(self, source: str, cut: _Cut) -> None:
        if self.closed and cut.has_gap:
            self.closed.append(self._gap)
        source, self._lead = self._lead + source, ""
        self.closed.append(
            MarkdownPiece(source, self._environment, ordinal=cut.ordinal, base=self._base, margin=self._margin)
        )

    def _open_fence(self, tokens: list[Token]) -> None:
        """Go over to reading line by line when the open text is one open code block and nothing else."""
        fence = tokens[-1] if tokens else None
        if fence is None or fence.type != "fence" or fence.level or not fence.map:
            return
        if fence.map[1] - fence.map[0] != fence.content.count("\n") + 1:
            return
        self._fence = OpenFence.of(self._open, self._margin)

    def _close_fence(self) -> None:
        fence = self._fence
        if fence is None:
            return
        self._close(fence.source, _Cut(0, self._has_gap, None))
        self._fence, self._open, self._raw = None, "", None
        self._has_gap, self._ordinal, self._tried = False, None, 0

    def _give_up(self) -> None:
        """Leave a block as written that has grown beyond every measure."""
        if self._fence is not None:
            return
        if self.closed and self._has_gap:
            self.closed.append(self._gap)
        self.closed += written_pieces(self._open, self._base, self._margin)
        self._open, self._raw = "", None
        self._has_gap, self._ordinal, self._tried = False, None, 0

    def _keep_definitions(self, environment: Environment, end: int) -> None:
        """Remember the link definitions in the lines before `end`: later ones may still be cut short."""
        kept = definitions(self._environment)
        for label, definition in definitions(environment).items():
            if label not in kept and definition["map"][0] < end:
                kept[label] = definition

    def _see_late_definitions(self) -> None:
        """Lay out again, when a link was defined after its use, what may use it."""
        if definitions(self._environment):
            for piece in self.closed:
                if "[" in piece.source:
                    piece.lines = None
