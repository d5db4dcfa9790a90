"""What a scripted server says in each protocol, so that one suite can put every adapter through the same scenes.

A new protocol joins the contract suite and the fault matrix with one entry in DIALECTS.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

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

    def prompt(self, request: Request) -> str:
        """Return the prompt that a request carries."""
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

    def prompt(self, request: Request) -> str:
        return json.loads(request.body)["messages"][-1]["content"]

    def _event(self, data: object) -> bytes:
        return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


class A2aDialect:
    """Agent2Agent: a card beside every prompt, then JSON-RPC results."""

    def __init__(self, version: str) -> None:
        self.name = f"a2a-{version}"
        self._is_v1 = version == "1.0"
        interface = {"url": "/", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        card = {"name": "scripted", "capabilities": {"streaming": True}, "skills": []}
        offer = {"supportedInterfaces": [interface]} if self._is_v1 else {"url": "/", "protocolVersion": "0.3.0"}
        self._card = json.dumps(card | offer).encode()

    def connect(self, url: str, http: HttpSettings) -> "Endpoint":
        return A2aEndpoint(settings=A2aSettings(url), channel=HttpChannel(http))

    def beside(self, request: Request) -> Sequence[Step] | None:
        return answer(self._card) if request.target.startswith("/.well-known/") else None

    def text(self, piece: str) -> bytes:
        part = {"text": piece} if self._is_v1 else {"kind": "text", "text": piece}
        artifact = {"artifactId": "a", "name": "answer", "parts": [part]}
        return self._update("artifact", {"artifact": artifact, "append": True})

    def end(self) -> bytes:
        return self._update("status", {"status": {"state": "completed"}, "final": True})

    def error(self, message: str) -> bytes:
        return self._event({"error": {"code": -32603, "message": message}})

    def prompt(self, request: Request) -> str:
        return json.loads(request.body)["params"]["message"]["parts"][0]["text"]

    def _update(self, what: str, members: dict[str, object]) -> bytes:
        update = {"taskId": "t-1", "contextId": "c-1", **members}
        return self._event(
            {"result": {f"{what}Update": update} if self._is_v1 else {"kind": f"{what}-update", **update}}
        )

    def _event(self, reply: dict[str, object]) -> bytes:
        return b"data: " + json.dumps({"jsonrpc": "2.0", "id": 1, **reply}, ensure_ascii=False).encode() + b"\n\n"


DIALECTS: tuple[Dialect, ...] = (OpenAiDialect(), A2aDialect("0.3"), A2aDialect("1.0"))
