"""The last wall before the terminal: whatever a widget forgot to clean is made harmless here, line by line.

Owns what may never leave as part of a rendered line. It does not make text readable: that is safety.clean's work,
done where text enters a widget. A removed character leaves as many cells as it took, so that nothing shifts.
"""

import re
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
_SAFE_LINK = re.compile("https?://[!-~]+", re.IGNORECASE)


class SafetyFilter(LineFilter):
    """Removes control, bidirectional and invisible characters, and links that are not plain http or https."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without anything that could steer the terminal; the same list when there is nothing."""
        del background
        if all(_is_harmless(segment) for segment in segments):
            return segments
        return [_harmless(segment) for segment in segments]


def _is_harmless(segment: Segment) -> bool:
    text, style, _ = segment
    if not (text.isascii() and text.isprintable()) and _FORBIDDEN.search(text):
        return False
    return style is None or style.link is None or _SAFE_LINK.fullmatch(style.link) is not None


def _harmless(segment: Segment) -> Segment:
    text, style, control = segment
    if control:
        return segment
    if style is not None and style.link is not None and not _SAFE_LINK.fullmatch(style.link):
        style = _without_link(style)
    return Segment(_FORBIDDEN.sub(_blank, text), style)


def _blank(found: re.Match[str]) -> str:
    return " " * max(cell_len(found[0]), 0)


@lru_cache(maxsize=256)
def _without_link(style: Style) -> Style:
    return style.update_link(None)
