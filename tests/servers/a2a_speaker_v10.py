"""The test agent's voice under a2a-sdk 1.x: protobuf messages."""

import base64
import uuid
from typing import Any

from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types.a2a_pb2 import (
    AgentCard,
    Artifact,
    Message,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from google.protobuf.json_format import MessageToDict, ParseDict

__all__ = ["AgentExecutor", "SdkSpeaker", "routes"]


class SdkSpeaker:
    """One turn of the agent."""

    def __init__(self, context: Any, queue: Any, log: Any) -> None:
        self.task_id = context.task_id
        self.context_id = context.context_id
        self.prompt = context.get_user_input()
        parts = context.message.parts if context.message else []
        self.files = [(part.filename, part.media_type, part.raw) for part in parts if part.HasField("raw")]
        self.values = [MessageToDict(part.data) for part in parts if part.HasField("data")]
        self.continues = context.current_task is not None
        self._message = context.message
        self._queue = queue
        self._log = log

    def log(self, event: str, **fields: Any) -> None:
        self._log(event, task=self.task_id, context=self.context_id, **fields)

    async def begin(self) -> None:
        if not self.continues:
            state = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
            task = Task(id=self.task_id, context_id=self.context_id, status=state, history=[self._message])
            await self._queue.enqueue_event(task)

    async def status(self, state: str, text: str = "") -> None:
        name = "TASK_STATE_" + state.upper().replace("-", "_")
        status = TaskStatus(state=TaskState.Value(name), message=self._said(text) if text else None)
        event = TaskStatusUpdateEvent(task_id=self.task_id, context_id=self.context_id, status=status)
        await self._queue.enqueue_event(event)

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
        described = {
            "artifactId": artifact_id,
            "name": name,
            "description": description,
            "parts": [_part(part) for part in parts],
            "metadata": metadata or {},
        }
        artifact = ParseDict(described, Artifact())
        event = TaskArtifactUpdateEvent(
            task_id=self.task_id, context_id=self.context_id, artifact=artifact, append=append, last_chunk=last
        )
        await self._queue.enqueue_event(event)

    async def message(self, text: str) -> None:
        await self._queue.enqueue_event(self._said(text, is_direct=True))

    def _said(self, text: str, *, is_direct: bool = False) -> Message:
        said = {"messageId": str(uuid.uuid4()), "role": "ROLE_AGENT", "parts": [{"text": text}]}
        said["contextId"] = self.context_id
        return ParseDict(said if is_direct else {**said, "taskId": self.task_id}, Message())


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if "text" in part or "data" in part:
        return part
    file = {"filename": part["name"], "mediaType": part["type"]}
    return file | ({"url": part["url"]} if "url" in part else {"raw": base64.b64encode(part["raw"]).decode()})


def routes(executor: Any, url: str, options: Any) -> list[Any]:
    """Return the routes of a server that says it is at `url`."""
    base = url.rstrip("/")
    rpc = [{"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}]
    rest = [{"url": f"{base}/rest", "protocolBinding": "HTTP+JSON", "protocolVersion": "1.0"}]
    older = [{"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "0.3"}] if options.compat else []
    described = {
        "name": "Test agent",
        "description": "Plays scenes",
        "version": "1.2.3",
        "supportedInterfaces": rest if options.rest_only else [*rpc, *rest, *older],
        "capabilities": {"streaming": not options.no_stream},
        "defaultInputModes": ["text/plain", "image/*"],
        "defaultOutputModes": ["text/plain"],
        "skills": [{"id": "s", "name": "scenes", "description": "d", "tags": ["t"]}],
    }
    card = ParseDict(described, AgentCard())
    handler = DefaultRequestHandler(agent_executor=executor, task_store=InMemoryTaskStore(), agent_card=card)
    prefix = options.prefix
    return [
        *create_agent_card_routes(card, card_url=f"{prefix}/.well-known/agent-card.json"),
        *create_jsonrpc_routes(handler, rpc_url=f"{prefix}/", enable_v0_3_compat=options.compat),
        *create_rest_routes(handler, path_prefix=f"{prefix}/rest"),
    ]
