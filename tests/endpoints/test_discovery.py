"""What is offered without being configured: real sockets on loopback, and the environment."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.endpoints.discovery import PORTS, Offer, discover, offers_of_environment

Answers = dict[str, tuple[int, bytes]]


@asynccontextmanager
async def serving(answers: Answers, seen: list[bytes] | None = None) -> AsyncIterator[int]:
    """Serve fixed answers by path on a loopback port; anything else is 404."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(head)
        status, body = answers.get(head.split()[1].decode(), (404, b"{}"))
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body)
        writer.close()

    async with listening(serve) as port:
        yield port


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def models(*ids: str, owner: str = "") -> tuple[int, bytes]:
    return 200, json.dumps({"object": "list", "data": [{"id": id_, "owned_by": owner} for id_ in ids]}).encode()


async def found_on(port: int, usual: str = "llama.cpp", **environ: str) -> list[Offer]:
    return await discover(environ, timeout_s=2, ports={usual: port}, agent_port=free_port())


@pytest.mark.parametrize(
    ("owner", "label"),
    [
        ("llamacpp", "llama.cpp"),
        ("vllm", "vLLM"),
        ("organization_owner", "LM Studio"),
        ("library", "Ollama"),
        ("somebody", "OpenAI-compatible server"),
    ],
)
async def test_a_model_server_is_offered_under_what_it_is_not_under_its_port(owner: str, label: str) -> None:
    async with serving({"/v1/models": models("qwen3", owner=owner)}) as port:
        (offer,) = await found_on(port, "vLLM")

    assert offer.label == label
    assert offer.ref == EndpointRef(f"http://127.0.0.1:{port}/v1", protocol="openai-chat", model="qwen3")
    assert "qwen3" in offer.detail


async def test_an_ollama_without_models_is_known_by_its_version() -> None:
    answers = {"/v1/models": models(), "/api/version": (200, b'{"version":"0.9.1"}')}
    async with serving(answers) as port:
        (offer,) = await found_on(port, "Ollama")

    assert offer.label == "Ollama"
    assert offer.ref.model == ""
    assert "no model yet" in offer.detail


async def test_several_models_are_counted_and_the_first_is_taken() -> None:
    async with serving({"/v1/models": models("a", "b", "c")}) as port:
        (offer,) = await found_on(port)

    assert offer.ref.model == "a"
    assert "3 models, first a" in offer.detail


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>login</html>"),
        (200, b""),
        (200, b"[]"),
        (200, b'{"data": 5}'),
        (200, b'{"data": [{"name": "no id"}]}'),
        (200, b'{"object": "error", "data": []}'),
        (200, b"[" * 100_000),
        (200, b" " * 2_000_000),
        (401, b'{"object":"list","data":[]}'),
        (404, b'{"object":"list","data":[]}'),
        (302, b""),
        (500, b"boom"),
    ],
)
async def test_what_is_no_list_of_models_is_not_offered(answer: tuple[int, bytes]) -> None:
    async with serving({"/v1/models": answer, "/api/version": (200, b'{"version":"1"}')}) as port:
        assert await found_on(port, "Ollama") == []


async def test_an_agent_is_offered_under_the_name_on_its_card() -> None:
    card = json.dumps({"name": "Weather", "url": "http://127.0.0.1/", "version": "1"}).encode()
    async with serving({"/.well-known/agent-card.json": (200, card)}) as port:
        (offer,) = await discover({}, timeout_s=2, ports={}, agent_port=port)

    assert offer.ref == EndpointRef(f"http://127.0.0.1:{port}", protocol="a2a")
    assert offer.label == "Weather"


@pytest.mark.parametrize("body", [b"{}", b'{"name":"x"}', b'{"name":5,"url":"x"}', b"[]", b"nothing"])
async def test_what_is_no_card_is_not_offered(body: bytes) -> None:
    async with serving({"/.well-known/agent-card.json": (200, body)}) as port:
        assert await discover({}, timeout_s=2, ports={}, agent_port=port) == []


async def test_ports_on_which_nothing_listens_offer_nothing() -> None:
    assert await discover({}, ports={name: free_port() for name in PORTS}, agent_port=free_port()) == []


@pytest.mark.timeout(10)
async def test_ports_that_never_answer_cost_one_time_limit_not_many() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(mute) as port:
        clock = asyncio.get_running_loop().time
        began = clock()
        assert await discover({}, timeout_s=0.2, ports=dict.fromkeys(PORTS, port), agent_port=port) == []

    assert clock() - began < 2, "five ports one after the other would need longer than this on a slow machine too"


async def test_no_credential_of_the_environment_goes_to_a_port_that_is_only_asked() -> None:
    seen: list[bytes] = []
    secrets = {"OPENAI_API_KEY": "sk-very-secret", "A2A_TOKEN": "a2a-very-secret", "A2A_HOST": "agents.example"}
    async with serving({"/v1/models": models("m")}, seen) as port:
        await discover(secrets, timeout_s=2, ports={"vLLM": port}, agent_port=port)

    assert seen
    assert not any(b"very-secret" in head or b"authorization" in head.lower() for head in seen)


async def test_a_proxy_of_the_environment_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving({}) as proxy, serving({"/v1/models": models("m")}) as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        assert len(await found_on(port)) == 1


async def test_what_the_environment_names_is_not_contacted() -> None:
    seen: list[bytes] = []
    async with serving({}, seen) as port:
        environ = {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "A2A_HOST": "127.0.0.1", "A2A_PORT": str(port)}
        offers = await discover(environ, ports={}, agent_port=free_port())

    assert len(offers) == 2
    assert seen == []


async def test_a_server_that_the_environment_names_too_is_offered_once_with_its_credential() -> None:
    async with serving({"/v1/models": models("m")}) as port:
        offers = await found_on(port, OPENAI_BASE_URL=f"http://localhost:{port}/v1/", OPENAI_API_KEY="x")

    assert [offer.ref.token_env for offer in offers] == ["OPENAI_API_KEY"]


@pytest.mark.parametrize(
    ("environ", "ref"),
    [
        ({"A2A_HOST": "agents.example"}, EndpointRef("http://agents.example:8000", "a2a")),
        ({"A2A_PORT": "9000"}, EndpointRef("http://localhost:9000", "a2a")),
        (
            {"A2A_HOST": "h", "A2A_PORT": "443", "A2A_TLS": "true", "A2A_TOKEN": "t"},
            EndpointRef("https://h:443", "a2a", token_env="A2A_TOKEN"),
        ),
        ({"A2A_HOST": "::1", "A2A_PORT": "1"}, EndpointRef("http://[::1]:1", "a2a")),
        ({"A2A_HOST": "https://h.example/agent"}, EndpointRef("https://h.example/agent", "a2a")),
        (
            {"OPENAI_API_KEY": "k"},
            EndpointRef("https://api.openai.com/v1", "openai-chat", token_env="OPENAI_API_KEY"),
        ),
        ({"OPENAI_BASE_URL": "http://h/v1/"}, EndpointRef("http://h/v1", "openai-chat")),
        (
            {"OPENAI_BASE_URL": "http://h/v1", "OPENAI_MODEL": "m"},
            EndpointRef("http://h/v1", "openai-chat", model="m"),
        ),
    ],
)
def test_the_environment_names_an_endpoint(environ: dict[str, str], ref: EndpointRef) -> None:
    (offer,) = offers_of_environment(environ)

    assert offer.ref == ref
    for name in environ:
        assert name in offer.detail


def test_a_credential_is_never_part_of_an_offer() -> None:
    offers = offers_of_environment({"OPENAI_API_KEY": "sk-very-secret", "A2A_HOST": "h", "A2A_TOKEN": "very-secret"})

    assert len(offers) == 2
    assert "very-secret" not in repr(offers)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"A2A_TOKEN": "t"},
        {"A2A_HOST": " ", "OPENAI_BASE_URL": "", "OPENAI_API_KEY": ""},
        {"A2A_HOST": "h", "A2A_PORT": "x"},
        {"A2A_HOST": "h", "A2A_PORT": "0"},
        {"A2A_HOST": "h", "A2A_PORT": "99999"},
        {"A2A_HOST": "user:pass@h"},
        {"A2A_HOST": "ftp://h"},
        {"OPENAI_BASE_URL": "file:///etc/passwd"},
        {"OPENAI_BASE_URL": "https://user:pass@h/v1"},
        {"OPENAI_BASE_URL": "not a url"},
        {"OPENAI_BASE_URL": "http://[::1"},
    ],
)
def test_what_the_environment_does_not_name_or_misnames_is_not_offered(environ: dict[str, str]) -> None:
    assert offers_of_environment(environ) == []
