"""Finding text in a session: over the sources of all turns, laid out or not, and on the lines in view.

A word of the query may be parted from the next by anything blank or by signs of emphasis, so "very **bold** words" is
found by `very bold words`, on the screen and in the source.
"""

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.part import (
    SEPARATION,
    FilePart,
    NoticePart,
    Part,
    PlanPart,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
)
from chatforge_tui.domain.search import FoundIn, SearchHit
from chatforge_tui.domain.turn import Turn
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.cell_widths import width_of
from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.place import Place, Shift
from chatforge_tui.ui.transcript.spelling import pattern_of
from chatforge_tui.ui.transcript.turn_layout import PROMPT

MOST_MATCHES = 10_000
"""Matches beyond which nobody looks."""


class Match(Struct, frozen=True):
    """One place where the query was found."""

    turn: int
    """Number of the turn in the session."""
    part: int
    """Index of the part; -1 for the prompt."""
    nth: int
    """Number of the match within its part, from 0."""
    excerpt: str
    """The words around it, cleaned, on one line."""


class Query:
    """What is searched for. Upper and lower case are the same, and so is what only is encoded in another way."""

    def __init__(self, text: str) -> None:
        words = [pattern_of(word) for word in text.split()]
        self.text = text
        self._source = re.compile(r"[\s*_`~\[\]]+".join(words), re.IGNORECASE)
        self._shown = re.compile(r"\s+".join(words), re.IGNORECASE)
        self.is_empty = not words

    def matches(self, model: TranscriptModel, turns: int | None = None) -> list[Match]:
        """Return all matches in the order of the session, or those of so many turns at its beginning."""
        found: list[Match] = []
        for turn in range(model.turns if turns is None else turns):
            for part, source in sources(model, turn):
                for nth, hit in enumerate(self._source.finditer(source)):
                    found.append(Match(turn, part, nth, _excerpt(source, hit)))
                    if len(found) >= MOST_MATCHES:
                        return found
        return found

    def count_before(self, source: str, offset: int) -> int:
        """Return how many matches begin before a character of a text."""
        return sum(1 for found in self._source.finditer(source) if found.start() < offset)

    def place(self, model: TranscriptModel, match: Match) -> Place:
        """Return the line of a match, laying its turn out; the part's first line when the layout hides the match."""
        if match.part != PROMPT:
            _unfold(model, match)
        layout = model.prepared(match.turn)
        lines = [
            (Place(match.turn, piece, number), line)
            for piece, key in enumerate(layout.keys)
            if key == match.part
            for number, line in enumerate(layout.lay_out(piece, model.page))
        ]
        if not lines:
            return Place(match.turn)
        starts = [begin for begin, _ in self._shown_hits([line for _, line in lines])]
        row = starts[min(match.nth, len(starts) - 1)][0] if starts else 0
        return lines[row][0]

    def cells(self, lines: Sequence[Line]) -> dict[int, list[tuple[int, int]]]:
        """Return for each line that has a match the cells it covers; a match may go on over wrapped lines."""
        found: dict[int, list[tuple[int, int]]] = {}
        for (row, begin), (last_row, end) in self._shown_hits(lines):
            for number in range(row, last_row + 1):
                text = lines[number].text
                low = begin if number == row else 0
                high = end if number == last_row else len(text)
                if low < high:
                    found.setdefault(number, []).append((width_of(text[:low]), width_of(text[:high])))
        return found

    def _shown_hits(self, lines: Sequence[Line]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Yield row and character of begin and end of each match on laid out lines."""
        if self.is_empty:
            return
        starts: list[int] = []
        chunks: list[str] = []
        length = 0
        for line in lines:
            starts.append(length)
            # What is drawn beside the text (bars, bullets, frames) is blank here: words go on across it.
            chunks += (text if ink.copy is None else " " * len(text) for text, ink in line.spans)
            chunks.append(line.joint)
            length += len(line.text) + len(line.joint)
        row = 0
        for hit in self._shown.finditer("".join(chunks)):
            while row + 1 < len(starts) and starts[row + 1] <= hit.start():
                row += 1
            last = row
            while last + 1 < len(starts) and starts[last + 1] < hit.end():
                last += 1
            yield (row, hit.start() - starts[row]), (last, hit.end() - starts[last])


def sources(model: TranscriptModel, turn: int) -> Iterator[tuple[int, str]]:
    """Yield index and text of each part of a turn, the prompt (-1) first. Nothing is laid out."""
    yield PROMPT, model.turn(turn).head.prompt.text
    layout = model.known_layout(turn)
    if layout is not None:
        for section in layout.sections():
            yield section.index, section.source
        return
    for part in model.turn(turn).parts:
        if text := _source_of(part):
            yield part.index, text


def _source_of(part: Part) -> str:
    match part:
        case TextPart(text=text, is_plan_source=hidden):
            return "" if hidden else text
        case ReasoningPart(text=text) | NoticePart(text=text) | QuestionPart(text=text):
            return text
        case ToolPart(name=name, input=taken, output=given):
            return "\n".join(filter(None, (name, taken, given)))
        case PlanPart(plan=plan):
            return "\n".join(step.title for step in plan.steps)
        case FilePart(name=name, url=url):
            return f"{name} {url}".strip()


def _unfold(model: TranscriptModel, match: Match) -> None:
    section = model.layout(match.turn).section(match.part)
    if section is not None and section.is_foldable and section.is_folded:
        model.toggle_fold(match.turn, match.part)


def _excerpt(source: str, hit: re.Match[str]) -> str:
    begin, end = max(0, hit.start() - 30), min(len(source), hit.end() + 50)
    return " ".join(clean(source[begin:end]).split())


def _part_at(turn: Turn, hit: SearchHit) -> tuple[int, int]:
    """Return the part in which a hit is, and how many characters of the part come before it."""
    offset = hit.offset
    if hit.found_in is FoundIn.ANSWER:
        for part in turn.parts:
            if isinstance(part, TextPart):
                offset -= len(SEPARATION) if part.is_separate else 0
                if offset < len(part.text):
                    return part.index, max(offset, 0)
                offset -= len(part.text)
    return PROMPT, offset


class Search:
    """A search under way: what was found, and which of it the user looks at."""

    def __init__(self, query: Query, model: TranscriptModel) -> None:
        self.query = query
        self.matches = query.matches(model)
        self.current = -1
        """Number of the match looked at, from 0; -1 before the first."""
        self.place: Place | None = None
        """Its line."""
        self._version = model.version
        self._page = model.page

    def refresh(self, model: TranscriptModel) -> None:
        """Find what has come since it was looked for; the match looked at stays that."""
        if self._version == model.version:
            return
        before = self.matches[self.current] if self.current >= 0 else None
        self.matches, self._version = self.query.matches(model), model.version
        if before is not None:
            here = (before.turn, before.part, before.nth)
            at_or_above = sum((match.turn, match.part, match.nth) <= here for match in self.matches)
            self.current = at_or_above - 1

    def relocate(self, model: TranscriptModel) -> None:
        """Know the line of the match looked at on another page."""
        if self._page is not model.page:
            self._page = model.page
            if self.place is not None and self.current < len(self.matches):
                self.place = self.query.place(model, self.matches[self.current])

    def take_earlier(self, shift: Shift, model: TranscriptModel) -> None:
        """Find what is in turns that came before all that were there; the match looked at stays that."""
        above = self.query.matches(model, shift.turns)
        self.matches = above + [replace(match, turn=match.turn + shift.turns) for match in self.matches]
        if self.place is not None:
            self.place = shift.of(self.place)
        if self.current >= 0:
            self.current += len(above)

    def first_from(self, turn: int) -> int:
        """Return the number of the first match in or below a turn, else of the last one."""
        below = (number for number, match in enumerate(self.matches) if match.turn >= turn)
        return next(below, len(self.matches) - 1)

    def number_of(self, hit: SearchHit, turn: int, model: TranscriptModel) -> int | None:
        """Return the number of the match that a hit of the whole store names; None when it is hidden here.

        Args:
            hit: found in this turn.
            turn: the turn's number.
            model: the session.
        """
        part, offset = _part_at(model.turn(turn), hit)
        nth = self.query.count_before(dict(sources(model, turn)).get(part, ""), offset)
        of_turn = [number for number, match in enumerate(self.matches) if match.turn == turn]
        of_part = [number for number in of_turn if self.matches[number].part == part]
        return of_part[min(nth, len(of_part) - 1)] if of_part else next(iter(of_turn), None)

    def go_to(self, number: int, model: TranscriptModel) -> Place | None:
        """Look at a match; numbers go round. Return its line, None when nothing was found."""
        if not self.matches:
            return None
        self.current = number % len(self.matches)
        self.place = self.query.place(model, self.matches[self.current])
        return self.place
