"""Breaking text into lines of a width, counted in terminal cells.

Owns where a line may break: after spaces, around wide characters, anywhere in a word that is wider than the line;
never inside a grapheme. Every line remembers what stood at its break, so that copying gives the text back.
"""

from collections.abc import Iterator, Sequence

from chatforge_tui.ui.cell_widths import is_narrow, width_of
from chatforge_tui.ui.transcript.graphemes import graphemes
from chatforge_tui.ui.transcript.ink import Ink, Line, Span

TAB_COLUMNS = 4

Break = tuple[int, int, str]
"""Where one line begins and ends in the text, and its joint to the next."""


def wrap(spans: Sequence[Span], width: int, *, words: bool = True, code: str | None = None) -> list[Line]:
    """Break one logical line (no newline in it) into lines of at most `width` cells; at least one line.

    Args:
        spans: The line; tabs are expanded.
        width: Cells, > 0.
        words: Break between words where possible; otherwise (code) exactly at the width.
        code: The code block that the line belongs to.
    """
    if any("\t" in text for text, _ in spans):
        spans = expand_tabs(spans)
    text = spans[0][0] if len(spans) == 1 else "".join(part for part, _ in spans)
    if is_narrow(text):
        if len(text) <= width:
            return [Line(spans, code=code)]
        breaks = _narrow_breaks(text, width, words)
    else:
        breaks = _grapheme_breaks(text, width, words)
    return _cut(spans, breaks, code)


def wrap_text(text: str, ink: Ink, width: int) -> list[Line]:
    """Break plain text, newlines kept, into lines."""
    lines: list[Line] = []
    for row in text.split("\n"):
        lines += wrap(((row, ink),), width) if row else [Line()]
    return lines


def expand_tabs(spans: Sequence[Span], columns: int = TAB_COLUMNS, begin: int = 0) -> list[Span]:
    """Replace tabs by the spaces up to the next stop; copied, they are tabs again.

    Args:
        spans: The text.
        columns: From one stop to the next.
        begin: Column at which the text begins.
    """
    out: list[Span] = []
    column = begin
    gaps = [" " * gap for gap in range(columns + 1)]
    for text, ink in spans:
        tab = ink._replace(copy="\t" if ink.copy is None else ink.copy)
        for index, piece in enumerate(text.split("\t")):
            if index:
                gap = columns - column % columns
                out.append((gaps[gap], tab))
                column += gap
            if piece:
                out.append((piece, ink))
                column += width_of(piece)
    return out


def _narrow_breaks(text: str, width: int, words: bool) -> Iterator[Break]:
    begin, length = 0, len(text)
    while length - begin > width:
        cut = text.rfind(" ", begin + 1, begin + width + 1) if words else -1
        if cut < 0 or text[begin:cut].isspace():
            yield begin, begin + width, ""
            begin += width
            continue
        resume = cut
        while resume < length and text[resume] == " ":
            resume += 1
        end = len(text[begin:cut].rstrip(" ")) + begin
        yield begin, end, text[end:resume]
        begin = resume
    if begin < length or not length:
        yield begin, length, "\n"


def _grapheme_breaks(text: str, width: int, words: bool) -> Iterator[Break]:
    found = graphemes(text)
    starts = [start for start, _, _ in found]
    starts.append(len(text))
    first = index = used = 0  # first grapheme of the line, the one in hand, cells used so far
    candidate = 0  # grapheme that may begin the next line
    while index < len(found):
        _, _, cells = found[index]
        if used + cells > width and index > first:
            begin, cut = starts[first], index
            if words and text[starts[index]] != " " and not text[begin : starts[candidate]].isspace():
                cut = candidate if candidate > first else index
            end, resume = starts[cut], cut
            if words and not text[begin:end].isspace():  # an indent wider than the line goes on in the next one
                end = begin + len(text[begin:end].rstrip(" "))
                while resume < len(found) and text[starts[resume]] == " ":
                    resume += 1
            yield begin, end, text[end : starts[resume]]
            first = index = candidate = resume
            used = 0
            continue
        if cells == 2:
            candidate = index
        used += cells
        index += 1
        if cells == 2 or text[starts[index - 1]] == " ":
            candidate = index
    if first < len(found) or not text:
        yield starts[first], len(text), "\n"


def _cut(spans: Sequence[Span], breaks: Iterator[Break], code: str | None) -> list[Line]:
    """Deal the spans out to the lines."""
    lines: list[Line] = []
    index, offset = 0, 0  # the span in hand and where it begins in the text
    has_tabs = any(ink.copy for _, ink in spans)  # each is copied once, with the line on which it begins
    for begin, end, joint in breaks:
        parts: list[Span] = []
        while index < len(spans):
            text, ink = spans[index]
            low, high = max(begin, offset), min(end, offset + len(text))
            if low < high:
                parts.append((text[low - offset : high - offset], _rest_of(ink) if low > offset and ink.copy else ink))
            if offset + len(text) > end:
                break
            offset += len(text)
            index += 1
        if has_tabs and joint.isspace() and joint != "\n":
            joint = _copied_between(spans, index, offset, end, end + len(joint))  # noqa: PLW2901 - as it is copied
        lines.append(Line(parts, joint, code))
    if lines and lines[-1].joint != "\n":
        lines[-1] = Line(lines[-1].spans, "\n", code)
    return lines or [Line(code=code)]


def _rest_of(ink: Ink) -> Ink:
    """Return the ink of what follows on the next line of a span that stands for something else."""
    return ink._replace(copy="")


def _copied_between(spans: Sequence[Span], index: int, offset: int, begin: int, end: int) -> str:
    """Return what the characters of a break give when they are copied.

    Args:
        spans: The line.
        index: Number of a span before the break, or with its beginning in it;
        offset: and the character at which that begins.
        begin: First character of the break.
        end: The one behind its last.
    """
    out: list[str] = []
    while index < len(spans) and offset < end:
        text, ink = spans[index]
        low, high = max(begin, offset), min(end, offset + len(text))
        if low < high and ink.copy is None:
            out.append(text[low - offset : high - offset])
        elif low < high and low == offset:
            out.append(ink.copy or "")
        offset += len(text)
        index += 1
    return "".join(out)
