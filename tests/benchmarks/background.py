"""The program with so many sessions that stream out of nowhere: `python -m tests.benchmarks.background HOME STREAMS`.

Screen, engine and store are the real ones; only the network is left out, so that a thousand streams at 30 tokens a second
can be had on any machine. The first session is in front; with 0 streams it stands still.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from itertools import cycle
from pathlib import Path
from typing import Self

from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.locations import Locations
from chatforge_tui.config.settings import Settings
from chatforge_tui.domain.events import Accepted, StreamEvent, TextDelta
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.ui.app import ChatForgeApp
from tests.benchmarks.answers import Order, tokens_of

RATE = 30
"""Tokens a second of each stream."""
FIRST_TITLE = "session zero"
"""On the screen when every stream has begun."""
REF = EndpointRef("synthetic")


class Beat:
    """One clock for all streams of a loop, as the program's sockets have one."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    async def wait(self) -> None:
        """Return at the next beat."""
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.create_future()
            loop.call_at((loop.time() * RATE // 1 + 1) / RATE, self._strike)
        await self._next

    def _strike(self) -> None:
        beat, self._next = self._next, None
        if beat is not None:
            beat.set_result(None)


class Synthetic:
    """Endpoint and endpoints in one. Matches sessions.ports."""

    needs_history = can_resume = False

    def __init__(self) -> None:
        self._beat = Beat()

    def connect(self, ref: EndpointRef) -> Self:
        del ref
        return self

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        yield Accepted("synthetic")
        for token in cycle(tokens_of(Order(5000, RATE, request.turn_id))):
            await self._beat.wait()
            yield TextDelta(token)

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        raise NotImplementedError(task)
        yield

    async def cancel_task(self, task: TaskRef) -> None:
        del task

    async def aclose(self) -> None:
        """Nothing is open."""


class BusyManager(SessionManager):
    """An engine that is at work when the screen meets it."""

    def __init__(self, home: Path, streams: int) -> None:
        super().__init__(store=SqliteStore(home / "sessions.db"), endpoints=Synthetic())
        self._streams = streams

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        numbers = range(max(1, self._streams))
        heads = await asyncio.gather(*map(self._create, numbers))
        sending = (self.send(head.session_id, Prompt("go on for ever")) for head in heads[: self._streams])
        await asyncio.gather(*sending)
        return self

    async def _create(self, number: int) -> SessionHead:
        title = f"session {number}" if number else FIRST_TITLE
        return await self.create_session(REF, title=title, activate=not number)


def main(home: Path, streams: int) -> None:
    """Run until the terminal is gone."""
    ChatForgeApp(
        start_engine=lambda: BusyManager(home, streams),
        settings=Settings(),
        keymap=Keymap(),
        locations=Locations.find(home, {}),
        default_endpoint=REF,
    ).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
