"""An endpoint that becomes one at its first request, because finding out what it is takes a network or a command.

It becomes one anew when its credential is not accepted any more: what a file or a command gives is renewed elsewhere.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.events import StreamEvent
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.errors import Unauthorized


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
            make: finds out and makes the adapter, its credential fetched anew; may fail with a ConfigError or an
                EndpointError, and is asked again then.
            needs_history: what to say as long as the adapter is not known.
        """
        self._make = make
        self._needs_history = needs_history
        self._adapter: Adapter | None = None
        self._was_let_in = False
        """The server accepted the adapter's credential before."""
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
        """Have one prompt answered; with a new credential where the server takes the one that it took before no more."""
        unanswered: PromptRequest | None = request
        del request
        while True:
            adapter = await self._found()
            try:
                async with aclosing(adapter.stream(unanswered)) as events:
                    async for event in events:
                        unanswered = None  # it may hold the whole session, which is not needed while the answer is read
                        self._was_let_in = True
                        yield event
            except Unauthorized:
                if not await self._let_go(adapter) or unanswered is None:
                    raise
            else:
                return

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        """Read on with a task; as `stream`."""
        is_told = False
        while True:
            adapter = await self._found()
            try:
                async with aclosing(adapter.resume(task)) as events:
                    async for event in events:
                        is_told = self._was_let_in = True
                        yield event
            except Unauthorized:
                if not await self._let_go(adapter) or is_told:
                    raise
            else:
                return

    async def objection(self, files: Sequence[Attachment]) -> str:
        """Say what the agent has against files of these types."""
        return await (await self._found()).objection(files)

    async def cancel_task(self, task: TaskRef) -> None:
        """Tell the agent to stop a task."""
        adapter = await self._found()
        try:
            await adapter.cancel_task(task)
        except Unauthorized:
            if not await self._let_go(adapter):
                raise
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

    async def _let_go(self, adapter: Adapter) -> bool:
        """Give up an adapter whose credential was refused: the next one gets its own. Whether that was accepted before."""
        was_let_in, self._was_let_in = self._was_let_in, False
        if self._adapter is adapter:
            self._adapter = None
        await adapter.aclose()
        return was_let_in
