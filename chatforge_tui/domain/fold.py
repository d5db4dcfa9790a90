"""Plays changes onto a turn: what a store does on reading, and what proves that stored and shown are one sequence."""

from collections.abc import Iterable

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
from chatforge_tui.domain.part import (
    FilePart,
    NoticePart,
    Part,
    PlanPart,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
)
from chatforge_tui.domain.turn import Turn


def fold(turn: Turn, changes: Iterable[TurnChange]) -> Turn:
    """Return the turn after the changes, in time linear in their text.

    A change of a part that the turn does not have is left out, as is a plan that it already has.
    """
    head, plans = turn.head, list(turn.plans)
    parts = {part.index: part for part in turn.parts}
    tails: dict[tuple[int, str], list[str]] = {}
    for change in changes:
        match change:
            case TextAppended(index=index, text=text, field=field):
                tails.setdefault((index, field), []).append(text)
            case PartAdded(part=part) | PartReplaced(part=part):
                _forget(tails, part.index)
                parts[part.index] = part
            case PartDropped(index=index):
                _forget(tails, index)
                parts.pop(index, None)
            case PlanRecorded(sequence=sequence, plan=plan):
                if sequence >= len(plans):
                    plans.append(plan)
            case HeadChanged(head=changed):
                head = changed
    for (index, field), chunks in tails.items():
        if (part := parts.get(index)) is not None:
            parts[index] = append(part, field, "".join(chunks))
    return Turn(head, tuple(parts[index] for index in sorted(parts)), tuple(plans))


def append(part: Part, field: str, text: str) -> Part:
    """Return the part with text added at the end of one of its texts; a part without that text stays as it is."""
    match part, field:
        case ((TextPart() | ReasoningPart() | NoticePart()), "text"):
            return replace(part, text=part.text + text)
        case ToolPart(), "input":
            return replace(part, input=part.input + text)
        case ToolPart(), "output":
            return replace(part, output=part.output + text)
        case ((TextPart() | ReasoningPart() | NoticePart() | ToolPart() | PlanPart() | FilePart() | QuestionPart()), _):
            return part


def _forget(tails: dict[tuple[int, str], list[str]], index: int) -> None:
    """Drop what was to be appended to a part that is replaced or gone."""
    for field in ("text", "input", "output"):
        tails.pop((index, field), None)
