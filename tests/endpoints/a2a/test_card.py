"""Where a card is looked for, and where a request goes because of what it says."""

import json

import pytest

from chatforge_tui.endpoints.a2a.card import (
    Interface,
    choose,
    lookup_host,
    other_origin,
    place,
    read_card,
    read_url,
    takes,
)
from chatforge_tui.errors import ConfigError, ProtocolMismatch

WELL_KNOWN = "/.well-known/agent-card.json"
OLDER = "/.well-known/agent.json"


@pytest.mark.parametrize(
    ("url", "base", "places"),
    [
        ("https://h", "https://h", [WELL_KNOWN, OLDER]),
        ("https://h/", "https://h", [WELL_KNOWN, OLDER]),
        ("https://h:8443/a/b/", "https://h:8443/a/b", ["/a/b" + WELL_KNOWN, "/a/b" + OLDER, WELL_KNOWN, OLDER]),
        ("https://h/a/.well-known/agent.json", "https://h/a", ["/a/.well-known/agent.json"]),
        ("https://h/cards/mine.json?v=2", "https://h/cards", ["/cards/mine.json?v=2"]),
    ],
)
def test_a_configured_url_may_be_a_base_a_path_or_the_card_itself(url, base, places):
    configured = read_url(url)
    assert configured.base == base
    origin = base.split("/")[2]
    assert [place.url for place in configured.places] == [f"https://{origin}{path}" for path in places]


def test_what_is_no_url_is_a_fault_of_the_configuration():
    for url in ("", "agent.example", "ftp://h/", "http://", "http://h:99999/"):
        with pytest.raises(ConfigError):
            read_url(url)


def card_of(**members: object) -> bytes:
    return json.dumps({"name": "n", "capabilities": {}, "skills": [], **members}).encode()


def interface(url: str, transport: str = "JSONRPC", version: str = "1.0", **more: str) -> dict[str, str]:
    return {"url": url, "protocolBinding": transport, "protocolVersion": version, **more}


@pytest.mark.parametrize(
    ("members", "version", "expected"),
    [
        ({"supportedInterfaces": [interface("r", "HTTP+JSON"), interface("j")]}, "auto", ("j", "JSONRPC", True)),
        ({"supportedInterfaces": [interface("o", version="0.3"), interface("n")]}, "auto", ("n", "JSONRPC", True)),
        ({"supportedInterfaces": [interface("o", version="0.3"), interface("n")]}, "0.3", ("o", "JSONRPC", False)),
        ({"supportedInterfaces": [interface("r", "HTTP+JSON")]}, "auto", ("r", "HTTP+JSON", True)),
        ({"supportedInterfaces": [interface("g", "GRPC")]}, "auto", None),
        ({"url": "r", "preferredTransport": "HTTP+JSON"}, "auto", ("r", "HTTP+JSON", False)),
        (
            {
                "url": "r",
                "preferredTransport": "HTTP+JSON",
                "additionalInterfaces": [{"url": "j", "transport": "JSONRPC"}],
            },
            "auto",
            ("j", "JSONRPC", False),
        ),
        ({"supportedInterfaces": [interface("n")]}, "0.3", ("n", "JSONRPC", False)),
        ({"url": "o"}, "auto", ("o", "JSONRPC", False)),
        ({"url": "o", "protocolVersion": "0.2.5"}, "auto", ("o", "JSONRPC", False)),
        ({"url": "o", "protocolVersion": "1.0.0"}, "auto", ("o", "JSONRPC", True)),
        ({"url": "o", "protocolVersion": "0.3.0"}, "1.0", ("o", "JSONRPC", True)),
        (
            {"url": "g", "preferredTransport": "GRPC", "additionalInterfaces": [{"url": "j", "transport": "JSONRPC"}]},
            "auto",
            ("j", "JSONRPC", False),
        ),
        ({"url": "g", "preferredTransport": "GRPC"}, "auto", None),
    ],
)
def test_the_interface_is_json_rpc_of_the_newest_version_unless_told_otherwise(members, version, expected):
    card = read_card(card_of(**members))
    assert card is not None
    chosen = choose(card, version)
    assert (chosen and (chosen.url, chosen.transport, chosen.is_v1)) == expected


def test_a_tenant_is_kept():
    card = read_card(card_of(supportedInterfaces=[interface("u", tenant="acme")]))
    assert card is not None
    assert choose(card, "auto") == Interface("u", "JSONRPC", "1.0", "acme")


def test_only_a_card_that_denies_streaming_does_not_stream():
    for capabilities, streams in (({}, True), ({"streaming": True}, True), ({"streaming": False}, False), (None, True)):
        card = read_card(card_of(url="u", capabilities=capabilities))
        assert card is not None
        assert card.streams is streams


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"error":"x"}', b'"card"', b"{" * 90_000])
def test_what_is_no_card_is_none(body):
    assert read_card(body) is None


@pytest.mark.parametrize("members", [{"supportedInterfaces": "x"}, {"url": 7}, {"supportedInterfaces": [None, 3, "s"]}])
def test_a_card_with_nonsense_in_it_is_read_without_the_nonsense(members):
    card = read_card(card_of(**members))
    assert card is not None
    assert all(isinstance(each.url, str) for each in card.interfaces)


@pytest.mark.parametrize(
    ("card_url", "base", "target"),
    [
        ("https://h/", "https://h", "https://h/"),
        ("https://h:443/rpc", "https://h", "https://h:443/rpc"),
        ("https://H/rpc", "https://h", "https://H/rpc"),
        ("", "https://h/a", "https://h/a/"),
        ("/rpc", "https://h/a", "https://h/rpc"),
        ("rpc", "https://h/a", "https://h/a/rpc"),
        ("http://0.0.0.0:8000/", "https://h", "https://h/"),
        ("http://0.0.0.0:8000/a2a?x=1", "https://h", "https://h/a2a?x=1"),
        ("http://localhost:8000/", "https://h/agents/x", "https://h/agents/x"),
        ("http://localhost:8000/rpc", "https://h/agents/x", "https://h/agents/x/rpc"),
        ("http://localhost:8000/agents/x/", "https://h/agents/x", "https://h/agents/x/"),
        ("http://127.0.0.1:2375/", "https://h", "https://h/"),
        ("http://[::1]:8000/", "https://h", "https://h/"),
        ("http://h/rpc", "https://h", "https://h/rpc"),
        ("http://localhost:8000/", "http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
    ],
)
def test_requests_stay_at_the_configured_origin(card_url, base, target):
    assert place(card_url, base, follow=False, exists=True, setting="use_card_url") == target


def test_a_host_that_does_not_exist_is_replaced_by_the_configured_one():
    assert lookup_host("http://agent-7f9.pods.internal:8000/rpc", "https://h") == "agent-7f9.pods.internal"
    for known in ("https://h/rpc", "http://0.0.0.0/", "http://localhost/", "", "ftp://x/"):
        assert lookup_host(known, "https://h") is None
    moved = place("http://agent-7f9.pods.internal:8000/rpc", "https://h", follow=False, exists=False, setting="s")
    assert moved == "https://h/rpc"


@pytest.mark.parametrize(
    "card_url", ["https://evil.example/", "https://h:444/", "https://h.evil.example/", "http://169.254.169.254/"]
)
def test_a_card_that_names_another_server_is_refused_with_both_names_and_the_setting(card_url):
    with pytest.raises(ProtocolMismatch) as caught:
        place(card_url, "https://h", follow=False, exists=True, setting="endpoints.p.use_card_url")
    said = f"{caught.value} {caught.value.hint}"
    assert "https://h:443" in said
    assert card_url.split("/")[2] in said
    assert ("endpoints.p.use_card_url" in said) == card_url.startswith("https")


def test_another_server_is_used_once_the_user_trusts_it_but_never_without_encryption():
    assert place("https://other/", "https://h", follow=True, exists=True, setting="s") == "https://other/"
    assert place("http://other/", "http://h", follow=True, exists=True, setting="s") == "http://other/"
    with pytest.raises(ProtocolMismatch, match="without encryption"):
        place("http://other/", "https://h", follow=True, exists=True, setting="s")


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize(
    "card_url", ["https://h@evil.example/", "https://user:pw@h/", "file:///etc/passwd", "http://[::1"]
)
def test_addresses_with_a_user_name_or_of_another_kind_are_refused_always(card_url, follow):
    with pytest.raises(ProtocolMismatch):
        place(card_url, "https://h", follow=follow, exists=True, setting="s")


@pytest.mark.parametrize(
    ("card_url", "base", "named"),
    [
        ("https://other.example/a2a", "https://h.example", "https://other.example:443"),
        ("https://h.example:444/", "https://h.example", "https://h.example:444"),
        ("https://pay\u0430l.example/", "https://paypal.example", "https://xn--payl-73d.example:443"),
        ("http://192.168.1.5/", "http://192.168.1.4", "http://192.168.1.5:80"),
        ("https://h.example/rpc", "https://h.example", None),
        ("http://h.example/rpc", "https://h.example", None),
        ("http://other.example/", "https://h.example", None),
        ("https://169.254.169.254/", "https://h.example", None),
        ("https://10.0.0.1/", "https://h.example", None),
        ("https://[fe80::1]/", "https://h.example", None),
        ("https://db.internal/", "https://h.example", None),
        ("https://2130706433/", "https://h.example", None),
        ("https://localhost/", "https://h.example", None),
        ("https://u@other.example/", "https://h.example", None),
        ("ftp://other.example/", "https://h.example", None),
    ],
)
def test_the_user_is_asked_about_another_public_server_only(card_url, base, named):
    assert other_origin(card_url, base) == named


@pytest.mark.parametrize("follow", [True, False])
@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[fe80::1]", "db.internal", "2130706433"])
def test_a_public_servers_card_leads_nobody_into_his_own_network(host, follow):
    with pytest.raises(ProtocolMismatch, match="inside your own network"):
        place(f"https://{host}/", "https://h.example", follow=follow, exists=True, setting="s")


@pytest.mark.parametrize(
    ("modes", "taken", "refused"),
    [
        ([], ["anything/at-all"], []),
        (["text/plain"], ["text/plain"], ["text/csv", "image/png"]),
        (["Text/Plain; charset=utf-8", "image/*"], ["text/plain", "image/png"], ["audio/wav"]),
        (["text"], ["text/csv"], ["image/png"]),
        (["*/*"], ["image/png"], []),
        (["file"], ["image/png"], []),
        ("text/plain", ["image/png"], []),
        ([None, 3, "", {}], ["image/png"], []),
    ],
)
def test_a_card_says_which_types_are_taken_in_whatever_spelling(modes, taken, refused):
    card = read_card(json.dumps({"url": "/", "defaultInputModes": modes}).encode())
    assert all(takes(card.input_modes, media_type) for media_type in taken)
    assert not any(takes(card.input_modes, media_type) for media_type in refused)


def test_what_one_skill_takes_the_agent_takes():
    skills = [{"id": "a", "inputModes": ["image/png"]}, {"id": "b"}, 7]
    card = read_card(json.dumps({"url": "/", "defaultInputModes": ["text/plain"], "skills": skills}).encode())
    assert card.input_modes == ("text/plain", "image/png")
