import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.safety.urls import has_userinfo, judge_link, origin_of, same_origin, without_userinfo


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "file:///etc/passwd", "ssh://-oProxyCommand=calc", "//evil.example", "/relative",
        "vscode://x", "data:text/html,x", "mailto:a@b", "http://", "http:///x", "https://\x1b]52;c;x\x07", "https://a b/",
        "https://e.example/\x1b]52", "https://e.example/\u202e", "https://[::1", "https://x:99999/", "https://x:0/",
        "https://-x.example/", "http://0x7f.1/", "http://2130706433/", "http://127.1/", "https://ex\\ample.com/", "",
        "https://" + "a" * 300 + ".example/", "https://e.example/" + "a" * 9000, "https://e.example/\ud83d",
    ],
)  # fmt: skip
def test_what_must_not_be_opened_is_no_link(url):
    assert judge_link(url) is None


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("https://evil.example", "https://evil.example"),
        ("HTTPS://Evil.Example:443/a?b=c#d", "https://evil.example/a?b=c#d"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("https://e.example/ü?ß", "https://e.example/%C3%BC?%C3%9F"),
    ],
)
def test_an_ordinary_link_is_opened_as_it_is_meant(url, opened):
    link = judge_link(url)
    assert link is not None
    assert link.url == opened
    assert not link.is_disguised


def test_a_user_name_before_the_host_is_removed_and_told():
    link = judge_link("https://agent.example@evil.example/")
    assert link is not None
    assert link.had_userinfo
    assert link.url == "https://evil.example/"


def test_a_lookalike_host_is_shown_as_what_it_is():
    link = judge_link("https://раypal.com/")
    assert link is not None
    assert link.is_disguised
    assert link.origin.host == "xn--ypal-43d9g.com"
    assert "xn--" in link.url


def test_a_credential_belongs_to_scheme_host_and_port():
    assert same_origin("https://a.example/x", "https://A.example:443/y")
    assert not same_origin("https://a.example", "http://a.example")
    assert not same_origin("https://a.example", "https://a.example:8443")
    assert not same_origin("https://a.example", "https://b.example")
    assert not same_origin("nonsense", "nonsense")


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:2375/", True),
        ("http://localhost/", True),
        ("http://169.254.169.254/", True),
        ("http://10.1.2.3/", True),
        ("http://[fe80::1]/", True),
        ("http://[::ffff:127.0.0.1]/", True),
        ("http://printer.local/", True),
        ("https://example.com/", False),
        ("https://8.8.8.8/", False),
    ],
)
def test_private_hosts_are_known_as_such(url, private):
    origin = origin_of(url)
    assert origin is not None
    assert origin.is_private is private


def test_an_origin_is_spelled_as_in_a_browser():
    assert str(origin_of("https://[2001:db8::1]:8443/x")) == "https://[2001:db8::1]:8443"
    assert str(origin_of("http://a.example:80/x")) == "http://a.example"


def test_a_password_never_reaches_a_screen():
    assert without_userinfo("https://user:SECRET@agent.example/a@b") == "https://agent.example/a@b"
    assert without_userinfo("https://agent.example/?a=b@c") == "https://agent.example/?a=b@c"
    assert has_userinfo("https://user:SECRET@agent.example/")
    assert not has_userinfo("https://agent.example/@x")


@given(st.text(max_size=60), st.sampled_from(["http://", "https://", ""]))
def test_no_text_makes_the_judge_fail_and_what_it_returns_is_plain_ascii(text, scheme):
    link = judge_link(scheme + text)
    assert link is None or (link.url.isascii() and link.url.isprintable() and " " not in link.url)
    without_userinfo(text)
    has_userinfo(text)
