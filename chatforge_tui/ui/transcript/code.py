"""Drawing code: a thin frame with the language's name, the source inside, long lines wrapped where they are cut."""

from chatforge_tui.ui.cell_widths import width_of
from chatforge_tui.ui.transcript.highlight import PLAIN
from chatforge_tui.ui.transcript.ink import FRAME, Ink, Line, Span
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.wrap import wrap

_COPY = Ink("muted", copy="", act="copy")
_LONGEST_LABEL = 24
_NARROWEST_FRAME = 12
"""Cells below which the frame would leave no room for code: then there is none."""


def code_frame(code: str, info: str, width: int, page: Page) -> list[Line]:
    """Lay out a finished code block.

    Args:
        code: The source, without the newline at its end.
        info: What the fence says after its marker; its first word names the language.
        width: Cells for the whole frame.
        page: For its marks and colours.
    """
    rows = page.coloured(code, language_of(info))
    if rows is None:
        rows = [[(row, PLAIN)] if row else [] for row in code.split("\n")]
    lines = [top_of_frame(info, width, page, code)]
    for row in rows:
        lines += code_rows(row, width, page, code)
    lines.append(bottom_of_frame(width, page, code))
    return lines


def code_rows(row: list[Span], width: int, page: Page, code: str | None) -> list[Line]:
    """Lay out one line of source: one or more lines between the frame's sides."""
    inner = width - 4
    if width < _NARROWEST_FRAME:
        return wrap(row, width, words=False, code=code)
    side = "|" if page.is_ascii else "│"
    left, right = (f"{side} ", FRAME), (f" {side}", FRAME)
    lines: list[Line] = []
    for line in wrap(row, inner, words=False, code=code):
        gap = inner - sum(width_of(text) for text, _ in line.spans)
        padding = ((" " * gap, FRAME),) if gap > 0 else ()
        lines.append(Line((left, *line.spans, *padding, right), line.joint, code))
    return lines


def top_of_frame(info: str, width: int, page: Page, code: str | None) -> Line:
    """Draw the upper side, with the language's name and, for a finished block, the button that copies."""
    label = language_of(info)[:_LONGEST_LABEL]
    fence = Ink("muted", copy=f"```{language_of(info)}")
    if width < _NARROWEST_FRAME:
        return Line(((label or "code", fence),), code=code)
    corner, line, end = ("+", "-", "+") if page.is_ascii else ("┌", "─", "┐")
    name = f" {label} " if label else line
    button = " copy " if code is not None and width >= width_of(name) + 16 else ""
    rule = line * (width - 3 - width_of(name) - len(button))
    spans: list[Span] = [(corner, FRAME), (name, fence if label else FRAME._replace(copy="```")), (rule, FRAME)]
    if button:
        spans.append((button, _COPY))
    spans.append((line + end, FRAME))
    return Line(spans, code=code)


def bottom_of_frame(width: int, page: Page, code: str | None) -> Line:
    """Draw the lower side."""
    if width < _NARROWEST_FRAME:
        return Line((("-" if page.is_ascii else "─", FRAME._replace(copy="```")),), code=code)
    corner, line, end = ("+", "-", "+") if page.is_ascii else ("└", "─", "┘")
    return Line(((corner, FRAME._replace(copy="```")), (line * (width - 2) + end, FRAME)), code=code)


def language_of(info: str) -> str:
    """Return the language that a fence names: its first word, without the signs some writers put around it."""
    words = info.split(maxsplit=1)
    return words[0].strip("{}.`").split(",")[0].split(":")[0] if words else ""
