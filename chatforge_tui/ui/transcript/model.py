"""A session's transcript: its turns, how high each is, what is folded, where the reader is. No widget, no colour.

Owns how these go together when turns come, change and go beside what is shown; each of them has a file of its own. Turns
that were never near the screen are a number, their estimated height. Those that were have a TurnLayout. Everything that
needs a width gets it from `page`, which the view sets.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import takewhile

from msgspec.structs import replace

from chatforge_tui.domain.changes import TurnBegan, TurnChanged, TurnEnded, TurnRemoved
from chatforge_tui.domain.ids import TurnId
from chatforge_tui.domain.part import SEPARATION
from chatforge_tui.domain.turn import Turn, TurnHead, TurnState
from chatforge_tui.ui.marks import UNICODE_MARKS, MarkSet
from chatforge_tui.ui.transcript.anchors import anchor_at, place_of
from chatforge_tui.ui.transcript.fold_state import FoldState
from chatforge_tui.ui.transcript.layouts import Layouts
from chatforge_tui.ui.transcript.line_cells import cell_behind, characters_before
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.pins import Pin, place_at_seat, seat_of
from chatforge_tui.ui.transcript.place import START, Anchor, Place, Shift
from chatforge_tui.ui.transcript.text_section import TextSection
from chatforge_tui.ui.transcript.turn_layout import TurnLayout
from chatforge_tui.ui.transcript.turn_list import TurnList
from chatforge_tui.ui.transcript.unread import Unread


class TranscriptModel:
    """The transcript of one session."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.page = Page()
        """Read it; `fit` sets it."""
        self.marks: MarkSet = UNICODE_MARKS
        self.agent = ""
        """Who answers, until a turn says so itself."""
        self.follows = True
        """Whether the view keeps to the end as text arrives."""
        self.top = START
        """The first line seen, while not following."""
        self.cursor: Place | None = None
        """The line under the keyboard's cursor; None while that goes with the end."""
        self.pins: list[Pin] = []
        """What is held while lines change around it; the view puts them here, and finds them where they are by then."""
        self.new_lines = 0
        """Lines that arrived below the view since it ceased to follow."""
        self.version = 0
        """Counts every change of what could be seen."""
        self.frame = 0
        """Counts the steps of spinners."""
        self._clock = clock
        self._turns = TurnList((), self.page.width)
        self._layouts = Layouts()
        self._fresh: dict[int, TurnLayout] = {}  # the ones brought up to date for this frame
        self._fresh_version = -1
        self._folds = FoldState()
        self._unread = Unread(self._layouts)
        self._anchor: Anchor | None = None  # a stored place, not looked up yet
        self._resolved: tuple[Place, Anchor] | None = None  # the place that was looked up last
        self._cursor_anchor: Anchor | None = None  # what the cursor's line says, while lines change around it

    # What happens to the session

    def load(self, turns: Sequence[Turn]) -> Shift:
        """Take the whole transcript; folds, cursor and the reader's place stay. Return how places move."""
        above = list(takewhile(lambda turn: self._turns.find(turn.head.turn_id) is None, turns))
        shift = self.prepend(above if len(above) < len(turns) else ())
        kept = self._kept_place()
        self.hold_cursor()
        before = self._turns
        self._turns = TurnList(turns, self.page.width)
        self._keep_layouts(before)
        self._unread.catch_up()
        self._anchor = kept
        self._take_heights()
        self.version += 1
        return shift

    def prepend(self, turns: Sequence[Turn]) -> Shift:
        """Take turns that come before all that are here; return how places move. Nothing in view moves."""
        turns = self._turns.missing(turns)
        first = self._layouts.get(0)
        shift = Shift(len(turns), 0 if not turns or (first is not None and first.has_divider) else 1)
        if not turns:
            return shift
        top, cursor = self.top, self.cursor
        self._insert(0, turns)
        if first is not None:  # with the gap above it, which `shift` counts
            first.prepare(self.page, self.marks, self._clock(), self.frame, self.agent)
        self.top, self.cursor = shift.of(top), None if cursor is None else shift.of(cursor)
        for pin in self.pins:
            pin.place = shift.of(pin.place)
        self._resolved = None
        self.version += 1
        return shift

    def _keep_layouts(self, before: TurnList) -> None:
        """Keep what is laid out of turns that are still the same, or have only grown."""
        for at, layout in self._layouts.items():
            if at >= len(self._turns) or self._turns[at].head.turn_id != before[at].head.turn_id:
                self._layouts.drop(at)
            elif layout.head.state.is_live or self._turns[at] != before[at]:
                layout.end(self._turns[at])

    def apply(self, event: TurnBegan | TurnChanged | TurnEnded | TurnRemoved) -> None:
        """Take what happened; nothing is laid out before the view asks."""
        match event:
            case TurnBegan(turn):
                self._drop_layout(turn)
                self._put(turn)
            case TurnEnded(turn):
                self._put(turn)
            case TurnRemoved(turn_id=turn_id):
                self._remove(turn_id)
            case TurnChanged(turn_id=turn_id, changes=changes):
                at = self._turns.find(turn_id)
                if at is None:
                    return
                layout = self.layout(at)
                for change in changes:
                    layout.apply(change)
        self.version += 1

    def _drop_layout(self, turn: Turn) -> None:
        """Lay a turn that is taken up again out anew: its layout was told that it is over."""
        if (at := self._turns.find(turn.head.turn_id)) is not None:
            self._layouts.drop(at)

    def _put(self, turn: Turn) -> None:
        at = self._turns.find(turn.head.turn_id)
        if at is None:
            self._insert(self._turns.place_for(turn), [turn])
            return
        self._turns.replace(at, turn)
        if (layout := self._layouts.get(at)) is not None:
            layout.end(turn)
        else:
            self._turns.estimate_one(at)

    def _insert(self, at: int, turns: Sequence[Turn]) -> None:
        if at == 0 and (first := self._layouts.get(0)) is not None:
            first.set_below()
        self._turns.insert(at, turns)
        self._shift(at, len(turns))

    def _remove(self, turn_id: TurnId) -> None:
        at = self._turns.find(turn_id)
        if at is not None:
            self._turns.remove(at)
            self._layouts.drop(at)
            self._shift(at, -1)

    def _shift(self, begin: int, by: int) -> None:
        """After turns have come, or one has gone (-1), at `begin`: count the ones behind it anew."""
        self._layouts.shift(begin, by)
        if begin == 0 and by < 0:  # the first turn has no gap above it
            self._layouts.drop(0)
        self._fresh.clear()
        if begin <= self.top.turn and len(self._turns) > 1:
            self.top = self.top._replace(turn=max(0, self.top.turn + by))
        if self.cursor is not None and begin <= self.cursor.turn:
            self.cursor = self.cursor._replace(turn=self.cursor.turn + by) if self.cursor.turn + by >= 0 else None
        self._unread.shift(begin, by, len(self._turns))

    # What the shell asks

    @property
    def turns(self) -> int:
        """Number of turns."""
        return len(self._turns)

    @property
    def memory(self) -> int:
        """Bytes that the turns take, as they were loaded or ended; layouts are not counted."""
        return self._turns.memory

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not len(self._turns)

    @property
    def is_live(self) -> bool:
        """Whether the last turn that was sent may still grow: then something counts seconds."""
        last = self._last_sent
        return last >= 0 and self.head_state_is_live(last)

    @property
    def _last_sent(self) -> int:
        """The last turn before those that wait to be sent; the first one where all do, -1 without any."""
        last = len(self._turns) - 1
        while last > 0 and self.head_of(last).state is TurnState.UNSENT:
            last -= 1
        return last

    def head_of(self, at: int) -> TurnHead:
        """Return a turn's head as it is now."""
        layout = self._layouts.get(at)
        return layout.head if layout is not None else self._turns[at].head

    def head_state_is_live(self, at: int) -> bool:
        """Whether a turn may still grow."""
        return self.head_of(at).state.is_live

    def quiet_s(self, now: float) -> int:
        """Return for how many seconds nothing of the running answer has come; 0 for few, or while it is not known."""
        layout = self._layouts.get(self._last_sent)
        return 0 if layout is None else layout.quiet_s(now)

    @property
    def anchor(self) -> str:
        """Where the reader is, as a short text for the store; "" = at the end, following."""
        if self.follows:
            return ""
        anchor = self._kept_place()
        return "" if anchor is None else str(anchor)

    @anchor.setter
    def anchor(self, text: str) -> None:
        self._anchor = Anchor.parse(text) if text else None
        self.follows = self._anchor is None
        if self.follows:
            self.cursor = self._cursor_anchor = None
        self.version += 1

    @property
    def plans_folded(self) -> bool:
        """Whether plans begin folded: the plan dock shows them already."""
        return self._folds.plans

    @plans_folded.setter
    def plans_folded(self, folded: bool) -> None:
        if folded != self._folds.plans:
            self._folds.plans = folded
            self._apply_folds()

    def leave(self) -> None:
        """The view goes to another session: what comes now is unread. What is laid out can be laid out again."""
        self._anchor = self._kept_place()
        self.hold_cursor()
        self._unread.leave(len(self._turns), self._last_sent if self.is_live else None)
        self._layouts.drop_all_but_live()
        self._fresh.clear()

    def enter(self) -> None:
        """The view is back: draw a divider where the turn that was being written went on, or before the first new one."""
        if self._unread.enter(len(self._turns)):
            self.version += 1

    # Folding

    def fold_all(self) -> bool:
        """Fold everything; if everything is folded, unfold everything. Return whether all is folded now."""
        is_all_folded = self._folds.toggle_all()
        self._apply_folds()
        return is_all_folded

    def toggle_fold(self, at: int, index: int) -> bool:
        """Fold or unfold one part; return False when it has nothing to fold."""
        layout = self.layout(at)
        section = layout.section(index)
        if section is None or not section.is_foldable:
            return False
        section.is_folded = not section.is_folded
        self._folds.put(self._turns[at].head.turn_id, index, is_folded=section.is_folded)
        layout.mark_stale()
        self.version += 1
        return True

    def _apply_folds(self) -> None:
        for at, layout in self._layouts.items():
            turn_id = self._turns[at].head.turn_id
            for section in layout.sections():
                if section.is_foldable:
                    section.is_folded = self._folds.is_folded(turn_id, section.index, section)
            layout.mark_stale()
        self.version += 1

    # Heights

    def fit(self, page: Page, marks: MarkSet) -> bool:
        """Take another width or other marks; return whether anything is different."""
        if (page.width, page.marks) == (self.page.width, self.page.marks) and marks is self.marks:
            return False
        kept = self._kept_place()
        self.hold_cursor()
        self._hold_pins()
        self.page, self.marks = page, marks
        for layout in self._layouts:
            layout.mark_stale()
            layout.fit(page)
        self._anchor = kept
        self._turns.estimate(page.width)
        self._take_heights()
        self.version += 1
        return True

    def _take_heights(self) -> None:
        """Have the heights of what is laid out, in place of estimates."""
        for at, layout in self._layouts.items():
            if layout.height:
                self.set_height(at, layout.height)

    def set_height(self, at: int, height: int) -> None:
        """Correct the height of a turn."""
        self._turns.heights.put(at, height)

    def top_of(self, at: int) -> int:
        """Return the line at which a turn begins; for `turns` the height of everything."""
        return self._turns.heights.top(at)

    @property
    def height(self) -> int:
        """Lines of everything; partly estimated."""
        return self.top_of(len(self._turns)) if len(self._turns) else 0

    def turn_at(self, line: int) -> int:
        """Return the turn that covers a line."""
        return self._turns.heights.at(line)

    # Layouts

    def turn(self, at: int) -> Turn:
        """Return a turn as it was loaded or ended; a live one may be further (see `layout`)."""
        return self._turns[at]

    def answer(self, at: int) -> str:
        """Return the text of a turn's answer as far as it has arrived, separate texts as paragraphs."""
        layout = self._layouts.get(at)
        if layout is None or not layout.head.state.is_live:
            return self._turns[at].readable_answer
        return "".join(
            SEPARATION + section.source if section.is_separate else section.source
            for section in layout.sections()
            if isinstance(section, TextSection)
        )

    def known_layout(self, at: int) -> TurnLayout | None:
        """Return the layout of a turn if there is one; nothing is made."""
        return self._layouts.get(at)

    def layout(self, at: int) -> TurnLayout:
        """Return the layout of a turn, made now if need be. Its flow may be out of date: see `prepared`."""
        layout = self._layouts.use(at)
        if layout is None:
            turn = self._turns[at]
            turn_id = turn.head.turn_id
            layout = TurnLayout(turn, partial(self._folds.is_folded, turn_id), is_first=at == 0)
            layout.set_unread(at == self._unread.first)
            self._layouts.drop_old(self._turns.characters)
            self._layouts.put(at, layout)
        return layout

    def begin_frame(self) -> None:
        """Have every flow brought up to date once more: time has passed."""
        self._fresh.clear()

    def prepared(self, at: int) -> TurnLayout:
        """Return the layout of a turn with its flow up to date and its height noted."""
        if self._fresh_version != self.version:
            self._fresh_version = self.version
            self._fresh.clear()
        layout = self._fresh.get(at)
        if layout is not None:
            return layout
        layout = self._fresh[at] = self.layout(at)
        if layout.head.state is TurnState.WAITING:
            layout.set_passed(at < self._last_sent)
        here = [place for place in (self.top, self.cursor, *(pin.place for pin in self.pins)) if place is not None]
        seats = {place: seat_of(place, layout.keys) for place in here if place.turn == at}
        layout.prepare(self.page, self.marks, self._clock(), self.frame, self.agent)
        self._move({place: place_at_seat(seat, place, layout.keys) for place, seat in seats.items()})
        self.set_height(at, layout.height)
        return layout

    def _move(self, moved: Mapping[Place, Place]) -> None:
        """Go on where places are now: pieces have come, or gone, above them in their turn."""
        top = moved.get(self.top, self.top)
        if self._resolved is not None and self._resolved[0] == self.top:
            self._resolved = top, self._resolved[1]
        self.top = top
        if self.cursor is not None:
            self.cursor = moved.get(self.cursor, self.cursor)
        for pin in self.pins:
            pin.place = moved.get(pin.place, pin.place)

    def forget_code(self, codes: set[str]) -> None:
        """Lay these code blocks out again: their colours have come."""
        for layout in self._layouts:
            layout.forget_code(codes)
        self.version += 1

    # Anchors

    def _kept_place(self) -> Anchor | None:
        """Return where the reader is. While nobody scrolls it stays the same over any number of reflows."""
        if self.follows:
            return None
        if self._anchor is not None:
            return self._anchor
        if self._resolved is not None and self._resolved[0] == self.top:
            return self._resolved[1]
        return self.anchor_of(self.top)

    def anchor_of(self, place: Place) -> Anchor | None:
        """Return what holds a place over a reflow or a restart; None for a place that is nowhere."""
        if place.turn >= len(self._turns):
            return None
        return anchor_at(self.prepared(place.turn), place, self.page)

    def hold_cursor(self) -> None:
        """Keep the cursor with what its line says until the lines are as they will be."""
        if self.cursor is not None and self._cursor_anchor is None:
            self._cursor_anchor = self.anchor_of(self.cursor)

    def _hold_pins(self) -> None:
        """Keep pins with what their lines say until the lines are as they will be."""
        for pin in self.pins:
            anchor = self.anchor_of(pin.place) if pin.anchor is None else None
            if anchor is not None:
                lines = self.prepared(pin.place.turn).lay_out(pin.place.piece, self.page)
                before = characters_before(lines[pin.place.line], pin.cell) if pin.place.line < len(lines) else 0
                pin.anchor = replace(anchor, characters=anchor.characters + before)

    def _resolve_pins(self) -> None:
        for pin in self.pins:
            anchor, pin.anchor = pin.anchor, None
            at = None if anchor is None else self._turns.find(anchor.turn_id)
            if anchor is None or at is None:
                continue
            layout = self.prepared(at)
            pin.place = place_of(anchor, layout, at, self.page)
            before = self.anchor_of(pin.place)
            line = layout.lay_out(pin.place.piece, self.page)[pin.place.line]
            pin.cell = cell_behind(line, anchor.characters - before.characters) if before is not None else 0

    def resolve(self) -> None:
        """Look stored places up, now that there is a page to find them on."""
        self._resolve_pins()
        held, self._cursor_anchor = self._cursor_anchor, None
        if held is not None:
            at = self._turns.find(held.turn_id)
            self.cursor = None if at is None else place_of(held, self.prepared(at), at, self.page)
        anchor, self._anchor = self._anchor, None
        if anchor is None:
            return
        at = self._turns.find(anchor.turn_id)
        if at is None:
            self.follows = True
            return
        self.top = place_of(anchor, self.prepared(at), at, self.page)
        self._resolved = self.top, anchor
