"""One turn on the screen: the flow of its pieces from the prompt's header to the line that says how it ended."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec import Struct

from chatforge_tui.domain.changes import HeadChanged, PartAdded, PartDropped, PartReplaced, TextAppended, TurnChange
from chatforge_tui.domain.part import Part
from chatforge_tui.domain.turn import Turn, TurnHead, TurnState
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.last_rows import LastRows
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.piece import GAP, Piece
from chatforge_tui.ui.transcript.place import Place, Row
from chatforge_tui.ui.transcript.section import Section
from chatforge_tui.ui.transcript.sections import section_of
from chatforge_tui.ui.transcript.text_section import TextSection
from chatforge_tui.ui.transcript.turn_edges import TurnEdges
from chatforge_tui.ui.transcript.turn_pieces import Divider, divided

PROMPT = -1
"""Key of the pieces of the prompt and of both headers, where others have the index of their part."""
ENDING = -2
"""Key of the pieces that say how the turn ended."""

QUIET_S = 20
"""Seconds without anything new after which a turn that streams says so: it may have stalled, which is known only later."""

Folds = Callable[[int, Section], bool]
"""Says for a part's index and its section whether it is folded."""


class Written(NamedTuple):
    """How far a turn had come at some time."""

    part: int
    """Index of its last part; -1 for none."""
    closed: int
    """Of a last part that is text, the number of pieces that were closed."""
    open: str
    """Of such a part, the text after them."""


class _Tail(Struct):
    """The text at the end of a flow that grows."""

    section: TextSection
    begin: int
    """Index of its first piece."""
    closed: int
    """How many of its closed pieces are in the flow."""


class TurnLayout:
    """The pieces of one turn and where each begins."""

    def __init__(self, turn: Turn, folds: Folds, *, is_first: bool) -> None:
        self.head: TurnHead = turn.head
        self.flow: list[Piece] = []
        """The pieces from top to bottom."""
        self.keys: list[int] = []
        """For each piece the index of its part, PROMPT or ENDING."""
        self._tops: list[int] = [0]
        self._folds = folds
        self._edges = TurnEdges(is_first=is_first)
        self._unread: tuple[int, int | None] | None = None  # the part read last, and its first piece that was not
        self._sections: dict[int, Section] = {}
        self._order: list[int] = []
        self._is_stale = True
        self._tail: _Tail | None = None  # the text that grows, while nothing else has changed
        self._last_rows = LastRows()
        self._moment: tuple[int, int] | None = None  # second and spinner step that are shown
        self._heard: float | None = None  # when something came last; None until that is looked at
        self._headed: tuple[TurnHead, tuple[int, int] | None, str] | None = None  # what the headers were made of
        self._marks: MarkSet | None = None
        for part in turn.parts:
            self._add(part)
        if not turn.head.state.is_live:
            self._end_sections()

    @property
    def height(self) -> int:
        """Lines; an estimate while some pieces have not been laid out."""
        return self._tops[-1]

    def sections(self) -> list[Section]:
        """Return the sections in the order of their parts."""
        return [self._sections[index] for index in self._order]

    def pieces_of(self, index: int, end: int) -> Iterator[Piece]:
        """Yield the pieces of a part that come before one of the flow."""
        return (piece for piece, key in zip(self.flow[:end], self.keys, strict=False) if key == index)

    def section(self, index: int) -> Section | None:
        """Return the section of a part."""
        return self._sections.get(index)

    def apply(self, change: TurnChange) -> None:
        """Take one change; nothing is laid out yet."""
        self._is_stale, self._heard = True, None
        if not isinstance(change, TextAppended) or self._order[-1:] != [change.index]:
            self._tail = None
        match change:
            case TextAppended(index, text, field):
                if (section := self._sections.get(index)) is not None:
                    section.append(field, text)
            case PartAdded(part) | PartReplaced(part):
                self._put(part)
            case PartDropped(index):
                if self._sections.pop(index, None) is not None:
                    self._order.remove(index)
            case HeadChanged(head):
                self.head = head
            case _:
                pass

    def end(self, turn: Turn) -> None:
        """Take the whole turn at the end of its request; what is laid out already stays."""
        before, self.head, heard = (self.head, self._extent), turn.head, self._heard
        for index in [index for index in self._order if all(part.index != index for part in turn.parts)]:
            self.apply(PartDropped(index))
        for part in turn.parts:
            self._put(part)
        if not turn.head.state.is_live:
            self._end_sections()
        self._heard = heard if before == (self.head, self._extent) else None
        self.mark_stale()

    @property
    def _extent(self) -> tuple[int, int]:
        """Number of the parts, and of the characters in them."""
        return len(self._sections), sum(len(section.source) for section in self._sections.values())

    def quiet_s(self, now: float) -> int:
        """Return for how many seconds nothing of the answer has come, as far as it was looked at; 0 for less than QUIET_S.

        Args:
            now: Unix seconds, as for `prepare`.
        """
        if self.head.state is not TurnState.STREAMING:
            return 0
        if self._heard is None:
            self._heard = now
        seconds = int(now - self._heard)
        return seconds if seconds >= QUIET_S else 0

    @property
    def written(self) -> Written:
        """How far the turn has been written, as far as it was looked at."""
        if not self._order:
            return Written(-1, 0, "")
        last = self._sections[self._order[-1]]
        return Written(last.index, *last.written) if isinstance(last, TextSection) else Written(last.index, 0, "")

    def mark_unread(self, read: Written) -> bool:
        """Draw a divider where the turn goes on beyond what was read, if it does; return whether it does."""
        section = self._sections.get(read.part)
        first = section.first_unread(read.closed, read.open) if isinstance(section, TextSection) else None
        goes_on = first is not None or self._order[-1:] > [read.part]
        self._unread = (read.part, first) if goes_on else None
        self.mark_stale()
        return goes_on

    def forget_unread(self) -> None:
        """Draw no divider within the turn."""
        if self._unread is not None:
            self._unread = None
            self.mark_stale()

    def set_unread(self, unread: bool) -> None:
        """Draw a divider above the turn, or none."""
        self._edges.divider = Divider() if unread else None
        self.mark_stale()

    def set_passed(self, passed: bool) -> None:
        """Say no more that the agent waits: the session has gone on. Or say it again."""
        if self._edges.set_passed(passed):
            self.mark_stale()

    def set_below(self) -> None:
        """Draw a gap above a turn that was the first: others came before it."""
        self._edges.is_first = False
        self.mark_stale()

    @property
    def has_divider(self) -> bool:
        """Whether a divider is drawn above the turn."""
        return self._edges.divider is not None

    def mark_stale(self) -> None:
        """Have the flow made anew: a fold or a mark changed."""
        self._is_stale = True
        self._tail = None
        self._last_rows.forget()

    def prepare(self, page: Page, marks: MarkSet, now: float, frame: int, agent: str) -> None:
        """Bring flow and heights up to date; cheap when nothing changed."""
        is_live = self.head.state.is_live
        moment = (int(now), frame) if is_live else None
        if not self._is_stale and moment == self._moment:
            return
        self._is_stale, self._moment = False, moment
        if is_live:
            self._tick(now, frame)
            if self.quiet_s(now):
                self._tail = None  # below it stands that nothing comes
        headed = (self.head, moment, agent)
        if not is_live or headed != self._headed or marks is not self._marks:
            self._headed, self._marks = headed, marks
            self._last_rows.forget()
            self._edges.take(self.head, marks, now, frame, agent=agent, quiet_s=self.quiet_s(now))
        if self._tail is not None:
            self._grow_tail(self._tail, page)
        else:
            self._rebuild(page, marks, now)

    def _tick(self, now: float, frame: int) -> None:
        """Let what runs count its seconds."""
        for section in self._sections.values():
            if section.is_running:
                section.tick(now, frame)
                self._tail = None

    def _rebuild(self, page: Page, marks: MarkSet, now: float) -> None:
        """Collect all pieces anew."""
        self._last_rows.forget()
        flow, keys = self._collect(marks, now)
        first = _first_difference(self.flow, flow)
        self.flow, self.keys = flow, keys
        for piece in flow[first:]:
            piece.fit(page)
        self.measure(0 if self.head.state.is_live else first)

    def _grow_tail(self, tail: "_Tail", page: Page) -> None:
        """Take only what the growing text at the end has become: the length of an answer must not matter."""
        open_pieces = tail.section.update()
        kept = tail.begin + tail.closed
        added = [*tail.section.closed[tail.closed :], *open_pieces]
        tail.closed = len(tail.section.closed)
        self.flow[kept:] = added
        self.keys[kept:] = [tail.section.index] * len(added)
        for piece in added:
            piece.fit(page)
        self.measure(kept)

    def fit(self, page: Page) -> None:
        """Estimate all heights for a new page."""
        self._last_rows.forget()
        for piece in self.flow:
            piece.fit(page)
        self.measure(0)

    def measure(self, first: int) -> None:
        """Add up the heights again, from this piece on."""
        tops = self._tops
        del tops[first + 1 :]
        top = tops[-1]
        for piece in self.flow[first:]:
            top += piece.height
            tops.append(top)

    def lay_out(self, index: int, page: Page) -> list[Line]:
        """Return the lines of one piece, laid out now if they were not."""
        piece = self.flow[index]
        lines = piece.lay_out(page)
        if self._tops[index + 1] - self._tops[index] != len(lines):
            self.measure(index)
        return lines

    def rows(self, turn: int, index: int, page: Page) -> list[Row]:
        """Return the lines of one piece with their places; `turn` is this one's index. Not to be changed."""
        lines = self.lay_out(index, page)
        piece = self.flow[index]
        kept = piece.rows
        # A piece that grows puts a new line in the place of its last one, so that this tells whether they are the same.
        if kept and len(kept) == len(lines) and kept[-1].line is lines[-1] and kept[0].place[:2] == (turn, index):
            return kept
        piece.rows = [Row(Place(turn, index, number), line) for number, line in enumerate(lines)]
        return piece.rows

    def last_rows(self, turn: int, count: int, page: Page) -> list[Row]:
        """Return the last rows of the turn, `count` at most; `turn` is this one's index."""
        growing = len(self.flow) if self._tail is None else self._tail.begin + self._tail.closed
        return self._last_rows.take(self.rows, turn, page, count, (growing, len(self.flow)))

    def top(self, index: int) -> int:
        """Return the line of the turn at which a piece begins."""
        return self._tops[index]

    def piece_at(self, line: int) -> int:
        """Return the index of the piece that covers a line of the turn."""
        return min(max(bisect_right(self._tops, line) - 1, 0), max(len(self.flow) - 1, 0))

    def forget(self) -> None:
        """Drop all lines that can be made again."""
        self._last_rows.forget()
        for piece in self.flow:
            piece.forget()

    def forget_code(self, codes: set[str]) -> None:
        """Lay these code blocks out again."""
        self._last_rows.forget()
        for piece in self.flow:
            if piece.lines and any(line.code in codes for line in piece.lines):
                piece.forget()

    @property
    def cursor_piece(self) -> int | None:
        """Index of the piece at whose end the agent is writing; None when it writes nothing to be seen."""
        last = self._sections[self._order[-1]] if self._order else None
        if not self.head.state.is_live or not isinstance(last, TextSection) or not last.is_live:
            return None
        return next((at for at in range(len(self.keys) - 1, -1, -1) if self.keys[at] == last.index), None)

    def _add(self, part: Part) -> None:
        section = section_of(part)
        if section.is_foldable:
            section.is_folded = self._folds(part.index, section)
        self._close_before(part.index)
        if part.index not in self._sections:
            self._order.append(part.index)
            self._order.sort()
        self._sections[part.index] = section

    def _put(self, part: Part) -> None:
        known = self._sections.get(part.index)
        if known is None or not known.replace(part):
            was_ended = known is not None and known.is_ended
            self._add(part)
            if was_ended:
                self._sections[part.index].end()

    def _close_before(self, index: int) -> None:
        """A part that begins ends the text before it, as a rule."""
        for other in self._order:
            section = self._sections[other]
            if other < index and isinstance(section, TextSection):
                section.end_before_next()

    def _end_sections(self) -> None:
        for section in self._sections.values():
            section.end()

    def _collect(self, marks: MarkSet, now: float) -> tuple[list[Piece], list[int]]:
        flow = self._edges.above(self.head)
        keys = [PROMPT] * len(flow)
        was_one_line = True
        is_empty = True
        unread = self._unread
        for index in self._order:
            section = self._sections[index]
            pieces = section.pieces(marks)
            if not pieces:
                continue
            number = len(pieces)
            if unread is not None and (index > unread[0] or (index == unread[0] and unread[1] is not None)):
                pieces = divided(pieces, (unread[1] or 0) if index == unread[0] else 0)
                unread = None
            if not (is_empty or (was_one_line and section.is_one_line) or pieces[0].is_gap):
                flow.append(GAP)
                keys.append(index)
            flow += pieces
            keys += [index] * len(pieces)
            if isinstance(section, TextSection) and section.is_live and index == self._order[-1]:
                self._tail = _Tail(section, len(flow) - number, len(section.closed))
            was_one_line, is_empty = section.is_one_line, False
        if running := self._edges.running(self.head, is_empty=is_empty, is_quiet=self.quiet_s(now) > 0):
            self._tail = None
        below = [*running, *self._edges.ending(is_empty=is_empty)]
        return flow + below, keys + [ENDING] * len(below)


def _first_difference(old: list[Piece], new: list[Piece]) -> int:
    """Return the index of the first piece that is another one."""
    index = 0
    for one, other in zip(old, new, strict=False):
        if one is not other:
            break
        index += 1
    return index
