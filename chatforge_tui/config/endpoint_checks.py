"""What a configuration must not say about endpoints: credentials written down, URLs that cannot be meant.

Pure judgement of parsed TOML. A message never quotes the value: it may be a credential.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from chatforge_tui.config.keyring_lookup import split_entry
from chatforge_tui.config.toml_text import KeyPath
from chatforge_tui.safety.redact import register, register_userinfo
from chatforge_tui.safety.secret import Secret
from chatforge_tui.safety.urls import has_userinfo, origin_of

_CREDENTIAL_KEY = re.compile(
    r"(api|access|auth|bearer|id|refresh)?_?(token|key|secret|credentials?)|client_secret|password|passwd|passphrase"
    r"|authorization|bearer|auth"
)
_CREDENTIAL_HEADER = re.compile(r".*(authorization|api-?key|token|secret|password|credential|cookie).*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WAYS = (
    'Say where it is instead: token_env = "VARIABLE", token_file = "~/path/to/file", '
    'token_command = ["pass", "show", "name"], or token_keyring = "service/user".'
)


class Fault(Struct, frozen=True):
    """Something that keeps a configuration from being used."""

    path: KeyPath
    message: str
    """Without a full stop."""
    hint: str = ""


def find_fault(data: Mapping[str, Any]) -> Fault | None:
    """Return the first fault of a parsed configuration that types and names do not show."""
    faults = [*_literal_credentials((), data), *_endpoint_faults(data.get("endpoints"))]
    return faults[0] if faults else None


def _endpoint_faults(endpoints: object) -> Iterator[Fault]:
    """Yield the faults of every endpoint. What has the wrong type is left to the types."""
    for name, table in _items(endpoints):
        values = dict(_items(table))
        path = ("endpoints", name)
        if isinstance(url := values.get("url"), str):
            yield from url_faults((*path, "url"), url)
        if isinstance(variable := values.get("token_env"), str):
            yield from _variable_faults((*path, "token_env"), variable)
        if isinstance(proxy := values.get("proxy"), str):
            yield from _proxy_faults((*path, "proxy"), proxy)
        if isinstance(entry := values.get("token_keyring"), str) and entry and split_entry(entry) is None:
            _register_text(entry)
            yield Fault((*path, "token_keyring"), "expected service/user, not a credential itself")
        yield from _header_faults((*path, "headers"), values.get("headers"))
        if isinstance(header := values.get("token_header"), str) and header and not _HEADER_NAME.fullmatch(header):
            yield Fault((*path, "token_header"), "expected the name of an HTTP header, such as X-API-Key")


def url_faults(path: KeyPath, url: str) -> Iterator[Fault]:
    """Yield what is wrong with an endpoint's URL."""
    if has_userinfo(url):
        register_userinfo(url)
        yield Fault(path, "a user name or password in a URL is refused", _WAYS)
    elif origin_of(url) is None:
        yield Fault(
            path, "expected an http or https URL, such as https://agents.example.com or http://127.0.0.1:8080/v1"
        )
    else:
        for name, value in parse_qsl(urlsplit(url).query):
            if _CREDENTIAL_KEY.fullmatch(_plain_key(name)):
                register(Secret(value))
                yield Fault(path, "a credential in a URL is refused", _WAYS)


def _literal_credentials(path: KeyPath, table: object) -> Iterator[Fault]:
    """Yield each key that holds a credential itself, wherever it stands."""
    for key, value in _items(table):
        here = (*path, key)
        if path[:1] == ("keys",):
            continue
        is_table_name = path in ((), ("endpoints",)) and any(_items(value))
        if not is_table_name and _CREDENTIAL_KEY.fullmatch(_plain_key(key)):
            _register_text(value)
            yield Fault(here, "a credential does not belong in this file", _WAYS)
        else:
            yield from _literal_credentials(here, value)


def _header_faults(path: KeyPath, headers: object) -> Iterator[Fault]:
    for name, value in _items(headers):
        if _CREDENTIAL_HEADER.fullmatch(name.lower().replace("_", "-")):
            _register_text(value)
            hint = f'{_WAYS} token_header = "X-API-Key" puts it into another header than the usual one.'
            yield Fault((*path, name), "a credential does not belong in this file", hint)
        elif not _HEADER_NAME.fullmatch(name):
            yield Fault((*path, name), "expected the name of an HTTP header")
        elif isinstance(value, str) and not _is_header_value(value):
            yield Fault((*path, name), "expected printable ASCII text")


def _variable_faults(path: KeyPath, variable: str) -> Iterator[Fault]:
    if variable and not _VARIABLE.fullmatch(variable):
        _register_text(variable)
        yield Fault(
            path, "expected the name of an environment variable, such as PLATFORM_TOKEN, not a credential itself"
        )


def _proxy_faults(path: KeyPath, proxy: str) -> Iterator[Fault]:
    register_userinfo(proxy)
    if proxy not in ("", "direct") and origin_of(proxy) is None:
        yield Fault(path, 'expected an http or https URL, or "direct"')


def _is_header_value(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _register_text(value: object) -> None:
    """Have a credential redacted that stands where it should not: whole, behind its scheme, and as a cookie's value."""
    if isinstance(value, str):
        register(Secret(value))
        register(Secret(value.partition(" ")[2]))
        for pair in value.split(";"):
            register(Secret(pair.partition("=")[2].strip()))


def _plain_key(name: str) -> str:
    return name.lower().replace("-", "_").removeprefix("x_")


def _items(value: object) -> Iterator[tuple[str, object]]:
    """Yield the entries of a table; nothing for anything else."""
    if isinstance(value, dict):
        yield from cast("dict[str, object]", value).items()
