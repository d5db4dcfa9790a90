"""Markdown to lines: lays out any run of whole blocks, without knowing what stands before or after.

Blank lines are the author's: between two blocks stands one blank line where the source has one (a heading always gets
one). That keeps tight lists tight, and it makes every decision local, so a text laid out piece by piece as it arrives
looks like the same text laid out at once (markdown_text.py relies on it).
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markdown_it.token import Token

from chatforge_tui.ui.transcript.code import code_frame
from chatforge_tui.ui.transcript.ink import EMPTY, TEXT, Ink, Line, Span
from chatforge_tui.ui.transcript.inline import PARSER, Environment, inline_rows
from chatforge_tui.ui.transcript.page import NARROWEST, Page
from chatforge_tui.ui.transcript.tables import Table, table_lines
from chatforge_tui.ui.transcript.wrap import wrap, wrap_text

DEEPEST = 18
"""Levels of nesting that are drawn; the parser stops at 20 and would lose what is deeper, so that is shown as written."""

_TASK = re.compile(r"\[([ xX])\] ")
_HEADING = Ink("heading", bold=True)
_TOP_HEADING = Ink("heading", bold=True, underline=True)
_QUOTE = Ink("quote")


def parse_blocks(source: str, environment: Environment) -> list[Token]:
    """Return the block tokens of `source`; the insides of paragraphs are not parsed yet."""
    tokens: list[Token] = []
    PARSER.block.parse(source, PARSER, environment, tokens)
    return tokens


def blocks_of(tokens: Sequence[Token], low: int, high: int) -> Iterator[tuple[int, int]]:
    """Yield begin and end (exclusive) of each block directly inside tokens[low:high]."""
    while low < high:
        begin, depth = low, tokens[low].nesting
        low += 1
        while depth > 0:
            depth += tokens[low].nesting
            low += 1
        yield begin, low


def lay_out_markdown(
    source: str, environment: Environment, page: Page, *, ordinal: int | None = None, base: Ink = TEXT
) -> list[Line]:
    """Lay out a run of whole top-level blocks.

    Args:
        source: Cleaned Markdown.
        environment: Link definitions known so far; definitions in `source` are added.
        page: Width and marks.
        ordinal: Number of the first item when `source` begins inside an ordered list.
        base: Ink of plain text.
    """
    return lay_out_tokens(parse_blocks(source, environment), source, environment, page, ordinal=ordinal, base=base)


def lay_out_tokens(
    tokens: list[Token],
    source: str,
    environment: Environment,
    page: Page,
    *,
    ordinal: int | None = None,
    base: Ink = TEXT,
) -> list[Line]:
    """Lay out what `parse_blocks` made of `source`; see `lay_out_markdown`."""
    layout = _Layout(source, tokens, environment, page)
    return layout.flow(0, len(tokens), page.width, base, ordinal)


class Extent(NamedTuple):
    """Where one top-level block, or one item of a top-level list, is: on the screen and in its source."""

    line: int
    """Number of its first line."""
    row: int
    """Number of its first line in the source."""
    after: int
    """Number of the line of the source behind its last."""


def outline_markdown(
    source: str, environment: Environment, page: Page, *, ordinal: int | None = None, base: Ink = TEXT
) -> list[Extent]:
    """Return where the blocks are among the lines that `lay_out_markdown` gives for the same arguments."""
    tokens = parse_blocks(source, environment)
    return _Layout(source, tokens, environment, page).outline(page.width, base, ordinal)


class _Layout:
    """One run of blocks being laid out."""

    def __init__(self, source: str, tokens: list[Token], environment: Environment, page: Page) -> None:
        self._rows = source.split("\n")
        self._tokens = tokens
        self._environment = environment
        self._page = page

    def flow(
        self, low: int, high: int, width: int, base: Ink, ordinal: int | None = None, depth: int = 0
    ) -> list[Line]:
        """Lay out the blocks directly inside tokens[low:high]."""
        lines: list[Line] = []
        for begin, end in blocks_of(self._tokens, low, high):
            block = self._block(begin, end, width, base, ordinal if begin == low else None, depth)
            if lines and block and self._needs_gap(self._tokens[begin]):
                lines.append(EMPTY)
            lines += block
        return lines

    def _needs_gap(self, token: Token) -> bool:
        return is_heading(token) or self._is_after_blank(token)

    def _is_after_blank(self, token: Token) -> bool:
        first = token.map[0] if token.map else 0
        return first > 0 and is_blank_row(self._rows[first - 1])

    def _as_written(self, begin: int, end: int, width: int, base: Ink) -> list[Line] | None:
        """Return the lines of a block that nests too deep to be drawn, None for any other."""
        token = self._tokens[begin]
        if token.map is None or all(inner.level < DEEPEST for inner in self._tokens[begin:end]):
            return None
        return wrap_text("\n".join(self._rows[token.map[0] : token.map[1]]).strip("\n"), base, width)

    def _block(self, begin: int, end: int, width: int, base: Ink, ordinal: int | None, depth: int) -> list[Line]:
        token = self._tokens[begin]
        if token.type == "blockquote_open" and (written := self._as_written(begin, end, width, base)) is not None:
            return written
        match token.type:
            case "heading_open":
                return self._paragraph(begin, width, _TOP_HEADING if token.tag == "h1" else _HEADING)
            case "fence" | "code_block":
                return code_frame(token.content.removesuffix("\n"), token.info, width, self._page)
            case "hr":
                return [Line((((("-" if self._page.is_ascii else "─") * width), Ink("frame", copy="---")),))]
            case "blockquote_open":
                return self._quote(begin, end, width, base, depth)
            case "bullet_list_open" | "ordered_list_open":
                return self._list(begin, end, width, base, ordinal, depth)
            case "table_open":
                return table_lines(table_in(self._tokens[begin:end], self._environment), width, self._page)
            case "paragraph_open":
                return self._paragraph(begin, width, base)
            case _:
                return wrap_text(token.content.strip("\n"), base, width)

    def _paragraph(self, begin: int, width: int, base: Ink) -> list[Line]:
        lines: list[Line] = []
        for row in inline_rows(self._tokens[begin + 1].content, self._environment, base):
            lines += wrap(row, width) if row else [Line()]
        return lines

    def _quote(self, begin: int, end: int, width: int, base: Ink, depth: int) -> list[Line]:
        bar = "| " if self._page.is_ascii else "▎ "
        inner = width - len(bar)
        ink = _QUOTE if base.role == "text" else base
        if inner < NARROWEST:
            return self.flow(begin + 1, end - 1, width, ink, depth=depth) or [Line()]
        lines = self.flow(begin + 1, end - 1, inner, ink, depth=depth)
        mark = Ink("accent" if depth == 0 else "muted", copy="> ")
        return beside(lines or [Line()], (bar, mark), (bar, mark))

    def _list(self, begin: int, end: int, width: int, base: Ink, ordinal: int | None, depth: int) -> list[Line]:
        lines: list[Line] = []
        for token, item in self._items(begin, end, width, base, ordinal, depth):
            if lines and self._is_after_blank(token):
                lines.append(EMPTY)
            lines += item
        return lines

    def _items(
        self, begin: int, end: int, width: int, base: Ink, ordinal: int | None, depth: int
    ) -> Iterator[tuple[Token, list[Line]]]:
        """Yield the opening token and the lines of each item."""
        opening = self._tokens[begin]
        number = ordinal
        if opening.type == "ordered_list_open" and number is None:
            number = int(opening.attrs.get("start", 1))
        if opening.type == "bullet_list_open":
            number = None
        for low, high in blocks_of(self._tokens, begin + 1, end - 1):
            yield self._tokens[low], self._item(low, high, width, base, number, depth)
            number = None if number is None else number + 1

    def outline(self, width: int, base: Ink, ordinal: int | None) -> list[Extent]:
        """Return where the blocks, and the items of lists, are."""
        found: list[Extent] = []
        height = 0
        for begin, end in blocks_of(self._tokens, 0, len(self._tokens)):
            carried = ordinal if begin == 0 else None
            token = self._tokens[begin]
            if token.type.endswith("_list_open"):
                parts = list(self._items(begin, end, width, base, carried, 0))
            else:
                parts = [(token, self._block(begin, end, width, base, carried, 0))]
            for number, (part, lines) in enumerate(parts):
                needs_gap = self._is_after_blank(part) if number else self._needs_gap(token)
                height += bool(height and lines and needs_gap)
                row, after = part.map or (0, 0)
                if lines:
                    found.append(Extent(height, row, after))
                height += len(lines)
        return found

    def _item(self, low: int, high: int, width: int, base: Ink, number: int | None, depth: int) -> list[Line]:
        if (written := self._as_written(low, high, width, base)) is not None:
            return written
        marker = self._marker(low, number, depth)
        indent = len(marker[0])
        if width - indent < NARROWEST:
            return self.flow(low + 1, high - 1, width, base, depth=depth + 1) or [Line()]
        lines = self.flow(low + 1, high - 1, width - indent, base, depth=depth + 1)
        return beside(lines or [Line()], marker, (" " * indent, TEXT))

    def _marker(self, low: int, number: int | None, depth: int) -> Span:
        task = self._take_task(low)
        if task is not None:
            if self._page.is_ascii:
                return (
                    f"[{'x' if task else ' '}] ",
                    Ink("success" if task else "muted", copy=f"- [{'x' * task or ' '}] "),
                )
            return ("✓ ", Ink("success", copy="- [x] ")) if task else ("□ ", Ink("muted", copy="- [ ] "))
        if number is not None:
            return f"{number}. ", Ink("accent")
        bullets = "-*+" if self._page.is_ascii else "•◦▪"
        return f"{bullets[depth % 3]} ", Ink("accent", copy="- ")

    def _take_task(self, low: int) -> bool | None:
        """Return whether the item is a done task, None when it is no task; its mark is taken off the text."""
        inline = self._tokens[low + 2] if low + 2 < len(self._tokens) else None
        if inline is None or inline.type != "inline" or self._tokens[low + 1].type != "paragraph_open":
            return None
        found = _TASK.match(inline.content)
        if found is None:
            return None
        inline.content = inline.content[found.end() :]
        return found[1] != " "


def table_in(tokens: Sequence[Token], environment: Environment) -> Table:
    """Return the table that some tokens are."""
    rows: list[list[str]] = []
    sides: list[str] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content)
        elif token.type == "th_open":
            sides.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
    return Table([[inline_rows(cell, environment, TEXT)[0] for cell in row] for row in rows], sides)


def beside(lines: list[Line], first: Span, others: Span) -> list[Line]:
    """Put a marker left of the first line and another left of the others; copied once for each line of the source."""
    out: list[Line] = []
    marker = first
    is_continued = False
    for line in lines:
        text, ink = marker
        if is_continued:
            ink = ink._replace(copy="")
        out.append(Line(((text, ink), *line.spans), line.joint, line.code))
        is_continued = line.joint != "\n"
        marker = others
    return out


def is_heading(token: Token) -> bool:
    """Tell whether a block is a heading that is known as one from its first line on."""
    return token.type == "heading_open" and token.markup.startswith("#")


def is_blank_row(row: str) -> bool:
    """Tell whether a line of the source is blank; one that only continues a quote counts, too."""
    return not row.strip(" \t>")
