"""How the mock server puts its tokens on the wire: one class a protocol, each making whole server-sent events."""

import json
from typing import Any, Protocol


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_in(value: Any) -> str:
    """Return all text in a piece of a request, in order."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(map(text_in, value))
    if isinstance(value, dict):
        return text_in(value.get("text") or value.get("content") or value.get("parts") or "")
    return ""


class Dialect(Protocol):
    """One answer in one protocol."""

    def begin(self) -> str: ...
    def token(self, text: str) -> str: ...
    def end(self, count: int, text: str) -> str: ...
    def cancelled(self) -> str: ...


class OpenAIChat:
    """Chat completions."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        self._usage = bool((request.get("stream_options") or {}).get("include_usage"))
        self._frame = {"id": f"answer-{number}", "object": "chat.completion.chunk", "created": 1_700_000_000}
        self._frame["model"] = request.get("model", "mock")
        before, _, after = self._chunk({"content": "\0"}).partition('"\\u0000"')
        self._before, self._after = before, after

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return f"data: {_json({**self._frame, 'choices': [choice]})}\n\n"

    def begin(self) -> str:
        return self._chunk({"role": "assistant", "content": ""})

    def token(self, text: str) -> str:
        return f"{self._before}{_json(text)}{self._after}"

    def end(self, count: int, text: str) -> str:
        usage = {"prompt_tokens": 9, "completion_tokens": count, "total_tokens": count + 9}
        last = f"data: {_json({**self._frame, 'choices': [], 'usage': usage})}\n\n" if self._usage else ""
        return f"{self._chunk({}, 'stop')}{last}data: [DONE]\n\n"

    def cancelled(self) -> str:
        return ""


class OpenAIResponses:
    """The Responses API, for peers that speak nothing else."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        self._number = number
        self._events = 0
        self._model = request.get("model", "mock")

    def _event(self, kind: str, **fields: Any) -> str:
        self._events += 1
        return f"event: {kind}\ndata: {_json({'type': kind, 'sequence_number': self._events, **fields})}\n\n"

    def _response(self, status: str, **fields: Any) -> dict[str, Any]:
        named = {"id": f"resp_{self._number}", "object": "response", "created_at": 1_700_000_000, "model": self._model}
        return {**named, "status": status, "output": [], **fields}

    def _item(self, status: str, text: str | None) -> dict[str, Any]:
        content = [] if text is None else [{"type": "output_text", "text": text, "annotations": []}]
        named = {"id": f"msg_{self._number}", "type": "message", "role": "assistant"}
        return {**named, "status": status, "content": content}

    def begin(self) -> str:
        part = {"type": "output_text", "text": "", "annotations": []}
        place = {"output_index": 0, "content_index": 0, "item_id": f"msg_{self._number}"}
        return (
            self._event("response.created", response=self._response("in_progress"))
            + self._event("response.output_item.added", output_index=0, item=self._item("in_progress", None))
            + self._event("response.content_part.added", part=part, **place)
        )

    def token(self, text: str) -> str:
        place = {"output_index": 0, "content_index": 0, "item_id": f"msg_{self._number}"}
        return self._event("response.output_text.delta", delta=text, **place)

    def end(self, count: int, text: str) -> str:
        item = self._item("completed", text)
        usage = {"input_tokens": 9, "output_tokens": count, "total_tokens": count + 9}
        usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        return self._event("response.output_item.done", output_index=0, item=item) + self._event(
            "response.completed", response=self._response("completed", output=[item], usage=usage)
        )

    def cancelled(self) -> str:
        return ""


class A2A:
    """A2A 1.0 over JSON-RPC: one task, one artifact that grows."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        message = (request.get("params") or {}).get("message") or {}
        self._id = request.get("id")
        self._ids = {"taskId": task_of(number), "contextId": message.get("contextId") or f"context-{number}"}
        self._is_first = True
        before, _, after = self._artifact("\0").partition('"\\u0000"')
        self._before, self._after = before, after

    def _event(self, result: dict[str, Any]) -> str:
        return f"data: {_json({'jsonrpc': '2.0', 'id': self._id, 'result': result})}\n\n"

    def _artifact(self, text: str, *, append: bool = True) -> str:
        artifact = {"artifactId": "answer", "parts": [{"text": text}]}
        return self._event({"artifactUpdate": {**self._ids, "artifact": artifact, "append": append}})

    def _status(self, state: str) -> str:
        return self._event({"statusUpdate": {**self._ids, "status": {"state": f"TASK_STATE_{state}"}}})

    def begin(self) -> str:
        task = {"id": self._ids["taskId"], "contextId": self._ids["contextId"]}
        return self._event({"task": {**task, "status": {"state": "TASK_STATE_SUBMITTED"}}}) + self._status("WORKING")

    def token(self, text: str) -> str:
        if self._is_first:
            self._is_first = False
            return self._artifact(text, append=False)
        return f"{self._before}{_json(text)}{self._after}"

    def end(self, count: int, text: str) -> str:
        return self._status("COMPLETED")

    def cancelled(self) -> str:
        return self._status("CANCELED")


def task_of(number: int) -> str:
    """Return the id of a task."""
    return f"task-{number}"


def agent_card(base: str) -> str:
    """Return the card of the mock agent."""
    return _json(
        {
            "name": "bench",
            "description": "Says as many tokens as it is told",
            "version": "1.0.0",
            "supportedInterfaces": [{"url": base, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}],
            "capabilities": {"streaming": True},
            "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
            "skills": [{"id": "say", "name": "say", "description": "says tokens", "tags": ["bench"]}],
        }
    )
