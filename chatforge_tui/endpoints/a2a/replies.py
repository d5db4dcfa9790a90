"""Reads the reply to one call, whatever shape it comes in, and hands it to the turn reader.

Owns the telling apart of replies: by HTTP status, then by content type, then by content. Decides nothing about what to do
next: an agent's error is handed on as RpcFailure.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final

from msgspec.structs import replace

from chatforge_tui.domain.events import Noticed, StillAlive, StreamEvent
from chatforge_tui.domain.part import NoticeLevel
from chatforge_tui.endpoints.a2a.binding import (
    EVENT_STREAM,
    Binding,
    ForeignReply,
    HttpCall,
    Reply,
    read_http_failure,
)
from chatforge_tui.endpoints.a2a.turn_reader import TurnReader
from chatforge_tui.endpoints.a2a.wire import INTERNAL_ERROR, RpcFailure, UnknownSeen, WireEvent
from chatforge_tui.endpoints.http import HttpChannel, StreamResponse, reject_status
from chatforge_tui.endpoints.http_settings import MEBIBYTE
from chatforge_tui.endpoints.http_status import MAX_ERROR_BYTES, quote_body
from chatforge_tui.endpoints.http_url import host_port
from chatforge_tui.endpoints.loose_json import MalformedJson
from chatforge_tui.endpoints.merging import merged
from chatforge_tui.endpoints.repeats import Repeats
from chatforge_tui.endpoints.sse import SseDecoder, SseEvent
from chatforge_tui.errors import EndpointError, ProtocolMismatch

REPEATED: Final = 54 * MEBIBYTE
"""Bytes of an event that may be files of the user, repeated in base64: as many as can go along, see `files.total_limit`."""
_LARGE: Final = MEBIBYTE
"""Characters of an event from which reading it takes long enough to be felt elsewhere."""
MAX_SKIPPED: Final = 3
"""Unreadable events that a stream may hold."""
_SPEAKING_STATUSES: Final = frozenset({400, 404, 405, 409, 422, 500, 501})
"""Error statuses under which agents send errors of the protocol."""


class Accepting:
    """Yielded once by `Replies.follow`, when the agent accepted the call: something of an answer follows."""


class Replies:
    """The replies to the calls of one turn."""

    def __init__(self, channel: HttpChannel, reader: TurnReader, *, has_files: bool = False) -> None:
        """Read for this turn.

        Args:
            channel: the session's connections.
            reader: the turn.
            has_files: whether the task may hold files of the user: an agent may repeat them in every look at the task.
        """
        self._channel = channel
        self._longest_event = channel.settings.max_event_bytes + (REPEATED if has_files else 0)
        self._reader = reader
        self.was_whole = False
        """The last reply came in one piece: it was no stream."""
        self.joins_text = True
        """What one read brings of the answer's text is handed on in one piece."""
        self._skipped = 0
        self._repeats = Repeats()
        """Of the stream that is read."""

    async def follow(
        self, binding: Binding, call: HttpCall
    ) -> AsyncGenerator[StreamEvent | RpcFailure | Accepting, None]:
        """Send the call and yield what its reply says, up to the end of the turn or of the reply.

        Raises:
            EndpointError: the reply is none of the protocol, or broke off.
        """
        exchange = self._channel.open_stream(call.method, call.url, call.body, call.headers)
        del call  # with files it is large: it would stay in memory as long as the answer lasts
        async with exchange as response:
            if response.status >= 400:
                yield await self._read_rejection(binding, response)
            elif response.content_type == EVENT_STREAM:
                yield Accepting()
                async with aclosing(self._follow_stream(binding, response)) as events:
                    async for event in events:
                        yield event
            else:
                for event in await self._read_whole(binding, response):
                    yield event

    async def ask(
        self, binding: Binding, call: HttpCall, *, timeout_s: float, own_connection: bool = False
    ) -> WireEvent | RpcFailure:
        """Send a call that is answered at once, and return what the agent says.

        Raises:
            EndpointError: it says nothing of the protocol.
        """
        response = await self._channel.fetch(
            call.method,
            call.url,
            call.body,
            call.headers,
            timeout_s=timeout_s,
            limit=self._channel.settings.max_turn_bytes,
            own_connection=own_connection,
        )
        if response.status >= 400:
            failure = read_rejection(binding, response.status, response.body)
            return failure or reject_status(response, response.body)
        try:
            return binding.read(response.body)
        except (MalformedJson, ForeignReply) as error:
            raise not_spoken(call.url, response.content_type, response.body) from error

    async def _read_rejection(self, binding: Binding, response: StreamResponse) -> RpcFailure:
        """Return the protocol's error under an HTTP error status; raise for any other."""
        body = await response.read(MAX_ERROR_BYTES)
        return read_rejection(binding, response.status, body) or reject_status(response, body)

    async def _read_whole(
        self, binding: Binding, response: StreamResponse
    ) -> list[StreamEvent | RpcFailure | Accepting]:
        """Read a reply that is no stream: an error, or the result of an agent that does not stream."""
        body = await response.read(self._channel.settings.max_turn_bytes)
        try:
            reply = await asyncio.to_thread(binding.read, body) if len(body) > _LARGE else binding.read(body)
        except (MalformedJson, ForeignReply) as error:
            raise not_spoken(response.url, response.content_type, body) from error
        if isinstance(reply, RpcFailure):
            return [reply]
        self.was_whole = True
        return [Accepting(), *self._reader.read(reply)]

    async def _follow_stream(
        self, binding: Binding, response: StreamResponse
    ) -> AsyncGenerator[StreamEvent | RpcFailure, None]:
        """Yield what an event stream says."""
        decoder = SseDecoder(max_event_bytes=self._longest_event)
        self._repeats = Repeats()
        keepalives = 0
        try:
            async with aclosing(response.chunks()) as chunks:
                async for chunk in chunks:
                    news = decoder.feed(chunk)
                    if decoder.comments > keepalives:
                        keepalives = decoder.comments
                        yield StillAlive()
                    if all(len(sse.data) <= _LARGE for sse in news):
                        said = self._meaning(binding, news, response)
                        for event in merged(said) if self.joins_text else said:
                            yield event
                    else:
                        async for event in self._meaning_of_large(binding, news, response):
                            yield event
                    if response.is_done:
                        return
        except EndpointError:
            for event in self._reader.flush():
                yield event
            raise
        for event in self._reader.flush():
            yield event
        self._reject_foreign(response.url)

    def _meaning(
        self, binding: Binding, news: list[SseEvent], response: StreamResponse
    ) -> Iterator[StreamEvent | RpcFailure]:
        """Yield what events mean, up to the end of the turn, and keep the response's clock."""
        for sse in news:
            response.content_arrived()
            for event in self._read_event(binding, sse):
                if self._reader.is_over or isinstance(event, RpcFailure):
                    response.done()
                yield event
            if response.is_done:
                return

    async def _meaning_of_large(
        self, binding: Binding, news: list[SseEvent], response: StreamResponse
    ) -> AsyncGenerator[StreamEvent | RpcFailure, None]:
        """Do the same in a thread, event by event: other sessions go on meanwhile."""
        for sse in news:
            for event in await asyncio.to_thread(list, self._meaning(binding, [sse], response)):
                yield event
            if response.is_done:
                return

    def _read_event(self, binding: Binding, sse: SseEvent) -> list[StreamEvent] | list[RpcFailure]:
        """Read one event of a stream; one that cannot be read is skipped, a few times."""
        if sse.data.strip() in ("", "[DONE]") or self._repeats.has(sse):
            return []
        try:
            reply: Reply = binding.read(sse.data)
        except MalformedJson:
            if sse.event == "error":
                return [RpcFailure(INTERNAL_ERROR, quote_body(sse.data.encode()))]
            return self._skip("An event of the agent cannot be read")
        except ForeignReply:
            return self._skip("An event of the agent belongs to another request")
        if isinstance(reply, RpcFailure):
            return [reply]
        return self._reader.read(replace(reply, said=sse.data) if isinstance(reply, UnknownSeen) else reply)

    def _skip(self, what: str) -> list[StreamEvent]:
        """Leave an event out, and say so; too many of them are no stream of this protocol.

        Raises:
            ProtocolMismatch: it is one too many.
        """
        self._skipped += 1
        if self._skipped > MAX_SKIPPED:
            raise ProtocolMismatch(
                f"{what}, and {MAX_SKIPPED} before it could not be used either.",
                hint="The agent, or a proxy before it, speaks another protocol than it announces.",
            )
        return [Noticed(NoticeLevel.WARNING, f"{what}; it was skipped ({self._skipped} of at most {MAX_SKIPPED}).")]

    def _reject_foreign(self, url: str) -> None:
        """Refuse a stream that said nothing about this turn.

        Raises:
            ProtocolMismatch: it told of another task only, or nothing that could be used.
        """
        if self._reader.task_id is not None:
            return
        if self._reader.foreign:
            raise ProtocolMismatch(
                f"{host_port(url)} answered with events of another task.", hint="Try again; nothing of it was used."
            )
        if self._skipped:
            raise ProtocolMismatch(
                f"Nothing that {host_port(url)} answered could be used.",
                hint="The agent, or a proxy before it, speaks another protocol than it announces.",
            )


def read_rejection(binding: Binding, status: int, body: bytes) -> RpcFailure | None:
    """Return the protocol's error in the body of an HTTP error, None if it holds none."""
    if status not in _SPEAKING_STATUSES:
        return None
    for read in (lambda: binding.read(body), lambda: read_http_failure(body)):
        try:
            reply = read()
        except (MalformedJson, ForeignReply):
            continue
        if isinstance(reply, RpcFailure) and reply.is_of_protocol:
            return reply
    return None


def not_spoken(url: str, content_type: str, body: bytes) -> ProtocolMismatch:
    """Return the error for a reply that is no A2A at all."""
    said = quote_body(body)[:200]
    kind = content_type or "something without a content type"
    return ProtocolMismatch(
        f"{host_port(url)} answered with {kind}, not with an A2A event stream{f': {said}' if said else '.'}",
        hint="Check the endpoint's URL: this is what a login page or another kind of server answers.",
    )
