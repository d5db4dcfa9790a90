"""Which agent is spoken to: its card, the servers that it names, and what the user says about those."""

import asyncio
import json

import pytest

from chatforge_tui.config.card_hosts import Permission
from chatforge_tui.domain.events import Accepted
from chatforge_tui.endpoints.a2a.endpoint import A2aEndpoint, A2aSettings
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.errors import ConfigError, HttpRejected, OtherHost, ProtocolMismatch, Unauthorized
from chatforge_tui.safety.secret import Secret
from tests.contracts.endpoint_run import run
from tests.endpoints.a2a.scripted_agent import OLD_CARD, SECRET, whole
from tests.servers.raw_server import Stall, answer, raw_server


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


async def test_a_cancelled_request_during_discovery_leaves_nothing_open(serving, server):
    serving.cards["/.well-known/agent-card.json"] = [Stall()]
    running = asyncio.create_task(run(serving.connect()))  # noqa: TID251 - the part of the worker
    await server.until(lambda: bool(serving.card_requests))
    running.cancel()
    await server.until_closed(seconds=1)
    with pytest.raises(asyncio.CancelledError):
        await running
