"""The list of sessions for people: one line each, columns aligned, titles last; and that of what a search found.

Pure. Everything from outside is cleaned here, on one line each.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from unicodedata import combining, east_asian_width

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.search import SearchHit
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.safety.clean import clean_name

_HEADINGS = ("ID", "TAB", "STATE", "TURNS", "UPDATED", "ENDPOINT", "TITLE")


def session_table(heads: Sequence[SessionHead], short_ids: Mapping[SessionId, str]) -> list[str]:
    """Return the lines of the table, headings first. Times are UTC.

    Args:
        heads: in the order of the table, which is that of the tabs: places on the disk may have gaps, or be used twice by two
            programs, and the UI numbers them anew.
        short_ids: what is shown of each id.
    """
    places = {head.session_id: str(place) for place, head in enumerate((head for head in heads if head.is_open), 1)}
    rows = (_row(head, short_ids[head.session_id], places.get(head.session_id, "-")) for head in heads)
    return aligned([_HEADINGS, *rows])


def hit_lines(hits: Sequence[SearchHit]) -> list[str]:
    """Return two lines for each hit: session and place, and the words with those around them. Times are UTC."""
    lines: list[str] = []
    for hit in hits:
        when = f"{datetime.fromtimestamp(hit.when, UTC):%Y-%m-%d %H:%M}"
        lines.append(f"{hit.session_id}  {when}  {hit.found_in.value:<6}  {clean_name(hit.title) or '-'}")
        if hit.turn_id is not None:
            lines.append(f"    {clean_name(hit.excerpt.strip())}")
    return lines


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows of cleaned cells as lines, every column but the last padded to its widest cell."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(head: SessionHead, short_id: str, tab: str) -> tuple[str, ...]:
    return (
        short_id,
        tab,
        head.last_state.value if head.last_state else "-",
        str(head.turns),
        f"{datetime.fromtimestamp(head.updated, UTC):%Y-%m-%d %H:%M}",
        clean_name(head.endpoint.name),
        clean_name(head.title) or "-",
    )


def _width(text: str) -> int:
    """Return the cells that text takes on a terminal, near enough for a column."""
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)
