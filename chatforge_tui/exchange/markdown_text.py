"""A session as Markdown: for `show`, for `export --format md`, and as the source of the HTML.

Pure. Texts from outside are cleaned here; an answer is Markdown already and stays as it is otherwise.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from chatforge_tui.domain.attachment import Attachment, size_words
from chatforge_tui.domain.form import FormField
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
from chatforge_tui.domain.plan import Plan, StepStatus
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.safety.clean import clean, clean_line, clean_name
from chatforge_tui.safety.redact import redact
from chatforge_tui.safety.urls import without_userinfo

_MARKS = {
    StepStatus.PENDING: "[ ]",
    StepStatus.IN_PROGRESS: "[~]",
    StepStatus.COMPLETED: "[x]",
    StepStatus.FAILED: "[!]",
}
_FENCE = re.compile("`{3,}")


def session_markdown(head: SessionHead, turns: tuple[Turn, ...]) -> str:
    """Return the whole session, ending in a newline. Known credentials are masked: files for people get around."""
    about = f"{clean_name(head.endpoint.name)} · {head.session_id}"
    blocks = [f"# {clean_name(head.title) or 'Untitled session'}", about]
    for turn in turns:
        blocks.extend(_turn_blocks(turn))
    return redact("\n\n".join(blocks)) + "\n"


def question_text(question: QuestionPart) -> str:
    """Return what an agent asks, with the fields of its form, cleaned."""
    fields = question.form.fields if question.form else ()
    return "\n".join(filter(None, [clean(question.text), *map(_field_line, fields)]))


def attachment_words(file: Attachment) -> str:
    """Return what a file that went along is, as inline code, so that nothing in its name is taken for Markdown."""
    name = clean_name(file.name)
    fence = "`" * max((len(found) + 1 for found in re.findall("`+", name)), default=1)
    pad = " " if "`" in name else ""
    return f"{fence}{pad}{name}{pad}{fence} ({clean_name(file.media_type)}, {size_words(file.size)})"


def _turn_blocks(turn: Turn) -> Iterator[str]:
    head = turn.head
    yield f"## You{_time(head.started)}"
    yield from filter(None, [clean(head.prompt.text)])
    if head.prompt.attachments:
        yield "\n".join(f"- {attachment_words(file)}" for file in head.prompt.attachments)
    yield f"## {clean_name(head.agent) or 'Agent'}{_time(head.accepted)}"
    for part in turn.parts:
        yield from filter(None, [_part_block(part)])
    if head.state is not TurnState.COMPLETE:
        yield _ending(turn)


def _ending(turn: Turn) -> str:
    """Return the line that says how a turn ended that is not complete."""
    problem = turn.head.problem
    reason = f": {clean_line(problem.message)}" if problem else ""
    return f"*{turn.head.state.value}{reason}*"


def _part_block(part: Part) -> str:
    match part:
        case TextPart():
            return clean(part.text).strip("\n")
        case ReasoningPart():
            return "\n".join(f"> {line}".rstrip() for line in clean(part.text).strip("\n").split("\n"))
        case ToolPart():
            return _tool_block(part)
        case PlanPart():
            return _plan_block(part.plan)
        case FilePart():
            where = f" {clean_name(without_userinfo(part.url))}" if part.url else ""
            return f"*file: {clean_name(part.name) or 'unnamed'}{where}*"
        case QuestionPart():
            return question_text(part)
        case NoticePart():
            return f"*{clean_line(part.text)}*"


def _tool_block(part: ToolPart) -> str:
    lines = [f"**{clean_name(part.name)}** ({part.state.value})"]
    lines.extend(_fenced(clean(text)) for text in (part.input, part.output) if text.strip())
    return "\n\n".join(lines)


def _plan_block(plan: Plan) -> str:
    return "\n".join(
        f"- {_MARKS[step.status]} {clean_line(step.title)}{f' ({clean_name(step.agent)})' if step.agent else ''}"
        for step in plan.steps
    )


def _field_line(field: FormField) -> str:
    label = clean_name(field.label or field.name)
    choices = f" ({', '.join(map(clean_name, field.options))})" if field.options else ""
    return f"- {label}{choices}{'' if field.required else ', optional'}"


def _fenced(text: str) -> str:
    """Return text in a code fence longer than every fence inside it."""
    fence = "`" * max((len(found) + 1 for found in _FENCE.findall(text)), default=3)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def _time(seconds: float | None) -> str:
    """Return " · 2026-01-31 09:05 UTC", or "" for a time that has not come."""
    return f" · {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC" if seconds else ""
