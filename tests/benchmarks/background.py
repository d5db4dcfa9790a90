"""The program with so many sessions that stream by themselves: `python -m tests.benchmarks.background HOME STREAMS [PORT]`.

Screen, engine and store are the real ones. Without a port the network is left out, so that a thousand streams at 30 tokens
a second can be had on any machine: in its place is a model of a socket, read at the program's own pace, which is 30 times a
second for the session in front and ten times for a hidden one. With a port they come over HTTP from the mock server there. The first session is in front;
with 0 streams it stands still. A file `watch` in HOME, with a number of seconds in it, has the UI's loop watched for that
long; `stalls` there holds then how late, in milliseconds, it came to what was due: each time, one a line. The order goes, and
may be given again.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from itertools import cycle, islice
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
from chatforge_tui.endpoints.reading_beat import ReadingBeat, beat_of
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


class Trickle:
    """A socket at which a token comes each 33 ms: whoever reads it takes all that has come since the last time.

    It is read at the beat of the program's own sockets, watched or hidden.
    """

    def __init__(self, name: str) -> None:
        self.said = 0
        """Tokens that were read so far."""
        self._tokens = cycle(tokens_of(Order(5000, RATE, name)))
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._received = ""
        self._reader: asyncio.Future[None] | None = None
        self._beat: ReadingBeat | None = None

    def read_at_beat(self) -> bool:
        """Read what has come."""
        come = int((self._loop.time() - self._began) * RATE) - self.said
        if come:
            self.said += come
            self._received += "".join(islice(self._tokens, come))
            if self._reader is not None and not self._reader.done():
                self._reader.set_result(None)
        return self._beat is not None

    def attend(self, *, is_watched: bool) -> None:
        """Be read at this beat from now on."""
        self.close()
        self._beat = beat_of(self._loop, is_watched=is_watched)
        self.read_at_beat()
        self._beat.add(self)

    async def read(self) -> str:
        """Return what was read, as soon as there is something."""
        while not self._received:
            self._reader = self._loop.create_future()
            await self._reader
        text, self._received = self._received, ""
        return text

    def close(self) -> None:
        """Be read no more."""
        if self._beat is not None:
            self._beat.discard(self)
            self._beat = None


class SyntheticEndpoint:
    """One session's agent that speaks without a network. Matches sessions.ports.Endpoint."""

    needs_history = can_resume = False

    def __init__(self, owner: "Synthetic") -> None:
        self._owner = owner
        self._is_watched = True
        self._trickle: Trickle | None = None

    async def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        yield Accepted("synthetic")
        trickle = self._trickle = Trickle(request.turn_id)
        self._owner.trickles.append(trickle)
        self.attend(is_watched=self._is_watched)
        try:
            while True:
                yield TextDelta(await trickle.read())
        finally:
            trickle.close()

    def attend(self, *, is_watched: bool) -> None:
        self._is_watched = is_watched
        if self._trickle is not None:
            self._trickle.attend(is_watched=is_watched or self._owner.is_even)

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        raise NotImplementedError(task)
        yield

    async def cancel_task(self, task: TaskRef) -> None:
        del task

    async def aclose(self) -> None:
        """Nothing is open."""


class Synthetic:
    """Agents without a network, 30 tokens a second each. Matches sessions.ports.Endpoints."""

    def __init__(self, *, is_even: bool = False) -> None:
        """Make none yet. `is_even`: hidden sessions are read as often as watched ones."""
        self.is_even = is_even
        self.trickles: list[Trickle] = []

    @property
    def said(self) -> int:
        """Tokens that were read so far: a machine that is busy elsewhere reads later, and more at once."""
        return sum(trickle.said for trickle in self.trickles)

    def connect(self, ref: EndpointRef) -> SyntheticEndpoint:
        del ref
        return SyntheticEndpoint(self)


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
    """Wait for orders to watch this loop, and write down each time how late each beat of 5 ms came."""
    loop, order, result = asyncio.get_running_loop(), home / "watch", home / "stalls"
    while True:
        while not order.exists():  # noqa: ASYNC110 - from another process; looked for in all runs alike
            await asyncio.sleep(0.05)
        end, late = loop.time() + float(order.read_text()), list[float]()
        while (began := loop.time()) < end:
            await asyncio.sleep(BEAT_S)
            late.append((loop.time() - began - BEAT_S) * 1000)
        order.unlink()
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
