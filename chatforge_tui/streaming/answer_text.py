"""The answer's text as it arrives: which part it goes to, and which of it is the source of a plan.

The text of all text parts together is at any moment exactly what was received: a captured plan stays in the answer,
in a part of its own that is marked `is_plan_source`.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.changes import TextAppended, TurnChange
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.plan import Plan
from chatforge_tui.streaming.execution_plan_state import ExecutionPlanState
from chatforge_tui.streaming.live_parts import LiveParts
from chatforge_tui.streaming.plan_capture import (
    CLOSING,
    MAX_CAPTURE,
    OPENING,
    Captured,
    NoPlan,
    Piece,
    Plain,
    PlanFound,
)
from chatforge_tui.streaming.retelling import Echo


class AnswerText(Struct, gc=False, eq=False):
    """Turns text into changes of text parts. Found plans are handed on, not recorded."""

    _parts: LiveParts
    """Written into."""
    _plans: ExecutionPlanState
    """Captures."""
    _open: int | None = None
    """The text part that further text extends; None: it begins a new one."""
    _captured: int | None = None
    """The part that holds what is being captured; None when nothing is."""
    _joins: int | None = None
    """The text part that what is being captured goes back to, if it is no plan."""
    _begins_another: bool = False
    """The next text part is separate from what there is."""
    _echo: Echo | None = None
    """The answer while it is told once more, after a lost connection."""
    is_reread: bool = False
    """Since it is told once more, text was read again that had been read before."""

    def extend(self, text: str) -> Iterator[TurnChange | Plan]:
        """Read more of the answer; while it is told again, only what goes beyond the known text counts."""
        if (echo := self._echo) is not None:
            fresh = echo.hear(text)
            if fresh is None or echo.is_over:
                self._echo = None
            if fresh is None:
                yield from self._become(echo.told + text)
                return
            text = fresh
        for piece in self._plans.read(text):
            yield from self._take(piece)

    def grow(self, text: str) -> TextAppended | None:
        """Make the open part longer; None when reading the text is more than that, and nothing was done."""
        if self._open is None or self._echo is not None or self._captured is not None or OPENING in text:
            return None
        return self._parts.append(self._open, text)

    def insert(self, offset: int, text: str) -> Iterator[TurnChange | Plan]:
        """Put more text behind so many characters of the answer. What stands behind it becomes a part of its own, once."""
        if (echo := self._echo) is not None:
            yield from self.replace(echo.told[:offset] + text + echo.told[offset:])
            return
        is_plain = OPENING not in text
        for part, end in self._parts.text_ends() if is_plain else ():
            if end == offset and not part.is_plan_source:  # before what is being captured, if anything is
                yield self._parts.append(part.index, text)
                return
            if end > offset:
                break
        is_plain = is_plain and self._captured is None
        texts = self._parts.texts()
        end, behind = 0, 0
        while behind < len(texts) and end + len(texts[behind].text) <= offset:
            end += len(texts[behind].text)
            behind += 1
        parted = texts[behind] if behind < len(texts) and end < offset else None
        if not is_plain or (parted is not None and parted.is_plan_source):
            received = self._received()
            yield from self._become(received[:offset] + text + received[offset:])
            return
        yield from self._insert(parted, offset - end, text, texts[behind:])

    def replace(self, text: str) -> Iterator[TurnChange | Plan]:
        """Make the whole answer exactly this text, with as little change as possible."""
        received = self._received()
        if self._echo is not None and received.startswith(text):
            self._echo = Echo(received)
            self._echo.hear(text)
            return
        self._echo = None
        if text.startswith(received):
            yield from self.extend(text[len(received) :])
        else:
            yield from self._become(text)

    def take_over(self) -> Iterator[TurnChange | Plan]:
        """Go on with the text of a turn that was stored; a plan that was being captured is captured on."""
        texts = self._parts.texts()
        if not texts:
            return
        last = texts[-1]
        opening = last.text.rfind(OPENING)
        if 0 <= len(last.text) - opening <= MAX_CAPTURE and opening > last.text.rfind(CLOSING):
            yield from self._capture_again(last, opening)
        elif not last.is_plan_source and self._parts.next_index == last.index + 1:
            self._open = last.index

    def retell(self) -> None:
        """Expect the answer to be told once more from its beginning."""
        received = self._received()
        self._echo = Echo(received) if received else None
        self.is_reread = False

    def settle(self) -> Iterator[TurnChange | Plan]:
        """Take what was told again for the whole answer, unless no text was."""
        echo, self._echo = self._echo, None
        if echo is not None and echo.told:
            yield from self._become(echo.told)

    def close(self) -> Iterator[TurnChange | Plan]:
        """End the answer."""
        for piece in self._plans.end_of_text():
            yield from self._take(piece)

    def break_off(self) -> None:
        """Something else came between: text that follows begins a new part."""
        self._open = self._joins = None

    def begin_another(self) -> None:
        """What follows is another text. While the answer is told again, that is known already."""
        if (self._echo is None or self._echo.is_over) and next(self._parts.text_ends(), None) is not None:
            self.break_off()
            self._begins_another = True

    def _received(self) -> str:
        return "".join(part.text for part in self._parts.texts())

    def _become(self, text: str) -> Iterator[TurnChange | Plan]:
        """Drop all text, and read this."""
        self.is_reread = True
        for _ in self._plans.end_of_text():
            pass
        self._open = self._captured = self._joins = None
        self._begins_another = False
        for part in self._parts.texts():
            yield self._parts.drop(part.index)
        yield from self.extend(text)

    def _insert(self, parted: TextPart | None, at: int, text: str, behind: list[TextPart]) -> Iterator[TurnChange]:
        """Put text into the first of these parts, or before it, and what stands behind into new ones: order is index."""
        new = list(behind)
        if parted is None:
            new.insert(0, TextPart(0, text))
        else:
            yield self._parts.replace(replace(parted, text=parted.text[:at] + text))
            new[0] = TextPart(0, parted.text[at:], is_separate=True)
            behind = behind[1:]
        for part in behind:
            yield self._parts.drop(part.index)
        for part in new:
            index = self._parts.next_index
            yield self._parts.add(replace(part, index=index))
            self._open = None if part.is_plan_source else index

    def _capture_again(self, part: TextPart, opening: int) -> Iterator[TurnChange | Plan]:
        """Cut a text before its last opening marker, and read the rest once more."""
        if opening:
            self._open = part.index
            yield self._parts.replace(replace(part, text=part.text[:opening]))
        else:
            yield self._parts.drop(part.index)
            self._begins_another = part.is_separate
            before = self._parts.texts()[-1:]
            if before and before[0].index == part.index - 1 and not (before[0].is_plan_source or part.is_separate):
                self._open = before[0].index
        yield from self.extend(part.text[opening:])

    def _take(self, piece: Piece) -> Iterator[TurnChange | Plan]:
        match piece:
            case Plain():
                if self._open is not None:
                    yield self._parts.append(self._open, piece.text)
                else:
                    self._open = self._parts.next_index
                    yield self._add(TextPart(self._open, piece.text))
            case Captured():
                if self._captured is not None:
                    yield self._parts.append(self._captured, piece.text)
                else:
                    self._joins = self._open
                    self._captured = self._open = self._parts.next_index
                    yield self._add(TextPart(self._captured, piece.text, is_plan_source=True))
            case PlanFound():
                self._open = self._captured = self._joins = None
                yield piece.plan
            case NoPlan():
                yield from self._give_back(piece.text)

    def _add(self, part: TextPart) -> TurnChange:
        is_separate, self._begins_another = self._begins_another, False
        return self._parts.add(replace(part, is_separate=True) if is_separate else part)

    def _give_back(self, text: str) -> Iterator[TurnChange]:
        """Make what was captured ordinary text, in the part that it would have been in without its markers."""
        if self._captured is None:
            return
        captured, self._captured = self._captured, None
        if self._joins is None:
            was = self._parts.get(captured)
            yield self._parts.replace(
                TextPart(captured, text, is_separate=isinstance(was, TextPart) and was.is_separate)
            )
            return
        yield self._parts.drop(captured)
        yield self._parts.append(self._joins, text)
        self._open, self._joins = self._joins, None
