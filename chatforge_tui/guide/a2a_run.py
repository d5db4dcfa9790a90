"""Runs the agent on a task: moves become status updates and artifacts, named and ordered as agent platforms do it.

`execution_plan_update` data, `tool_notification_start`/`_end`, `streaming_result` chunks while the agent speaks, and one
`final_result` with the whole answer before the task completes.
"""

import uuid
from contextlib import aclosing

from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.domain.plan import Plan
from chatforge_tui.guide.a2a_task import (
    Artifact,
    CutEvent,
    DataPiece,
    FilePiece,
    GuideTask,
    SilenceEvent,
    TaskMessage,
    TaskState,
    TextPiece,
)
from chatforge_tui.guide.agent import GuideAgent, Incoming
from chatforge_tui.guide.moves import (
    Ask,
    CutLine,
    Fail,
    Hush,
    Move,
    Say,
    SendFile,
    ShowPlan,
    Think,
    ToolBegan,
    ToolEnded,
)

_SPEAKER = "Guide"


async def run(agent: GuideAgent, task: GuideTask, incoming: Incoming) -> None:
    """Have the agent answer a message within a task, to the end or to a question of its own."""
    task.form = None
    if task.status.state is not TaskState.WORKING:
        task.enter(TaskState.WORKING)
    speech = _Speech(task)
    async with aclosing(agent.answer(incoming)) as moves:
        async for move in moves:
            speech.perform(move)
    speech.finish()


class _Speech:
    """One answer on its way into a task."""

    def __init__(self, task: GuideTask) -> None:
        self._task = task
        self._answer_id = str(uuid.uuid4())
        self._plan_id = str(uuid.uuid4())
        self._said: list[str] = []
        self._thought = ""
        """A line of reasoning that is not complete yet."""
        self._plan: Plan | None = None

    def perform(self, move: Move) -> None:
        """Turn one move into what the task tells."""
        match move:
            case Say(text):
                self._say(text)
            case Think(text):
                self._think(text)
            case ShowPlan(plan):
                name = "execution_plan_status_update" if self._plan else "execution_plan_update"
                self._plan = plan
                self._produce(self._plan_id, name, DataPiece(_plan_data(plan)))
            case ToolBegan() | ToolEnded():
                self._notify(move)
            case SendFile(name, media_type, data):
                self._produce(str(uuid.uuid4()), name, FilePiece(name, media_type, data), is_last=True)
            case Hush() | CutLine():
                self._behave(move)
            case Ask(text, form):
                self._ask(text, form)
            case Fail(message):
                self._task.enter(TaskState.FAILED, _agent_says(message))

    def finish(self) -> None:
        """Give the whole answer and complete, unless the task rests for another reason."""
        self._end_thought()
        if self._task.rests:
            return
        self._produce(str(uuid.uuid4()), "final_result", TextPiece("".join(self._said)), is_last=True)
        self._task.enter(TaskState.COMPLETED, trace_id=self._task.task_id)

    def _say(self, text: str) -> None:
        self._end_thought()
        chunk = Artifact(self._answer_id, "streaming_result", (TextPiece(text),))
        self._task.produce(chunk, append=bool(self._said))
        self._said.append(text)

    def _think(self, text: str) -> None:
        """Narrate reasoning line by line: protocol A2A has no field for it, so it travels as working status."""
        *lines, self._thought = (self._thought + text).split("\n")
        for line in filter(str.strip, lines):
            self._task.enter(TaskState.WORKING, TaskMessage((TextPiece(line.strip(), is_thought=True),)))

    def _end_thought(self) -> None:
        if self._thought.strip():
            self._think("\n")

    def _notify(self, move: ToolBegan | ToolEnded) -> None:
        """Tell of a tool call: a fresh artifact each time, without an id to pair them by, as platforms do."""
        if isinstance(move, ToolBegan):
            name, text, state = (
                "tool_notification_start",
                f"🔧 {_SPEAKER}: Calling {move.name} {move.arguments}\n",
                "started",
            )
        else:
            mark, state = ("❌", "failed") if move.failed else ("✅", "completed")
            name, text = "tool_notification_end", f"{mark} {_SPEAKER}: {move.name}: {move.result}\n"
        metadata: dict[str, object] = {"sourceAgent": move.name, "agentType": "notification"}
        description = f"Tool call {state}: {move.name}"
        self._task.produce(Artifact(str(uuid.uuid4()), name, (TextPiece(text),), description, metadata))

    def _behave(self, move: Hush | CutLine) -> None:
        """Have the connections do what no event says."""
        if isinstance(move, CutLine):
            self._task.tell_connections(CutEvent())
        elif not move.keepalives:
            self._task.tell_connections(SilenceEvent())

    def _ask(self, text: str, form: Form) -> None:
        self._task.form = form
        self._produce(str(uuid.uuid4()), "UserInputMetaData", DataPiece(_form_data(text, form)))
        self._task.enter(TaskState.INPUT_REQUIRED, _agent_says(text))

    def _produce(
        self, artifact_id: str, name: str, piece: TextPiece | DataPiece | FilePiece, *, is_last: bool = False
    ) -> None:
        self._task.produce(Artifact(artifact_id, name, (piece,)), is_last=is_last)


def _agent_says(text: str) -> TaskMessage:
    return TaskMessage((TextPiece(text),))


def _plan_data(plan: Plan) -> dict[str, object]:
    """Write a plan as platforms do; a step's id is the same in every update."""
    return {
        "steps": [
            {
                "step_id": f"step-{number:012x}",
                "title": step.title,
                "agent": step.agent,
                "status": step.status.value,
                "order": number,
            }
            for number, step in enumerate(plan.steps)
        ]
    }


def _form_data(text: str, form: Form) -> dict[str, object]:
    return {
        "user_input": True,
        "input_title": form.title,
        "input_description": form.description,
        "response": text,
        "input_fields": [_field_data(field) for field in form.fields],
    }


def _field_data(field: FormField) -> dict[str, object]:
    low, high = ("min", "max") if field.kind is FieldKind.NUMBER else ("minLength", "maxLength")
    data: dict[str, object] = {
        "field_name": field.name,
        "field_label": field.label,
        "field_description": field.description,
        "field_type": field.kind.value,
        "field_values": list(field.options) or None,
        "placeholder": field.placeholder,
        "required": field.required,
        "default_value": field.default,
    }
    bounds = {low: field.minimum, high: field.maximum}
    return data | {name: bound for name, bound in bounds.items() if bound is not None}
