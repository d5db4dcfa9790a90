"""The course of a request, against a scripted server."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from chatforge_tui.config.card_hosts import Permission
from chatforge_tui.domain.events import (
    Accepted,
    Failed,
    Finished,
    Noticed,
    StillAlive,
    StreamEvent,
    TaskBound,
    TerminalEvent,
    TextBegun,
    TextDelta,
    WaitingForUser,
)
from chatforge_tui.domain.ids import ContextId, TaskId, new_request_id, new_session_id, new_turn_id
from chatforge_tui.domain.part import NoticeLevel
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.endpoints.a2a import task_looks
from chatforge_tui.endpoints.a2a.endpoint import A2aEndpoint, A2aSettings
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.errors import (
    ConfigError,
    EndpointError,
    HttpRejected,
    OtherHost,
    ProtocolMismatch,
    StreamLost,
    StreamStalled,
    Unauthorized,
)
from chatforge_tui.safety.secret import Secret
from tests.contracts.endpoint_run import Run, a_request, run, text_of
from tests.endpoints.a2a.replaying import an_artifact
from tests.servers.raw_server import RawServer, Request, Stall, Step, answer, raw_server, stream
from tests.streaming.values import after

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


@pytest.fixture
async def server():
    async with raw_server() as running:
        yield running


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


@pytest.fixture
async def serving(server):
    serving = Serving(server)
    serving.card(OLD_CARD)
    yield serving
    for endpoint in serving.made:
        await endpoint.aclose()


async def resumed(endpoint: A2aEndpoint) -> Run:
    found = Run([])
    try:
        async with aclosing(endpoint.resume(TaskRef(TaskId("t-1")))) as events:
            async for each in events:
                found.events.append(each)
    except EndpointError as error:
        found.error = error
    return found


async def test_the_old_place_of_the_card_is_tried_second(serving, server):
    serving.cards.clear()
    serving.card(OLD_CARD, "/.well-known/agent.json")
    server.plays = [whole()]
    found = await run(serving.connect())
    assert found.events[0] == Accepted("a2a 0.3", "old")
    assert server.requests[0].target == "/rpc"


async def test_the_card_is_fetched_once_for_all_turns(serving, server):
    endpoint = serving.connect()
    server.plays = [whole(), whole()]
    for _ in range(2):
        assert (await run(endpoint)).text == "fine"
    fetched = [each for connection in server.connections for each in connection.requests if each.method == "GET"]
    assert len(fetched) == 1


async def test_the_url_of_the_card_itself_may_be_configured(serving, server):
    serving.card(OLD_CARD, "/cards/mine.json")
    server.plays = [whole()]
    assert (await run(serving.connect("/cards/mine.json"))).text == "fine"


async def test_a_url_that_is_the_agents_own_finds_the_card_above_it(serving, server):
    server.plays = [whole()]
    assert (await run(serving.connect("/rpc"))).text == "fine"


async def test_the_card_of_another_agent_above_the_path_is_not_used(serving):
    found = await run(serving.connect("/agents/x"))
    assert isinstance(found.error, ProtocolMismatch)
    assert "no agent card at /agents/x/.well-known/agent-card.json" in str(found.error)


@pytest.mark.parametrize("page", [b"<html>log in</html>", b"{}", b"[]"])
async def test_a_server_without_a_card_is_said_to_be_no_agent(serving, server, page):
    serving.cards["/.well-known/agent-card.json"] = answer(page, content_type="text/html")
    found = await run(serving.connect())
    assert isinstance(found.error, ProtocolMismatch)
    assert "not an A2A agent" in str(found.error)
    assert "a2a_version" in found.error.hint
    assert server.requests == []


async def test_with_a_version_set_no_card_is_needed(serving, server):
    serving.cards.clear()
    server.plays = [whole()]
    found = await run(serving.connect("/rpc", version="0.3"))
    assert (found.text, server.requests[0].target) == ("fine", "/rpc")


@pytest.mark.parametrize(
    ("code", "kind"), [("401 Unauthorized", Unauthorized), ("503 Service Unavailable", HttpRejected)]
)
async def test_a_card_that_is_refused_is_an_error_of_the_tree(serving, code, kind):
    serving.cards["/.well-known/agent-card.json"] = answer(b"", code)
    found = await run(serving.connect())
    assert type(found.error) is kind
    assert found.error.retryable == (kind is HttpRejected)


async def test_a_card_that_names_another_server_is_refused_before_anything_is_sent(serving, server):
    serving.card({**OLD_CARD, "url": "http://192.0.2.1/"})
    found = await run(serving.connect())
    assert isinstance(found.error, ProtocolMismatch)
    assert "http://192.0.2.1:80" in str(found.error)
    assert "use_card_url" in found.error.hint
    assert server.requests == []


async def test_a_trusted_other_server_gets_the_credential_and_an_untrusted_one_gets_nothing(serving, server):
    async with raw_server() as other:
        other.plays = [whole("from the other")]
        serving.card({**OLD_CARD, "url": f"{other.url}/"})
        server.plays = [whole("from the configured")]
        assert (await run(serving.connect())).text == "from the configured"
        assert other.connections == []
        assert (await run(serving.connect(use_card_url=True))).text == "from the other"
        assert other.requests[0].headers["authorization"] == f"Bearer {SECRET}"


class Asked:
    """A user who has answered."""

    def __init__(self, permission):
        self.given, self.pairs = permission, []

    def permission(self, configured, named):
        self.pairs.append((configured, named))
        return self.given


@pytest.mark.parametrize("permission", [None, *Permission])
async def test_what_the_user_answered_decides_who_gets_prompt_and_credential(server, permission):
    """One server plays both, as the proxy that all requests go through; no request leaves it."""
    card = json.dumps({**OLD_CARD, "url": "http://192.0.2.1/rpc"}).encode()
    server.beside = lambda request: answer(card) if ".well-known" in request.target else None
    server.plays = [whole("from the other")]
    configured = "http://192.0.2.9"
    http = HttpSettings(
        origin=configured, headers={"Authorization": Secret(f"Bearer {SECRET}"), "X-Team": "pay"}, proxy=server.url
    )
    asked = Asked(permission)
    endpoint = A2aEndpoint(settings=A2aSettings(configured), channel=HttpChannel(http), asked=asked)
    found = await run(endpoint)
    await endpoint.aclose()
    assert asked.pairs == [("http://192.0.2.9:80", "http://192.0.2.1:80")]
    to_other = [request for request in server.requests if request.proxied_host.startswith("192.0.2.1")]
    if permission in (None, Permission.REFUSED):
        assert isinstance(found.error, OtherHost)
        assert "/trust" in found.error.hint
        assert to_other == []
    else:
        assert found.text == "from the other"
        sent = to_other[0].headers
        assert ("authorization" in sent, "x-team" in sent) == (permission is Permission.WITH_CREDENTIAL,) * 2


async def test_an_answer_that_is_changed_counts_from_the_next_prompt_on(server):
    card = json.dumps({**OLD_CARD, "url": "http://192.0.2.1/rpc"}).encode()
    server.beside = lambda request: answer(card) if ".well-known" in request.target else None
    server.plays = [whole("one"), whole("two")]
    http = HttpSettings(origin="http://192.0.2.9", headers={"X-Team": "pay"}, proxy=server.url)
    asked = Asked(Permission.WITH_CREDENTIAL)
    endpoint = A2aEndpoint(settings=A2aSettings("http://192.0.2.9"), channel=HttpChannel(http), asked=asked)
    assert (await run(endpoint)).text == "one"
    asked.given = Permission.WITHOUT_CREDENTIAL
    assert (await run(endpoint)).text == "two"
    asked.given = Permission.REFUSED
    assert isinstance((await run(endpoint)).error, OtherHost)
    await endpoint.aclose()
    sent = [request.headers for request in server.requests if request.proxied_host.startswith("192.0.2.1")]
    assert ["x-team" in headers for headers in sent] == [True, False]


async def test_a_configured_url_that_is_none_is_a_fault_of_the_configuration():
    endpoint = A2aEndpoint(settings=A2aSettings("agent"), channel=HttpChannel())
    assert isinstance((await run(endpoint)).error, ConfigError)


async def up_to_the_last_word(endpoint: A2aEndpoint) -> str:
    """Have a prompt answered as the engine does, which reads no further than the end of the turn."""
    events: list[StreamEvent] = []
    async with aclosing(endpoint.stream(a_request())) as told:
        async for each in told:
            events.append(each)
            if isinstance(each, TerminalEvent):
                break
    return text_of(events)


async def test_what_an_agent_understood_is_remembered_though_nobody_reads_beyond_its_last_word(serving, server):
    serving.card(NEW_CARD)
    server.plays = [refusal(-32601), whole("one"), whole("two")]
    endpoint = serving.connect()
    assert [await up_to_the_last_word(endpoint) for _ in range(2)] == ["one", "two"]
    assert [method(each) for each in server.requests] == ["SendStreamingMessage", "message/stream", "message/stream"]


@pytest.mark.parametrize("gone", ["404 Not Found", "405 Method Not Allowed", "410 Gone"])
async def test_an_agent_that_moved_between_two_turns_is_found_by_its_card_and_the_prompt_goes_there(
    serving, server, gone
):
    server.plays = [whole("one"), answer(b"nothing here", gone, "text/plain"), whole("two")]
    endpoint = serving.connect()
    assert await up_to_the_last_word(endpoint) == "one"
    serving.card({**OLD_CARD, "url": "/v2/rpc"})
    assert await up_to_the_last_word(endpoint) == "two"
    assert [each.target for each in server.requests] == ["/rpc", "/rpc", "/v2/rpc"]


async def test_an_agent_that_is_gone_though_its_card_says_otherwise_is_not_asked_again_and_looked_for_by_the_next_prompt(
    serving, server
):
    gone = answer(b"nothing here", "404 Not Found", "text/plain")
    server.plays = [whole("one"), gone, whole("three")]
    endpoint = serving.connect()
    await up_to_the_last_word(endpoint)
    assert isinstance((await run(endpoint)).error, HttpRejected)
    assert await up_to_the_last_word(endpoint) == "three"
    assert len(server.requests) == 3


async def test_an_agent_that_speaks_another_version_since_the_last_turn_is_understood(serving, server):
    server.plays = [whole("one"), refusal(-32601), whole("two")]
    endpoint = serving.connect()
    await up_to_the_last_word(endpoint)
    serving.card(NEW_CARD)
    assert await up_to_the_last_word(endpoint) == "two"
    assert [method(each) for each in server.requests] == ["message/stream", "message/stream", "SendStreamingMessage"]


@pytest.mark.parametrize("code", [-32601, -32009])
@pytest.mark.parametrize("as_stream", [True, False])
async def test_an_agent_that_does_not_understand_is_spoken_to_in_the_other_version_once_and_for_all(
    serving, server, code, as_stream
):
    serving.card(NEW_CARD)
    refused = stream(event(error={"code": code, "message": "no"})) if as_stream else refusal(code)
    server.plays = [refused, whole("one"), whole("two")]
    endpoint = serving.connect()
    request = a_request()
    first = await run(endpoint, request)
    assert (first.text, [type(each) for each in first.events].count(Accepted)) == ("one", 1)
    assert (await run(endpoint)).text == "two"
    assert [method(each) for each in server.requests] == ["SendStreamingMessage", "message/stream", "message/stream"]
    ids = {json.loads(each.body)["params"]["message"]["messageId"] for each in server.requests[:2]}
    assert ids == {request.turn_id}


async def test_an_agent_that_understands_nothing_fails_with_its_words_and_is_asked_anew_next_time(serving, server):
    server.plays = [refusal(-32601, "Method not found")] * 3
    endpoint = serving.connect()
    found = await run(endpoint)
    assert isinstance(found.events[-1], Failed)
    assert "Method not found" in found.events[-1].problem.message
    assert [method(each) for each in server.requests] == ["message/stream", "SendStreamingMessage", "message/send"]
    server.plays = [whole()]
    assert (await run(endpoint)).text == "fine"


async def test_an_agent_that_does_not_stream_after_all_is_asked_without(serving, server):
    serving.card(NEW_CARD)
    server.plays = [refusal(-32004, "Streaming is not supported"), reply({"task": task("completed", "whole")})]
    found = await run(serving.connect())
    assert found.text == "whole"
    assert [method(each) for each in server.requests] == ["SendStreamingMessage", "SendMessage"]


@pytest.mark.parametrize("card", [OLD_CARD, NEW_CARD, REST_CARD, {**REST_CARD, "capabilities": {"streaming": False}}])
@pytest.mark.parametrize(
    ("code", "is_retryable"),
    [
        ("429 Too Many Requests", True),
        ("503 Service Unavailable", True),
        ("500 Internal Server Error", False),
        ("502 Bad Gateway", False),
        ("504 Gateway Timeout", False),
    ],
)
async def test_a_failure_after_which_the_agent_may_have_acted_is_no_reason_to_send_again(
    serving, server, card, code, is_retryable
):
    serving.card(card)
    server.plays = [answer(b"the agent raised an exception", code, "text/plain")]
    found = await run(serving.connect())
    assert isinstance(found.error, HttpRejected)
    assert "raised an exception" in str(found.error)
    assert found.error.retryable == is_retryable
    assert ("only once" in found.error.hint) != is_retryable


async def test_an_error_once_the_answer_has_begun_is_no_reason_to_send_again(serving, server):
    server.plays = [stream(event(chunk("half")), event(error={"code": -32601, "message": "gone"}))]
    found = await run(serving.connect())
    assert found.text == "half"
    assert isinstance(found.events[-1], Failed)
    assert len(server.requests) == 1


@pytest.mark.parametrize("code", [-32600, -32602, -32603, -32001, -32005])
async def test_an_error_of_the_protocol_fails_the_turn_without_a_second_try(serving, server, code):
    server.plays = [refusal(code, f"because of {SECRET}"), whole()]
    found = await run(serving.connect())
    assert isinstance(found.events[-1], Failed)
    assert found.events[-1].problem.kind == "agent-error"
    assert "because of" in found.events[-1].problem.message
    assert len(server.requests) == 1


async def test_an_error_of_the_protocol_under_an_http_error_status_is_read(serving, server):
    body = json.dumps({"id": 1, "error": {"code": -32602, "message": "Bad parts"}}).encode()
    server.plays = [answer(body, "400 Bad Request")]
    found = await run(serving.connect())
    assert "Bad parts" in found.events[-1].problem.message


@pytest.fixture
def quick_polls(monkeypatch):
    monkeypatch.setattr(task_looks, "_POLL_S", (0.0,))


async def test_an_agent_that_does_not_stream_is_polled_until_its_task_is_over(serving, server, quick_polls):
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    server.plays = [
        reply(task("working")),
        reply(task("working", "half")),
        reply(task("working", "half")),
        reply(task("completed", "half", " and all")),
    ]
    found = await run(serving.connect())
    assert found.text == "half and all"
    assert found.events[-1] == Finished("completed")
    assert found.of(StillAlive)
    assert [method(each) for each in server.requests] == ["message/send", "tasks/get", "tasks/get", "tasks/get"]


async def test_a_task_that_goes_on_is_looked_at_as_often_as_at_first(serving, server, monkeypatch):
    monkeypatch.setattr(task_looks, "_POLL_S", (0.001, 0.002, 0.003))
    monkeypatch.setattr(task_looks, "_LOOKS_SHARE", 1e9)
    pauses, sleep = [], asyncio.sleep

    async def noted_sleep(delay):
        pauses.append(delay)
        await sleep(delay)

    monkeypatch.setattr(task_looks.asyncio, "sleep", noted_sleep)
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    idle = reply(task("working"))
    server.plays = [idle, idle, idle, idle, reply(task("working", "some")), reply(task("completed", "some"))]
    found = await run(serving.connect())
    assert found.text == "some"
    assert [pause for pause in pauses if pause] == [0.001, 0.001, 0.002, 0.003, 0.001]


async def test_a_look_that_takes_long_is_not_followed_by_the_next_at_once(serving, server, monkeypatch):
    monkeypatch.setattr(task_looks, "_POLL_S", (0.0,))
    pauses, sleep = [], asyncio.sleep
    monkeypatch.setattr(task_looks.asyncio, "sleep", lambda delay: sleep(pauses.append(delay) or 0))
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    server.plays = [reply(task("working")), reply(task("working")), reply(task("completed", "all"))]
    await run(serving.connect())
    assert pauses[-1] > 0


async def test_a_task_that_never_changes_is_stalled(serving, server, monkeypatch):
    monkeypatch.setattr(task_looks, "_POLL_S", (0.01,))
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    server.plays = [reply(task("working"))] * 40
    found = await run(serving.connect(http=HttpSettings(progress_s=0.1)))
    assert isinstance(found.error, StreamStalled)


async def test_a_task_that_is_forgotten_while_it_is_polled_is_lost(serving, server, quick_polls):
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    server.plays = [reply(task("working")), refusal(-32001)]
    found = await run(serving.connect())
    assert isinstance(found.error, StreamLost)


async def test_a_stream_request_answered_with_a_whole_result_is_an_answer(serving, server):
    server.plays = [reply({"kind": "message", "role": "agent", "parts": [{"kind": "text", "text": "At once."}]})]
    found = await run(serving.connect())
    assert (found.text, type(found.events[-1])) == ("At once.", Finished)


async def test_http_json_is_spoken_where_nothing_else_is_offered(serving, server):
    serving.card(REST_CARD)
    update = {"taskId": "t-1", "contextId": "c-1", "artifact": {"artifactId": "a", "parts": [{"text": "rest"}]}}
    end = {"taskId": "t-1", "contextId": "c-1", "status": {"state": "TASK_STATE_COMPLETED"}}
    bare = [
        b"data: " + json.dumps(each).encode() + b"\n\n" for each in ({"artifactUpdate": update}, {"statusUpdate": end})
    ]
    server.plays = [stream(*bare)]
    found = await run(serving.connect())
    assert found.text == "rest"
    assert (server.requests[0].target, server.requests[0].headers["a2a-version"]) == ("/rest/message:stream", "1.0")


async def test_an_http_json_error_is_the_agents_own(serving, server):
    serving.card(REST_CARD)
    error = {
        "code": 400,
        "status": "INVALID_ARGUMENT",
        "message": "No parts",
        "details": [{"reason": "INVALID_PARAMS"}],
    }
    server.plays = [answer(json.dumps({"error": error}).encode(), "400 Bad Request")]
    found = await run(serving.connect())
    assert "No parts" in found.events[-1].problem.message


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<html>Sign in</html>", "text/html"), (b'{"a":1}\n{"a":2}\n', "application/x-ndjson"), (b"", "")],
)
async def test_what_is_no_event_stream_is_said_to_be_none(serving, server, body, content_type):
    server.plays = [answer(body, content_type=content_type)]
    found = await run(serving.connect())
    assert isinstance(found.error, ProtocolMismatch)
    assert "not with an A2A event stream" in str(found.error)
    assert not found.error.retryable


async def test_three_unreadable_events_are_skipped_and_the_fourth_is_too_many(serving, server):
    bad = b"data: {nonsense\n\n"
    server.plays = [stream(bad, event(chunk("a")), bad, bad, event(status("completed")))]
    found = await run(serving.connect())
    assert (found.text, type(found.events[-1])) == ("a", Finished)
    warned = [each for each in found.of(Noticed) if each.level is NoticeLevel.WARNING]
    assert len(warned) == 3
    server.plays = [stream(event(chunk("a")), bad, bad, bad, bad, event(status("completed")))]
    found = await run(serving.connect())
    assert found.text == "a"
    assert isinstance(found.error, ProtocolMismatch)


async def test_events_of_other_requests_and_tasks_are_not_mixed_in(serving, server):
    server.plays = [
        stream(
            event(chunk("ours ")),
            event(chunk("foreign id "), call_id=99),
            event(chunk("foreign task ", task_id="t-2")),
            event({**chunk("foreign context "), "contextId": "c-2"}),
            event(chunk("again")),
            event(status("completed")),
        )
    ]
    assert (await run(serving.connect())).text == "ours again"


async def test_a_stream_of_nothing_but_another_requests_events_is_refused(serving, server):
    server.plays = [stream(*[event(chunk("x"), call_id="other")] * 4)]
    found = await run(serving.connect())
    assert found.text == ""
    assert isinstance(found.error, ProtocolMismatch)


async def test_the_socket_is_closed_when_the_server_goes_on_after_the_end(serving, server):
    server.plays = [[*stream(event(chunk("x")), event(status("completed")), last=False), Stall()]]
    found = await run(serving.connect())
    assert isinstance(found.events[-1], Finished)
    await server.until_closed(seconds=1)


async def test_context_and_task_go_back_to_the_agent(serving, server):
    request = PromptRequest(
        new_session_id(),
        new_turn_id(),
        new_request_id(),
        Prompt("typed", {"repo": "a", "count": 2.0}),
        ContextId("c-1"),
        TaskId("t-1"),
    )
    server.plays = [whole()]
    await run(serving.connect(), request)
    message = json.loads(server.requests[0].body)["params"]["message"]
    assert (message["contextId"], message["taskId"], message["messageId"]) == ("c-1", "t-1", request.turn_id)
    assert message["parts"] == [
        {"kind": "text", "text": "repo: a\ncount: 2"},
        {"kind": "data", "data": {"repo": "a", "count": 2.0}},
    ]


async def test_an_answered_question_does_not_repeat_what_was_told_before_it(serving, server):
    endpoint = serving.connect()
    server.plays = [stream(event(chunk("First. ")), event(status("input-required")))]
    first = await run(endpoint)
    assert isinstance(first.events[-1], WaitingForUser)
    server.plays = [stream(event(task("working", "First. ")), event(chunk("Second.")), event(status("completed")))]
    request = PromptRequest(
        new_session_id(), new_turn_id(), new_request_id(), Prompt("go on"), ContextId("c-1"), TaskId("t-1")
    )
    assert (await run(endpoint, request)).text == "Second."


async def test_an_error_to_an_answer_says_that_the_question_may_be_gone(serving, server):
    server.plays = [refusal(-32004, "Task t-1 is in terminal state")]
    request = PromptRequest(new_session_id(), new_turn_id(), new_request_id(), Prompt("x"), None, TaskId("t-1"))
    found = await run(serving.connect(), request)
    assert "new prompt" in found.events[-1].problem.hint


async def test_a_cancel_goes_on_a_connection_of_its_own_beside_the_stream(serving, server):
    endpoint = serving.connect()
    server.plays = [[*stream(event(task("working")), last=False), Stall()]]
    events = endpoint.stream(a_request())
    async with aclosing(events):
        async for each in events:
            if isinstance(each, TaskBound):
                break
        server.plays = [reply(task("canceled"))]
        await endpoint.cancel_task(TaskRef(TaskId("t-1")))
        assert method(server.requests[-1]) == "tasks/cancel"
        assert json.loads(server.requests[-1].body)["params"] == {"id": "t-1"}
        await server.until(lambda: server.open_connections == 1)
    await server.until_closed(seconds=1)


@pytest.mark.parametrize("code", [-32001, -32002])
async def test_cancelling_what_is_over_is_no_error(serving, server, code):
    server.plays = [refusal(code)]
    await serving.connect().cancel_task(TaskRef(TaskId("t-1")))


async def test_a_cancel_that_is_refused_or_not_answered_is_told(serving, server):
    server.plays = [refusal(-32603, "cannot stop")]
    with pytest.raises(ProtocolMismatch, match="cannot stop"):
        await serving.connect().cancel_task(TaskRef(TaskId("t-1")))
    server.plays = [[Stall()]]
    with pytest.raises(StreamStalled):
        await serving.connect(cancel_s=0.2).cancel_task(TaskRef(TaskId("t-1")))
    await server.until_closed(seconds=1)


async def test_version_1_reads_on_from_the_snapshot(serving, server):
    serving.card(NEW_CARD)
    server.plays = [
        stream(event({"task": task("working", "one ", "two ")}), event(chunk("three")), event(status("completed")))
    ]
    found = await resumed(serving.connect())
    assert text_of(found.events) == "one two three"
    assert method(server.requests[0]) == "SubscribeToTask"


async def test_version_1_asks_for_a_task_that_is_over_by_now(serving, server):
    serving.card(NEW_CARD)
    server.plays = [refusal(-32004), reply(task("completed", "all of it"))]
    found = await resumed(serving.connect())
    assert (text_of(found.events), found.events[-1]) == ("all of it", Finished("completed"))


async def test_version_03_is_looked_at_until_the_task_is_over(serving, server, quick_polls):
    server.plays = [
        reply(task("working", "one ")),
        reply(task("working", "one ", "two ")),
        reply(task("completed", "one ", "two ", "three ")),
    ]
    found = await resumed(serving.connect())
    assert text_of(found.events) == "one two three "
    assert found.events[-1] == Finished("completed")
    assert {method(each) for each in server.requests} == {"tasks/get"}


@pytest.mark.parametrize("card", [OLD_CARD, NEW_CARD])
async def test_a_task_that_the_agent_forgot_is_lost(serving, server, card):
    serving.card(card)
    server.plays = [refusal(-32001)]
    found = await resumed(serving.connect())
    assert isinstance(found.error, StreamLost)
    assert "no longer knows" in str(found.error)


async def test_a_cancelled_request_during_discovery_leaves_nothing_open(serving, server):
    serving.cards["/.well-known/agent-card.json"] = [Stall()]
    running = asyncio.create_task(run(serving.connect()))  # noqa: TID251 - the part of the worker
    await server.until(lambda: bool(serving.card_requests))
    running.cancel()
    await server.until_closed(seconds=1)
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_first_chunk_that_the_snapshot_has_is_not_told_twice_though_the_snapshot_has_two_artifacts(
    serving, server
):
    serving.card(NEW_CARD)

    def parts(*texts: str) -> list[dict[str, object]]:
        return [{"text": text} for text in texts]

    def artifact(name: str, *texts: str) -> dict[str, object]:
        return {"artifactId": name, "name": name, "parts": parts(*texts)}

    def snapshot(state: str, *more: str) -> dict[str, object]:
        artifacts = [artifact("a", "Intro."), artifact("b", "One ", *more)]
        return {"id": "t-1", "contextId": "c-1", "status": {"state": state}, "artifacts": artifacts}

    def appended(text: str) -> dict[str, object]:
        return {"artifactUpdate": {"taskId": "t-1", "artifact": artifact("b", text), "append": True}}

    end = {"statusUpdate": {"taskId": "t-1", "status": {"state": "TASK_STATE_COMPLETED"}}}
    working, now = snapshot("TASK_STATE_WORKING"), snapshot("TASK_STATE_WORKING", "two")
    server.plays = [
        stream(event({"task": working}), event(appended("One ")), event(appended("two")), event(end)),
        reply(working),
        reply(now),
        reply(now),
    ]
    found = await resumed(serving.connect())
    told = [each for each in found.events if isinstance(each, TextBegun | TextDelta)]
    assert told == [TextDelta("Intro."), TextBegun(), TextDelta("One "), TextDelta("two")]
    assert after(*found.events[:-1]).readable_answer == "Intro.\n\nOne two"
