"""The JSON that scripts read: sessions and turns as `show --json`, `sessions --json` and `export` spell them.

Stable: a key is never renamed or dropped. Texts are as received, whole. What is written here is ASCII without DEL, so
it can neither damage a terminal nor lose a character on the way.
"""

import json
from datetime import UTC, datetime
from typing import Any

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.part import QuestionPart, ToolPart
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.search import SearchHit
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnProblem, Usage

Json = dict[str, Any]


def dumps(value: object, *, indent: int | None = None) -> str:
    """Return JSON text in ASCII; DEL, which JSON allows, is escaped, too."""
    return json.dumps(value, ensure_ascii=True, indent=indent).replace("\x7f", "\\u007f")


def session_line(head: SessionHead) -> Json:
    """Return one entry of `sessions --json`."""
    return {
        "id": head.session_id,
        "title": head.title,
        "endpoint": head.endpoint.name,
        "open": head.is_open,
        "position": head.position,
        "state": head.last_state.value if head.last_state else None,
        "turns": head.turns,
        "unsent": head.unsent,
        "updated": timestamp(head.updated),
    }


def hit_line(hit: SearchHit) -> Json:
    """Return one entry of `search --json`."""
    return {
        "session": hit.session_id,
        "title": hit.title,
        "found_in": hit.found_in.value,
        "turn_id": hit.turn_id,
        "offset": hit.offset,
        "excerpt": hit.excerpt,
        "start": hit.start,
        "end": hit.end,
        "when": timestamp(hit.when),
    }


def transcript(head: SessionHead, turns: tuple[Turn, ...]) -> Json:
    """Return a whole session as `show --json` and `export --format json` spell it."""
    return {
        "session": {
            "id": head.session_id,
            "title": head.title,
            "endpoint": head.endpoint.name,
            "open": head.is_open,
            "position": head.position,
            "context_id": head.context_id,
        },
        "turns": [turn_shape(turn) for turn in turns],
    }


def turn_shape(turn: Turn) -> Json:
    """Return one turn; `question` is there only while the agent waits for an answer."""
    head, asked = turn.head, turn.question
    return {
        "turn_id": head.turn_id,
        "state": head.state.value,
        "prompt": head.prompt.text,
        "attachments": [attachment_shape(file) for file in head.prompt.attachments],
        "answer": turn.answer,
        "request_id": head.request_id,
        "task_id": head.task_id,
        "reasoning": turn.reasoning,
        "plans": [plan_shape(plan) for plan in turn.plans],
        "tools": [tool_shape(part) for part in turn.parts if isinstance(part, ToolPart)],
        "error": problem_shape(head.problem) if head.problem else None,
        "usage": usage_shape(head.usage) if head.usage else None,
        "started": timestamp(head.started),
        "ended": timestamp(head.ended),
        **({"question": question_shape(asked)} if asked else {}),
    }


def attachment_shape(file: Attachment) -> Json:
    """Return what a file that went along is; its content is in the store, and in a bundle."""
    return {"name": file.name, "media_type": file.media_type, "size": file.size, "sha256": file.sha256}


def question_shape(question: QuestionPart) -> Json:
    """Return what an agent asks: its words, and the fields to fill in where it gave any."""
    fields = question.form.fields if question.form else ()
    return {
        "kind": question.kind.value,
        "text": question.text,
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "description": field.description,
                "kind": field.kind.value,
                "options": list(field.options),
                "required": field.required,
                "default": field.default,
            }
            for field in fields
        ],
    }


def plan_shape(plan: Plan) -> Json:
    """Return one complete plan."""
    return {"steps": [{"title": step.title, "status": step.status.value, "agent": step.agent} for step in plan.steps]}


def tool_shape(part: ToolPart) -> Json:
    """Return one tool call."""
    return {"name": part.name, "state": part.state.value, "input": part.input, "output": part.output}


def problem_shape(problem: TurnProblem) -> Json:
    """Return why a turn did not end well."""
    return {"kind": problem.kind, "message": problem.message, "hint": problem.hint}


def usage_shape(usage: Usage) -> Json:
    """Return what a turn cost; beyond the two usual counts only what the endpoint said."""
    further = {
        "reasoning_tokens": usage.reasoning_tokens,
        "cached_tokens": usage.cached_tokens,
        "cost": usage.cost,
    }
    known = {name: value for name, value in further.items() if value is not None}
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, **known}


def timestamp(seconds: float | None) -> str | None:
    """Return Unix seconds as `2026-01-31T09:05:00.250Z`; None for a time that has not come."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
