"""What a scripted server says in each protocol, so that one suite can put every adapter through the same scenes.

A new protocol joins the contract suite and the fault matrix with one entry in DIALECTS.
"""

import base64
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from chatforge_tui.endpoints.a2a.endpoint import A2aEndpoint, A2aSettings
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.endpoints.openai_chat.endpoint import OpenAiChatEndpoint
from chatforge_tui.endpoints.openai_chat.settings import OpenAiChatSettings
from tests.servers.raw_server import Request, Step, answer

if TYPE_CHECKING:
    from chatforge_tui.sessions.ports import Endpoint


class Dialect(Protocol):
    """How one protocol says the same few things. Every `bytes` is one whole server-sent event."""

    name: str

    def connect(self, url: str, http: HttpSettings) -> "Endpoint":
        """Return an endpoint that talks to the scripted server at this address."""
        ...

    def beside(self, request: Request) -> Sequence[Step] | None:
        """Answer what the adapter asks besides the prompt; None for the prompt's own request."""
        ...

    def text(self, piece: str) -> bytes:
        """Say a piece of the answer."""
        ...

    def end(self) -> bytes:
        """Say that the answer is complete."""
        ...

    def error(self, message: str) -> bytes:
        """Say, in the middle of the stream, that it failed."""
        ...

    def strange(self) -> bytes:
        """Say something well-formed that no version of the protocol knows."""
        ...

    def forgotten(self) -> Sequence[Step]:
        """Answer that there is no such task."""
        ...

    def prompt(self, request: Request) -> str:
        """Return the prompt that a request carries."""
        ...

    def files(self, request: Request) -> list[tuple[str, str, bytes]]:
        """Return name, media type and content of the files that the prompt's message carries; "" for what it does not."""
        ...


class OpenAiDialect:
    """Chat completions."""

    name = "openai-chat"

    def connect(self, url: str, http: HttpSettings) -> "Endpoint":
        return OpenAiChatEndpoint(settings=OpenAiChatSettings(f"{url}/v1", model="m"), channel=HttpChannel(http))

    def beside(self, request: Request) -> Sequence[Step] | None:
        return None

    def text(self, piece: str) -> bytes:
        return self._event({"choices": [{"index": 0, "delta": {"content": piece}}]})

    def end(self) -> bytes:
        last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        return self._event(last) + b"data: [DONE]\n\n"

    def error(self, message: str) -> bytes:
        return self._event({"error": {"message": message, "code": 500}})

    def strange(self) -> bytes:
        return self._event({"object": "orbit.update", "orbit": {"apogee": 7}, "choices": [{"index": 0, "moon": 1}]})

    def forgotten(self) -> Sequence[Step]:
        return answer(b'{"error":{"message":"not found"}}', "404 Not Found")

    def prompt(self, request: Request) -> str:
        return json.loads(request.body)["messages"][-1]["content"]

    def files(self, request: Request) -> list[tuple[str, str, bytes]]:
        parts = json.loads(request.body)["messages"][-1]["content"]
        images = [("", part["image_url"]["url"]) for part in parts if part["type"] == "image_url"]
        others = [(part["file"]["filename"], part["file"]["file_data"]) for part in parts if part["type"] == "file"]
        return [(name, *_read_data_url(url)) for name, url in (*images, *others)]

    def _event(self, data: object) -> bytes:
        return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def _read_data_url(url: str) -> tuple[str, bytes]:
    head, _, data = url.partition(";base64,")
    return head.removeprefix("data:"), base64.b64decode(data, validate=True)


class A2aDialect:
    """Agent2Agent: a card beside every prompt, then results in JSON-RPC envelopes, or bare ones over HTTP+JSON."""

    def __init__(self, version: str, binding: str = "JSONRPC") -> None:
        self.name = f"a2a-{version}" if binding == "JSONRPC" else f"a2a-{version}-{binding.lower()}"
        self._is_v1 = version == "1.0"
        self.is_enveloped = binding == "JSONRPC"
        self._has_kinds = not self._is_v1 and self.is_enveloped
        interface = {"url": "/", "protocolBinding": binding, "protocolVersion": "1.0"}
        card = {"name": "scripted", "capabilities": {"streaming": True}, "skills": []}
        older = {"url": "/", "protocolVersion": "0.3.0", "preferredTransport": binding}
        offer = {"supportedInterfaces": [interface]} if self._is_v1 else older
        self._card = json.dumps(card | offer).encode()

    def connect(self, url: str, http: HttpSettings) -> "Endpoint":
        return A2aEndpoint(settings=A2aSettings(url), channel=HttpChannel(http))

    def beside(self, request: Request) -> Sequence[Step] | None:
        return answer(self._card) if request.target.startswith("/.well-known/") else None

    def text(self, piece: str) -> bytes:
        return self.artifact(piece)

    def end(self) -> bytes:
        return self.status("completed", is_final=True)

    def error(self, message: str) -> bytes:
        if self.is_enveloped:
            return self._event({"error": {"code": -32603, "message": message}})
        return self._event({"error": {"code": 500, "status": "INTERNAL", "message": message}})

    def strange(self) -> bytes:
        members = {"orbit": {"apogee": 7}}
        return self.result({"kind": "orbit-update", **members} if self._has_kinds else members)

    def forgotten(self) -> Sequence[Step]:
        if self.is_enveloped:
            return answer(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Task not found"}}')
        if not self._is_v1:
            return answer(b'{"message":"Task not found"}', "404 Not Found")
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TASK_NOT_FOUND"}]
        error = {"code": 404, "status": "NOT_FOUND", "message": "Task not found", "details": details}
        return answer(json.dumps({"error": error}).encode(), "404 Not Found")

    def prompt(self, request: Request) -> str:
        return self._parts(request)[0]["text"]

    def files(self, request: Request) -> list[tuple[str, str, bytes]]:
        parts = self._parts(request)
        if self._is_v1:
            found = [(part["filename"], part["mediaType"], part["raw"]) for part in parts if "raw" in part]
        else:
            files = [part["file"] for part in parts if "file" in part]
            found = [(file["name"], file["mimeType"], self._content(file)) for file in files]
        return [(name, media_type, base64.b64decode(data, validate=True)) for name, media_type, data in found]

    def _parts(self, request: Request) -> list[dict[str, Any]]:
        body = json.loads(request.body)
        if self._is_v1 or self.is_enveloped:
            return (body["params"] if self.is_enveloped else body)["message"]["parts"]
        return body["request"]["content"]

    def _content(self, file: dict[str, str]) -> bytes:
        """The base64 of a file of version 0.3."""
        return file["bytes"].encode() if self.is_enveloped else base64.b64decode(file["fileWithBytes"], validate=True)

    def artifact(
        self, piece: str, artifact_id: str = "a", *, append: bool = True, last: bool = False, **ids: str
    ) -> bytes:
        """Say a piece of an artifact; `ids` are `taskId` and `contextId` where they are not those of the turn."""
        part = {"kind": "text", "text": piece} if self._has_kinds else {"text": piece}
        artifact = {"artifactId": artifact_id, "name": "answer", "parts": [part]}
        return self._update("artifact", {"artifact": artifact, "append": append, "lastChunk": last, **ids})

    def status(self, state: str, *, is_final: bool = False, **ids: str) -> bytes:
        return self._update("status", {"status": {"state": state}, "final": is_final, **ids})

    def result(self, result: dict[str, object], call_id: object = 1) -> bytes:
        """Say anything, as the answer to a call."""
        return self._event({"result": result} if self.is_enveloped else result, call_id)

    def _update(self, what: str, members: dict[str, object]) -> bytes:
        update = {"taskId": "t-1", "contextId": "c-1", **members}
        return self.result({"kind": f"{what}-update", **update} if self._has_kinds else {f"{what}Update": update})

    def _event(self, reply: dict[str, object], call_id: object = 1) -> bytes:
        envelope = {"jsonrpc": "2.0", "id": call_id, **reply} if self.is_enveloped else reply
        return b"data: " + json.dumps(envelope, ensure_ascii=False).encode() + b"\n\n"


DIALECTS: tuple[Dialect, ...] = (
    OpenAiDialect(),
    A2aDialect("0.3"),
    A2aDialect("0.3", "HTTP+JSON"),
    A2aDialect("1.0"),
    A2aDialect("1.0", "HTTP+JSON"),
)
