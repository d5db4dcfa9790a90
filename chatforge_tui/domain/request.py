"""What an endpoint is asked to do."""

from collections.abc import Mapping

from msgspec import Struct, field

from chatforge_tui.domain.ids import ContextId, RequestId, SessionId, TaskId, TurnId
from chatforge_tui.domain.turn import Prompt, Turn


class PromptRequest(Struct, frozen=True, gc=False):
    """One attempt to have a prompt answered."""

    session_id: SessionId
    turn_id: TurnId
    """Serves as the message id towards the agent: the same for every attempt, so a server can tell a repeat."""
    request_id: RequestId
    prompt: Prompt
    context_id: ContextId | None = None
    answers_task: TaskId | None = None
    """The waiting task that the prompt answers."""
    history: tuple[Turn, ...] = ()
    """Earlier turns, oldest first; empty unless the endpoint says `needs_history`."""
    contents: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """Of the attachments of the prompt and of the history, by digest; one that is lost is missing."""


class TaskRef(Struct, frozen=True, gc=False):
    """A task at an agent."""

    task_id: TaskId
    context_id: ContextId | None = None
    told: str = ""
    """When it is read on with: the answers of earlier turns about it, joined; no part of the turn that is lost."""
