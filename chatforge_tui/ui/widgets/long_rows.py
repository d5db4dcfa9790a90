"""Text areas that hold a megabyte: in one row, longer than any line should be, or in tens of thousands of them.

Textual looks at the whole of a row for each line of it on the screen, and wraps it word by word after each key: 0.3 to 4 s
a key. Here a line of the screen is made of its own characters, and what consists of narrow ones is wrapped by looking for
the last blank in each line.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

from rich.style import Style
from rich.text import Text
from textual._wrap import compute_wrap_offsets
from textual.document import _wrapped_document as textual_wrapping
from textual.expand_tabs import get_tab_widths

from chatforge_tui.ui.cell_widths import is_narrow

_SECTIONS_OF = textual_wrapping.WrappedDocument.get_sections

LONG = 4_000
"""Characters beyond which a row is long."""


def is_long(row: str) -> bool:
    """Tell whether a row is dear to Textual and cheap here."""
    return len(row) > LONG and "\t" not in row


def wrap_offsets(text: str, width: int) -> list[int]:
    """Return the characters of a row of narrow ones at which its second and later lines of the screen begin.

    Args:
        text: without tabs.
        width: cells, > 0.
    """
    offsets: list[int] = []
    begin, length = 0, len(text)
    while length - begin > width:
        before = begin + width
        cut = text.rfind(" ", begin, before) + 1
        while cut > 0 and text[cut] == " ":  # the blanks behind a word do not fit: the line ends before the word
            before = len(text[begin:cut].rstrip(" ")) + begin
            cut = text.rfind(" ", begin, before) + 1
        begin = cut if cut > begin else begin + width
        offsets.append(begin)
    return offsets


def hasten_long_rows() -> None:
    """Have the text areas of Textual wrap and cut long rows as is done here; twice is the same as once."""
    module = cast("Any", textual_wrapping)  # it has no public way to wrap otherwise
    module.compute_wrap_offsets, module.get_tab_widths = _compute_wrap_offsets, _get_tab_widths
    textual_wrapping.WrappedDocument.get_sections = _get_sections
    textual_wrapping.WrappedDocument.height = property(_height)  # pyright: ignore[reportAttributeAccessIssue]


def _compute_wrap_offsets(
    text: str,
    width: int,
    tab_size: int,
    fold: bool = True,
    precomputed_tab_sections: list[tuple[str, int]] | None = None,
) -> list[int]:
    if width > 0 and "\t" not in text and (len(text) <= width or len(text) > LONG) and is_narrow(text):
        return wrap_offsets(text, width)
    return compute_wrap_offsets(text, width, tab_size, fold, precomputed_tab_sections)


def _get_tab_widths(line: str, tab_size: int = 4) -> list[tuple[str, int]]:
    if "\t" in line:
        return get_tab_widths(line, tab_size)
    return [(line, 0)] if line else []


def _get_sections(self: textual_wrapping.WrappedDocument, line_index: int) -> list[str]:
    row = self.document.lines[line_index]
    if not is_long(row):
        return _SECTIONS_OF(self, line_index)
    return [row[begin:end] for begin, end in pairwise((0, *self.get_offsets(line_index), len(row)))]


def _height(self: textual_wrapping.WrappedDocument) -> int:
    """Return the number of lines of the screen: Textual adds them up, for each line that it draws."""
    return len(self._offset_to_line_info)  # pyright: ignore[reportPrivateUsage]


def section_text(row: str, offsets: Sequence[int], section: int, spans: Sequence[tuple[int, int, Style]]) -> Text:
    """Return one line of the screen of a long row.

    Args:
        row: all of it.
        offsets: where its second and later lines begin.
        section: number of the line, from 0.
        spans: first character, the one behind the last, and the style of what is styled in the row.
    """
    begin = offsets[section - 1] if section else 0
    end = offsets[section] if section < len(offsets) else len(row)
    blank = " " if end == len(row) else ""  # for the cursor
    text = Text(row[begin:end] + blank, end="", no_wrap=True)
    for first, after, style in spans:
        low, high = max(first - begin, 0), after - begin
        if low < high:
            text.stylize(style, low, high)
    return text
