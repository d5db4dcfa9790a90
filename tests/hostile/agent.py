"""Agents that say hostile things: an OpenAI server and an A2A agent on one loopback port, told by the prompt what to do.

A prompt `case ID` is answered by the scene of that case; anything else by a plain sentence. What is said at each entry
is built here, byte by byte where it matters; that a byte is hostile is the corpus's business.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.servers.raw_server import Close, RawServer, Request, Step, answer, chunked, head, sse_head, stream

Play = Sequence[Step]
ORDINARY = "An ordinary answer."


def quoted(text: str) -> bytes:
    """Return a JSON string of ASCII, lone surrogates included."""
    return json.dumps(text).encode("ascii")


def chunk(**delta: Any) -> bytes:
    """Return one event of a chat completion."""
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode("ascii") + b"\n\n"


def finish(reason: str = "stop", **rest: Any) -> list[bytes]:
    """Return the events that end a chat completion."""
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **rest}
    return [b"data: " + json.dumps(last).encode("ascii") + b"\n\n", b"data: [DONE]\n\n"]


def says(*texts: str) -> Play:
    """Return a chat completion whose deltas are these texts."""
    return stream(*(chunk(content=text) for text in texts), *finish())


def says_raw(literal: bytes, end: str) -> Play:
    """Return a completion one delta of which is a JSON string given by the bytes between its quotes."""
    event = b'data: {"choices":[{"index":0,"delta":{"content":"' + literal + b'"}}]}\n\n'
    return stream(event, chunk(content=end), *finish())


def thinks(text: str, end: str) -> Play:
    return stream(chunk(reasoning_content=text), chunk(content=end), *finish())


def calls(name: str, arguments: str, end: str) -> Play:
    """Return a completion that asks for a tool."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return stream(chunk(tool_calls=[call]), chunk(content=end), *finish("tool_calls"))


def refuses(message: str, status: str = "400 Bad Request") -> Play:
    """Return an error with a body in JSON."""
    return answer(b'{"error":{"message":' + quoted(message) + b"}}", status)


def wire(body: bytes) -> Play:
    """Return an event stream of exactly these bytes."""
    return [sse_head(), chunked(body)]


def page(body: bytes) -> Play:
    """Return a page for browsers where an event stream was asked for."""
    return answer(body, "200 OK", "text/html")


def header(name: str, value: str, status: str = "200 OK", body: bytes = b"{}") -> Play:
    """Return an answer with one more header."""
    return answer(body, status, **{name: value})


def reason(phrase: bytes) -> Play:
    """Return an error that explains itself in the reason phrase alone."""
    return [b"HTTP/1.1 500 " + phrase + b"\r\ncontent-length: 0\r\n\r\n"]


A2aEvent = Mapping[str, Any]


def artifact(name: str, *parts: Mapping[str, Any], artifact_id: str = "", **rest: Any) -> A2aEvent:
    """Return an artifact; parts are those of version 0.3."""
    return {
        "kind": "artifact-update",
        "artifact": {"artifactId": artifact_id or name, "name": name, "parts": list(parts), **rest},
        "lastChunk": True,
    }


def text_part(text: str) -> Mapping[str, Any]:
    return {"kind": "text", "text": text}


def data_part(data: Any) -> Mapping[str, Any]:
    return {"kind": "data", "data": data}


def status(state: str, text: str | None = None, *, final: bool = False) -> A2aEvent:
    """Return a status, with a message of the agent when there is a text."""
    message = {"kind": "message", "role": "agent", "messageId": f"m-{state}", "parts": [text_part(text or "")]}
    return {
        "kind": "status-update",
        "status": {"state": state, **({"message": message} if text is not None else {})},
        "final": final,
    }


@dataclass(frozen=True)
class A2aScene:
    """What an A2A agent sends for one request; request and task ids are filled in."""

    events: tuple[A2aEvent, ...] = ()
    error: Mapping[str, Any] | None = None
    """A JSON-RPC error in place of the events."""
    end: str = ""
    """Text of a last artifact, before the task is completed."""
    is_left_open: bool = False
    """The events end the turn themselves."""

    def play(self, request_id: Any) -> Play:
        ids = {"taskId": f"task-{request_id}", "contextId": "context"}
        if self.error is not None:
            body = {"jsonrpc": "2.0", "id": request_id, "error": self.error}
            return stream(b"data: " + json.dumps(body).encode("ascii") + b"\n\n")
        events: list[A2aEvent] = [
            {"kind": "task", "id": ids["taskId"], "contextId": "context", "status": {"state": "submitted"}},
            *({**ids, **event} for event in self.events),
        ]
        if self.end:
            events.append({**ids, **artifact("answer", text_part(self.end))})
        if not self.is_left_open:
            events.append({**ids, **status("completed", final=True)})
        wrapped = ({"jsonrpc": "2.0", "id": request_id, "result": event} for event in events)
        return stream(*(b"data: " + json.dumps(each).encode("ascii") + b"\n\n" for each in wrapped))


Scene = Callable[[], Play] | A2aScene


@dataclass
class HostileAgent:
    """Answers what the server is asked."""

    server: RawServer
    scenes: dict[str, Scene] = field(default_factory=dict[str, Scene])
    """Case id -> what its prompt is answered with."""
    cards: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, "Mapping[str, Any]"])
    """Name in the path `/card/NAME/` -> what that agent's card says besides the ordinary."""

    def __post_init__(self) -> None:
        self.server.beside = self._answer

    @property
    def chat_url(self) -> str:
        return f"{self.server.url}/v1"

    @property
    def a2a_url(self) -> str:
        return f"{self.server.url}/card/plain/"

    def card_url(self, name: str) -> str:
        return f"{self.server.url}/card/{name}/"

    def _answer(self, request: Request) -> Play:
        if request.target.startswith("/card/"):
            name = request.target.split("/")[2]
            if request.method == "GET":
                return self._card(name, request.target)
            return self._a2a(json.loads(request.body))
        if request.target == "/v1/chat/completions":
            return self._chat(json.loads(request.body))
        return answer(b'{"error":"not here"}', "404 Not Found")

    def _card(self, name: str, target: str) -> Play:
        if not target.endswith("/.well-known/agent-card.json"):
            return answer(b"{}", "404 Not Found")
        card = {
            "protocolVersion": "0.3.0",
            "name": "Plain agent",
            "description": "",
            "url": self.card_url(name),
            "version": "1",
            "preferredTransport": "JSONRPC",
            "capabilities": {"streaming": True},
            "skills": [],
            "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
        }
        return answer(json.dumps({**card, **self.cards.get(name, {})}).encode("ascii"))

    def _chat(self, body: Mapping[str, Any]) -> Play:
        scene = self.scenes.get(_case(str(body["messages"][-1]["content"])))
        return scene() if callable(scene) else says(ORDINARY)

    def _a2a(self, body: Mapping[str, Any]) -> Play:
        if "message" not in body.get("params", {}):
            return answer(json.dumps({"jsonrpc": "2.0", "id": body.get("id"), "error": {"code": -32001}}).encode())
        scene = self.scenes.get(_case("".join(part.get("text", "") for part in body["params"]["message"]["parts"])))
        if callable(scene):
            return scene()
        return (scene or A2aScene(end=ORDINARY)).play(body["id"])


def _case(prompt: str) -> str:
    """Return the id in the last line `case ID`: prompts that got no answer may stand before it."""
    return prompt.rpartition("case ")[2].strip()


__all__ = [
    "ORDINARY",
    "A2aScene",
    "Close",
    "HostileAgent",
    "Play",
    "Scene",
    "artifact",
    "calls",
    "chunk",
    "data_part",
    "finish",
    "head",
    "header",
    "page",
    "reason",
    "refuses",
    "says",
    "says_raw",
    "status",
    "text_part",
    "thinks",
    "wire",
]
