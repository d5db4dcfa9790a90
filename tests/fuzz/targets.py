"""What random bytes are thrown at: each target takes bytes and must end without an exception, its own claims held.

    sse        the event stream decoder: any cut gives the events of the plain model
    json       the JSON of a server: lenient reading, chat-completion chunks, both A2A dialects, the turn they tell
    plan       plan capture: any cut gives the same pieces, no character is lost
    markdown   Markdown layout: the growing text looks in the end like the whole, and nothing that steers is drawn
    config     the configuration: accepted, or refused in words that can be shown

Owns no fuzzer: atheris (`python -m tests.fuzz`) and the kept inputs (test_inputs.py) both call these.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from chatforge_tui.config.load import load_settings
from chatforge_tui.endpoints.a2a.binding import ForeignReply, HttpJson, JsonRpc
from chatforge_tui.endpoints.a2a.turn_reader import TurnReader
from chatforge_tui.endpoints.a2a.wire import RpcFailure
from chatforge_tui.endpoints.loose_json import MalformedJson, read_object
from chatforge_tui.endpoints.openai_chat.answer import Answer
from chatforge_tui.endpoints.openai_chat.chunk import read_chunk
from chatforge_tui.endpoints.sse import SseDecoder, SseEvent
from chatforge_tui.errors import ConfigError, ProtocolMismatch
from chatforge_tui.safety.clean import clean, clean_line
from chatforge_tui.streaming.plan_capture import Captured, NoPlan, Plain, PlanCapture, PlanFound
from chatforge_tui.ui.transcript.markdown import lay_out_markdown
from chatforge_tui.ui.transcript.markdown_text import MarkdownText
from chatforge_tui.ui.transcript.page import Page
from tests.endpoints.sse_model import interpret
from tests.hostile.checker import HIDDEN

Target = Callable[[bytes], None]


def sse(data: bytes) -> None:
    """Decode in three ways."""
    at = len(data) * 7 // 13
    for pieces in ([data], [data[:at], data[at:]], [data[i : i + 1] for i in range(len(data))]):
        decoder = SseDecoder()
        events = [event[:3] for piece in pieces for event in decoder.feed(piece)]
        assert events == interpret(data), (events, interpret(data))


def json(data: bytes) -> None:
    """Read as every dialect would."""
    text = data.decode("utf-8", "replace")
    if (found := read_object(data)) is not None:
        read_chunk(found)
    answer = Answer()
    try:
        for line in text.split("\n"):
            answer.take(SseEvent("message", line, ""))
        answer.end()
    except ProtocolMismatch:
        pass
    Answer().take_whole(data)
    for binding in (JsonRpc("u", is_v1=False), JsonRpc("u", is_v1=True), HttpJson("u"), HttpJson("u", is_v1=False)):
        reader = TurnReader()
        for line in text.split("\n"):
            try:
                reply = binding.read(line)
            except (MalformedJson, ForeignReply):
                continue
            if not isinstance(reply, RpcFailure):
                reader.read(reply)
        reader.flush()


def plan(data: bytes) -> None:
    """Capture from the whole, from halves, from characters."""
    text = data.decode("utf-8", "replace")
    at = len(text) * 7 // 13
    told: list[tuple[str, list[object]]] = []
    for pieces in ([text], [text[:at], text[at:]], list(text)):
        capture = PlanCapture()
        found = [piece for each in pieces for piece in capture.feed(each)] + list(capture.close())
        plain = "".join(piece.text for piece in found if isinstance(piece, Plain | NoPlan))
        told.append((plain, [piece.plan for piece in found if isinstance(piece, PlanFound)]))
        whole = "".join(piece.text for piece in found if isinstance(piece, Plain | Captured))
        assert whole == text, (whole, text)
    assert told[0] == told[1] == told[2], told


def markdown(data: bytes) -> None:
    """Lay out as a whole and growing."""
    text = data.decode("utf-8", "replace")
    page, at = Page(8 + len(text) % 90), len(text) * 7 // 13
    whole = [(line.spans, line.joint, line.code) for line in lay_out_markdown(clean(text), {}, page)]
    growing = MarkdownText()
    for piece in (text[:at], text[at:]):
        growing.feed(piece)
        for drawn in [*growing.closed, *growing.open_pieces()]:
            drawn.lay_out(page)
    growing.end()
    lines = [line for piece in growing.closed for line in piece.lay_out(page)]
    assert [(line.spans, line.joint, line.code) for line in lines] == whole, (text, at)
    for line in lines:
        shown = line.text
        for allowed in "\t\u200e\u200f\u061c":
            shown = shown.replace(allowed, "")
        assert not HIDDEN.search(shown), shown


def config(data: bytes) -> None:
    """Load as the program's configuration."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        path.write_bytes(data)
        try:
            load_settings(path)
        except ConfigError as error:
            told = clean_line(f"{error} {error.hint}")
        else:
            told = ""
    assert not HIDDEN.search(told), told


TARGETS: dict[str, Target] = {"sse": sse, "json": json, "plan": plan, "markdown": markdown, "config": config}
"""Name → target."""

SEEDS: dict[str, tuple[bytes, ...]] = {
    "sse": (b"data: x\n\n", b"\xef\xbb\xbfid: 1\revent: e\r\ndata:y\r\rretry: 5\n: c\n\n"),
    "json": (
        b'{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"index":0,"id":"c","function":{"name":"n","arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}',
        b'{"jsonrpc":"2.0","id":1,"result":{"kind":"artifact-update","taskId":"t","contextId":"c","append":true,"artifact":{"artifactId":"a","name":"execution_plan_update","parts":[{"kind":"data","data":{"steps":[{"title":"x","status":"pending"}]}}]}}}',
        b'{"jsonrpc":"2.0","id":1,"result":{"statusUpdate":{"taskId":"t","status":{"state":"TASK_STATE_FAILED","message":{"messageId":"m","role":"ROLE_AGENT","parts":[{"text":"x"},{"raw":"eA=="},{"url":"u"},{"data":{}}]}}}}}',
        b'{"error":{"code":404,"message":"m","details":[{"reason":"TASK_NOT_FOUND"}]}}',
    ),
    "plan": ("a \u27e6\U0001f504 [Jira] Look up\n\u23f3 Write\u27e7 b \u27e6\u27e6".encode(),),
    "markdown": (
        b"# h\n\n- a\n  1. b\n\n```py\nx\n```\n\n| a | b |\n|---|:-:|\n| 1 | **2** |\n\n> q\n\n[l](http://x) ![i](u) `c`\n\n[x]: http://y\n",
    ),
    "config": (
        b'default_endpoint = "a"\n[endpoints.a]\nprotocol = "a2a"\nurl = "http://x"\ntoken_env = "T"\n[keys]\n"session.new" = "ctrl+n"\n',
    ),
}
"""Where each target begins."""
