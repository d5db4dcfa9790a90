"""A card's other host name, by where it leads: a public agent's card leads nobody into their own network.

Names and connections are made up here: nothing leaves this process but to the server on loopback that stands for the
public addresses.
"""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from chatforge_tui.config.card_hosts import Permission
from chatforge_tui.domain.request import TaskRef
from chatforge_tui.endpoints.a2a.endpoint import A2aEndpoint, A2aSettings
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.errors import OtherHost, ProtocolMismatch
from tests.contracts.endpoint_run import Run, run
from tests.endpoints.a2a.scripted_agent import OLD_CARD, chunk, event, status
from tests.servers.raw_server import RawServer, answer, raw_server, stream

CONFIGURED, NAMED = "agent.example.com", "other.example.com"
PUBLIC, PUBLIC_TOO = "93.184.216.34", "93.184.216.99"


class Network:
    """Made-up names and addresses."""

    def __init__(self, server: RawServer, names: dict[str, list[list[str]]]) -> None:
        self.names = names
        """Host -> what is answered to each question in turn; the last answer stays."""
        self.reached: list[str] = []
        """Addresses that were connected to."""
        self.server = server

    def getaddrinfo(self, host: str, port: int | None, **_: object) -> list[tuple[object, ...]]:
        answers = self.names.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connect(self, host: str) -> None:
        """Note where a connection goes; every address stands for the one server."""
        self.reached.append(host)


@contextmanager
def faked(monkeypatch: pytest.MonkeyPatch, server: RawServer, names: dict[str, list[list[str]]]) -> Iterator[Network]:
    """Replace look-ups and connections of this process."""
    network, connect = Network(server, names), asyncio.BaseEventLoop.create_connection

    async def create_connection(self, factory, host, port, **rest):
        del port, rest
        network.connect(host)
        return await connect(self, factory, "127.0.0.1", server.port)

    with monkeypatch.context() as patch:
        patch.setattr(asyncio.BaseEventLoop, "create_connection", create_connection)
        patch.setattr(socket, "getaddrinfo", network.getaddrinfo)
        yield network


class Asked:
    """A user who agrees to everything."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def permission(self, configured: str, named: str) -> Permission:
        self.pairs.append((configured, named))
        return Permission.WITH_CREDENTIAL


@pytest.fixture
async def server():
    async with raw_server() as running:
        card = json.dumps({**OLD_CARD, "url": f"http://{NAMED}/rpc"}).encode()
        running.beside = lambda request: answer(card) if request.method == "GET" else None
        running.plays = [stream(event(chunk("fine")), event(status("completed")))]
        yield running


def endpoint(*, asked: Asked | None = None, use_card_url: bool = False) -> A2aEndpoint:
    url = f"http://{CONFIGURED}"
    settings = A2aSettings(url, use_card_url=use_card_url)
    return A2aEndpoint(settings=settings, channel=HttpChannel(HttpSettings(origin=url)), asked=asked)


async def asked_once(agent: A2aEndpoint) -> Run:
    """Have one prompt answered."""
    try:
        return await run(agent)
    finally:
        await agent.aclose()


INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.1",
    "172.16.0.9",
    "169.254.169.254",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "fe80::1",
]


@pytest.mark.parametrize("address", [*INSIDE, "::ffff:10.0.0.1", "64:ff9b::a00:1", "0.0.0.0", "224.0.0.1"])
@pytest.mark.parametrize("trusts", [True, False])
async def test_a_name_that_leads_inside_is_refused_with_its_address_and_nobody_is_asked(
    server, monkeypatch, address, trusts
):
    asked = Asked()
    with faked(monkeypatch, server, {CONFIGURED: [[PUBLIC]], NAMED: [[PUBLIC_TOO, address]]}) as network:
        found = await asked_once(endpoint(asked=asked, use_card_url=trusts))
    assert isinstance(found.error, ProtocolMismatch)
    assert not isinstance(found.error, OtherHost)
    assert f"http://{NAMED}:80, which leads to {address}, an address inside your own network" in str(found.error)
    assert network.reached == [PUBLIC], "the card was fetched, nothing else"
    assert asked.pairs == []
    assert server.requests == []


@pytest.mark.parametrize("trusts", [True, False])
async def test_a_name_that_changes_its_mind_after_it_was_judged_is_not_connected_to(server, monkeypatch, trusts):
    names = {CONFIGURED: [[PUBLIC]], NAMED: [[PUBLIC_TOO], ["169.254.169.254"]]}
    with faked(monkeypatch, server, names) as network:
        found = await asked_once(endpoint(asked=Asked(), use_card_url=trusts))
    assert isinstance(found.error, ProtocolMismatch)
    assert f"{NAMED} leads to 169.254.169.254, an address inside your own network" in str(found.error)
    assert network.reached == [PUBLIC]
    assert server.requests == []


@pytest.mark.parametrize("named", ["bücher.example.com", "other。example.com", "BÜCHER.example.com."])
async def test_a_name_in_other_letters_is_judged_when_it_is_connected_to_as_well(server, monkeypatch, named):
    card = json.dumps({**OLD_CARD, "url": f"http://{named}/rpc"}).encode()
    server.beside = lambda request: answer(card) if request.method == "GET" else None
    plain = httpx.URL(f"http://{named}").raw_host.decode()
    names = {CONFIGURED: [[PUBLIC]], named.lower(): [[PUBLIC_TOO]], plain: [["10.0.0.1"]]}
    with faked(monkeypatch, server, names) as network:
        found = await asked_once(endpoint(asked=Asked(), use_card_url=True))
    assert isinstance(found.error, ProtocolMismatch)
    assert network.reached == [PUBLIC]
    assert server.requests == []


async def test_what_is_connected_to_is_the_address_that_was_judged(server, monkeypatch):
    names = {CONFIGURED: [[PUBLIC]], NAMED: [[PUBLIC_TOO], [PUBLIC_TOO], ["127.0.0.1"]]}
    with faked(monkeypatch, server, names) as network:
        found = await asked_once(endpoint(asked=Asked()))
    assert (found.text, found.error) == ("fine", None)
    assert network.reached == [PUBLIC, PUBLIC_TOO]


async def test_later_requests_are_judged_as_well(server, monkeypatch):
    names = {CONFIGURED: [[PUBLIC]], NAMED: [[PUBLIC_TOO], [PUBLIC_TOO], ["10.0.0.1"]]}
    agent = endpoint(asked=Asked())
    with faked(monkeypatch, server, names) as network:
        assert (await run(agent)).text == "fine"
        agent._agent_channel._wire.abort()  # the next request needs another connection
        with pytest.raises(ProtocolMismatch, match=r"leads to 10\.0\.0\.1"):
            await agent.cancel_task(TaskRef("t-1"))
        await agent.aclose()
    assert network.reached == [PUBLIC, PUBLIC_TOO]


async def test_an_agent_inside_a_network_may_name_its_neighbour(server, monkeypatch):
    with faked(monkeypatch, server, {CONFIGURED: [["10.0.0.5"]], NAMED: [["10.0.0.6"]]}) as network:
        found = await asked_once(endpoint(asked=Asked()))
    assert (found.text, found.error) == ("fine", None)
    assert network.reached == ["10.0.0.5", "10.0.0.6"]


async def test_the_user_is_asked_about_a_public_name_as_before(server, monkeypatch):
    with faked(monkeypatch, server, {CONFIGURED: [[PUBLIC]], NAMED: [[PUBLIC_TOO]]}) as network:
        found = await asked_once(endpoint())
    assert isinstance(found.error, OtherHost)
    assert network.reached == [PUBLIC]
