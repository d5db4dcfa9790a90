"""What the guide's tests share: a reference made of the program's own tables, and small A2A clients."""

import json
from collections.abc import Iterator
from typing import Any, Self

import httpx

from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.reference import describe_settings
from chatforge_tui.guide.reference import (
    CommandEntry,
    ExitCodeEntry,
    PlaceEntry,
    ProgramReference,
    key_entries,
)
from chatforge_tui.guide.server import GuideAddress

REFERENCE = ProgramReference(
    version="1.2.3",
    keys=key_entries(Keymap()),
    commands=(
        CommandEntry("chatforge [OPTIONS]", "Open the terminal UI.", (("--home DIR", "Keep everything under DIR."),)),
        CommandEntry("chatforge send [OPTIONS] TEXT", "Have one prompt answered.", (("--json", "One event a line."),)),
        CommandEntry("chatforge sessions [OPTIONS]", "List the sessions."),
        CommandEntry("chatforge export [OPTIONS] ID", "Write a session as Markdown, JSON or HTML."),
    ),
    settings=describe_settings(),
    places=(
        PlaceEntry("configuration file", "/home/ada/.config/chatforge/config.toml"),
        PlaceEntry("store", "/home/ada/.local/share/chatforge/store.db", "all sessions"),
        PlaceEntry("log file", "/home/ada/.local/state/chatforge/log/chatforge.log"),
    ),
    exit_codes=(ExitCodeEntry(0, "done"), ExitCodeEntry(6, "the turn failed")),
    protocols=("a2a", "openai-chat"),
)


class A2aClient:
    """JSON-RPC over httpx, in either version of the protocol."""

    def __init__(self, address: GuideAddress, version: str = "1.0") -> None:
        headers = {"Authorization": f"Bearer {address.token.reveal()}"}
        headers |= {"A2A-Version": version} if version == "1.0" else {}
        self.version = version
        # loading certificate authorities would take longer than most tests, and nothing here is TLS
        self.http = httpx.Client(base_url=address.url, headers=headers, timeout=20, verify=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, params: object) -> dict[str, Any]:
        """Return the whole JSON-RPC answer."""
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        answer = self.http.post("/", json=body)
        assert answer.status_code == 200
        assert answer.json()["id"] == 7
        return answer.json()

    def result(self, method: str, params: object) -> dict[str, Any]:
        """Return the result of a call that must succeed."""
        answer = self.call(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    def code(self, method: str, params: object) -> int:
        """Return the code of a call that must fail."""
        return self.call(method, params)["error"]["code"]

    def events(self, method: str, params: object) -> Iterator[dict[str, Any]]:
        """Yield the results of a stream."""
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        with self.http.stream("POST", "/", json=body) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])["result"]

    def say(self, text: str, **ids: str) -> list[dict[str, Any]]:
        """Send a prompt and return all events of its stream."""
        method = "SendStreamingMessage" if self.version == "1.0" else "message/stream"
        return list(self.events(method, prompt(text, self.version, **ids)))


def prompt(text: str, version: str = "1.0", **ids: str) -> dict[str, Any]:
    """Return the parameters that send a text."""
    if version == "1.0":
        message: dict[str, Any] = {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": text}]}
    else:
        parts = [{"kind": "text", "text": text}]
        message = {"kind": "message", "messageId": "m-1", "role": "user", "parts": parts}
    return {"message": message | ids}


def artifacts(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the artifact updates of one name, in order (version 1.0)."""
    updates = [event["artifactUpdate"] for event in events if "artifactUpdate" in event]
    return [update for update in updates if update["artifact"].get("name") == name]


def streamed_text(events: list[dict[str, Any]]) -> str:
    """Return what was streamed, joined (version 1.0)."""
    chunks = artifacts(events, "streaming_result")
    return "".join(part["text"] for chunk in chunks for part in chunk["artifact"]["parts"])


def final_text(events: list[dict[str, Any]]) -> str:
    """Return the text of the final result (version 1.0)."""
    (final,) = artifacts(events, "final_result")
    return "".join(part["text"] for part in final["artifact"]["parts"])


def states(events: list[dict[str, Any]]) -> list[str]:
    """Return the states that a stream went through (version 1.0)."""
    found = [event.get("task", event.get("statusUpdate")) for event in events]
    return [status["status"]["state"].removeprefix("TASK_STATE_").lower() for status in found if status]
