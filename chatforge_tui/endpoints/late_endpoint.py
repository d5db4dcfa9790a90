"""An endpoint that becomes one at its first request, because finding out what it is takes a network or a command."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.events import StreamEvent
from chatforge_tui.domain.request import PromptRequest, TaskRef


class Adapter(Protocol):
    """What every adapter is, as the engine's port `Endpoint` has it."""

    @property
    def needs_history(self) -> bool:
        """Whether a request must carry the session's earlier turns."""
        ...

    @property
    def can_resume(self) -> bool:
        """Whether a task can be read on with after its stream was lost."""
        ...

    def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        """Have one prompt answered."""
        ...

    def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        """Read on with a task."""
        ...

    async def objection(self, files: Sequence[Attachment]) -> str:
        """Say what the agent has against files of these types."""
        ...

    async def cancel_task(self, task: TaskRef) -> None:
        """Tell the agent to stop a task."""
        ...

    def attend(self, *, is_watched: bool) -> None:
        """Say whether somebody watches the session."""
        ...

    async def aclose(self) -> None:
        """Close every socket."""
        ...


class LateEndpoint:
    """Stands in for an adapter until it is known."""

    def __init__(self, make: Callable[[], Awaitable[Adapter]], *, needs_history: bool) -> None:
        """Make nothing yet.

        Args:
            make: finds out and makes the adapter; may fail with a ConfigError or an EndpointError, and is asked again then.
            needs_history: what to say as long as the adapter is not known.
        """
        self._make = make
        self._needs_history = needs_history
        self._adapter: Adapter | None = None
        self._is_watched = True

    @property
    def needs_history(self) -> bool:
        """Whether a request must carry the session's earlier turns; one that need not may do so all the same."""
        return self._needs_history if self._adapter is None else self._adapter.needs_history

    @property
    def can_resume(self) -> bool:
        """Whether a task can be read on with; one that is asked before the adapter is known may turn out not to."""
        return self._adapter is None or self._adapter.can_resume

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        """Have one prompt answered."""
        adapter = await self._found()
        stream = adapter.stream(request)
        del request  # it may hold the whole session, which is not needed while the answer is read
        async with aclosing(stream) as events:
            async for event in events:
                yield event

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        """Read on with a task."""
        adapter = await self._found()
        async with aclosing(adapter.resume(task)) as events:
            async for event in events:
                yield event

    async def objection(self, files: Sequence[Attachment]) -> str:
        """Say what the agent has against files of these types."""
        return await (await self._found()).objection(files)

    async def cancel_task(self, task: TaskRef) -> None:
        """Tell the agent to stop a task."""
        await (await self._found()).cancel_task(task)

    def attend(self, *, is_watched: bool) -> None:
        """Say whether somebody watches the session, to the adapter as soon as there is one."""
        self._is_watched = is_watched
        if self._adapter is not None:
            self._adapter.attend(is_watched=is_watched)

    async def aclose(self) -> None:
        """Close every socket."""
        if self._adapter is not None:
            await self._adapter.aclose()

    async def _found(self) -> Adapter:
        if self._adapter is None:
            self._adapter = await self._make()
            self._adapter.attend(is_watched=self._is_watched)
        return self._adapter
