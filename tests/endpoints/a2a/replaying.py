"""Reads recorded or made-up A2A streams without a network: bytes -> events of the engine."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatforge_tui.domain.events import Noticed, StreamEvent
from chatforge_tui.domain.part import NoticeLevel
from chatforge_tui.endpoints.a2a.binding import Binding, HttpJson, JsonRpc
from chatforge_tui.endpoints.a2a.turn_reader import TurnReader
from chatforge_tui.endpoints.a2a.wire import RpcFailure
from chatforge_tui.endpoints.sse import SseDecoder

DATA = Path(__file__).parents[2] / "data" / "a2a"


def capture(name: str) -> bytes:
    return (DATA / f"{name}.sse").read_bytes()


def binding_of(name: str) -> Binding:
    """Return what a recorded exchange was spoken in."""
    if "rest" in name:
        return HttpJson("http://agent.example")
    return JsonRpc("http://agent.example", is_v1=name.startswith("a2a-v10-"))


def read_stream(
    binding: Binding, chunks: Iterable[bytes], reader: TurnReader | None = None
) -> tuple[list[StreamEvent], list[RpcFailure]]:
    """Return the events that a stream says, and the errors in it."""
    decoder, reader = SseDecoder(), reader or TurnReader()
    events: list[StreamEvent] = []
    failures: list[RpcFailure] = []
    for chunk in chunks:
        for sse in decoder.feed(chunk):
            reply = binding.read(sse.data)
            if isinstance(reply, RpcFailure):
                failures.append(reply)
            else:
                events += reader.read(reply)
    return events, failures


class Agent:
    """Says things in version 0.3, straight into a turn reader."""

    def __init__(self, reader: TurnReader | None = None) -> None:
        self.reader = reader or TurnReader()
        self.events: list[StreamEvent] = []
        self._binding = JsonRpc("http://agent.example", is_v1=False)
        self._messages = 0

    def say(self, result: dict[str, Any]) -> list[StreamEvent]:
        reply = self._binding.read(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}))
        assert not isinstance(reply, RpcFailure)
        events = self.reader.read(reply)
        self.events += events
        return events

    def task(self, state: str = "submitted", **members: Any) -> list[StreamEvent]:
        status = {"state": state, **({"message": self._said(members.pop("text"))} if "text" in members else {})}
        return self.say({"kind": "task", "id": "t-1", "contextId": "c-1", "status": status, **members})

    def status(self, state: str, text: str = "", *, final: bool = False, **members: Any) -> list[StreamEvent]:
        message = {"message": self._said(text, members.pop("message_id", ""))} if text else {}
        update = {"kind": "status-update", "taskId": "t-1", "contextId": "c-1", "final": final, **members}
        return self.say({**update, "status": {"state": state, **message}})

    def status_of(self, state: str, *parts: Any) -> list[StreamEvent]:
        """Say a status with these parts; one given as a string is a text part."""
        message = {**self._said(""), "parts": _typed(parts)}
        update = {"kind": "status-update", "taskId": "t-1", "contextId": "c-1", "final": False}
        return self.say({**update, "status": {"state": state, "message": message}})

    def artifact(
        self, artifact_id: str, *parts: Any, name: str = "streaming_result", append: bool = False, **members: Any
    ) -> list[StreamEvent]:
        update = {"kind": "artifact-update", "taskId": "t-1", "contextId": "c-1", "append": append}
        return self.say({**update, "artifact": an_artifact(artifact_id, *parts, name=name, **members)})

    def message(self, text: str, **members: Any) -> list[StreamEvent]:
        return self.say({**self._said(text), **members})

    def _said(self, text: str, message_id: str = "") -> dict[str, Any]:
        self._messages += 1
        said = {"kind": "message", "role": "agent", "parts": [{"kind": "text", "text": text}]}
        return {**said, "messageId": message_id or f"m-{self._messages}"}


def an_artifact(artifact_id: str, *parts: Any, name: str = "streaming_result", **members: Any) -> dict[str, Any]:
    """Return an artifact; a part given as a string is a text part."""
    return {"artifactId": artifact_id, "name": name, "parts": _typed(parts), **members}


def _typed(parts: Iterable[Any]) -> list[Any]:
    return [{"kind": "text", "text": part} if isinstance(part, str) else part for part in parts]


def notices(agent: Agent, level: NoticeLevel = NoticeLevel.STATUS) -> list[str]:
    """Return the notices of a level that the agent's words became."""
    return [event.text for event in agent.events if isinstance(event, Noticed) and event.level is level]
