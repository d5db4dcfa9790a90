"""A scripted A2A agent: cards, what it says on the wire, and endpoints that talk to it."""

import json
from collections.abc import Sequence
from contextlib import aclosing

from chatforge_tui.domain.ids import TaskId
from chatforge_tui.domain.request import TaskRef
from chatforge_tui.endpoints.a2a.endpoint import A2aEndpoint, A2aSettings
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.errors import EndpointError
from chatforge_tui.safety.secret import Secret
from tests.contracts.endpoint_run import Run
from tests.endpoints.a2a.replaying import an_artifact
from tests.servers.raw_server import RawServer, Request, Step, answer, stream

OLD_CARD = {"name": "old", "url": "/rpc", "protocolVersion": "0.3.0", "capabilities": {}, "skills": []}
NEW_CARD = {
    "name": "new",
    "supportedInterfaces": [{"url": "/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}],
    "capabilities": {"streaming": True},
    "skills": [],
}
REST_CARD = {
    **NEW_CARD,
    "supportedInterfaces": [{"url": "/rest", "protocolBinding": "HTTP+JSON", "protocolVersion": "1.0"}],
}
SECRET = "tr0ub4dor"


def event(result: object = None, *, error: object = None, call_id: object = 1) -> bytes:
    reply = {"result": result} if error is None else {"error": error}
    return b"data: " + json.dumps({"jsonrpc": "2.0", "id": call_id, **reply}).encode() + b"\r\n\r\n"


def chunk(text: str, task_id: str = "t-1", **more: object) -> dict[str, object]:
    artifact = an_artifact("a", text)
    return {
        "kind": "artifact-update",
        "taskId": task_id,
        "contextId": "c-1",
        "artifact": artifact,
        "append": True,
        **more,
    }


def status(state: str, *, final: bool = True) -> dict[str, object]:
    return {"kind": "status-update", "taskId": "t-1", "contextId": "c-1", "status": {"state": state}, "final": final}


def task(state: str, *texts: str) -> dict[str, object]:
    artifacts = [an_artifact("a", *texts)] if texts else []
    return {"kind": "task", "id": "t-1", "contextId": "c-1", "status": {"state": state}, "artifacts": artifacts}


def reply(result: object) -> list[Step]:
    return answer(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())


def refusal(code: int, message: str = "no") -> list[Step]:
    return answer(json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message}}).encode())


def whole(text: str = "fine") -> list[Step]:
    return stream(event(chunk(text)), event(status("completed")))


def method(request: Request) -> str:
    return json.loads(request.body)["method"]


class Serving:
    """Serves a card beside the plays, and makes endpoints."""

    def __init__(self, server: RawServer) -> None:
        self.server = server
        self.cards: dict[str, Sequence[Step]] = {}
        self.card_requests: list[Request] = []
        server.beside = self._beside
        self.made: list[A2aEndpoint] = []

    def card(self, card: object, path: str = "/.well-known/agent-card.json") -> None:
        self.cards[path] = answer(json.dumps(card).encode())

    def connect(self, path: str = "", *, http: HttpSettings | None = None, **settings) -> A2aEndpoint:
        url = self.server.url + path
        http = http or HttpSettings(origin=url, headers={"Authorization": Secret(f"Bearer {SECRET}")})
        endpoint = A2aEndpoint(settings=A2aSettings(url, **settings), channel=HttpChannel(http))
        self.made.append(endpoint)
        return endpoint

    def _beside(self, request: Request) -> Sequence[Step] | None:
        if "/.well-known/" not in request.target and not request.target.endswith(".json"):
            return None
        self.card_requests.append(request)
        return self.cards.get(request.target.partition("?")[0], answer(b"nothing here", "404 Not Found", "text/plain"))


async def resumed(endpoint: A2aEndpoint) -> Run:
    found = Run([])
    try:
        async with aclosing(endpoint.resume(TaskRef(TaskId("t-1")))) as events:
            async for each in events:
                found.events.append(each)
    except EndpointError as error:
        found.error = error
    return found
