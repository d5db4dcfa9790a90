"""What a scripted server says in each protocol, so that one suite can put every adapter through the same scenes.

A new protocol joins the contract suite and the fault matrix with one entry in DIALECTS.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.endpoints.openai_chat.endpoint import OpenAiChatEndpoint
from chatforge_tui.endpoints.openai_chat.settings import OpenAiChatSettings
from tests.servers.raw_server import Request, Step

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


DIALECTS: tuple[Dialect, ...] = (OpenAiDialect(),)
