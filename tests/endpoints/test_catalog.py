import json
import sys

import pytest

from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.events import Finished
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.endpoints.openai_chat.endpoint import OpenAiChatEndpoint
from chatforge_tui.errors import ConfigError, Unauthorized, Unreachable
from tests.contracts.endpoint_run import a_request, run
from tests.endpoints.openai_chat.server import DONE, delta
from tests.servers.raw_server import answer, raw_server, stream

ANSWER = stream(delta(content="hello"), DONE)
CARD = {
    "name": "agent",
    "url": "http://x",
    "skills": [],
    "capabilities": {"streaming": True},
    "protocolVersion": "0.3.0",
}


@pytest.fixture
async def server():
    async with raw_server() as running:
        yield running


def catalog(environ=None, extra=None, **endpoints):
    return EndpointCatalog(Settings(endpoints=endpoints), extra, environ=environ or {})


def local(url, **settings):
    return EndpointSettings(**{"protocol": "openai-chat", "url": url, "model": "m", **settings})


async def ask(endpoint):
    try:
        return await run(endpoint, a_request())
    finally:
        await endpoint.aclose()


async def test_a_configured_endpoint_answers_with_its_own_model_and_credential(server):
    server.plays = [ANSWER]
    made = catalog(
        {"KEY": "s3cr3t-key"}, e=local(f"{server.url}/v1", token_env="KEY", system="be brief", temperature=0.5)
    )
    assert (await ask(made.connect(EndpointRef("e")))).text == "hello"
    (request,) = server.requests
    body = json.loads(request.body)
    assert (body["model"], body["temperature"], body["messages"][0]["content"]) == ("m", 0.5, "be brief")
    assert request.headers["authorization"] == "Bearer s3cr3t-key"


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"token_header": "X-API-Key"}, "x-api-key", "s3cr3t-key"),
        ({"headers": {"X-Team": "a"}}, "x-team", "a"),
    ],
)
async def test_headers_go_along_as_configured(server, settings, header, value):
    server.plays = [ANSWER]
    made = catalog({"KEY": "s3cr3t-key"}, e=local(f"{server.url}/v1", token_env="KEY", **settings))
    await ask(made.connect(EndpointRef("e")))
    assert server.requests[0].headers[header] == value
    assert ("authorization" in server.requests[0].headers) == ("token_header" not in settings)


async def test_azure_gets_its_key_in_its_own_header(server):
    server.plays = [ANSWER]
    url = f"{server.url}/openai/deployments/gpt?api-version=2024-10-21"
    await ask(catalog({"KEY": "s3cr3t-key"}, e=local(url, token_env="KEY")).connect(EndpointRef("e")))
    (request,) = server.requests
    assert request.target == "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    assert request.headers["api-key"] == "s3cr3t-key"
    assert "authorization" not in request.headers


async def test_what_a_session_chose_wins_over_the_configuration(server):
    server.plays = [ANSWER]
    made = catalog({"A": "key-of-a", "B": "key-of-b"}, e=local(f"{server.url}/v1", token_env="A"))
    await ask(made.connect(EndpointRef("e", model="other", token_env="B")))
    assert json.loads(server.requests[0].body)["model"] == "other"
    assert server.requests[0].headers["authorization"] == "Bearer key-of-b"


async def test_a_credential_from_a_command_is_fetched_at_the_first_request(server):
    server.plays = [ANSWER]
    command = (sys.executable, "-c", "print('s3cr3t-key')")
    await ask(catalog(e=local(f"{server.url}/v1", token_command=command)).connect(EndpointRef("e")))
    assert server.requests[0].headers["authorization"] == "Bearer s3cr3t-key"


async def test_a_command_that_fails_is_said_when_it_is_needed(server):
    made = catalog(e=local(f"{server.url}/v1", token_command=(sys.executable, "-c", "raise SystemExit(3)")))
    found = await ask(made.connect(EndpointRef("e")))
    assert isinstance(found.error, ConfigError)
    assert "exit code 3" in str(found.error)
    assert server.connections == []


def test_a_missing_variable_is_said_before_anything_is_sent():
    with pytest.raises(ConfigError, match="KEY is not set"):
        catalog(e=local("http://127.0.0.1:1/v1", token_env="KEY")).connect(EndpointRef("e"))
    with pytest.raises(ConfigError, match="KEY is not set"):
        catalog().connect(EndpointRef("http://127.0.0.1:1", token_env="KEY"))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        catalog(one=local("http://h/v1"), two=local("http://h/v1")).connect(EndpointRef("three"))
    assert "'three'" in str(caught.value)
    assert "one, two" in caught.value.hint


@pytest.mark.parametrize("protocol", ["openai-responses", "anthropic", "ag-ui", "gopher"])
def test_a_protocol_that_is_not_spoken_is_said(protocol):
    with pytest.raises(ConfigError, match=protocol):
        catalog().connect(EndpointRef("http://127.0.0.1:1", protocol))


@pytest.mark.parametrize("url", ["ftp://h", "http://", "http://me:s3cr3t-word@h/v1", "http://h/v1?api_key=s3cr3t-word"])
def test_a_url_that_cannot_be_meant_is_refused_without_its_credential(url):
    with pytest.raises(ConfigError) as caught:
        catalog().connect(EndpointRef(url, "openai-chat"))
    assert "s3cr3t" not in str(caught.value) + caught.value.hint


def test_names_are_the_configured_ones_and_the_programs_own():
    assert catalog(extra={"built-in": local("http://h")}, e=local("http://h")).names() == ("e", "built-in")


async def test_an_endpoint_of_the_program_answers_like_a_configured_one(server):
    server.plays = [ANSWER]
    own = local(f"{server.url}/v1", headers={"Authorization": "Bearer of-this-run"}, proxy="direct")
    assert (await ask(catalog(extra={"built-in": own}).connect(EndpointRef("built-in")))).text == "hello"
    assert server.requests[0].headers["authorization"] == "Bearer of-this-run"


def test_connecting_by_name_needs_no_network_and_knows_the_protocol():
    made = catalog(e=local("http://127.0.0.1:1/v1"), a=EndpointSettings(protocol="a2a", url="http://127.0.0.1:1"))
    assert isinstance(made.connect(EndpointRef("e")), OpenAiChatEndpoint)
    assert made.connect(EndpointRef("e")).needs_history
    assert not made.connect(EndpointRef("a")).needs_history
    assert isinstance(made.connect(EndpointRef("http://127.0.0.1:1/v1", "openai-chat")), OpenAiChatEndpoint)


async def test_two_sessions_never_share_a_connection(server):
    server.plays = [ANSWER, ANSWER]
    made = catalog(e=local(f"{server.url}/v1"))
    one, two = made.connect(EndpointRef("e")), made.connect(EndpointRef("e"))
    await run(one)
    await run(two)
    assert len(server.connections) == 2
    await one.aclose()
    await two.aclose()


# A URL without a protocol


def like_openai(request):
    if request.target == "/v1/models":
        return answer(b'{"object":"list","data":[{"id":"tiny"}]}')
    return answer(b"not here", "404 Not Found", "text/plain") if request.method == "GET" else None


async def test_a_url_alone_is_asked_what_it_speaks_once(server):
    server.beside = like_openai
    server.plays = [ANSWER, ANSWER]
    made = catalog()
    for _ in range(2):
        found = await ask(made.connect(EndpointRef(server.url)))
        assert (found.text, type(found.events[-1])) == ("hello", Finished)
    asked = [request.target for connection in server.connections for request in connection.requests]
    assert asked.count("/.well-known/agent-card.json") == 1
    assert json.loads(server.requests[0].body)["model"] == "tiny"


async def test_a_url_with_an_agent_card_is_an_a2a_agent(server):
    asked = []

    def like_a2a(request):
        asked.append((request.method, request.target))
        return answer(json.dumps(CARD).encode()) if request.method == "GET" else answer(b"{}", "500 X")

    server.beside = like_a2a
    await ask(catalog().connect(EndpointRef(server.url)))
    assert ("GET", "/.well-known/agent-card.json") in asked
    assert any(method == "POST" for method, _ in asked)
    assert not any(target.endswith("chat/completions") for _, target in asked)


async def test_a_url_that_is_neither_is_said_with_what_to_do(server):
    server.beside = lambda _: answer(b"<html>hello</html>", content_type="text/html")
    found = await ask(catalog().connect(EndpointRef(server.url)))
    assert isinstance(found.error, ConfigError)
    assert f"127.0.0.1:{server.port}" in str(found.error)
    assert "--protocol" in found.error.hint


async def test_a_url_that_wants_a_credential_first_says_so(server):
    server.beside = lambda _: answer(b"", "401 Unauthorized")
    found = await ask(catalog().connect(EndpointRef(server.url)))
    assert isinstance(found.error, Unauthorized)
    assert "--token-env" in found.error.hint


async def test_a_url_where_nothing_answers_is_unreachable_and_may_be_tried_again(server):
    await server.stop()
    endpoint = catalog().connect(EndpointRef(server.url))
    found = await run(endpoint)
    assert isinstance(found.error, Unreachable)
    await server.start()
    server.beside = like_openai
    server.plays = [ANSWER]
    assert (await ask(endpoint)).text == "hello"


REFUSED = answer(b'{"error":{"message":"token expired"}}', status="401 Unauthorized", content_type="application/json")


def _credentials(server):
    return [request.headers["authorization"] for request in server.requests]


async def test_a_credential_that_was_renewed_meanwhile_is_fetched_when_the_old_one_is_refused(server, tmp_path):
    server.plays = [ANSWER, REFUSED, ANSWER]
    token = tmp_path / "token"
    token.write_text("first-key")
    endpoint = catalog(e=local(f"{server.url}/v1", token_file=str(token))).connect(EndpointRef("e"))
    await run(endpoint, a_request())
    token.write_text("second-key")
    assert (await ask(endpoint)).text == "hello"
    assert _credentials(server) == ["Bearer first-key", "Bearer first-key", "Bearer second-key"]


async def test_a_credential_that_was_never_accepted_is_not_sent_again_unasked_and_the_next_try_fetches_it(
    server, tmp_path
):
    server.plays = [REFUSED, ANSWER]
    token = tmp_path / "token"
    token.write_text("wrong-key")
    endpoint = catalog(e=local(f"{server.url}/v1", token_file=str(token))).connect(EndpointRef("e"))
    assert isinstance((await run(endpoint, a_request())).error, Unauthorized)
    token.write_text("right-key")
    assert (await ask(endpoint)).text == "hello"
    assert _credentials(server) == ["Bearer wrong-key", "Bearer right-key"]


async def test_a_renewed_credential_that_is_refused_as_well_is_the_end_of_it(server, tmp_path):
    server.plays = [ANSWER, REFUSED, REFUSED]
    token = tmp_path / "token"
    token.write_text("first-key")
    endpoint = catalog(e=local(f"{server.url}/v1", token_file=str(token))).connect(EndpointRef("e"))
    await run(endpoint, a_request())
    assert isinstance((await ask(endpoint)).error, Unauthorized)
    assert len(server.requests) == 3
