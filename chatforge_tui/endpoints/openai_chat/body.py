"""The request: settings, history and prompt as the JSON body of a chat completion."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from chatforge_tui.domain.request import PromptRequest
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.endpoints.openai_chat.settings import OpenAiChatSettings, counts_completion_tokens


@dataclass(frozen=True, slots=True)
class Dialect:
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


def _messages(request: PromptRequest, system: str) -> list[dict[str, str]]:
    """Return the whole conversation. Two prompts without an answer between them are one: many models insist on turns."""
    messages: list[dict[str, str]] = [{"role": "system", "content": system}] if system else []
    for role, content in _spoken(request.history):
        _say(messages, role, content)
    _say(messages, "user", request.prompt.text)
    return messages


def _spoken(history: Iterable[Turn]) -> Iterable[tuple[str, str]]:
    """Yield who said what.

    What an aborted or interrupted turn had said by then was said. A turn that failed before it said anything never
    happened, so that a prompt that is sent again does not stand there twice.
    """
    for turn in history:
        if turn.answer or turn.head.state is not TurnState.FAILED:
            yield "user", turn.head.prompt.text
        if turn.answer:
            yield "assistant", turn.answer


def _say(messages: list[dict[str, str]], role: str, content: str) -> None:
    content = _encodable(content)
    if messages and messages[-1]["role"] == role:
        messages[-1] = {"role": role, "content": f"{messages[-1]['content']}\n\n{content}"}
    else:
        messages.append({"role": role, "content": content})


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which UTF-8 cannot carry (a broken paste may hold them)."""
    return text.encode("utf-8", "replace").decode("utf-8")
