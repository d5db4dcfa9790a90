"""What answers at the built-in agent's address: who may ask, and which route a path leads to.

Owns the connections and the tasks of the server's loop; `server` owns the loop itself.
"""

import asyncio
import secrets

from chatforge_tui.guide.a2a_card import agent_card
from chatforge_tui.guide.a2a_routes import A2aRoutes
from chatforge_tui.guide.a2a_store import TaskStore
from chatforge_tui.guide.agent import GuideAgent
from chatforge_tui.guide.http_connection import HttpConnection, Spawn
from chatforge_tui.guide.http_limits import ConnectionLimits
from chatforge_tui.guide.http_messages import Answer, HttpRequest, error_response, json_response
from chatforge_tui.guide.openai_routes import OpenAiRoutes
from chatforge_tui.safety.secret import Secret

HOST = "127.0.0.1"

_CARD_PATHS = frozenset({"/.well-known/agent-card.json", "/.well-known/agent.json"})
_LAST_ROUNDS = 5
"""Rounds of the loop in which a connection that was accepted last is made and closed again."""


class Site:
    """What answers at the address: who may ask, and which route a path leads to."""

    base_url = ""
    """Known once the socket listens."""

    def __init__(self, agent: GuideAgent, token: Secret, spawn: Spawn, limits: ConnectionLimits) -> None:
        """Answer nothing yet.

        Args:
            agent: who answers.
            token: what a client must show.
            spawn: starts what outlives the call that started it.
            limits: what clients may do.
        """
        self._agent = agent
        self._spawn = spawn
        self._token = f"Bearer {token.reveal()}".encode()
        self._limits = limits
        self._is_closing = False
        self._connections: set[HttpConnection] = set()
        a2a = A2aRoutes(agent, spawn, TaskStore(limits.max_tasks))
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
        if self._is_closing or len(self._connections) >= self._limits.max_connections:
            return False
        self._connections.add(connection)
        return True

    def leave(self, connection: HttpConnection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    async def close(self) -> None:
        """End every connection, also one that the loop is just making."""
        self._is_closing = True
        for _ in range(_LAST_ROUNDS):
            for connection in tuple(self._connections):
                connection.close()
            await asyncio.sleep(0)

    async def _route(self, request: HttpRequest) -> Answer:
        """Answer a request, or say why not."""
        # a page in a browser that had its own name resolve to loopback would still send that name
        if request.headers.get("host", "") not in (self.base_url[7:], self.base_url[7:].replace(HOST, "localhost")):
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
