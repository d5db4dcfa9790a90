"""One session's connection to an OpenAI-compatible server: asks, reads, retries only what a server did not understand."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Final

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.events import Accepted, StillAlive, StreamEvent
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.endpoints.first_bytes import begins_events, begins_json, first_bytes
from chatforge_tui.endpoints.http import HttpChannel, StreamResponse, reject_status
from chatforge_tui.endpoints.http_status import MAX_ERROR_BYTES
from chatforge_tui.endpoints.http_url import host_port
from chatforge_tui.endpoints.merging import merged
from chatforge_tui.endpoints.openai_chat.answer import Answer
from chatforge_tui.endpoints.openai_chat.body import Dialect, encode
from chatforge_tui.endpoints.openai_chat.models import first_for_chat, list_models
from chatforge_tui.endpoints.openai_chat.settings import OpenAiChatSettings, chat_urls
from chatforge_tui.endpoints.repeats import Repeats
from chatforge_tui.endpoints.sse import SseDecoder, SseEvent
from chatforge_tui.errors import ProtocolMismatch, TaskForgotten
from chatforge_tui.safety.redact import redact

PROTOCOL: Final = "openai-chat"
_HEADERS: Final = {"Content-Type": "application/json", "Accept": "text/event-stream"}
_STREAM: Final = "text/event-stream"
_ANYTHING: Final = frozenset({"", "text/plain", "application/octet-stream", _STREAM})
"""Content types of which servers send everything."""
_AFTER_FINISH_S: Final = 5.0
"""How long usage and `[DONE]` are waited for once the model has said its last word."""
_QUOTE: Final = 200
"""Characters quoted of an answer that is something else."""
_QUOTED_BYTES: Final = 800
"""Bytes looked at for it: so many characters of any alphabet."""


class OpenAiChatEndpoint:
    """Has prompts answered by a chat-completions server, which keeps no memory: every request carries the history."""

    needs_history = True
    can_resume = False

    def __init__(self, *, settings: OpenAiChatSettings, channel: HttpChannel) -> None:
        """Open nothing yet. The channel becomes this endpoint's own: `aclose` closes it."""
        self._settings = settings
        self._channel = channel
        self._urls = chat_urls(settings.url)
        self._model = settings.model
        self._dialect = Dialect.of(settings)

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        """Have one prompt answered; see `ports.Endpoint`.

        Asks once more, differently, when the server did not understand how it was asked. Nothing was answered then.
        """
        if not self._model:
            self._model = first_for_chat(await list_models(self._channel, self._settings.url) or [])
        while True:
            body = await self._encoded(request)
            async with self._channel.open_stream("POST", self._urls[0], body, _HEADERS) as response:
                if response.status < 400:
                    del request, body  # the whole session: it would stay in memory as long as the answer lasts
                    async with aclosing(self._read(response)) as events:
                        async for event in events:
                            yield event
                    return
                refusal = await response.read(MAX_ERROR_BYTES)
                if not self._learn(response.status, refusal):
                    reject_status(response, refusal)

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        """Refuse: an answer that broke off cannot be read on with."""
        message = f"This server keeps no answers: there is nothing to read on with for {task.task_id}."
        raise TaskForgotten(message, hint="Send the prompt again.")
        yield  # makes it what the port says

    async def objection(self, files: Sequence[Attachment]) -> str:
        """Say nothing: the protocol has no way to ask what a model takes. The server's refusal tells."""
        del files
        return ""

    async def cancel_task(self, task: TaskRef) -> None:
        """Do nothing: the protocol has no tasks, closing the connection is all there is."""

    def attend(self, *, is_watched: bool) -> None:
        """Say whether somebody watches the session; see `ports.Endpoint`."""
        self._channel.attend(is_watched=is_watched)

    async def aclose(self) -> None:
        """Close every socket."""
        await self._channel.aclose()

    async def _encoded(self, request: PromptRequest) -> bytes:
        """Return the body; with files it is made in a thread, so that other sessions go on meanwhile."""
        if not request.contents:
            return encode(request, self._settings, self._model, self._dialect)
        return await asyncio.to_thread(encode, request, self._settings, self._model, self._dialect)

    def _learn(self, status: int, refusal: bytes) -> bool:
        """Take from a refusal how the server wants to be asked; False when it says nothing new."""
        if status in (404, 405) and len(self._urls) > 1 and b"model" not in refusal:
            self._urls = self._urls[1:]
            return True
        dialect = self._dialect.without_refused(refusal) if status in (400, 422) else self._dialect
        is_new = dialect != self._dialect
        self._dialect = dialect
        return is_new

    async def _read(self, response: StreamResponse) -> AsyncGenerator[StreamEvent, None]:
        """Read an answer: server-sent events up to the end of it, or a completion that came in one piece.

        How it begins tells which of them it is, where the content type does not rule it out.
        """
        was_named = response.content_type == _STREAM or _is_json(response.content_type)
        if was_named:
            yield Accepted(PROTOCOL, self._model)
        async with aclosing(response.chunks()) as chunks:
            chunk: bytes | None = await first_bytes(chunks)
            is_stream = await _is_stream(response, chunk, chunks)
            if not was_named:
                yield Accepted(PROTOCOL, self._model)
            if not is_stream:
                for event in _whole(response, await _rest(chunk, chunks, response.settings.max_event_bytes)):
                    yield event
                return
            answer = Answer()
            decoder = SseDecoder(max_event_bytes=response.settings.max_event_bytes)
            repeats = Repeats()
            while chunk is not None:
                comments = decoder.comments
                news = [event for event in decoder.feed(chunk) if not (event.has_own_id and repeats.has(event))]
                for event in merged(_meaning(news, answer, response)):
                    yield event
                if answer.has_ended:
                    return
                if decoder.comments > comments:
                    yield StillAlive()
                chunk = await _next(chunks, has_last_word=bool(answer.finish_reason))
        for event in answer.end():
            yield event


def _is_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")


async def _is_stream(response: StreamResponse, begin: bytes, chunks: AsyncGenerator[bytes, None]) -> bool:
    """Whether an answer is a stream of events; False: it is JSON in one piece.

    Raises:
        ProtocolMismatch: it is neither.
    """
    content_type = response.content_type
    if begins_events(begin) and (content_type in _ANYTHING or _is_json(content_type)):
        return True
    if content_type == _STREAM and not begins_json(begin):
        return True
    if content_type == _STREAM or _is_json(content_type) or (content_type in _ANYTHING and begins_json(begin)):
        return False
    raise _not_a_stream(response, await _rest(begin, chunks, _QUOTED_BYTES))


async def _rest(begin: bytes, chunks: AsyncGenerator[bytes, None], limit: int) -> bytes:
    """Return a body that begins so, or its first `limit` bytes if it is longer."""
    body = bytearray(begin)
    while len(body) < limit and (chunk := await anext(chunks, None)) is not None:
        body += chunk
    return bytes(body[:limit])


def _whole(response: StreamResponse, body: bytes) -> list[StreamEvent]:
    """Return what a completion in one piece means.

    Raises:
        ProtocolMismatch: it is none.
    """
    events = Answer().take_whole(body)
    if events is None:
        raise _not_a_stream(response, body)
    return events


def _meaning(events: list[SseEvent], answer: Answer, response: StreamResponse) -> Iterator[StreamEvent]:
    """Yield what events mean, and keep the response's clock: a ping is no progress."""
    for sse in events:
        for event in answer.take(sse):
            if sse.event == "message":
                response.content_arrived()
            if answer.has_ended:
                response.done()
            yield event
        if answer.has_ended:
            return


def _not_a_stream(response: StreamResponse, body: bytes) -> ProtocolMismatch:
    """Say what came instead of an answer, such as the page of a login form."""
    text = redact(body[:_QUOTED_BYTES].decode("utf-8", "replace"), is_cut=len(body) >= _QUOTED_BYTES)
    quoted = " ".join(text[:_QUOTE].split())
    kind = response.content_type or "something without a type"
    return ProtocolMismatch(
        f"The answer of {host_port(response.url)} is not an event stream but {kind}"
        + (f": {quoted}" if quoted else ", and empty."),
        hint=f"Check {response.settings.setting('url')}: it may need /v1 at its end, or a login came between.",
    )


async def _next(chunks: AsyncGenerator[bytes, None], *, has_last_word: bool) -> bytes | None:
    """Return the next bytes, None at the end. After the model's last word the end may be late, but not for ever."""
    if not has_last_word:
        return await anext(chunks, None)
    try:
        async with asyncio.timeout(_AFTER_FINISH_S):
            return await anext(chunks, None)
    except TimeoutError:
        return None
