import pytest

from chatforge_tui.endpoints.http import FetchedResponse, HttpSettings, reject_status
from chatforge_tui.endpoints.http_status import MAX_QUOTE, quote_body, retry_after
from chatforge_tui.errors import HttpRejected, RateLimited, Unauthorized


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":{"message":"no","type":"t","param":null,"code":"c"}}', "no"),
        (b'{"error":{"code":429,"message":"no","metadata":{}}}', "no"),
        (b'{"error":"no"}', "no"),
        (b'{"detail":"no"}', "no"),
        (b'{"detail":[{"loc":["body","model"],"msg":"field required","type":"missing"}]}', "field required (at body.model)"),
        (b'[{"type":"missing","loc":["x"],"msg":"field required"}]', "field required (at x)"),
        (b'{"jsonrpc":"2.0","error":{"code":-32600,"message":"no"}}', "no"),
        (b'{"title":"no","status":400}', "no"),
        (b'{"errors":[{"message":"a"},{"message":"b"}]}', "a; b"),
        (b'"no"', "no"),
        (b"no\n\nreally", "no really"),
        (b"<html><head><style>p{}</style><script>x()</script></head><body><p>no</p></body></html>", "no"),
        (b'{"what":7}', '{"what":7}'),
        (b"{broken", "{broken"),
        (b"[" * 100_000, "[" * (MAX_QUOTE - 1) + "…"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
        (b"null", "null"),
    ],
)  # fmt: skip
def test_the_servers_own_words_are_found_in_any_error_body(body, said):
    assert quote_body(body) == said


def test_a_quotation_is_cut():
    assert len(quote_body(b"x" * 100_000)) == MAX_QUOTE


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, 0),
        ({"retry-after": "Sunday, 06-Nov-94 08:49:37 GMT"}, 0),
        ({"retry-after": "99999999999999999999"}, None),
        ({"retry-after": "Fri, 31 Dec 99999 23:59:59 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(headers, seconds):
    assert retry_after(headers) == seconds


def test_a_date_is_counted_from_now():
    assert retry_after({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, now=784_111_770.0) == 7


def rejected(status, body=b"", **settings):
    response = FetchedResponse(
        status, {}, "", body, "http://h:8/v1/chat?key=s3cr3t", HttpSettings(name="e", **settings)
    )
    with pytest.raises(HttpRejected) as caught:
        reject_status(response, body)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, HttpRejected, False), (401, Unauthorized, False), (402, HttpRejected, False), (403, Unauthorized, False),
        (404, HttpRejected, False), (405, HttpRejected, False), (408, HttpRejected, True), (409, HttpRejected, True),
        (413, HttpRejected, False), (418, HttpRejected, False), (422, HttpRejected, False), (429, RateLimited, True),
        (500, HttpRejected, True), (503, HttpRejected, True), (529, HttpRejected, True), (599, HttpRejected, True),
    ],
)  # fmt: skip
def test_each_status_is_one_sentence_and_may_be_tried_again_or_not(status, kind, retryable):
    error = rejected(status, b'{"error":"because"}')
    assert type(error) is kind
    assert (error.status, error.retryable) == (status, retryable)
    assert str(status) in str(error)
    assert str(error).endswith(": because")
    assert "s3cr3t" not in str(error) + error.hint


def test_a_missing_credential_is_told_apart_from_a_wrong_one():
    assert "none is configured" in str(rejected(401))
    assert "endpoints.e.token_env" in rejected(401).hint
    assert "env TOKEN" in str(rejected(401, credential_source="env TOKEN"))


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 413, 422, 429, 500, 503])
def test_every_refusal_that_can_be_mended_says_what_to_do(status):
    assert rejected(status).hint
