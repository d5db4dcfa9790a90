"""How A2A's two versions write the same thing: method names, states, messages, tasks, events, errors. Pure."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Protocol

from msgspec import Struct

from chatforge_tui.guide.a2a_task import (
    Artifact,
    ArtifactEvent,
    DataPiece,
    FilePiece,
    GuideTask,
    Piece,
    StatusEvent,
    TaskMessage,
    TaskState,
    TaskStatus,
    TextPiece,
)

Json = dict[str, object]


class Dialect(Protocol):
    """One version of the protocol."""

    version: ClassVar[str]
    methods: ClassVar[Mapping[str, str]]
    """The version's method name to the operation it means."""

    def task(self, task: GuideTask, history: int | None = None, *, artifacts: bool = True) -> Json:
        """Write a whole task, with the latest `history` messages (None = all)."""
        ...

    def event(self, task: GuideTask, event: StatusEvent | ArtifactEvent) -> Json:
        """Write an event as a stream's result."""
        ...

    def sent(self, task: Json) -> Json:
        """Write a task as the result of sending a message, or as a stream's first result."""
        ...

    def error_data(self, reason: str) -> Mapping[str, object]:
        """Write what an error carries beside its code and its message."""
        ...


class VersionOne(Struct, frozen=True):
    """Protocol 1.0: the kind of a thing is the name of its key."""

    version: ClassVar[str] = "1.0"
    methods: ClassVar[Mapping[str, str]] = {
        "SendMessage": "send",
        "SendStreamingMessage": "stream",
        "GetTask": "get",
        "CancelTask": "cancel",
        "SubscribeToTask": "subscribe",
        "ListTasks": "list",
        "GetExtendedAgentCard": "card",
        "CreateTaskPushNotificationConfig": "push",
        "GetTaskPushNotificationConfig": "push",
        "ListTaskPushNotificationConfigs": "push",
        "DeleteTaskPushNotificationConfig": "push",
    }

    def task(self, task: GuideTask, history: int | None = None, *, artifacts: bool = True) -> Json:
        """Write a whole task."""
        return _task(self, task, history, artifacts=artifacts)

    def event(self, task: GuideTask, event: StatusEvent | ArtifactEvent) -> Json:
        """Write an event; flags that are false are left out."""
        ids = {"taskId": task.task_id, "contextId": task.context_id}
        if isinstance(event, StatusEvent):
            return {
                "statusUpdate": _without_empty(
                    {**ids, "status": self.status(task, event.status), "metadata": event.metadata}
                )
            }
        flags = {"append": event.append, "lastChunk": event.is_last}
        return {"artifactUpdate": _without_empty({**ids, "artifact": self.artifact(event.artifact), **flags})}

    def sent(self, task: Json) -> Json:
        """Name what it is."""
        return {"task": task}

    def error_data(self, reason: str) -> Mapping[str, object]:
        """Give the reason as Google's error model does."""
        if not reason:
            return {}
        kind, domain = "type.googleapis.com/google.rpc.ErrorInfo", "a2a-protocol.org"
        info: Json = {"@type": kind, "reason": reason, "domain": domain, "metadata": {}}
        return {"data": [info]}

    def status(self, task: GuideTask, status: TaskStatus) -> Json:
        """Write a status."""
        return _status(self, task, status, "TASK_STATE_" + status.state.value.replace("-", "_").upper())

    def message(self, task: GuideTask, message: TaskMessage) -> Json:
        """Write a message."""
        return _message(self, task, message, "ROLE_USER" if message.is_user else "ROLE_AGENT")

    def artifact(self, artifact: Artifact) -> Json:
        """Write an artifact."""
        return _artifact(self, artifact)

    def piece(self, piece: Piece) -> Json:
        """Write a part."""
        match piece:
            case TextPiece(text, is_thought):
                return {"text": text} | _thought(is_thought=is_thought)
            case DataPiece(value):
                return {"data": value}
            case FilePiece(name, media_type, data, url):
                content: Json = {"url": url} if url else {"raw": b64encode(data).decode()}
                return content | {"filename": name, "mediaType": media_type}


class VersionZeroThree(Struct, frozen=True):
    """Protocol 0.3: everything says what it is in `kind`."""

    version: ClassVar[str] = "0.3"
    methods: ClassVar[Mapping[str, str]] = {
        "message/send": "send",
        "message/stream": "stream",
        "tasks/get": "get",
        "tasks/cancel": "cancel",
        "tasks/resubscribe": "subscribe",
        "agent/getAuthenticatedExtendedCard": "card",
        "tasks/pushNotificationConfig/set": "push",
        "tasks/pushNotificationConfig/get": "push",
        "tasks/pushNotificationConfig/list": "push",
        "tasks/pushNotificationConfig/delete": "push",
    }

    def task(self, task: GuideTask, history: int | None = None, *, artifacts: bool = True) -> Json:
        """Write a whole task."""
        return _task(self, task, history, artifacts=artifacts) | {"kind": "task"}

    def event(self, task: GuideTask, event: StatusEvent | ArtifactEvent) -> Json:
        """Write an event; every flag is there."""
        ids = {"taskId": task.task_id, "contextId": task.context_id}
        if isinstance(event, StatusEvent):
            status = {"status": self.status(task, event.status), "metadata": event.metadata}
            return _without_empty({"kind": "status-update", **ids, **status}) | {"final": event.is_final}
        flags = {"append": event.append, "lastChunk": event.is_last}
        return {"kind": "artifact-update", **ids, "artifact": self.artifact(event.artifact), **flags}

    def sent(self, task: Json) -> Json:
        """Leave it as it is: it says what it is."""
        return task

    def error_data(self, reason: str) -> Mapping[str, object]:  # noqa: ARG002 - the other version needs it
        """Give nothing."""
        return {}

    def status(self, task: GuideTask, status: TaskStatus) -> Json:
        """Write a status."""
        return _status(self, task, status, status.state.value)

    def message(self, task: GuideTask, message: TaskMessage) -> Json:
        """Write a message."""
        return _message(self, task, message, "user" if message.is_user else "agent") | {"kind": "message"}

    def artifact(self, artifact: Artifact) -> Json:
        """Write an artifact."""
        return _artifact(self, artifact)

    def piece(self, piece: Piece) -> Json:
        """Write a part."""
        match piece:
            case TextPiece(text, is_thought):
                return {"kind": "text", "text": text} | _thought(is_thought=is_thought)
            case DataPiece(value):
                return {"kind": "data", "data": value if isinstance(value, dict) else {"value": value}}
            case FilePiece(name, media_type, data, url):
                content = {"uri": url} if url else {"bytes": b64encode(data).decode()}
                return {"kind": "file", "file": content | {"mimeType": media_type, "name": name}}


_Version = VersionOne | VersionZeroThree


def state_named(name: str) -> TaskState | None:
    """Read a state in either spelling; None when the agent knows none of that name."""
    word = name.removeprefix("TASK_STATE_").replace("_", "-").lower()
    return next((state for state in TaskState if state.value == word), None)


def _task(version: _Version, task: GuideTask, history: int | None, *, artifacts: bool) -> Json:
    messages = task.history if history is None else task.history[len(task.history) - min(history, len(task.history)) :]
    return _without_empty(
        {
            "id": task.task_id,
            "contextId": task.context_id,
            "status": version.status(task, task.status),
            "artifacts": [version.artifact(artifact) for artifact in task.artifacts] if artifacts else [],
            "history": [version.message(task, message) for message in messages],
            "metadata": task.metadata,
        }
    )


def _status(version: _Version, task: GuideTask, status: TaskStatus, state: str) -> Json:
    at = datetime.fromtimestamp(status.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = version.message(task, status.message) if status.message else None
    return _without_empty({"state": state, "message": message, "timestamp": at})


def _message(version: _Version, task: GuideTask, message: TaskMessage, role: str) -> Json:
    return {
        "messageId": message.message_id,
        "contextId": task.context_id,
        "taskId": task.task_id,
        "role": role,
        "parts": [version.piece(piece) for piece in message.pieces],
    }


def _artifact(version: _Version, artifact: Artifact) -> Json:
    parts = [version.piece(piece) for piece in artifact.pieces]
    named = {"artifactId": artifact.artifact_id, "name": artifact.name, "description": artifact.description}
    return _without_empty({**named, "parts": parts, "metadata": artifact.metadata})


def _thought(*, is_thought: bool) -> Json:
    """Mark reasoning as Google's agent kit does, so that clients which know the mark can tell it from the answer."""
    return {"metadata": {"adk_thought": True}} if is_thought else {}


def _without_empty(value: Json) -> Json:
    """Leave out what is empty or false, as protobuf's JSON does."""
    return {key: item for key, item in value.items() if item}
