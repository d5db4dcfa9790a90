"""Endpoints without a network: a test says, event by event, what the agent says and when.

Each request opens a `Wire`. By hand: `wire.say(TextDelta("a"))`, `wire.cut()`, `wire.fail(error)`. Or from a script:
`ScriptedEndpoints(lambda request: [Accepted("fake"), Pause(2.0), TextDelta("a"), Finished()])`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.events import Accepted, Finished, StreamEvent, TerminalEvent, TextDelta
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.errors import ConfigError, Unreachable


@dataclass(frozen=True)
class Pause:
    """The agent says nothing for a while."""

    seconds: float


Step = StreamEvent | Pause | Exception
Script = Callable[[PromptRequest], Sequence[Step]]


@dataclass(eq=False)
class Wire:
    """One request, seen from the agent's side."""

    request: PromptRequest | None
    """None: the engine asks for a task that it lost."""
    task: TaskRef | None = None
    """The task that it asks for."""
    stubborn: bool = False
    """Swallow the first cancellation and go on listening, as no endpoint should."""
    was_stubborn: bool = False
    closed: bool = False
    said: list[StreamEvent] = field(default_factory=list)
    """What the engine has fetched."""
    _waiting: deque[Step | None] = field(default_factory=deque)
    _something: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, *steps: Step) -> None:
        """Send events. Works on a closed wire, too: those are the late bytes of a dead request."""
        self._waiting.extend(steps)
        self._something.set()

    def cut(self) -> None:
        """End the stream without a terminal event."""
        self._waiting.append(None)
        self._something.set()

    async def fetch(self) -> Step | None:
        while not self._waiting:
            self._something.clear()
            await self._something.wait()
        return self._waiting.popleft()


class ScriptedEndpoint:
    """One session's connection. Matches sessions.ports.Endpoint."""

    def __init__(self, owner: "ScriptedEndpoints") -> None:
        self._owner = owner
        self.is_closed = False
        self.is_watched = True

    @property
    def needs_history(self) -> bool:
        return self._owner.needs_history

    @property
    def can_resume(self) -> bool:
        return self._owner.can_resume

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        wire = Wire(None, task)
        self._owner.rejoined.append(wire)
        if self._owner.on_resume is not None:
            self._owner.on_resume(wire)
        if self._owner.retell is not None:
            wire.say(*self._owner.retell(task))
            wire.cut()
        async with aclosing(self._play(wire)) as events:
            async for event in events:
                yield event

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        wire = Wire(request, stubborn=self._owner.stubborn)
        self._owner.wires.append(wire)
        if self._owner.on_open is not None:
            self._owner.on_open(request)
        if self._owner.script is not None:
            wire.say(*self._owner.script(request))
            wire.cut()
        async with aclosing(self._play(wire)) as events:
            async for event in events:
                yield event

    async def _play(self, wire: Wire) -> AsyncGenerator[StreamEvent, None]:
        try:
            while (step := await self._fetch(wire)) is not None:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    continue
                wire.said.append(step)
                yield step
                if isinstance(step, TerminalEvent):
                    return
        finally:
            wire.closed = True
            if self._owner.slow_to_close:
                await asyncio.sleep(self._owner.slow_to_close)

    async def objection(self, files: Sequence[Attachment]) -> str:
        self._owner.asked.append(tuple(files))
        if isinstance(self._owner.objects, Exception):
            raise self._owner.objects
        return self._owner.objects

    async def cancel_task(self, task: TaskRef) -> None:
        self._owner.canceled.append(task)
        await asyncio.sleep(self._owner.cancel_takes)
        if self._owner.cancel_error is not None:
            raise self._owner.cancel_error

    def attend(self, *, is_watched: bool) -> None:
        self.is_watched = is_watched

    async def aclose(self) -> None:
        self.is_closed = True

    async def _fetch(self, wire: Wire) -> Step | None:
        """Wait for the next step."""
        while True:
            try:
                return await wire.fetch()
            except asyncio.CancelledError:
                if not wire.stubborn:
                    raise
                wire.stubborn, wire.was_stubborn = False, True


class ScriptedEndpoints:
    """Makes scripted connections and remembers what happened on them. Matches sessions.ports.Endpoints."""

    def __init__(self, script: Script | None = None, *, needs_history: bool = False) -> None:
        self.script = script
        self.needs_history = needs_history
        self.wires: list[Wire] = []
        """Every request so far, oldest first."""
        self.can_resume = False
        self.rejoined: list[Wire] = []
        """Every time that a lost task was asked for, oldest first."""
        self.retell: Callable[[TaskRef], Sequence[Step]] | None = None
        """What is said then; None: by hand."""
        self.on_resume: Callable[[Wire], None] | None = None
        """Called each time before anything is said."""
        self.made: list[ScriptedEndpoint] = []
        self.canceled: list[TaskRef] = []
        self.cancel_takes = 0.0
        self.cancel_error: Exception | None = None
        self.stubborn = False
        """Whether the requests made from now on are stubborn, see Wire."""
        self.on_open: Callable[[PromptRequest], None] | None = None
        """Called for each request before anything is answered."""
        self.slow_to_close = 0.0
        self.asked: list[tuple[Attachment, ...]] = []
        """Files that were asked about, oldest first."""
        self.objects: str | Exception = ""
        """What is said against files."""
        self.files: dict[str, bytes | Exception | None] = {}
        """URL -> what comes of fetching it; None = nothing, ever."""
        self.fetched: list[str] = []
        self.unknown: set[str] = set()
        """Names that `connect` refuses."""

    def connect(self, ref: EndpointRef) -> ScriptedEndpoint:
        if ref.name in self.unknown:
            message = f"No endpoint is called {ref.name}."
            raise ConfigError(message)
        endpoint = ScriptedEndpoint(self)
        self.made.append(endpoint)
        return endpoint

    async def fetch_file(self, ref: EndpointRef, url: str, limit: int) -> bytes:
        self.fetched.append(url)
        content = self.files.get(url, Unreachable(f"{url} is not there"))
        if content is None:
            await asyncio.Event().wait()
        if isinstance(content, Exception):
            raise content
        return content

    def of(self, session_id: SessionId) -> list[Wire]:
        """Return the session's requests, oldest first."""
        return [wire for wire in self.wires if wire.request and wire.request.session_id == session_id]

    async def wire(self, session_id: SessionId, number: int = -1) -> Wire:
        """Wait for a request of the session and return it; the newest by default."""
        for _ in range(1_000):
            wires = self.of(session_id)
            if len(wires) > max(number, 0) or (wires and number < 0 and not wires[-1].closed):
                return wires[number]
            await asyncio.sleep(0)
        message = "no such request was made"
        raise AssertionError(message)

    @property
    def open_wires(self) -> list[Wire]:
        """Return the requests whose stream is still open."""
        return [wire for wire in (*self.wires, *self.rejoined) if not wire.closed]


def echo(request: PromptRequest) -> Sequence[Step]:
    """Answer with the prompt, word by word."""
    words = request.prompt.text.split(" ")
    return [Accepted("fake", "echo"), *(TextDelta(f"{word} ") for word in words), Finished("stop")]
