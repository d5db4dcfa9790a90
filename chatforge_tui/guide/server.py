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
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from chatforge_tui.guide.a2a_card import agent_card
from chatforge_tui.guide.a2a_routes import A2aRoutes
from chatforge_tui.guide.a2a_store import TaskStore
from chatforge_tui.guide.agent import GuideAgent
from chatforge_tui.guide.http_connection import ConnectionLimits, HttpConnection
from chatforge_tui.guide.http_messages import Answer, HttpRequest, error_response, json_response
from chatforge_tui.guide.openai_routes import OpenAiRoutes
from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.reference import ProgramReference
from chatforge_tui.safety.secret import Secret

_log = logging.getLogger("chatforge.guide")
_HOST = "127.0.0.1"
_CARD_PATHS = frozenset({"/.well-known/agent-card.json", "/.well-known/agent.json"})
_START_S = 5.0
_STOP_S = 2.0
_LAST_ROUNDS = 5
"""Rounds of the loop in which a connection that was accepted last is made and closed again."""


@dataclass(frozen=True, slots=True)
class GuideAddress:
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
        max_connections: int = 512,
        max_tasks: int = 500,
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            reference: what the agent answers from.
            pace: how fast it speaks; None = as a good model does.
            limits: what each client may do; None = the defaults.
            max_connections: connections at one time, >= 1; further ones are closed at once.
            max_tasks: tasks that are remembered, >= 1.
        """
        self._agent = GuideAgent(reference, pace)
        self._limits = limits or ConnectionLimits()
        self._max_connections = max_connections
        self._max_tasks = max_tasks
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
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        token = Secret(secrets.token_urlsafe(32))
        site = _Site(self._agent, token, self._limits, self._max_connections, self._max_tasks)
        server = await self._loop.create_server(site.connection, _HOST, 0, backlog=256)
        port = int(server.sockets[0].getsockname()[1])
        site.base_url = f"http://{_HOST}:{port}"
        started.set_result(GuideAddress(site.base_url, token))
        await self._stopping.wait()
        # accept no more before closing: a connection that asyncio is just making when its server closes would leak
        self._loop.remove_reader(server.sockets[0].fileno())
        await site.close()
        server.close()


class _Site:
    """What answers at the address: who may ask, and which route a path leads to."""

    base_url = ""
    """Known once the socket listens."""

    def __init__(
        self, agent: GuideAgent, token: Secret, limits: ConnectionLimits, max_connections: int, max_tasks: int
    ) -> None:
        self._agent = agent
        self._token = f"Bearer {token.reveal()}".encode()
        self._limits = limits
        self._max_connections = max_connections
        self._connections: set[HttpConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        a2a = A2aRoutes(agent, self._spawn, TaskStore(max_tasks))
        openai = OpenAiRoutes(agent)
        self._routes = {
            "/": ("POST", a2a.handle),
            "/v1/chat/completions": ("POST", openai.complete),
            "/v1/models": ("GET", openai.models),
        }

    def connection(self) -> HttpConnection:
        """Make the protocol of a new connection."""
        return HttpConnection(self._route, self._spawn, self._limits, self)

    def admit(self, connection: HttpConnection) -> bool:
        """Take a connection in, up to the limit."""
        if len(self._connections) >= self._max_connections:
            return False
        self._connections.add(connection)
        return True

    def leave(self, connection: HttpConnection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    async def close(self) -> None:
        """End every connection, also one that the loop is just making."""
        self._max_connections = 0
        for _ in range(_LAST_ROUNDS):
            for connection in tuple(self._connections):
                connection.close()
            await asyncio.sleep(0)

    async def _route(self, request: HttpRequest) -> Answer:
        """Answer a request, or say why not."""
        # a page in a browser that had its own name resolve to loopback would still send that name
        if request.headers.get("host", "") not in (self.base_url[7:], self.base_url[7:].replace(_HOST, "localhost")):
            return error_response(421, "This server answers under its loopback address only.")
        method = "GET" if request.method == "HEAD" else request.method
        if request.path in _CARD_PATHS and method == "GET":
            return json_response(agent_card(f"{self.base_url}/", self._agent.version))
        if not secrets.compare_digest(request.headers.get("authorization", "").encode("latin-1"), self._token):
            challenge = {"WWW-Authenticate": 'Bearer realm="chatforge-guide"'}
            return error_response(401, "The built-in agent needs the token of this run.", challenge)
        known = self._routes.get(request.path)
        if known is None:
            return error_response(404, f"There is nothing at {request.path[:200]}.")
        allowed, handle = known
        if method != allowed:
            return error_response(405, f"{request.path} takes {allowed}.", {"Allow": allowed})
        return await handle(request)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a coroutine, keep it alive, and log what it raises."""
        task = asyncio.create_task(coroutine)  # noqa: TID251 - the guide's own loop: the engine's tasks are elsewhere
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("a fault in the built-in agent", exc_info=error)
