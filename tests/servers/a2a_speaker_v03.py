"""The test agent's voice under a2a-sdk 0.3: pydantic models."""

import base64
import uuid
from typing import Any

from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    AgentSkill,
    Artifact,
    Message,
    Part,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from starlette.routing import Mount

__all__ = ["AgentExecutor", "SdkSpeaker", "routes"]

_FINAL = ("completed", "failed", "canceled", "rejected", "input-required", "auth-required")


class SdkSpeaker:
    """One turn of the agent."""

    def __init__(self, context: Any, queue: Any, log: Any) -> None:
        self.task_id = context.task_id
        self.context_id = context.context_id
        self.prompt = context.get_user_input()
        parts = [part.root for part in context.message.parts] if context.message else []
        self.files = [
            (part.file.name, part.file.mime_type, base64.b64decode(part.file.bytes))
            for part in parts
            if part.kind == "file"
        ]
        self.values = [part.data for part in parts if part.kind == "data"]
        self.continues = context.current_task is not None
        self._message = context.message
        self._queue = queue
        self._log = log

    def log(self, event: str, **fields: Any) -> None:
        self._log(event, task=self.task_id, context=self.context_id, **fields)

    async def begin(self) -> None:
        if not self.continues:
            await self._queue.enqueue_event(
                Task(
                    id=self.task_id,
                    context_id=self.context_id,
                    status=TaskStatus(state=TaskState.submitted),
                    history=[self._message],
                )
            )

    async def status(self, state: str, text: str = "") -> None:
        message = self._said(text) if text else None
        await self._queue.enqueue_event(
            TaskStatusUpdateEvent(
                task_id=self.task_id,
                context_id=self.context_id,
                status=TaskStatus(state=TaskState(state), message=message),
                final=state in _FINAL,
            )
        )

    async def artifact(
        self,
        artifact_id: str,
        name: str,
        *parts: dict[str, Any],
        append: bool = False,
        last: bool = False,
        metadata: dict[str, Any] | None = None,
        description: str = "",
    ) -> None:
        artifact = Artifact(
            artifact_id=artifact_id,
            name=name,
            parts=[_part(part) for part in parts],
            metadata=metadata,
            description=description or None,
        )
        await self._queue.enqueue_event(
            TaskArtifactUpdateEvent(
                task_id=self.task_id, context_id=self.context_id, artifact=artifact, append=append, last_chunk=last
            )
        )

    async def message(self, text: str) -> None:
        await self._queue.enqueue_event(self._said(text, is_direct=True))

    def _said(self, text: str, *, is_direct: bool = False) -> Message:
        task_id = None if is_direct else self.task_id
        parts = [_part({"text": text})]
        return Message(
            message_id=str(uuid.uuid4()), role="agent", parts=parts, context_id=self.context_id, task_id=task_id
        )


def _part(part: dict[str, Any]) -> Part:
    if "text" in part:
        return Part.model_validate({"kind": "text", "text": part["text"]})
    if "data" in part:
        return Part.model_validate({"kind": "data", "data": part["data"]})
    file = {"mimeType": part["type"], "name": part["name"]}
    if "url" in part:
        return Part.model_validate({"kind": "file", "file": {**file, "uri": part["url"]}})
    return Part.model_validate({"kind": "file", "file": {**file, "bytes": base64.b64encode(part["raw"]).decode()}})


def routes(executor: Any, url: str, options: Any) -> list[Any]:
    """Return the routes of a server that says it is at `url`."""
    card = AgentCard(
        name="Test agent",
        description="Plays scenes",
        url=url,
        version="1.2.3",
        capabilities=AgentCapabilities(streaming=not options.no_stream),
        default_input_modes=["text/plain", "image/*"],
        default_output_modes=["text/plain"],
        skills=[AgentSkill(id="s", name="scenes", description="d", tags=["t"])],
        preferred_transport="HTTP+JSON" if options.rest_only else "JSONRPC",
    )
    handler = DefaultRequestHandler(agent_executor=executor, task_store=InMemoryTaskStore())
    prefix = options.prefix
    if options.rest_only:
        return [Mount("/", A2ARESTFastAPIApplication(agent_card=card, http_handler=handler).build())]
    return A2AStarletteApplication(agent_card=card, http_handler=handler).routes(
        agent_card_url=f"{prefix}/.well-known/agent-card.json", rpc_url=f"{prefix}/"
    )
