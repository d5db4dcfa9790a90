"""The links of turns, in the order of the text, for a list to choose from."""

from collections.abc import Iterator
from typing import NamedTuple

from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.piece import PlainPiece

MOST_LINKS = 200
"""Links in one list; beyond it nobody chooses by eye."""
MOST_LINES = 20_000
"""Lines that are laid out to find them; about a second."""


class FoundLink(NamedTuple):
    """A link that can be opened."""

    url: str
    """The clean http or https URL."""
    label: str
    """What the text calls it, cleaned."""


def links_of(model: TranscriptModel, turns: range) -> list[FoundLink]:
    """Return the links of some turns (numbers in the session), each address once, at most MOST_LINKS."""
    found: dict[str, FoundLink] = {}
    left = MOST_LINES
    for turn in turns:
        layout = model.prepared(turn)
        for index, piece in enumerate(layout.flow):
            if isinstance(piece, PlainPiece):
                continue
            lines = layout.lay_out(index, model.page)
            left -= len(lines)
            for link in _links_on(lines):
                found.setdefault(link.url, link)
            if len(found) >= MOST_LINKS or left <= 0:
                return list(found.values())[:MOST_LINKS]
    return list(found.values())


def _links_on(lines: list[Line]) -> Iterator[FoundLink]:
    """Yield each link with its whole label, which may go on over several spans and wrapped lines."""
    url, label = "", ""
    for line in lines:
        for text, ink in line.spans:
            if ink.link and ink.link == url:
                label += text
            elif ink.copy != "" or ink.link:
                if url:
                    yield FoundLink(url, " ".join(label.split()))
                url, label = ink.link, text
        label += line.joint
    if url:
        yield FoundLink(url, " ".join(label.split()))
