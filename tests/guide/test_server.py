"""The server against raw sockets: who may ask, what is too much, who goes away, and many at once."""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress

import httpx
import pytest

from chatforge_tui.guide.a2a_store import TaskStore
from chatforge_tui.guide.a2a_task import GuideTask, TaskState
from chatforge_tui.guide.agent import GuideAgent
from chatforge_tui.guide.http_limits import ConnectionLimits
from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.server import GuideAddress, GuideServer
from tests.guide.material import REFERENCE, A2aClient, final_text, prompt, states


def port_of(address: GuideAddress) -> int:
    return int(address.url.rsplit(":", 1)[1])


def connect(address: GuideAddress) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(address)), timeout=10)


def request(address: GuideAddress, body: bytes, **headers: str) -> bytes:
    """Return the bytes of a request for the A2A route."""
    fields = {
        "Host": f"127.0.0.1:{port_of(address)}",
        "Authorization": f"Bearer {address.token.reveal()}",
        "Content-Type": "application/json",
        "A2A-Version": "1.0",
        "Content-Length": str(len(body)),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body


def rpc(method: str, params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def read_all(sock: socket.socket) -> bytes:
    """Read until the server closes."""
    received = b""
    while piece := sock.recv(65536):
        received += piece
    return received


def read_until(sock: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        piece = sock.recv(65536)
        assert piece, received[-500:]
        received += piece
    return received


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass within 10 s"
        time.sleep(0.002)


def guide_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "chatforge-guide"]


def test_the_server_listens_on_loopback_only_under_a_token_of_its_own() -> None:
    with GuideServer(REFERENCE) as one, GuideServer(REFERENCE) as two:
        assert one.url.startswith("http://127.0.0.1:")
        assert one.url != two.url
        assert one.token != two.token
        assert len(one.token.reveal()) >= 40
        assert one.token.reveal() not in repr(one)


def test_stopping_closes_the_socket_and_ends_the_thread() -> None:
    server = GuideServer(REFERENCE)
    address = server.start()
    with connect(address) as held:
        server.stop()
        server.stop()

        assert guide_threads() == []
        with suppress(ConnectionResetError):
            assert held.recv(1) == b""
    with pytest.raises(OSError, match=r"refused|reset"):
        connect(address)


def test_stopping_ends_streams_in_the_middle() -> None:
    server = GuideServer(REFERENCE)
    address = server.start()
    with A2aClient(address) as client:
        events = client.events("SendStreamingMessage", prompt("stall"))
        next(events)

        began = time.monotonic()
        server.stop()

        assert time.monotonic() - began < 1.5
        with pytest.raises(httpx.TransportError):
            list(events)
    assert guide_threads() == []


def test_a_server_can_be_started_again() -> None:
    server = GuideServer(REFERENCE, pace=Pace(waits=False))
    for _ in range(2):
        with server as address, A2aClient(address) as client:
            assert final_text(client.say("echo again")) == "again"


def test_a_form_that_was_asked_before_the_program_ended_can_be_answered_in_the_next_run() -> None:
    server = GuideServer(REFERENCE, pace=Pace(waits=False))
    with server as address, A2aClient(address) as client:
        asked = client.say("ask me something")[0]["task"]
        over = client.say("echo x")[0]["task"]

    answer = "name: Ada\npart: exit codes\nentries: 1"
    with server as address, A2aClient(address) as client:
        answered = client.say(answer, taskId=asked["id"], contextId=asked["contextId"])
        assert client.code("GetTask", {"id": over["id"]}) == -32001
        assert client.code("SendMessage", prompt(answer, taskId=asked["id"])) == -32004, "it is answered now"

    assert "for Ada" in final_text(answered)
    assert answered[-1]["statusUpdate"]["contextId"] == asked["contextId"]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic eDp5", "Bearer \xe9"])
@pytest.mark.parametrize("path", ["/", "/v1/chat/completions", "/v1/models", "/nothing"])
def test_without_the_token_nothing_is_said(quick: GuideAddress, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = httpx.post(f"{quick.url}{path}", headers=headers, content=b"{}")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert quick.token.reveal() not in answer.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_for_the_host_is_refused_for_it_may_be_a_browser_led_astray(client: A2aClient, host: str) -> None:
    answer = client.http.get("/.well-known/agent-card.json", headers={"Host": host})

    assert answer.status_code == 421


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 405), ("POST", "/v1/models", 405), ("GET", "/nothing", 404), ("GET", "/../etc/passwd", 404)],
)
def test_what_is_not_there_is_said_so(client: A2aClient, method: str, path: str, status: int) -> None:
    answer = client.http.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_a_head_request_gets_no_body(client: A2aClient) -> None:
    answer = client.http.head("/.well-known/agent-card.json")

    assert answer.status_code == 200
    assert answer.content == b""
    assert client.http.get("/v1/models").status_code == 200, "the connection goes on"


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_gets_a_400_and_the_door(
    quick: GuideAddress, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(quick) as sock:
        sock.sendall(raw)
        answer = read_all(sock)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Traceback" not in answer
    assert not caplog.records


def test_a_head_that_never_ends_is_refused(quick: GuideAddress) -> None:
    with connect(quick) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
        assert read_all(sock).startswith(b"HTTP/1.1 431 ")


def test_a_body_that_is_too_long_is_refused_and_the_refusal_arrives() -> None:
    limits = ConnectionLimits(max_body=1_000_000)
    with GuideServer(REFERENCE, limits=limits) as address, connect(address) as sock:
        sock.sendall(request(address, b"x" * 1_500_000))
        assert read_all(sock).startswith(b"HTTP/1.1 413 ")


def test_a_request_that_takes_too_long_is_given_up() -> None:
    limits = ConnectionLimits(request_s=0.05)
    with GuideServer(REFERENCE, limits=limits) as address, connect(address) as sock:
        with suppress(OSError):
            while True:  # a head that grows byte by byte, for ever
                sock.sendall(b"x")
        with suppress(ConnectionResetError):
            assert read_all(sock) == b""


def test_a_connection_serves_one_request_after_the_other(quick: GuideAddress) -> None:
    body = rpc("GetTask", {"id": "nope"})
    with connect(quick) as sock:
        sock.sendall(request(quick, body) * 3)
        received = b""
        while received.count(b"Task not found") < 3:
            received += sock.recv(65536)

    assert received.count(b"HTTP/1.1 200 ") == 3


def test_a_request_in_single_bytes_is_a_request(quick: GuideAddress) -> None:
    with connect(quick) as sock:
        for byte in request(quick, rpc("GetTask", {"id": "nope"})):
            sock.sendall(bytes([byte]))
        assert b"Task not found" in read_until(sock, b"}}")


def test_one_client_too_many_is_turned_away() -> None:
    server = GuideServer(REFERENCE, limits=ConnectionLimits(max_connections=2))
    with server as address, connect(address), connect(address), connect(address) as third:
        assert third.recv(1) == b""


def test_a_place_is_free_again_when_a_client_goes() -> None:
    with GuideServer(REFERENCE, limits=ConnectionLimits(max_connections=1)) as address:
        for _ in range(5):
            with A2aClient(address) as client:
                wait_for(lambda client=client: _answers(client))


def _answers(client: A2aClient) -> bool:
    try:
        return client.http.get("/v1/models").status_code == 200
    except httpx.TransportError:
        return False


def test_keepalives_come_while_nothing_else_does() -> None:
    limits = ConnectionLimits(ping_s=0.02)
    with GuideServer(REFERENCE, pace=Pace(words_per_second=5000), limits=limits) as address, connect(address) as sock:
        sock.sendall(request(address, rpc("SendStreamingMessage", prompt("stall"))))
        received = read_until(sock, b": keepalive")
        received += read_until(sock, b": keepalive")

    assert b"HTTP/1.1 200 " in received
    assert b"text/event-stream" in received
    assert b"X-Accel-Buffering: no" in received


def test_a_silent_stall_sends_not_even_keepalives() -> None:
    limits = ConnectionLimits(ping_s=0.01)
    with GuideServer(REFERENCE, pace=Pace(words_per_second=5000), limits=limits) as address, connect(address) as sock:
        sock.sendall(request(address, rpc("SendStreamingMessage", prompt("stall silently"))))
        read_until(sock, b'you."')
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            read_until(sock, b": keepalive")


def test_a_reader_that_stops_reading_is_cut_off_and_its_task_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "chatforge.guide")
    limits = ConnectionLimits(slow_s=0.02, max_body=2**24)
    word = "x" * 2**23  # more than the system's buffers hold
    body = rpc("SendStreamingMessage", prompt(f"echo {word}", contextId="slow"))
    server = GuideServer(REFERENCE, pace=Pace(waits=False), limits=limits)
    with server as address, A2aClient(address) as other, connect(address) as sock:
        sock.sendall(request(address, body))

        wait_for(lambda: "connection given up" in caplog.text)

        wait_for(lambda: "COMPLETED" in str(other.result("ListTasks", {"contextId": "slow"})))
        with suppress(ConnectionResetError):
            assert b"COMPLETED" not in read_all(sock)


@pytest.mark.timeout(60)
async def test_a_hundred_streams_at_once_each_get_their_own_words() -> None:
    async def stream(http: httpx.AsyncClient, number: int) -> str:
        body = {"jsonrpc": "2.0", "id": number, "method": "SendStreamingMessage"}
        body |= {"params": prompt(f"echo {number}: " + " ".join(f"w{number}.{n}" for n in range(30)))}
        results = [result async for result in _results(http, body)]
        assert states(results)[-1] == "completed"
        return final_text(results)

    with GuideServer(REFERENCE, pace=Pace(words_per_second=60)) as address:
        headers = {"Authorization": f"Bearer {address.token.reveal()}", "A2A-Version": "1.0"}
        limits = httpx.Limits(max_connections=120)
        async with httpx.AsyncClient(
            base_url=address.url, headers=headers, limits=limits, timeout=50, verify=False
        ) as http:
            texts = await asyncio.gather(*(stream(http, number) for number in range(100)))

    for number, text in enumerate(texts):
        assert text == f"{number}: " + " ".join(f"w{number}.{n}" for n in range(30))


async def _results(http: httpx.AsyncClient, body: dict[str, object]) -> AsyncIterator[dict[str, object]]:
    async with http.stream("POST", "/", json=body) as answer, aclosing(answer.aiter_lines()) as lines:
        async for line in lines:
            if line.startswith("data: "):
                data = json.loads(line[6:])
                assert data["id"] == body["id"]
                yield data["result"]


def test_a_fault_of_the_agent_fails_its_task_is_logged_and_stops_nothing_else(
    quick: GuideAddress, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with A2aClient(quick) as client:
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR, "chatforge.guide"):
            patch.setattr(GuideAgent, "_scene", broken)
            events = client.say("anything")

        assert states(events)[-1] == "failed"
        assert "fault" in json.dumps(events[-1])
        assert "ZeroDivisionError" in caplog.text
        assert final_text(client.say("echo well")) == "well"


def test_a_fault_of_a_route_is_a_500_without_a_traceback(
    quick: GuideAddress, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with A2aClient(quick) as client, caplog.at_level(logging.ERROR, "chatforge.guide"):
        monkeypatch.setattr(GuideAgent, "answer", broken)
        answer = client.http.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "x"}]})

    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_the_store_forgets_what_rests_first_and_what_works_never() -> None:
    store = TaskStore(limit=2)
    working, done, fresh = GuideTask("a", "1"), GuideTask("b", "2"), GuideTask("c", "3")
    done.enter(TaskState.COMPLETED)

    assert store.add(working)
    assert store.add(done)
    assert store.add(fresh)
    assert store.find(done.task_id) is None
    assert store.find(working.task_id) is working
    assert not store.add(GuideTask("d", "4"))


def test_a_task_that_is_over_changes_no_more() -> None:
    task = GuideTask("a", "1")
    task.enter(TaskState.WORKING)
    task.cancel()
    task.enter(TaskState.COMPLETED)

    assert task.status.state is TaskState.CANCELED
    assert task.broadcast.is_over


def test_more_tasks_than_can_be_kept_are_refused_with_a_code() -> None:
    server = GuideServer(REFERENCE, pace=Pace(words_per_second=5000), limits=ConnectionLimits(max_tasks=1))
    with server as address, A2aClient(address) as client, A2aClient(address) as other:
        events = client.events("SendStreamingMessage", prompt("stall"))
        task_id = next(events)["task"]["id"]

        assert other.code("SendMessage", prompt("echo x")) == -32603
        other.call("CancelTask", {"id": task_id})
        assert other.result("SendMessage", prompt("echo x"))
