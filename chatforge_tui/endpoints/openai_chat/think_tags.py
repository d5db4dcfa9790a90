"""Reasoning that a model writes into its answer as `<think>...</think>`, told apart while it streams.

Only a block at the very beginning of the answer counts: later on, "<think>" is something the model writes about. The tags,
what stands between them and white space before them are no part of the answer; everything behind them is, to the byte. A block that is never
closed is reasoning to its end.
"""

from enum import Enum
from typing import Final, NamedTuple

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"


class Split(NamedTuple):
    """What a piece of text turned out to be, in this order."""

    reasoning: str = ""
    answer: str = ""


class _State(Enum):
    BEGINNING = 1
    THINKING = 2
    ANSWERING = 3


class ThinkTags:
    """Splits one answer."""

    def __init__(self) -> None:
        self._state = _State.BEGINNING
        self._held: str = ""
        """What may still turn out to be a tag, or white space before one."""

    def feed(self, piece: str) -> Split:
        """Return what is certain by now."""
        if self._state is _State.ANSWERING:
            return Split(answer=piece)
        text = self._held + piece
        if self._state is _State.BEGINNING:
            start = text.lstrip()
            if not start.startswith(_OPEN):
                if _OPEN.startswith(start):
                    self._held = text
                    return Split()
                return self._answer(text)
            self._state = _State.THINKING
            text = start[len(_OPEN) :]
        reasoning, close, rest = text.partition(_CLOSE)
        if close:
            return Split(reasoning, self._answer(rest).answer)
        keep = _overlap(text, _CLOSE)
        self._held = text[len(text) - keep :]
        return Split(reasoning=text[: len(text) - keep])

    def end(self) -> Split:
        """Return what was held back, at the end of the answer or where something else begins."""
        held, self._held = self._held, ""
        if self._state is _State.THINKING:
            return Split(reasoning=held)
        return self._answer(held)

    def _answer(self, text: str) -> Split:
        self._state = _State.ANSWERING
        self._held = ""
        return Split(answer=text)


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of `text` are the beginning of `tag`."""
    return next((size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])), 0)
