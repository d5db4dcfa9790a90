"""The built-in agent's server: a thread with a loop of its own, one listening socket on loopback, one token.

It works beside the UI and the engine and shares nothing with them: they reach it as they reach any other agent. The
system chooses the port, the token is made for this run, and both end with the program, however it ends.
"""

import asyncio
import logging
import secrets
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from msgspec import Struct

from chatforge_tui.guide.http_limits import ConnectionLimits
from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.reference import ProgramReference
from chatforge_tui.safety.secret import Secret

_log = logging.getLogger("chatforge.guide")
_START_S = 5.0
_STOP_S = 2.0


class GuideAddress(Struct, frozen=True):
    """Where the built-in agent answers in this run."""

    url: str
    """Base URL, without a slash at its end: A2A there, OpenAI's protocol under /v1."""
    token: Secret
    """To be sent as bearer token."""


class GuideServer:
    """The built-in agent on a socket. A context manager; `start` and `stop` may be called from any thread."""

    def __init__(
        self,
        reference: ProgramReference,
        *,
        pace: Pace | None = None,
        limits: ConnectionLimits | None = None,
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            reference: what the agent answers from.
            pace: how fast it speaks; None = as a good model does.
            limits: what clients may do; None = the defaults.
        """
        self._reference = reference
        self._pace = pace or Pace()
        self._limits = limits or ConnectionLimits()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def __enter__(self) -> GuideAddress:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> GuideAddress:
        """Listen, and return where.

        Raises:
            OSError: no socket can be had on loopback.
        """
        started: Future[GuideAddress] = Future()
        # a daemon: a program that crashes or forgets `stop` ends all the same, and the socket with it
        self._thread = threading.Thread(target=self._run, args=(started,), name="chatforge-guide", daemon=True)
        self._thread.start()
        return started.result(_START_S)

    def stop(self) -> None:
        """Close every connection and end the thread. Idempotent."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is None or loop is None or stopping is None:
            return
        if thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
            thread.join(_STOP_S)
        self._thread = self._loop = self._stopping = None

    def _run(self, started: Future[GuideAddress]) -> None:
        """Be the thread."""
        try:
            asyncio.run(self._serve(started))
        except OSError as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: Future[GuideAddress]) -> None:
        """Listen until told to stop; asyncio.run then cancels what still runs."""
        # 150 ms of CPU (measured on a slow machine) for the agent, the protocols and h11: paid in this thread, when a
        # session first needs the agent, and never by who talks to another endpoint.
        from chatforge_tui.guide.agent import GuideAgent  # noqa: PLC0415
        from chatforge_tui.guide.site import HOST, Site  # noqa: PLC0415

        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        token = Secret(secrets.token_urlsafe(32))
        site = Site(GuideAgent(self._reference, self._pace), token, _Tasks().spawn, self._limits)
        server = await self._loop.create_server(site.connection, HOST, 0, backlog=256)
        port = int(server.sockets[0].getsockname()[1])
        site.base_url = f"http://{HOST}:{port}"
        started.set_result(GuideAddress(site.base_url, token))
        await self._stopping.wait()
        # accept no more before closing: a connection that asyncio is just making when its server closes would leak
        self._loop.remove_reader(server.sockets[0].fileno())
        await site.close()
        server.close()


class _Tasks:
    """What runs on the server's loop: kept alive until it is over, and what it raises is logged."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a coroutine."""
        task = asyncio.create_task(coroutine)  # noqa: TID251 - the guide's own loop: the engine's tasks are elsewhere
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("a fault in the built-in agent", exc_info=error)
