"""Tasks that wait for their form longer than the program runs.

Tasks live in memory only. But a client that was asked before the program ended may answer in the next run, and the agent
has one form only: an id that says "this task asks" is enough to take the answer as if nothing had happened.
"""

import re
import secrets
import uuid

from chatforge_tui.guide.a2a_task import GuideTask, TaskMessage, TaskState, TextPiece
from chatforge_tui.guide.agent import GuideAgent

_ID = re.compile(r"[0-9a-f-]{36}-asks-([0-9a-f]{8})")


class WaitingTasks:
    """Makes the ids of tasks, and recalls the waiting ones of earlier runs."""

    def __init__(self, agent: GuideAgent) -> None:
        self._agent = agent
        self._run = secrets.token_hex(4)

    def new_id(self, prompt: str) -> str:
        """Return an id for a task that answers this prompt."""
        asks = f"-asks-{self._run}" if self._agent.form_for(prompt) else ""
        return f"{uuid.uuid4()}{asks}"

    def recall(self, task_id: str, context_id: str | None) -> GuideTask | None:
        """Return a waiting task of an earlier run; None for any other id, and for this run's own: those are known."""
        asks = _ID.fullmatch(task_id)
        if asks is None or asks[1] == self._run:
            return None
        task = GuideTask(context_id or str(uuid.uuid4()), task_id)
        task.form = self._agent.form
        task.enter(TaskState.INPUT_REQUIRED, TaskMessage((TextPiece(task.form.title),)))
        return task
