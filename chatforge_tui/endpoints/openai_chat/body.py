"""The request: settings, history and prompt as the JSON body of a chat completion."""

from collections.abc import Iterable, Mapping
from typing import TypedDict

import msgspec
from msgspec import Struct

from chatforge_tui.domain.request import PromptRequest
from chatforge_tui.domain.turn import Prompt, Turn, TurnState
from chatforge_tui.endpoints.openai_chat.content_parts import ContentPart, file_part, text_part
from chatforge_tui.endpoints.openai_chat.settings import OpenAiChatSettings, counts_completion_tokens

Content = str | list[ContentPart]
"""What a message says."""


class Message(TypedDict):
    """One message of the conversation."""

    role: str
    content: Content


class Dialect(Struct, frozen=True):
    """What a server turned out not to understand; learned from its refusals, kept for the session."""

    has_stream_options: bool = True
    """It takes `stream_options`."""
    has_completion_tokens: bool = False
    """It names its limit `max_completion_tokens`."""

    @staticmethod
    def of(settings: OpenAiChatSettings) -> "Dialect":
        """Return what to assume of a server at first."""
        return Dialect(has_completion_tokens=counts_completion_tokens(settings.url))

    def without_refused(self, refusal: bytes) -> "Dialect":
        """Return what is left after a 400 or 422 whose body names what it does not take; the same if nothing was named."""
        has_options = self.has_stream_options and b"stream_options" not in refusal
        wants_completion = b"max_completion_tokens" in refusal and b"max_tokens" in refusal
        return Dialect(has_options, self.has_completion_tokens or wants_completion)


def encode(request: PromptRequest, settings: OpenAiChatSettings, model: str, dialect: Dialect) -> bytes:
    """Return the body that asks for one prompt to be answered as a stream.

    Args:
        request: prompt and history.
        settings: of the endpoint.
        model: "" = the server has but one and does not name it.
        dialect: what the server understands.
    """
    body: dict[str, object] = {"model": model} if model else {}
    body["messages"] = _messages(request, settings.system)
    body["stream"] = True
    if dialect.has_stream_options:
        body["stream_options"] = {"include_usage": True}
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.max_tokens is not None:
        body["max_completion_tokens" if dialect.has_completion_tokens else "max_tokens"] = settings.max_tokens
    return msgspec.json.encode(body)


def _messages(request: PromptRequest, system: str) -> list[Message]:
    """Return the whole conversation. Two prompts without an answer between them are one: many models insist on turns."""
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    for role, content in _spoken(request.history, request.contents):
        _say(messages, role, content)
    _say(messages, "user", _content(request.prompt, request.contents))
    return messages


def _spoken(history: Iterable[Turn], contents: Mapping[str, bytes]) -> Iterable[tuple[str, Content]]:
    """Yield who said what.

    What an aborted or interrupted turn had said by then was said. A turn that failed before it said anything never
    happened, so that a prompt that is sent again does not stand there twice.
    """
    for turn in history:
        if turn.answer or turn.head.state is not TurnState.FAILED:
            yield "user", _content(turn.head.prompt, contents)
        if turn.answer:
            yield "assistant", _encodable(turn.readable_answer)


def _say(messages: list[Message], role: str, content: Content) -> None:
    """Add what someone says, to the last message if that is theirs, too."""
    if not messages or messages[-1]["role"] != role:
        messages.append({"role": role, "content": content})
        return
    before = messages[-1]["content"]
    if isinstance(before, str) and isinstance(content, str):
        messages[-1] = {"role": role, "content": f"{before}\n\n{content}"}
    else:
        messages[-1] = {"role": role, "content": [*_as_parts(before), *_as_parts(content)]}


def _content(prompt: Prompt, contents: Mapping[str, bytes]) -> Content:
    """Return what a prompt says: plain text where it can be, which every server understands, or the files before it."""
    text = _encodable(prompt.text)
    files = [file_part(file, contents.get(file.sha256)) for file in prompt.attachments]
    return [*files, *(_as_parts(text) if text.strip() else [])] if files else text


def _as_parts(content: Content) -> list[ContentPart]:
    return [text_part(content)] if isinstance(content, str) else content


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which UTF-8 cannot carry (a broken paste may hold them)."""
    return text.encode("utf-8", "replace").decode("utf-8")
