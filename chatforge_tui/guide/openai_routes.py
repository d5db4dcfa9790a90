"""The OpenAI-compatible side: chat completions, streamed or whole, and the list of models.

The protocol keeps no state at the server: a form is asked as text, and its answer is known by the history it comes with.
"""

import re
import time
import uuid
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from chatforge_tui.domain.form import Form
from chatforge_tui.domain.plan import Plan, StepStatus
from chatforge_tui.guide.agent import GuideAgent, Incoming
from chatforge_tui.guide.given_files import GivenFile
from chatforge_tui.guide.http_messages import (
    Answer,
    EventStream,
    HttpRequest,
    Signal,
    error_response,
    json_bytes,
    json_response,
    sse_frame,
)
from chatforge_tui.guide.moves import (
    Ask,
    CutLine,
    Fail,
    Hush,
    Move,
    Say,
    SendFile,
    ShowPlan,
    Think,
    ToolBegan,
    ToolEnded,
)

MODEL = "chatforge-guide"
_MARKS = {
    StepStatus.PENDING: "⏳",
    StepStatus.IN_PROGRESS: "🔄",
    StepStatus.COMPLETED: "✅",
    StepStatus.FAILED: "❌",
}
_CHARACTERS_PER_TOKEN = 4
"""The agent has no tokenizer: its counts are this estimate."""

_TEXT_FILE = re.compile(r"File (['\"])(.{1,255})\1 \(([\w.+-]+/[\w.+-]+)\):\n\n")
"""How ChatForge's own adapter begins a text file, which the protocol has no part for."""

Json = dict[str, Any]


class _Url(msgspec.Struct):
    url: str = ""


class _File(msgspec.Struct):
    filename: str = ""
    file_data: str = ""


class _Sound(msgspec.Struct):
    data: str = ""
    format: str = ""


class _Part(msgspec.Struct):
    type: str = "text"
    text: str = ""
    image_url: _Url | None = None
    file: _File | None = None
    input_audio: _Sound | None = None


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.text and _TEXT_FILE.match(part.text) is None)
        return self.content or ""

    @property
    def files(self) -> tuple[GivenFile, ...]:
        """The files of the message."""
        parts = self.content if isinstance(self.content, list) else []
        return tuple(file for part in parts if (file := _given(part)) is not None)


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Completion(msgspec.Struct):
    """What a client asks for; everything else it may say makes no difference to this agent."""

    messages: list[_Message]
    model: str = MODEL
    stream: bool = False
    stream_options: _StreamOptions | None = None


class OpenAiRoutes:
    """The agent, as clients of chat completions reach it."""

    def __init__(self, agent: GuideAgent) -> None:
        self._agent = agent
        self._since = int(time.time())

    async def models(self, _request: HttpRequest) -> Answer:
        """List the one model there is, which is none."""
        model = {"id": MODEL, "object": "model", "created": self._since, "owned_by": "chatforge"}
        return json_response({"object": "list", "data": [model]})

    async def complete(self, request: HttpRequest) -> Answer:
        """Answer the last message of the user."""
        try:
            wanted = msgspec.json.decode(request.body, type=_Completion)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return error_response(400, f"The request is no chat completion: {error}"[:500])
        if not any(message.role == "user" for message in wanted.messages):
            return error_response(400, "The request is no chat completion: no message of the user in `messages`")
        reply = _Reply(wanted)
        moves = self._agent.answer(self._incoming(wanted.messages))
        if wanted.stream:
            return EventStream(reply.frames(moves))
        return await reply.whole(moves)

    def _incoming(self, messages: list[_Message]) -> Incoming:
        """Return the last prompt; when the one before it was answered with a form, it answers that form."""
        prompts = [message.text for message in messages if message.role == "user"]
        form = self._agent.form_for(prompts[-2]) if len(prompts) > 1 else None
        answers_it = form is not None and any(f"{field.name}:" in prompts[-1] for field in form.fields)
        last = next(message for message in reversed(messages) if message.role == "user")
        return Incoming(prompts[-1], form=form if answers_it else None, files=last.files)


class _Reply:
    """One answer in the shapes of chat completions."""

    def __init__(self, wanted: _Completion) -> None:
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._model = wanted.model
        self._with_usage = bool(wanted.stream_options and wanted.stream_options.include_usage)
        self._prompt = sum(len(message.text) for message in wanted.messages)
        self._said = 0
        self._thought = 0
        self._calls = 0

    async def frames(self, moves: AsyncGenerator[Move, None]) -> AsyncGenerator[bytes | Signal, None]:
        """Yield the streamed answer."""
        yield self._chunk({"role": "assistant", "content": ""})
        async with aclosing(moves):
            async for move in moves:
                match move:
                    case Fail(message):
                        yield _sse({"error": {"message": message, "type": "server_error", "code": "agent_failed"}})
                        return
                    case Hush(keepalives):
                        if not keepalives:
                            yield Signal.QUIET
                    case CutLine():
                        yield Signal.CUT
                    case _:
                        for delta in self._deltas(move):
                            yield self._chunk(delta)
        yield self._chunk({}, "stop")
        if self._with_usage:
            yield _sse(self._envelope("chat.completion.chunk") | {"choices": [], "usage": self._usage()})
        yield sse_frame(b"[DONE]")

    async def whole(self, moves: AsyncGenerator[Move, None]) -> Answer:
        """Return the answer in one piece."""
        text: list[str] = []
        thoughts: list[str] = []
        async with aclosing(moves):
            async for move in moves:
                if isinstance(move, Fail):
                    return error_response(500, move.message)
                for delta in self._deltas(move):
                    text.append(delta.get("content", ""))
                    thoughts.append(delta.get("reasoning_content", ""))
        message = {"role": "assistant", "content": "".join(text)}
        if any(thoughts):
            message["reasoning_content"] = "".join(thoughts)
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return json_response(self._envelope("chat.completion") | {"choices": [choice], "usage": self._usage()})

    def _deltas(self, move: Move) -> list[Json]:
        """Return what a move adds to the message; the tool's own calls go out as calls, their results as text."""
        match move:
            case Say(text):
                return [self._content(text)]
            case Think(text):
                self._thought += len(text)
                return [{"reasoning_content": text}]
            case ShowPlan(plan):
                return [self._content(f"⟦{_plan_lines(plan)}⟧\n\n")]
            case ToolBegan(call_id, name, arguments):
                function = {"name": name, "arguments": arguments}
                call = {"index": self._calls, "id": call_id, "type": "function", "function": function}
                self._calls += 1
                return [{"tool_calls": [call]}]
            case ToolEnded():
                return []
            case SendFile(name, _media_type, data):
                return [self._content(f"\n\n`{name}`:\n\n```\n{data.decode('utf-8', 'replace').strip()}\n```\n")]
            case Ask(text, form):
                return [self._content(f"\n\n{_form_lines(text, form)}")]
            case _:
                return []

    def _content(self, text: str) -> Json:
        self._said += len(text)
        return {"content": text}

    def _chunk(self, delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _sse(self._envelope("chat.completion.chunk") | {"choices": [choice]})

    def _envelope(self, kind: str) -> Json:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model}

    def _usage(self) -> Json:
        prompt, thought = _tokens(self._prompt), _tokens(self._thought)
        completion = _tokens(self._said) + thought
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "completion_tokens_details": {"reasoning_tokens": thought},
        }


def _given(part: _Part) -> GivenFile | None:
    """Return the file of a part, also of one that holds a text file as clients write it; None for any other text."""
    if (text_file := _TEXT_FILE.match(part.text)) is not None:
        return GivenFile(text_file[2], text_file[3], part.text[text_file.end() :].encode("utf-8", "replace"))
    if part.image_url is not None:
        return _from_url("image", part.image_url.url)
    if part.file is not None:
        return _from_url(part.file.filename, part.file.file_data)
    if part.input_audio is not None:
        return _from_url("sound", f"data:audio/{part.input_audio.format};base64,{part.input_audio.data}")
    return None


def _from_url(name: str, url: str) -> GivenFile:
    """Return the file that a `data:` URL holds; any other is an address, which is not fetched."""
    head, _, content = url.partition(",")
    media_type = head.removeprefix("data:").removesuffix(";base64")
    if not head.startswith("data:") or media_type == head.removeprefix("data:"):
        return GivenFile(name, "", None)
    try:
        return GivenFile(name, media_type, b64decode(content, validate=True))
    except ValueError:
        return GivenFile(name, media_type, None)


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_PER_TOKEN)


def _sse(value: Json) -> bytes:
    return sse_frame(json_bytes(value))


def _plan_lines(plan: Plan) -> str:
    """Write a plan as text, one line a step, as platforms did before they sent data."""
    return "\n".join(f"{_MARKS[step.status]} [{step.agent}] {step.title}" for step in plan.steps)


def _form_lines(text: str, form: Form) -> str:
    """Ask a form as text, with lines to copy."""
    asked = "".join(
        f"- {field.label}: {field.description}{' One of ' + ', '.join(field.options) + '.' if field.options else ''}\n"
        for field in form.fields
    )
    lines = "\n".join(f"{field.name}: {field.default}" for field in form.fields)
    return f"**{text}**\n\n{asked}\nAnswer with lines like these:\n\n```\n{lines}\n```\n"
