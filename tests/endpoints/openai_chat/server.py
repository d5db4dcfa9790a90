"""A scripted OpenAI-compatible server: what the tests of the adapter have in common."""

import json
from pathlib import Path

from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.endpoints.openai_chat.endpoint import OpenAiChatEndpoint
from chatforge_tui.endpoints.openai_chat.settings import OpenAiChatSettings

CAPTURES = Path(__file__).parents[2] / "data" / "llm"


def capture(name):
    return (CAPTURES / name).read_bytes()


def captured_chunks(name):
    """Return the JSON of every event of a capture but [DONE], for expectations read off the recording itself."""
    lines = capture(name).decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def captured_text(name):
    deltas = [choice["delta"] for chunk in captured_chunks(name) for choice in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def captured_reasoning(name):
    deltas = [choice["delta"] for chunk in captured_chunks(name) for choice in chunk["choices"]]
    return "".join(delta.get("reasoning_content") or "" for delta in deltas)


def event(data):
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def delta(finish=None, **delta):
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


DONE = b"data: [DONE]\n\n"


def connect(url, **settings):
    http = HttpSettings(name="local", **settings.pop("http", {}))
    return OpenAiChatEndpoint(settings=OpenAiChatSettings(url, **{"model": "m", **settings}), channel=HttpChannel(http))
