"""What a turn weighs: on the screen, estimated before it is laid out, and in memory. Pure."""

import sys
from typing import NamedTuple

from chatforge_tui.domain.part import FilePart, Part, ReasoningPart, TextPart, ToolPart
from chatforge_tui.domain.turn import Turn

_FRAME_LINES = 6
"""Lines of a turn besides its texts: headers and gaps."""
_HEAD_BYTES = 1_000
"""About what the values of a turn take besides its texts."""


class Weight(NamedTuple):
    """How much of everything a turn is."""

    lines: int
    """Lines of the screen at any width."""
    characters: int
    """Characters that are wrapped into more lines, prompt included."""
    memory: int
    """Bytes."""


def weigh(turn: Turn) -> Weight:
    """Return what a turn weighs as it was loaded or ended."""
    prompt = turn.head.prompt.text
    lines, characters, memory = _FRAME_LINES, len(prompt), _HEAD_BYTES + sys.getsizeof(prompt)
    for part in turn.parts:
        lines += 1
        if isinstance(part, TextPart):  # nearly always, and of each turn of a long session at once
            text = part.text
            characters += len(text)
            lines += text.count("\n")
            memory += sys.getsizeof(text)
        else:
            memory += _bytes_of(part)
    return Weight(lines, characters, memory)


def _bytes_of(part: Part) -> int:
    """Count what can be large: text takes one, two or four bytes a character."""
    match part:
        case ReasoningPart(text=text):
            return sys.getsizeof(text)
        case ToolPart(input=taken, output=given):
            return sys.getsizeof(taken) + sys.getsizeof(given)
        case FilePart(data=data):
            return len(data or b"")
        case _:
            return 0
