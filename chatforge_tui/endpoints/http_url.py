"""The parts of a URL that messages and comparisons need. Never returns userinfo, query or fragment."""

from urllib.parse import SplitResult, urlsplit

from chatforge_tui.errors import ConfigError

_DEFAULT_PORTS = {"http": 80, "https": 443}


def split_url(url: str) -> SplitResult:
    """Take an absolute http or https URL apart.

    Raises:
        ConfigError: it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError("The endpoint's URL cannot be read.", hint="It looks like https://host:port/path.") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0:
        shown = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else parts.path
        raise ConfigError(
            f"{shown!r} is not the URL of an endpoint.", hint="A URL begins with http:// or https:// and names a host."
        )
    return parts


def host_port(url: str) -> str:
    """Return "host:port", the port also where the URL leaves it out, IPv6 addresses in brackets, names in punycode."""
    parts = split_url(url)
    host = _looked_up(parts.hostname or "")
    return f"[{host}]:{_port(parts)}" if ":" in host else f"{host}:{_port(parts)}"


def origin(url: str) -> str:
    """Return "scheme://host:port": what credentials are bound to."""
    return f"{split_url(url).scheme}://{host_port(url)}"


def _looked_up(host: str) -> str:
    """Return the name that is looked up for a host: letters that look like others show as what they are."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _port(parts: SplitResult) -> int:
    return parts.port or _DEFAULT_PORTS[parts.scheme]
