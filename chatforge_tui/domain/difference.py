"""What happened between two states of one turn, as changes: for a turn that another program streams. Pure."""

from msgspec.structs import replace

from chatforge_tui.domain.changes import (
    HeadChanged,
    PartAdded,
    PartDropped,
    PartReplaced,
    PlanRecorded,
    TextAppended,
    TurnChange,
)
from chatforge_tui.domain.part import NoticePart, Part, ReasoningPart, TextPart, ToolPart
from chatforge_tui.domain.turn import Turn


def difference(before: Turn, after: Turn) -> tuple[TurnChange, ...]:
    """Return changes that make one turn the other when they are played onto it; () for equal ones.

    Args:
        before: the turn as it was.
        after: the same turn later.
    """
    known = {part.index: part for part in before.parts}
    last = max(known, default=-1)
    kept = {part.index for part in after.parts}
    changes: list[TurnChange] = [HeadChanged(after.head)] if after.head != before.head else []
    changes += [PartDropped(index) for index in known if index not in kept]
    for part in after.parts:
        was = known.get(part.index)
        if was is None:
            changes.append(PartAdded(part) if part.index > last else PartReplaced(part))
        elif was != part:
            changes += _growth(was, part) or [PartReplaced(part)]
    changes += [PlanRecorded(number, plan) for number, plan in enumerate(after.plans) if number >= len(before.plans)]
    return tuple(changes)


def _growth(was: Part, part: Part) -> list[TurnChange]:
    """Return the texts that were appended to a part, if nothing else happened to it; else nothing."""
    match was, part:
        case (TextPart(), TextPart()) | (ReasoningPart(), ReasoningPart()) | (NoticePart(), NoticePart()):
            if part.text.startswith(was.text) and replace(was, text=part.text) == part:
                return [TextAppended(part.index, part.text[len(was.text) :])]
        case ToolPart(), ToolPart():
            grows = part.input.startswith(was.input) and part.output.startswith(was.output)
            if grows and replace(was, input=part.input, output=part.output) == part:
                told = (
                    TextAppended(part.index, part.input[len(was.input) :], "input"),
                    TextAppended(part.index, part.output[len(was.output) :], "output"),
                )
                return [change for change in told if change.text]
        case _:
            pass
    return []
