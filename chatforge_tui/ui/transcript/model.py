"""A session's transcript: its turns, how high each is, what is folded, where the reader is. No widget, no colour.

Turns that were never near the screen are a number, their estimated height. Those that were have a TurnLayout; the
ones longest unseen are dropped again. Everything that needs a width gets it from `page`, which the view sets.
"""

import time
from collections.abc import Callable, Sequence
from itertools import takewhile

from chatforge_tui.domain.changes import TurnBegan, TurnChanged, TurnEnded, TurnRemoved
from chatforge_tui.domain.ids import TurnId
from chatforge_tui.domain.part import SEPARATION
from chatforge_tui.domain.turn import Turn, TurnHead, TurnState
from chatforge_tui.ui.marks import UNICODE_MARKS, MarkSet
from chatforge_tui.ui.transcript.anchors import anchor_at, place_of
from chatforge_tui.ui.transcript.folding_sections import PlanSection
from chatforge_tui.ui.transcript.heights import TurnHeights
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.place import START, Anchor, Place, Shift
from chatforge_tui.ui.transcript.section import Section
from chatforge_tui.ui.transcript.text_section import TextSection
from chatforge_tui.ui.transcript.turn_layout import TurnLayout, Written
from chatforge_tui.ui.transcript.weight import Weight, weigh

KEPT_LAYOUTS = 200
"""Turns whose layout is kept; a turn of 700 characters takes about 10 KB."""
KEPT_CHARACTERS = 500_000
"""Characters of the turns whose layout is kept: laid out they take about 15 bytes each."""
_ALWAYS_KEPT = 24
"""Turns whose layout is kept however long they are: those in view and beside it."""


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
        self.new_lines = 0
        """Lines that arrived below the view since it ceased to follow."""
        self.version = 0
        """Counts every change of what could be seen."""
        self.frame = 0
        """Counts the steps of spinners."""
        self._clock = clock
        self._turns: list[Turn] = []
        self._index: dict[TurnId, int] = {}
        self._weights: list[Weight] = []
        self._memory = 0
        self._heights = TurnHeights()
        self._layouts: dict[int, TurnLayout] = {}  # the ones used last come last
        self._fresh: dict[int, TurnLayout] = {}  # the ones brought up to date for this frame
        self._fresh_version = -1
        self._folds: dict[tuple[TurnId, int], bool] = {}
        self._all_folded: bool | None = None  # what the last "fold all" said; None = as each kind begins
        self._plans_folded = False
        self._unread_from: int | None = None
        self._left_with: int | None = None  # number of turns when the view went elsewhere
        self._read: tuple[int, Written] | None = None  # the turn that was being written then, and how far it was
        self._anchor: Anchor | None = None  # a stored place, not looked up yet
        self._resolved: tuple[Place, Anchor] | None = None  # the place that was looked up last
        self._cursor_anchor: Anchor | None = None  # what the cursor's line says, while lines change around it

    # What happens to the session

    def load(self, turns: Sequence[Turn]) -> Shift:
        """Take the whole transcript; folds, cursor and the reader's place stay. Return how places move."""
        above = list(takewhile(lambda turn: turn.head.turn_id not in self._index, turns))
        shift = self.prepend(above if len(above) < len(turns) else ())
        kept = self._kept_place()
        self.hold_cursor()
        before = self._turns
        self._turns = list(turns)
        self._index = {turn.head.turn_id: at for at, turn in enumerate(self._turns)}
        self._weights = [weigh(turn) for turn in self._turns]
        self._memory = sum(weight.memory for weight in self._weights)
        self._keep_layouts(before)
        if self._left_with is None and self._read is not None:  # the view is back, and what was missed comes now
            self._divide_live_turn()
            self._read = None
        self._anchor = kept
        self._estimate()
        self.version += 1
        return shift

    def prepend(self, turns: Sequence[Turn]) -> Shift:
        """Take turns that come before all that are here; return how places move. Nothing in view moves."""
        turns = [turn for turn in turns if turn.head.turn_id not in self._index]
        weights = [weigh(turn) for turn in turns]
        first = self._layouts.get(0)
        shift = Shift(len(turns), 0 if not turns or (first is not None and first.has_divider) else 1)
        if not turns:
            return shift
        top, cursor = self.top, self.cursor
        width = self.page.width
        self._turns[:0], self._weights[:0] = turns, weights
        self._heights.insert(0, [weight.lines + weight.characters // width for weight in weights])
        self._memory += sum(weight.memory for weight in weights)
        if first is not None:
            first.set_below()
        self._shift(0, len(turns))
        self.top, self.cursor = shift.of(top), None if cursor is None else shift.of(cursor)
        if self._read is not None:
            self._read = self._read[0] + len(turns), self._read[1]
        self._resolved = None
        self.version += 1
        return shift

    def _keep_layouts(self, before: Sequence[Turn]) -> None:
        """Keep what is laid out of turns that are still the same, or have only grown."""
        layouts, self._layouts = self._layouts, {}
        for at, layout in layouts.items():
            if at < len(self._turns) and self._turns[at].head.turn_id == before[at].head.turn_id:
                if layout.head.state.is_live or self._turns[at] != before[at]:
                    layout.end(self._turns[at])
                self._layouts[at] = layout

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
                at = self._index.get(turn_id)
                if at is None:
                    return
                layout = self.layout(at)
                for change in changes:
                    layout.apply(change)
        self.version += 1

    def _drop_layout(self, turn: Turn) -> None:
        """Lay a turn that is taken up again out anew: its layout was told that it is over."""
        if (at := self._index.get(turn.head.turn_id)) is not None:
            self._layouts.pop(at, None)

    def _put(self, turn: Turn) -> None:
        at = self._index.get(turn.head.turn_id)
        if at is None:
            self._insert(self._place_of(turn), turn)
            return
        weight = weigh(turn)
        self._memory += weight.memory - self._weights[at].memory
        self._turns[at], self._weights[at] = turn, weight
        if (layout := self._layouts.get(at)) is not None:
            layout.end(turn)
        else:
            self.set_height(at, self._guess(at))

    def _place_of(self, turn: Turn) -> int:
        """Return where a new turn goes: at the end, but before what waits to be sent."""
        at = len(self._turns)
        while at and self._turns[at - 1].head.ordinal > turn.head.ordinal:
            at -= 1
        return at

    def _insert(self, at: int, turn: Turn) -> None:
        if at == 0 and (first := self._layouts.get(0)) is not None:
            first.set_below()
        self._turns.insert(at, turn)
        weight = weigh(turn)
        self._memory += weight.memory
        self._weights.insert(at, weight)
        self._heights.insert(at, [self._guess(at)])
        self._shift(at, 1)

    def _remove(self, turn_id: TurnId) -> None:
        at = self._index.pop(turn_id, None)
        if at is not None:
            self._memory -= self._weights[at].memory
            del self._turns[at], self._weights[at]
            self._heights.remove(at)
            self._layouts.pop(at, None)
            self._shift(at, -1)

    def _shift(self, begin: int, by: int) -> None:
        """After a turn has come (1) or gone (-1) at `begin`: count the ones behind it anew."""
        for at in range(begin, len(self._turns)):
            self._index[self._turns[at].head.turn_id] = at
        moved = {at: self._layouts.pop(at) for at in list(self._layouts) if at >= begin}
        self._layouts |= {at + by: layout for at, layout in moved.items()}
        if begin == 0 and by < 0:  # the first turn has no gap above it
            self._layouts.pop(0, None)
        self._fresh.clear()
        if begin <= self.top.turn and len(self._turns) > 1:
            self.top = self.top._replace(turn=max(0, self.top.turn + by))
        if self.cursor is not None and begin <= self.cursor.turn:
            self.cursor = self.cursor._replace(turn=self.cursor.turn + by) if self.cursor.turn + by >= 0 else None
        if self._unread_from is not None and self._unread_from >= begin:
            self._unread_from = min(self._unread_from + by, len(self._turns))
        if self._left_with is not None and self._left_with > begin:
            self._left_with += by

    # What the shell asks

    @property
    def turns(self) -> int:
        """Number of turns."""
        return len(self._turns)

    @property
    def memory(self) -> int:
        """Bytes that the turns take, as they were loaded or ended; layouts are not counted."""
        return self._memory

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self._turns

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
        return self._plans_folded

    @plans_folded.setter
    def plans_folded(self, folded: bool) -> None:
        if folded != self._plans_folded:
            self._plans_folded = folded
            self._apply_folds()

    def leave(self) -> None:
        """The view goes to another session: what comes now is unread. What is laid out can be laid out again."""
        self._left_with = len(self._turns)
        self._anchor = self._kept_place()
        self.hold_cursor()
        self._leave_live_turn()
        self._layouts = {at: layout for at, layout in self._layouts.items() if layout.head.state.is_live}
        self._fresh.clear()

    def _leave_live_turn(self) -> None:
        """Remember how far a turn that is being written has been read."""
        for layout in self._layouts.values():
            layout.forget_unread()
        at = self._last_sent
        self._read = (at, self._layouts[at].written) if self.is_live and at in self._layouts else None

    def _divide_live_turn(self) -> bool:
        """Draw a divider in the turn that went on meanwhile, once it is known how it went on; return whether it did."""
        if self._read is None:
            return False
        at, written = self._read
        layout = self._layouts.get(at)
        return layout is not None and layout.mark_unread(written)

    def enter(self) -> None:
        """The view is back: draw a divider where the turn that was being written went on, or before the first new one."""
        left_with, self._left_with = self._left_with, None
        unread = left_with if left_with and left_with < len(self._turns) else None
        if self._divide_live_turn():
            unread = None
        if unread != self._unread_from:
            for at in {self._unread_from, unread} - {None}:
                if at is not None and at in self._layouts:
                    self._layouts[at].set_unread(at == unread)
            self._unread_from = unread
            self.version += 1

    # Folding

    def fold_all(self) -> bool:
        """Fold everything; if everything is folded, unfold everything. Return whether all is folded now."""
        self._all_folded = self._all_folded is False
        self._folds.clear()
        self._apply_folds()
        return self._all_folded

    def toggle_fold(self, at: int, index: int) -> bool:
        """Fold or unfold one part; return False when it has nothing to fold."""
        layout = self.layout(at)
        section = layout.section(index)
        if section is None or not section.is_foldable:
            return False
        section.is_folded = not section.is_folded
        self._folds[self._turns[at].head.turn_id, index] = section.is_folded
        layout.mark_stale()
        self.version += 1
        return True

    def _apply_folds(self) -> None:
        for at, layout in self._layouts.items():
            turn_id = self._turns[at].head.turn_id
            for section in layout.sections():
                if section.is_foldable:
                    section.is_folded = self._is_folded(turn_id, section.index, section)
            layout.mark_stale()
        self.version += 1

    def _is_folded(self, turn_id: TurnId, index: int, section: Section) -> bool:
        if (own := self._folds.get((turn_id, index))) is not None:
            return own
        if self._all_folded is not None:
            return self._all_folded
        return self._plans_folded if isinstance(section, PlanSection) else True

    # Heights

    def fit(self, page: Page, marks: MarkSet) -> bool:
        """Take another width or other marks; return whether anything is different."""
        if (page.width, page.marks) == (self.page.width, self.page.marks) and marks is self.marks:
            return False
        kept = self._kept_place()
        self.hold_cursor()
        self.page, self.marks = page, marks
        for layout in self._layouts.values():
            layout.mark_stale()
            layout.fit(page)
        self._anchor = kept
        self._estimate()
        self.version += 1
        return True

    def _estimate(self) -> None:
        width = self.page.width
        self._heights = TurnHeights([weight.lines + weight.characters // width for weight in self._weights])
        for at, layout in self._layouts.items():
            if layout.height:
                self._heights.put(at, layout.height)

    def _guess(self, at: int) -> int:
        weight = self._weights[at]
        return weight.lines + weight.characters // self.page.width

    def set_height(self, at: int, height: int) -> None:
        """Correct the height of a turn."""
        self._heights.put(at, height)

    def top_of(self, at: int) -> int:
        """Return the line at which a turn begins; for `turns` the height of everything."""
        return self._heights.top(at)

    @property
    def height(self) -> int:
        """Lines of everything; partly estimated."""
        return self.top_of(len(self._turns)) if self._turns else 0

    def turn_at(self, line: int) -> int:
        """Return the turn that covers a line."""
        return self._heights.at(line)

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
        layout = self._layouts.pop(at, None)
        if layout is None:
            turn = self._turns[at]
            turn_id = turn.head.turn_id
            layout = TurnLayout(turn, lambda index, section: self._is_folded(turn_id, index, section), is_first=at == 0)
            layout.set_unread(at == self._unread_from)
            self._drop_old_layouts()
        self._layouts[at] = layout
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
        layout.prepare(self.page, self.marks, self._clock(), self.frame, self.agent)
        self.set_height(at, layout.height)
        return layout

    def forget_code(self, codes: set[str]) -> None:
        """Lay these code blocks out again: their colours have come."""
        for layout in self._layouts.values():
            layout.forget_code(codes)
        self.version += 1

    def _drop_old_layouts(self) -> None:
        characters = sum(self._weights[at].characters for at in self._layouts)
        if len(self._layouts) < KEPT_LAYOUTS and characters < KEPT_CHARACTERS:
            return
        oldest = [at for at in list(self._layouts)[:-_ALWAYS_KEPT] if not self.head_state_is_live(at)]
        for dropped, at in enumerate(oldest):
            if dropped >= KEPT_LAYOUTS // 4 and characters < KEPT_CHARACTERS * 3 // 4:
                return
            del self._layouts[at]
            characters -= self._weights[at].characters

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

    def resolve(self) -> None:
        """Look stored places up, now that there is a page to find them on."""
        held, self._cursor_anchor = self._cursor_anchor, None
        if held is not None:
            at = self._index.get(held.turn_id)
            self.cursor = None if at is None else place_of(held, self.prepared(at), at, self.page)
        anchor, self._anchor = self._anchor, None
        if anchor is None:
            return
        at = self._index.get(anchor.turn_id)
        if at is None:
            self.follows = True
            return
        self.top = place_of(anchor, self.prepared(at), at, self.page)
        self._resolved = self.top, anchor
