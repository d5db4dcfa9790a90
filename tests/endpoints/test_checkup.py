"""The examination of one endpoint, against servers with TLS, proxies and all that can be wrong with them."""

import json

import pytest

from chatforge_tui.config.card_hosts import CardHosts, Permission
from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.finding import Verdict
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.endpoints.checkup import Checkup, CheckupOptions
from chatforge_tui.safety.redact import redact
from tests.endpoints.test_http_tls import AUTHORITY, OWN, server_context
from tests.servers.raw_server import RawServer, answer, chunked, sse_head
from tests.servers.tunnel_proxy import tunnel_proxy

MODELS = answer(b'{"object": "list", "data": [{"id": "small"}, {"id": "large"}]}')
PASSWORD = "proxy-canary-5510"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def start():
    started = []

    async def make(context=None, plays=()):
        server = RawServer()
        await server.start(ssl=context)
        server.plays = list(plays) or [MODELS] * 4
        started.append(server)
        return server

    yield make
    for server in started:
        await server.stop()


async def look(url, *, asks=False, protocol="openai-chat", environ=None, **settings):
    """Return the findings by subject."""
    endpoint = EndpointSettings(protocol=protocol, url=url, **settings)
    catalog = EndpointCatalog(Settings(endpoints={"e": endpoint}), environ=environ or {})
    section = await Checkup(catalog, "e", environ or {}, CheckupOptions(asks=asks)).examine()
    assert section.title == "e"
    return {finding.subject: finding for finding in section.findings}


def https(server):
    return f"https://127.0.0.1:{server.port}/v1"


async def test_a_sound_endpoint_tells_each_step_and_its_time(start):
    server = await start(server_context())
    found = await look(https(server), ca_file=AUTHORITY, model="large", token_env="T", environ={"T": "token-canary-1"})
    assert {each.verdict for each in found.values()} <= {Verdict.GOOD, Verdict.NOTE}
    assert found["credential"].text == "Found: env T."
    assert found["connection"].facts["connect_ms"] >= 0
    assert found["TLS"].facts["tls"].startswith("TLSv1.")
    assert found["TLS"].facts["days_left"] > 0
    assert found["models"].facts["models"] == 2
    assert "name" not in found


@pytest.mark.parametrize(
    ("certificate", "ca_file", "said", "remedy"),
    [
        ("loopback", "", "authority that is not known here", "endpoints.e.ca_file"),
        ("elsewhere", AUTHORITY, "is for another host name", "endpoints.e.url"),
        ("expired", AUTHORITY, "has expired", "renew"),
    ],
)
async def test_why_tls_is_not_trusted_is_said_plainly_and_nothing_follows(start, certificate, ca_file, said, remedy):
    server = await start(server_context(certificate))
    found = await look(https(server), ca_file=ca_file, token_env="T", environ={"T": "token-canary-1"})
    wrong = found["connection"]
    assert (wrong.verdict, list(found)[-1]) == (Verdict.WRONG, "connection")
    assert said in wrong.text
    assert remedy in wrong.remedy
    assert server.requests == []


async def test_without_verification_it_works_and_is_warned_of(start):
    server = await start(server_context("expired"))
    found = await look(https(server), verify=False)
    assert found["trust"].verdict is Verdict.WARNING
    assert found["TLS"].facts["checked"] is False
    assert found["models"].verdict is Verdict.GOOD


async def test_a_client_certificate_that_is_wanted_is_named_and_then_shown(start):
    server = await start(server_context(wants_client=True))
    missing = list((await look(https(server), ca_file=AUTHORITY)).values())[-1]
    assert missing.verdict is Verdict.WRONG
    found = await look(https(server), ca_file=AUTHORITY, client_cert=OWN)
    assert found["models"].verdict is Verdict.GOOD


@pytest.mark.parametrize("by_environment", [True, False])
async def test_a_proxy_with_a_password_is_gone_through_and_its_password_never_told(start, monkeypatch, by_environment):
    server = await start(server_context())
    async with tunnel_proxy() as proxy:
        proxy.password = f"me:{PASSWORD}"
        url = f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}"
        if by_environment:
            monkeypatch.setenv("HTTPS_PROXY", url)
        found = await look(https(server), ca_file=AUTHORITY, **({} if by_environment else {"proxy": url}))
        assert found["models"].verdict is Verdict.GOOD
        assert found["proxy"].facts == {"proxy": f"127.0.0.1:{proxy.port}", "authenticates": True}
        assert found["connection"].facts["tunnel_ms"] >= 0
        assert len(proxy.asked) == 2
        assert PASSWORD not in str(found)
        assert redact(f"x {PASSWORD} y") == "x *** y"


async def test_a_proxy_that_wants_a_password_or_is_not_there_is_named(start):
    server = await start(server_context())
    async with tunnel_proxy() as proxy:
        proxy.password = "me:secret-of-the-proxy"
        found = await look(https(server), proxy=f"http://127.0.0.1:{proxy.port}")
        assert "wants a user name and password" in found["connection"].text
        assert "endpoints.e.proxy" in found["connection"].remedy
        port = proxy.port
    found = await look(https(server), proxy=f"http://127.0.0.1:{port}")
    assert f"The proxy 127.0.0.1:{port} refused the connection." == found["connection"].text


@pytest.mark.parametrize(
    ("settings", "environ", "subject", "said"),
    [
        ({"url": "http://no-such-host.invalid/v1"}, {}, "name", "No host named no-such-host.invalid"),
        ({"url": "http://127.0.0.1:9/v1"}, {}, "connection", "refused the connection"),
        ({"url": "http://127.0.0.1:9/v1", "token_env": "T"}, {}, "credential", "T is not set"),
        ({"url": "http://127.0.0.1:9/v1", "protocol": "anthropic"}, {}, "settings", "cannot be spoken yet"),
    ],
)
async def test_the_first_step_that_fails_is_the_last(settings, environ, subject, said):
    found = await look(**settings, environ=environ)
    assert list(found)[-1] == subject
    assert found[subject].verdict is Verdict.WRONG
    assert said in found[subject].text
    assert found[subject].remedy


async def test_a_refused_credential_is_said_without_it_whatever_the_server_echoes(start):
    body = json.dumps({"error": {"message": "no such key token-canary-1"}}).encode()
    server = await start(plays=[answer(body, "401 Unauthorized")])
    found = await look(server.url + "/v1", token_env="T", environ={"T": "token-canary-1"})
    assert found["models"].facts["kind"] == "unauthorized"
    assert "token-canary-1" not in str(found["models"])


async def test_the_card_of_another_server_is_wrong_until_the_user_has_agreed(start, tmp_path):
    card = {"name": "old", "url": "http://192.0.2.1/rpc", "protocolVersion": "0.3.0", "capabilities": {}, "skills": []}
    server = await start(plays=[answer(json.dumps(card).encode())] * 2)
    endpoint = EndpointSettings(protocol="a2a", url="http://192.0.2.9", proxy=server.url)
    hosts = CardHosts(tmp_path)
    catalog = EndpointCatalog(Settings(endpoints={"e": endpoint}), environ={}, card_hosts=hosts)
    refused = (await Checkup(catalog, "e", {}, CheckupOptions()).examine()).findings[-1]
    assert (refused.subject, refused.facts["kind"]) == ("agent card", "other-host")
    hosts.answer(hosts.question("e"), Permission.WITHOUT_CREDENTIAL)
    findings = (await Checkup(catalog, "e", {}, CheckupOptions()).examine()).findings
    met = next(each for each in findings if each.subject == "agent card")
    assert met.facts["answers_at"] == "http://192.0.2.1:80"
    assert {request.proxied_host.partition(":")[0] for request in server.requests} == {"192.0.2.9"}


async def test_a_credential_that_may_ask_is_left_alone_also_with_ask_and_its_lack_is_no_fault(start, tmp_path):
    ran = tmp_path / "ran"
    server = await start(plays=[MODELS, answer(b"{}", "401 Unauthorized")])
    endpoint = EndpointSettings(protocol="openai-chat", url=server.url + "/v1", token_command=("touch", str(ran)))
    catalog = EndpointCatalog(Settings(endpoints={"e": endpoint}), environ={})
    options = CheckupOptions(asks=True, may_prompt=False)
    first, second = [(await Checkup(catalog, "e", {}, options).examine()).findings[-1] for _ in range(2)]
    assert (first.subject, first.verdict) == ("answer", Verdict.NOTE)
    assert (second.subject, second.verdict) == ("models", Verdict.NOTE)
    assert not ran.exists()


async def test_a_model_that_is_not_there_is_told_with_one_that_is(start):
    found = await look((await start()).url + "/v1", model="huge")
    assert found["models"].verdict is Verdict.WARNING
    assert "small" in found["models"].remedy


async def test_the_first_token_is_asked_for_on_request_only(start):
    event = b'data: {"choices": [{"delta": {"content": "ready"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    server = await start(plays=[MODELS, [sse_head(), chunked(event)]])
    found = await look(server.url + "/v1", model="large", asks=True)
    assert 0 < found["answer"].facts["first_token_ms"] <= found["answer"].facts["answer_ms"]
    assert found["answer"].text.endswith(": ready")
    server = await start()
    await look(server.url + "/v1", model="large")
    assert [request.method for request in server.requests] == ["GET"]
