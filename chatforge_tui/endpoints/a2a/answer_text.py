"""Which of the texts that an agent sends are its answer, and what changed in it.

Owns the rules by which the answer is neither doubled nor lost. The answer is the texts of the visible blocks, one after
the other in the order in which they began, with nothing put between; blocks under one name are one text, for agents make a
new artifact for each chunk of an answer, and one under another name begins another text. A block is an artifact's text (or a message's). A
block is superseded, and no longer visible, when

1. a result block (`final_result`, `partial_result`, `complete_result`) that is not blank begins or grows: it supersedes
   every other block of its source; the result of the agent itself (source "") supersedes the blocks of all sources;
2. a later block restates the answer: it begins with everything visible so far, blanks at the ends aside, which was
   streamed in at least two pieces, and it has another name than the visible blocks, or these are a single artifact
   streamed by append (a new artifact for each chunk of one answer, all under one name, is no restatement).

A superseded block may grow on; that changes nothing any more. A blank result is seen only where nothing else is.

A block may grow while others stand below it, as of two artifacts that stream at once. That is told as text within the answer:
with all of the answer for each token, 250 KB of three artifacts came to more than 1 GB.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import groupby
from typing import Final

from msgspec import Struct

from chatforge_tui.domain.events import StreamEvent, TextBegun, TextDelta, TextInserted, TextReplaced

RESULT_NAMES: Final = frozenset({"final_result", "partial_result", "complete_result"})
"""Artifacts that each carry the complete answer of their source."""

_BLANK_SLACK: Final = 16
"""A restatement may lack this many blanks at its ends."""


class _Block(Struct, eq=False):
    name: str
    source: str
    pieces: list[str]
    size: int
    """Characters in the pieces."""
    is_superseded: bool = False
    is_effective: bool = False
    """It is a result that was seen not to be blank."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def is_blank_result(self) -> bool:
        return bool(self.pieces) and self.name in RESULT_NAMES and not (self.is_effective or self.is_superseded)


class AnswerText:
    """The answer of one turn, as it grows."""

    def __init__(self) -> None:
        """Begin empty."""
        self._blocks: dict[str, _Block] = {}
        self._shown: list[str] = []
        """What was told so far, in the pieces of the visible blocks, or in those that were offered."""
        self._shown_size = 0
        self._is_held = False
        self._once_blank: list[_Block] = []
        """Results that were blank when they began, or still are."""
        self._provisional: list[str] = []
        """Text of status messages that looks like an answer: told while there is no block with text."""

    def __bool__(self) -> bool:
        """Whether any text was told."""
        return self._shown_size > 0

    @property
    def text(self) -> str:
        """What was told so far."""
        return "".join(self._shown)

    @property
    def has_blocks(self) -> bool:
        """Whether a visible block has text: then status texts are no answer."""
        return any(piece for block in self._blocks.values() if not block.is_superseded for piece in block.pieces)

    def begin(self, key: str, pieces: Iterable[str], *, name: str = "", source: str = "") -> list[StreamEvent]:
        """Make the block of this key, or replace its text.

        Args:
            key: what tells the block from others: its artifact's id.
            pieces: its text.
            name: the artifact's name.
            source: the sub-agent it comes from, "" for the agent itself.
        """
        texts = [piece for piece in pieces if piece]
        block = self._blocks.get(key)
        is_new = block is None
        if block is None:
            block = self._blocks[key] = _Block(name, source, texts, sum(map(len, texts)))
            changes_others = self._restates(block) and self._supersede(block, all_sources=True)
        else:
            block.pieces, block.size = texts, sum(map(len, texts))
            block.is_effective = changes_others = False
        changes_others = self._supersede_by_result(block) or changes_others or self._hides_blanks
        if is_new and not (changes_others or self._is_held or self._provisional):
            return [*self._border(block), self._tell("".join(texts), texts)] if texts else []
        return self.sync()

    def extend(self, key: str, text: str, *, name: str = "", source: str = "") -> list[StreamEvent]:
        """Append to the block of this key; an unknown one begins."""
        block = self._blocks.get(key)
        if block is None:
            return self.begin(key, [text], name=name, source=source)
        if not text:
            return []
        is_first = not block.pieces
        block.pieces.append(text)
        block.size += len(text)
        if block.is_superseded:
            return []
        changes_others = self._supersede_by_result(block) or self._hides_blanks
        if changes_others or self._provisional:
            return self.sync()
        if self._is_last(block):
            return [*(self._border(block) if is_first else ()), self._tell(text)]
        if self._is_held or is_first:  # one that begins between others has two borders
            return self.sync()
        return [self._insert(block, text)]

    def go_on(self, text: str) -> list[StreamEvent]:
        """Append to the last visible block; there is one."""
        last = self._visible()[-1]
        return self.extend(next(key for key, block in self._blocks.items() if block is last), text)

    @contextmanager
    def restating(self) -> Generator[None, None, None]:
        """Drop every block and take in those of a snapshot; nothing of it is told before the next `sync`."""
        self._blocks.clear()
        self._once_blank.clear()
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False

    def offer(self, text: str) -> list[StreamEvent]:
        """Show the text while nothing better is known; "" shows none."""
        self._provisional = [text] if text else []
        return [] if self.has_blocks else self.sync()

    def offer_more(self, text: str) -> list[StreamEvent]:
        """Append to what was offered last."""
        self._provisional.append(text)
        return [] if self.has_blocks or not text else [self._tell(text)]

    def sync(self) -> list[StreamEvent]:
        """Return what must be said for the told text to become the answer as it stands."""
        if self._is_held:
            return []
        visible = self._visible()
        pieces = [piece for block in visible for piece in block.pieces] or self._provisional
        size = sum(map(len, pieces))
        is_more = size >= self._shown_size and self._rest_is_new(pieces)
        told, self._shown, self._shown_size = self._shown_size, list(pieces), size
        first, *others = _texts(visible) or ["".join(pieces)]
        if not is_more:
            return [TextReplaced(first), *(event for text in others for event in (TextBegun(), TextDelta(text)))]
        return _rest([first, *others], told)

    @property
    def _hides_blanks(self) -> bool:
        """Whether there is a blank result: what is said depends on whether there is more than that."""
        return any(block.is_blank_result for block in self._once_blank)

    def _visible(self) -> list[_Block]:
        """Return the blocks that make the answer, in order."""
        found = [block for block in self._blocks.values() if block.pieces and not block.is_superseded]
        return [block for block in found if not block.is_blank_result] or found[-1:]

    def _rest_is_new(self, pieces: list[str]) -> bool:
        """Whether the pieces begin with what was told. Identical pieces, the usual case, cost no comparison of text."""
        shown = self._shown
        return pieces[: len(shown)] == shown or "".join(pieces).startswith(self.text)

    def _tell(self, text: str, pieces: list[str] | None = None) -> TextDelta:
        self._shown += [text] if pieces is None else pieces
        self._shown_size += len(text)
        return TextDelta(text)

    def _border(self, block: _Block) -> list[TextBegun]:
        """Tell that the last block begins another text than the one before it, if it does."""
        for other in reversed(self._blocks.values()):
            if other is not block and other.pieces and not other.is_superseded:
                return [TextBegun()] if other.name != block.name else []
        return []

    def _insert(self, block: _Block, text: str) -> TextInserted:
        """Tell what a visible block grew by that has others below it."""
        number, offset = len(block.pieces) - 1, block.size - len(text)
        for other in self._blocks.values():
            if other is block:
                break
            if not other.is_superseded:
                number += len(other.pieces)
                offset += other.size
        self._shown.insert(number, text)
        self._shown_size += len(text)
        return TextInserted(offset, text)

    def _is_last(self, block: _Block) -> bool:
        """Whether no visible block with text stands below this one."""
        for other in reversed(self._blocks.values()):
            if other is block:
                return True
            if other.pieces and not other.is_superseded:
                return False
        return False

    def _restates(self, block: _Block) -> bool:
        """Rule 2. The sizes are compared first: a stream of many small blocks is not joined for each of them."""
        if not self._is_held and block.size + _BLANK_SLACK < self._shown_size:
            return False
        visible = [other for other in self._blocks.values() if other is not block and other.pieces]
        visible = [other for other in visible if not other.is_superseded]
        if sum(len(other.pieces) for other in visible) < 2:
            return False
        if len(visible) > 1 and any(other.name == block.name for other in visible):
            return False
        told = "".join(other.text for other in visible).strip()
        return bool(told) and block.text.strip().startswith(told)

    def _supersede_by_result(self, block: _Block) -> bool:
        """Rule 1. Returns whether a block is superseded that was not before."""
        if block.name not in RESULT_NAMES or block.is_superseded:
            return False
        block.is_effective = block.is_effective or any(piece.strip() for piece in block.pieces)
        if not block.is_effective and block not in self._once_blank:
            self._once_blank.append(block)
        return block.is_effective and self._supersede(block, all_sources=not block.source)

    def _supersede(self, by: _Block, *, all_sources: bool) -> bool:
        """Take other blocks out of the answer. Returns whether any was in it."""
        found = False
        for block in self._blocks.values():
            if block is not by and not block.is_superseded and (all_sources or block.source == by.source):
                block.is_superseded = found = True
        return found


def _texts(blocks: Iterable[_Block]) -> list[str]:
    """Return the texts of blocks, those of neighbours under one name in one piece."""
    return ["".join(block.text for block in one) for _, one in groupby(blocks, key=lambda block: block.name)]


def _rest(texts: Iterable[str], told: int) -> list[StreamEvent]:
    """Return what these texts hold beyond so many characters."""
    events: list[StreamEvent] = []
    begin = 0
    for text in texts:
        end = begin + len(text)
        if end > told:
            events += [TextBegun()] if 0 < begin >= told else []
            events.append(TextDelta(text[max(told - begin, 0) :]))
        begin = end
    return events
