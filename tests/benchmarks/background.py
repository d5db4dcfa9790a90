"""The program with so many sessions that stream by themselves: `python -m tests.benchmarks.background HOME STREAMS [PORT]`.

Screen, engine and store are the real ones. Without a port the network is left out, so that a thousand streams at 30 tokens
a second can be had on any machine; with one they come over HTTP from the mock server there. The first session is in front;
with 0 streams it stands still. A file `watch` in HOME, with a number of seconds in it, has the UI's loop watched for that
long; `stalls` there holds then how late, in milliseconds, it came to what was due: each time, one a line.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from itertools import cycle
from pathlib import Path
from typing import Self

from chatforge_tui.cli import settling
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.locations import Locations
from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.events import Accepted, StreamEvent, TextDelta
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.sessions.ports import Endpoints
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.ui.app import ChatForgeApp
from tests.benchmarks.answers import Order, prompt, tokens_of

RATE = 30
"""Tokens a second of each stream."""
LONG_TOKENS = 30 * 300
"""Longer than anything is measured."""
BEAT_S = 0.005
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
        if beat is not None and not beat.done():  # who waits last may have been cancelled: the streams end
            beat.set_result(None)


class Synthetic:
    """Endpoint and endpoints in one. Matches sessions.ports."""

    needs_history = can_resume = False

    def __init__(self) -> None:
        self._beat = Beat()
        self.said = 0
        """Tokens so far: a machine that is busy elsewhere lets beats go by."""

    def connect(self, ref: EndpointRef) -> Self:
        del ref
        return self

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        yield Accepted("synthetic")
        for token in cycle(tokens_of(Order(5000, RATE, request.turn_id))):
            await self._beat.wait()
            self.said += 1
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

    def __init__(self, home: Path, streams: int, endpoints: Endpoints | None = None) -> None:
        super().__init__(store=SqliteStore(home / "sessions.db"), endpoints=endpoints or Synthetic())
        self._streams = streams

    async def __aenter__(self) -> Self:
        settling.settle()
        await super().__aenter__()
        numbers = range(max(1, self._streams))
        heads = await asyncio.gather(*map(self._create, numbers))
        orders = (Order(LONG_TOKENS, RATE, f"k{number}x") for number in range(self._streams))
        asked = zip(heads[: self._streams], orders, strict=True)
        await asyncio.gather(*(self.send(head.session_id, Prompt(prompt(order))) for head, order in asked))
        return self

    async def _create(self, number: int) -> SessionHead:
        title = f"session {number}" if number else FIRST_TITLE
        return await self.create_session(REF, title=title, activate=not number)


async def watch(home: Path) -> None:
    """Wait for the order to watch this loop, then write down how late each beat of 5 ms came."""
    loop, order, result = asyncio.get_running_loop(), home / "watch", home / "stalls"
    while not order.exists():  # noqa: ASYNC110 - from another process; looked for in all runs alike
        await asyncio.sleep(0.25)
    end, late = loop.time() + float(order.read_text()), list[float]()
    while (began := loop.time()) < end:
        await asyncio.sleep(BEAT_S)
        late.append((loop.time() - began - BEAT_S) * 1000)
    ready = home / "stalls.new"
    ready.write_text("\n".join(f"{one:.2f}" for one in late))
    ready.rename(result)


async def run_watched(app: ChatForgeApp, home: Path) -> None:
    """Run the program, its loop under watch."""
    watching = asyncio.get_running_loop().create_task(watch(home))
    await app.run_async()
    watching.cancel()


def main(home: Path, streams: int, port: int = 0) -> None:
    """Run until the terminal is gone."""
    server = EndpointSettings(protocol="openai-chat", url=f"http://127.0.0.1:{port}/v1", model="mock")
    settings = Settings(endpoints={REF.name: server}) if port else Settings()
    endpoints = EndpointCatalog(settings, {}) if port else None
    settling.begin()
    app = ChatForgeApp(
        start_engine=lambda: BusyManager(home, streams, endpoints),
        settings=settings,
        keymap=Keymap(),
        locations=Locations.find(home, {}),
        default_endpoint=REF,
    )
    asyncio.run(run_watched(app, home))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
