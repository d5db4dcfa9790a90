"""What an HTTP status other than success means to the person at the keyboard.

Reads the error bodies of every server it knows of, and never trusts them: a message is cut, credentials are taken out of
it, and it stays a quotation.
"""

import json
import math
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, NoReturn, Protocol, cast

from chatforge_tui.endpoints.http_settings import HttpSettings
from chatforge_tui.endpoints.http_url import host_port, split_url
from chatforge_tui.errors import HttpRejected, ProtocolMismatch, RateLimited, Unauthorized
from chatforge_tui.safety.redact import redact, redact_url

MAX_QUOTE: Final = 2048
"""Most characters of a server's own message that are quoted."""
MAX_ERROR_BYTES: Final = 64 * 1024
"""How much of an error body is read."""
_RETRYABLE: Final = frozenset({408, 409, 425, 429})
_MARKUP: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_MESSAGE_KEYS: Final = ("message", "detail", "error_description", "error", "msg", "title", "errors")
_DEEPEST: Final = 5


class Answered(Protocol):
    """An answer with an error status, streamed or fetched."""

    @property
    def status(self) -> int:
        """Of HTTP."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""
        ...

    @property
    def url(self) -> str:
        """What was asked for."""
        ...

    @property
    def settings(self) -> HttpSettings:
        """Of the endpoint that was asked."""
        ...


def reject_status(response: Answered, body: bytes) -> NoReturn:
    """Raise what an error status means.

    Args:
        response: its head; `status` is 400 or more.
        body: as much of its body as there is use for.

    Raises:
        Unauthorized: 401, 403, or 407 from a proxy.
        RateLimited: 429.
        HttpRejected: any other.
    """
    status, said = response.status, quote_body(body)
    quoted = f": {said}" if said else "."
    after = retry_after(response.headers)
    peer = host_port(response.url)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise Unauthorized(_unauthorized(response, peer) + quoted, status=status, hint=_credential_hint(response))
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        hint = "Put them into the proxy's URL: http://user:password@host:port."
        raise Unauthorized("The proxy wants a user name and password.", status=status, hint=hint)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        message = f"{peer} takes no more requests for now (429){quoted}"
        hint = "Wait a little, then try again."
        raise RateLimited(message, status=status, hint=hint, retryable=True, retry_after=after)
    raise HttpRejected(
        _rejected(response, peer) + quoted,
        status=status,
        hint=_hint(status, response.settings),
        retryable=status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        retry_after=after,
    )


def reject_redirect(response: Answered) -> NoReturn:
    """Raise for a redirect: credentials and prompts go where the user said, nowhere else.

    Raises:
        ProtocolMismatch: always; it names the target's host.
    """
    target = response.headers.get("location", "")
    try:
        parts = split_url(target) if "://" in target else split_url(response.url)
        path = parts.path if "://" in target else target.partition("?")[0]
        where = redact_url(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}")
    except ValueError:
        where = "somewhere that cannot be read"
    raise ProtocolMismatch(
        f"{host_port(response.url)} redirects to {where[:200]} ({response.status}); this is not followed.",
        hint=f"If that is the right place, write it into {response.settings.setting('url')}.",
    )


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return how many seconds the server asks to wait, >= 0; None when it does not say, or says nonsense.

    Args:
        headers: of the answer.
        now: Unix seconds; None = the clock's.
    """
    seconds = _number(headers.get("retry-after-ms", ""), 1000.0)
    if seconds is not None:
        return seconds
    value = headers.get("retry-after", "").strip()
    seconds = _number(value, 1.0)
    if seconds is not None or not value[:1].isalpha():
        return seconds
    try:
        when = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, when - (time.time() if now is None else now))


def quote_body(body: bytes) -> str:
    """Return the server's own words from an error body, on one line, without credentials, at most 2 KB."""
    text = redact(body[:MAX_ERROR_BYTES].decode("utf-8", "replace"), is_cut=len(body) >= MAX_ERROR_BYTES).strip()
    if text[:1] in '{["':
        with suppress(ValueError, RecursionError):
            text = _message(json.loads(text), 0) or text
    elif text[:1] == "<":
        text = _MARKUP.sub(" ", text)
    return _quotation(text)


def quote_value(value: object) -> str:
    """Return the sentence in an error that is JSON already, as `quote_body`; all of it as JSON when it holds none."""
    return _quotation(_message(value, 0) or json.dumps(value, ensure_ascii=False, default=str))


def _quotation(text: str) -> str:
    text = " ".join(redact(text).split())
    return text if len(text) <= MAX_QUOTE else text[: MAX_QUOTE - 1] + "…"


def _message(value: object, depth: int) -> str:
    """Find the sentence in an error body, whatever its shape: nested objects, lists of validation errors, plain text."""
    if isinstance(value, str):
        return value
    if depth >= _DEEPEST:
        return ""
    if isinstance(value, list):
        found = [_message(item, depth + 1) for item in cast("list[object]", value)[:3]]
        return "; ".join(text for text in found if text)
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        for key in _MESSAGE_KEYS:
            text = _message(fields.get(key), depth + 1)
            if text:
                return text + _place(fields)
    return ""


def _place(fields: Mapping[str, object]) -> str:
    """Name the place a validation error is about, as FastAPI reports it."""
    place = fields.get("loc")
    if not isinstance(place, list):
        return ""
    return f" (at {'.'.join(str(step) for step in cast('list[object]', place)[:6])})"


def _number(text: str, divisor: float) -> float | None:
    """Read a plain non-negative decimal number; anything else is nonsense."""
    if not re.fullmatch(r"\s*[0-9]{1,12}(\.[0-9]{1,9})?\s*", text, re.ASCII):
        return None
    seconds = float(text) / divisor
    return seconds if math.isfinite(seconds) else None


def _unauthorized(response: Answered, peer: str) -> str:
    source = response.settings.credential_source
    if response.status == HTTPStatus.FORBIDDEN:
        held = f"the credential from {source} may not do this" if source else "it may not be used without a credential"
        return f"{peer} refused the request (403): {held}"
    held = f"did not accept the credential from {source}" if source else "wants a credential, and none is configured"
    return f"{peer} {held} (401)"


def _credential_hint(response: Answered) -> str:
    settings = response.settings
    if settings.credential_source:
        return f"Check {settings.credential_source}."
    if settings.name:
        return f"Set {settings.setting('token_env')} to the name of the environment variable that holds it."
    return "Name the environment variable that holds it with --token-env."


def _rejected(response: Answered, peer: str) -> str:
    status = response.status
    if status == HTTPStatus.NOT_FOUND:
        return f"{peer} has nothing at {split_url(response.url).path or '/'} (404)"
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        return f"{peer} did not understand the request ({status})"
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return f"{peer} wants to be paid (402)"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return f"The request is too large for {peer} (413)"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{peer} failed ({status}{_phrase(status)})"
    return f"{peer} rejected the request ({status}{_phrase(status)})"


def _phrase(status: int) -> str:
    return f" {HTTPStatus(status).phrase}" if status in HTTPStatus.__members__.values() else ""


def _hint(status: int, settings: HttpSettings) -> str:
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        return f"Check {settings.setting('url')} and the model's name."
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        return "It may be the model's name, a setting of this endpoint, or a file that the model does not take."
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return "Its operator's account page says what is missing; another endpoint can go on meanwhile."
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "Send fewer or smaller files, or begin a new session: a long one goes along whole with each prompt."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "The server's log may say why; try again in a while."
    return ""
