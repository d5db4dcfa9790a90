"""A session's connection to an A2A agent: implements the engine's Endpoint port.

Owns the course of a request: discovery, the change of dialect when the agent does not understand, cancelling, and reading
on after a lost connection. What events mean is the turn reader's business, and a task that no stream follows is looked at
by task_looks.py.

A message is sent once. It is sent again only after the agent answered that it understands neither its version nor its
method, in another way, under the same message id; and a server's failure may be tried again only where it says that nothing
was done about the message.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.events import (
    Accepted,
    StillAlive,
    StreamEvent,
    TerminalEvent,
    TextReplaced,
    WaitingForUser,
)
from chatforge_tui.domain.ids import TaskId
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.endpoints.a2a.binding import HttpCall
from chatforge_tui.endpoints.a2a.card import Version, takes
from chatforge_tui.endpoints.a2a.discovery import AskedHosts, Route, find_route
from chatforge_tui.endpoints.a2a.first_chunk import FirstChunk
from chatforge_tui.endpoints.a2a.outgoing import encoded, may_hold_files, outgoing_of
from chatforge_tui.endpoints.a2a.refusals import is_gone, lost, problem_of, quoted, sent_once, was_not_begun, ways_left
from chatforge_tui.endpoints.a2a.replies import Accepting, Replies
from chatforge_tui.endpoints.a2a.task_looks import TaskLooks
from chatforge_tui.endpoints.a2a.turn_reader import TurnReader
from chatforge_tui.endpoints.a2a.wire import (
    TASK_NOT_CANCELABLE,
    TASK_NOT_FOUND,
    Operation,
    Outgoing,
    RpcFailure,
    join_text,
)
from chatforge_tui.endpoints.http import HttpChannel
from chatforge_tui.endpoints.http_url import host_port, origin
from chatforge_tui.errors import HttpRejected, ProtocolMismatch, StreamStalled


class A2aSettings(Struct, frozen=True):
    """How to find and address one agent."""

    url: str
    """Its base (with or without a path), or the URL of its card."""
    version: Version = "auto"
    """Of the protocol: "auto" = as the card says."""
    use_card_url: bool = False
    """Follow the card to another server, credential included."""
    ask_s: float = 15.0
    """Seconds, > 0, that a question about a task may take."""
    cancel_s: float = 5.0
    """Seconds, > 0, that telling the agent to stop may take, discovery included."""


class A2aEndpoint:
    """One session's connection to an A2A agent."""

    needs_history = False
    """The agent keeps the conversation under its context id."""
    can_resume = True
    """A task can be read on with after its stream was lost: see `resume`."""

    def __init__(self, *, settings: A2aSettings, channel: HttpChannel, asked: AskedHosts | None = None) -> None:
        """Contact nothing yet.

        Args:
            settings: how to find the agent.
            channel: the session's connections; closed with this endpoint.
            asked: what the user answered about other servers that the card names; None = nobody can be asked.
        """
        self._asked = asked
        self._settings = settings
        self._channel = channel
        self._agent_channel: HttpChannel | None = None
        """The connections to the agent itself, where they differ from those to its card."""
        self._is_watched = True
        self._route: Route | None = None
        self._told: dict[TaskId, dict[str, str]] = {}
        """Of the task that waits for the user: what was told of its artifacts."""
        self._earlier: dict[TaskId, dict[str, str]] = {}
        """Of the task of the last request, if that answered its question: what was told of its artifacts before."""

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        """Have one prompt answered.

        Raises:
            EndpointError: what kept it from being answered. Retryable ones only come before `Accepted`.
        """
        known = self._route
        route = await self._find_route()
        earlier = self._told.pop(request.answers_task, None) if request.answers_task else None
        self._earlier = {request.answers_task: earlier} if request.answers_task and earlier else {}
        reader = TurnReader(earlier=earlier)
        turn = _Turn(
            reader,
            Replies(self._channel_to(route), reader),
            has_files=may_hold_files(request),
            is_route_known=route is known,
        )
        sending = self._send(turn, route, outgoing_of(request))
        del request  # with its files
        async with aclosing(sending) as events:
            async for event in events:
                if isinstance(event, WaitingForUser) and reader.task_id is not None:
                    self._told = {reader.task_id: reader.remember()}
                yield event

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        """Read on with a task whose stream was lost; what was missed comes first, as whole texts.

        Version 1.0 sends the task as it stands and goes on from there; a2a-sdk 1.3.0 may send a chunk that is in
        there already once more, so the first chunk is held against the task, and the finished task has the last
        word about its text. Version 0.3 is polled instead:
        its own way of following (tasks/resubscribe) leaves a gap, and makes a2a-sdk 0.3.26 store every later chunk
        twice, so that even the finished task holds a wrong text.

        Raises:
            TaskForgotten: the agent no longer knows the task.
            EndpointError: as `stream`.
        """
        route = await self._find_route()
        if task.told and task.task_id not in self._earlier:
            self._earlier = {task.task_id: await self._told_earlier(route, task)}
        reader = TurnReader(task_id=task.task_id, earlier=self._earlier.get(task.task_id))
        turn = _Turn(reader, Replies(self._channel_to(route), reader, has_files=True))
        follow = self._subscribe if route.binding.has_snapshots else self._look_on
        async with aclosing(follow(turn, route, task.task_id)) as events:
            async for event in events:
                if isinstance(event, WaitingForUser):
                    self._told = {task.task_id: reader.remember()}
                yield event

    async def objection(self, files: Sequence[Attachment]) -> str:
        """Say what the agent's card has against files of these types; "" = nothing."""
        route = await self._find_route()
        refused = dict.fromkeys(file.media_type for file in files if not takes(route.input_modes, file.media_type))
        if not refused:
            return ""
        agent = route.agent or host_port(route.url)
        return f"{agent} says that it takes {', '.join(route.input_modes)}, not {', '.join(refused)}."

    async def cancel_task(self, task: TaskRef) -> None:
        """Tell the agent to stop a task, on a connection of its own. A task that is over already is no error.

        Raises:
            EndpointError: the agent was not told.
        """
        try:
            async with asyncio.timeout(self._settings.cancel_s):
                route = await self._find_route(own_connection=True)
                call = route.binding.about_task(Operation.CANCEL, task.task_id)
                replies = Replies(self._channel_to(route), TurnReader())
                reply = await replies.ask(route.binding, call, timeout_s=self._settings.cancel_s, own_connection=True)
        except TimeoutError as error:
            raise StreamStalled(
                f"{host_port(self._settings.url)} did not confirm within {self._settings.cancel_s:g} s that it stopped.",
                hint="The agent may still be working.",
            ) from error
        if isinstance(reply, RpcFailure) and reply.code not in (TASK_NOT_CANCELABLE, TASK_NOT_FOUND):
            raise ProtocolMismatch(
                f"The agent did not stop the task: {quoted(reply)}", hint="The agent may still be working."
            )

    def attend(self, *, is_watched: bool) -> None:
        """Say whether somebody watches the session; see `ports.Endpoint`. A task that is polled is polled as before."""
        self._is_watched = is_watched
        self._channel.attend(is_watched=is_watched)
        if self._agent_channel is not None:
            self._agent_channel.attend(is_watched=is_watched)

    async def aclose(self) -> None:
        """Close every socket."""
        await self._channel.aclose()
        if self._agent_channel is not None:
            await self._agent_channel.aclose()

    async def _find_route(self, *, own_connection: bool = False) -> Route:
        if self._route is None or not self._is_agreed_still(self._route):
            self._route = await find_route(
                self._channel,
                self._settings.url,
                version=self._settings.version,
                use_card_url=self._settings.use_card_url,
                asked=self._asked,
                own_connection=own_connection,
            )
        return self._route

    def _is_agreed_still(self, route: Route) -> bool:
        """Whether the user has not changed the answer that led to this route."""
        agreed = route.agreement
        if agreed is None or self._asked is None:
            return True
        return self._asked.permission(agreed.configured, agreed.named) is agreed.permission

    def _channel_to(self, route: Route) -> HttpChannel:
        """Return the connections to the agent: the credential goes to its origin, and a slow answer is awaited."""
        settings = self._channel.settings
        if route.takes_credential and settings.origin and origin(route.url) != origin(settings.origin):
            settings = replace(settings, origin=route.url)
        if route.public_host:
            settings = replace(settings, public_host=route.public_host)
        if not route.streams:
            settings = replace(settings, first_byte_s=max(settings.first_byte_s, settings.progress_s))
        if settings == self._channel.settings:
            return self._channel
        if self._agent_channel is None or self._agent_channel.settings != settings:
            self._agent_channel = HttpChannel(settings)
            self._agent_channel.attend(is_watched=self._is_watched)
        return self._agent_channel

    async def _send(self, turn: "_Turn", route: Route, outgoing: Outgoing) -> AsyncGenerator[StreamEvent, None]:
        """Send the message; in another way as long as the agent does not understand, or has moved since its card was read."""
        ways = [route, *route.alternatives()]
        while ways:
            way = ways.pop(0)
            failure: RpcFailure | None = None
            operation = Operation.STREAM if way.streams else Operation.SEND
            turn.replies = Replies(self._channel_to(way), turn.reader, has_files=turn.has_files)
            try:
                async with aclosing(self._follow(turn, way, await encoded(way, operation, outgoing))) as events:
                    async for event in events:
                        if turn.has_begun and outgoing.files:
                            outgoing = replace(outgoing, files=())  # it is not sent in another way any more
                        if turn.has_begun and not way.is_settled:  # nobody reads on after the agent's last word
                            self._route = way = replace(way, is_settled=True)
                        if isinstance(event, RpcFailure):
                            failure = event
                        else:
                            yield event
            except HttpRejected as error:
                ways = await self._ways_after(error, turn, way)
                continue
            ways = ways_left(failure, ways, way, outgoing) if failure and not turn.has_begun else []
            if failure is not None and failure.is_version_trouble and not ways:
                ways = await self._found_anew(turn)
            if failure is not None and not ways:
                for event in turn.reader.fail(problem_of(failure, outgoing)):
                    yield event

    async def _ways_after(self, refusal: HttpRejected, turn: "_Turn", tried: Route) -> list[Route]:
        """Return the ways that are left after a server refused the message with a status.

        Raises:
            HttpRejected: there are none.
        """
        if turn.is_accepted:
            raise refusal
        if not was_not_begun(refusal):
            raise sent_once(refusal) from refusal
        if not is_gone(refusal):
            raise refusal
        ways = await self._found_anew(turn)
        if not ways or ways[0].place == tried.place:
            raise refusal
        return ways

    async def _found_anew(self, turn: "_Turn") -> list[Route]:
        """Return the ways to an agent that may have changed since its card was read; [] when that was just now."""
        self._route = None
        was_known, turn.is_route_known = turn.is_route_known, False
        if not was_known:
            return []
        found = await self._find_route()
        return [found, *found.alternatives()]

    async def _follow(
        self, turn: "_Turn", route: Route, call: HttpCall
    ) -> AsyncGenerator[StreamEvent | RpcFailure, None]:
        """Yield what the reply to a call says; a task that it leaves running without a stream is polled."""
        replies = turn.replies.follow(route.binding, call)
        del call  # as in there
        async with aclosing(replies) as events:
            async for event in events:
                if isinstance(event, Accepting):
                    if not turn.is_accepted:
                        turn.is_accepted = True
                        yield Accepted(route.binding.name, route.agent)
                    continue
                turn.has_begun = turn.has_begun or not isinstance(event, RpcFailure | StillAlive)
                yield event
        if turn.replies.was_whole and turn.reader.task_id is not None and not turn.reader.is_over:
            async with aclosing(self._looks(turn, route, turn.reader.task_id).follow()) as polled:
                async for event in polled:
                    yield event

    def _looks(self, turn: "_Turn", route: Route, task_id: TaskId) -> TaskLooks:
        """Return what looks at a task for a turn."""
        return TaskLooks(
            route, task_id, turn.replies, turn.reader, ask_s=self._settings.ask_s, limits=self._channel.settings
        )

    async def _look_on(self, turn: "_Turn", route: Route, task_id: TaskId) -> AsyncGenerator[StreamEvent, None]:
        """Follow a task by looking at it, the first time at once."""
        looks = self._looks(turn, route, task_id)
        seen = await looks.look()
        if not turn.is_accepted:
            turn.is_accepted = True
            yield Accepted(route.binding.name, route.agent)
        for event in turn.reader.read(seen):
            yield event
        async with aclosing(looks.follow()) as polled:
            async for event in polled:
                yield event

    async def _told_earlier(self, route: Route, task: TaskRef) -> dict[str, str]:
        """Return artifact id → text that earlier turns of the task had told, when only their answers are left."""
        reader = TurnReader(task_id=task.task_id)
        turn = _Turn(reader, Replies(self._channel_to(route), reader))
        earlier, rest = dict[str, str](), task.told
        for artifact in (await self._looks(turn, route, task.task_id).look()).artifacts:
            text = join_text(artifact.pieces)
            told = text if rest.startswith(text) else rest if text.startswith(rest) else ""
            if told:
                earlier[artifact.artifact_id] = told
                rest = rest[len(told) :]
        return earlier

    async def _last_word(self, turn: "_Turn", route: Route, task_id: TaskId) -> list[StreamEvent]:
        """Return what makes the text that was followed that of the task as it stands now."""
        text = await self._text_of(route, task_id)
        return [] if not text or text == turn.reader.answer else [TextReplaced(text)]

    async def _text_of(self, route: Route, task_id: TaskId) -> str:
        """Return the answer as the task has it now."""
        reader = TurnReader(task_id=task_id, earlier=self._earlier.get(task_id))
        turn = _Turn(reader, Replies(self._channel_to(route), reader))
        reader.read(await self._looks(turn, route, task_id).look())
        return reader.answer

    async def _subscribe(self, turn: "_Turn", route: Route, task_id: TaskId) -> AsyncGenerator[StreamEvent, None]:
        """Follow a running task; one that is over by now is asked for instead."""
        call = route.binding.about_task(Operation.SUBSCRIBE, task_id)
        failure: RpcFailure | None = None
        first = FirstChunk(partial(self._text_of, route, task_id))
        turn.replies.joins_text = False  # before it is sure which chunk is the first one
        async with aclosing(self._follow(turn, route, call)) as events:
            async for event in events:
                if isinstance(event, RpcFailure):
                    failure = event
                    continue
                if not first.is_past and await first.repeats(event):
                    continue
                turn.replies.joins_text = first.is_past
                if isinstance(event, TerminalEvent):
                    for corrected in await self._last_word(turn, route, task_id):
                        yield corrected
                yield event
        if failure is not None:
            if failure.code == TASK_NOT_FOUND:
                raise lost(failure)
            async with aclosing(self._look_on(turn, route, task_id)) as looked:
                async for event in looked:
                    yield event


class _Turn(Struct):
    """One turn on its way."""

    reader: TurnReader
    replies: Replies
    is_accepted: bool = False
    """`Accepted` was told."""
    has_begun: bool = False
    """Something of an answer was received."""
    has_files: bool = False
    """Its task may hold files of the user."""
    is_route_known: bool = False
    """The agent's card was read for an earlier turn, so it may have moved."""
