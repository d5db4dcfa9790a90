"""Agent cards: where they are looked for, what they say, and where a request may go because of what they say.

Pure: fetches nothing. Owns the choice of interface and dialect, and the rule that what a card names is contacted only at
the configured origin. Cards are often wrong about their own address (0.0.0.0, a pod's name, http behind a TLS proxy); then
the configured origin with the card's path is used. A card that names another server is refused until the user says so.
"""

import ipaddress
from collections.abc import Mapping
from itertools import chain
from typing import Any, Final, Literal
from urllib.parse import SplitResult, urljoin, urlsplit

from msgspec import Struct

from chatforge_tui.endpoints.http_url import origin, split_url
from chatforge_tui.endpoints.loose_json import MalformedJson, as_list, as_mapping, as_text, decode
from chatforge_tui.errors import OtherHost, ProtocolMismatch
from chatforge_tui.safety.redact import redact, redact_url
from chatforge_tui.safety.urls import origin_of

Version = Literal["auto", "0.3", "1.0"]

NEW_PATH: Final = "/.well-known/agent-card.json"
OLD_PATH: Final = "/.well-known/agent.json"
"""Where versions before 0.3 kept the card."""

JSON_RPC: Final = "JSONRPC"
HTTP_JSON: Final = "HTTP+JSON"


class Interface(Struct, frozen=True):
    """One way to reach an agent."""

    url: str
    """As the card says: maybe relative, empty, or wrong."""
    transport: str
    """`JSONRPC`, `HTTP+JSON`, `GRPC`, ..."""
    version: str
    """Of the protocol: "1.0", "0.3.0"."""
    tenant: str = ""
    """To be repeated in every request."""

    @property
    def is_v1(self) -> bool:
        """Whether version 1 is spoken here."""
        return self.version.partition(".")[0].strip() == "1"


class Card(Struct, frozen=True):
    """What an agent says about itself, as far as it is of use here."""

    name: str
    interfaces: tuple[Interface, ...]
    """In the agent's order of preference."""
    streams: bool = True
    """False when the card says so; a card that says nothing is taken to stream."""
    input_modes: tuple[str, ...] = ()
    """Media types that the agent or one of its skills takes; () = the card does not say."""


class CardPlace(Struct, frozen=True):
    """A URL at which a card may be."""

    url: str
    is_root: bool = False
    """It stands above the configured path, so it may be another agent's: it counts only if it names that path."""


class ConfiguredUrl(Struct, frozen=True):
    """What the user wrote, understood."""

    base: str
    """Where the agent is, without a slash at the end."""
    places: tuple[CardPlace, ...]
    """Where to look for the card, in this order."""


def read_url(url: str) -> ConfiguredUrl:
    """Understand a configured URL: an agent's base (with or without a path), or the URL of its card.

    Raises:
        ConfigError: it is no http or https URL.
    """
    parts = split_url(url)
    root = f"{parts.scheme}://{parts.netloc}"
    path = parts.path.rstrip("/")
    query = f"?{parts.query}" if parts.query else ""
    if "/.well-known/" in path or path.endswith(".json"):
        above = path.partition("/.well-known/")[0] if "/.well-known/" in path else path.rpartition("/")[0]
        return ConfiguredUrl(root + above, (CardPlace(root + path + query),))
    places = [CardPlace(root + path + end) for end in (NEW_PATH, OLD_PATH)]
    if path:
        places += [CardPlace(root + end, is_root=True) for end in (NEW_PATH, OLD_PATH)]
    return ConfiguredUrl(root + path, tuple(places))


def read_card(body: bytes) -> Card | None:
    """Return the card that a body holds, None if it holds none."""
    try:
        card = as_mapping(decode(body, dict[str, Any]))
    except MalformedJson:
        return None
    interfaces = (*_interfaces_v10(card), *_interfaces_v03(card))
    if not interfaces and not ("capabilities" in card and "skills" in card):
        return None
    streams = as_mapping(card.get("capabilities")).get("streaming") is not False
    return Card(redact(as_text(card.get("name"))), interfaces, streams, _input_modes(card))


def choose(card: Card, version: Version, *, only_path: str | None = None) -> Interface | None:
    """Return the interface to speak to: JSON-RPC of version 1, then of 0.3, then HTTP+JSON in the same order.

    Args:
        card: the agent's card.
        version: what the configuration asks for: an interface of that version, or else any JSON-RPC one as if it were.
        only_path: consider only interfaces whose URL has this path.
    """
    offered = [each for each in card.interfaces if only_path is None or _path(each.url) == only_path]
    rpc = [each for each in offered if each.transport == JSON_RPC]
    newer, older = [each for each in rpc if each.is_v1], [each for each in rpc if not each.is_v1]
    plain = [each for each in offered if each.transport == HTTP_JSON]
    newer_plain, older_plain = [each for each in plain if each.is_v1], [each for each in plain if not each.is_v1]
    match version:
        case "auto":
            ranked = [*newer, *older, *newer_plain, *older_plain]
        case "1.0":
            ranked = [*newer, *newer_plain, *(Interface(each.url, JSON_RPC, version, each.tenant) for each in older)]
        case "0.3":
            ranked = [*older, *older_plain, *(Interface(each.url, JSON_RPC, version, each.tenant) for each in newer)]
    return ranked[0] if ranked else None


def takes(input_modes: tuple[str, ...], media_type: str) -> bool:
    """Return whether a media type is among those that a card names: by itself, as `image/*`, or as plain `image`."""
    major = media_type.partition("/")[0]
    return not input_modes or not {media_type, major, f"{major}/*", "*/*", "*", "file"}.isdisjoint(input_modes)


def lookup_host(card_url: str, base: str) -> str | None:
    """Return the host name that must be known to exist before `place` can judge the URL; None when none must."""
    named = _absolute(card_url, base)
    if named is None or _same_host(named, urlsplit(base)) or _is_own_address(named.hostname or ""):
        return None
    return named.hostname


def other_origin(card_url: str, base: str) -> str | None:
    """Return the origin of another server that the card names and that the user may agree to; None when there is none.

    No one is asked about an address without encryption where the configured one has it, or about one that only this
    machine or its network knows where the configured one is public: `place` refuses these.
    """
    named = _absolute(card_url, base)
    if named is None or "@" in named.netloc:
        return None
    configured, host = urlsplit(base), named.hostname or ""
    if origin(named.geturl()) == origin(base) or (_same_host(named, configured) and named.scheme != configured.scheme):
        return None
    if _is_downgrade(named, configured) or _is_nowhere(host) or _is_own_address(host) or _is_inside(named, configured):
        return None
    return origin(named.geturl())


def place(card_url: str, base: str, *, follow: bool, exists: bool, setting: str) -> str:
    """Return where requests go, given where the card says that they should.

    Args:
        card_url: the interface's URL, as the card names it.
        base: the configured base.
        follow: the user agreed to the card's address, by `use_card_url` or when asked.
        exists: whether the host of `lookup_host` could be resolved.
        setting: what the configuration calls `use_card_url`.

    Raises:
        OtherHost: the card names another server.
        ProtocolMismatch: it names an address that no request may go to.
    """
    named = _absolute(card_url, base)
    if named is None:
        raise ProtocolMismatch(
            f"The agent card names an address that no request can go to: {redact_url(card_url)[:200]!r}.",
            hint="The agent's operator has to correct the card.",
        )
    if "@" in named.netloc:
        raise ProtocolMismatch(
            f"The agent card of {origin(base)} names an address with a user name in it; it is not used.",
            hint="The agent's operator has to correct the card.",
        )
    if origin(named.geturl()) == origin(base):
        return named.geturl()
    configured = urlsplit(base)
    is_itself = _same_host(named, configured) and named.scheme != configured.scheme
    if is_itself or _is_nowhere(named.hostname or "") or not exists:
        return _moved(named, configured)
    if follow and not _is_downgrade(named, configured) and not _is_inside(named, configured):
        return named.geturl()
    if _is_own_address(named.hostname or ""):
        return _moved(named, configured)
    if _is_downgrade(named, configured):
        raise ProtocolMismatch(
            f"The agent card of {origin(base)} sends requests to {origin(named.geturl())}, without encryption: "
            "nothing was sent there.",
            hint="The agent's operator has to correct the card, or configure that address itself.",
        )
    if _is_inside(named, configured):
        raise ProtocolMismatch(
            f"The agent card of {origin(base)} sends requests to {origin(named.geturl())}, an address inside your own "
            "network: nothing was sent there.",
            hint="The agent's operator has to correct the card, or configure that address itself.",
        )
    raise OtherHost(
        f"The agent card of {origin(base)} sends requests to another server, {origin(named.geturl())}: "
        "nothing was sent there.",
        hint=f"/trust in the UI asks whether they may go there; {setting} = true allows it, credential included.",
    )


def _input_modes(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the media types that the agent takes, in lower case and without parameters."""
    skills = [as_mapping(skill) for skill in as_list(card.get("skills"))]
    named = [as_list(card.get("defaultInputModes")), *(as_list(skill.get("inputModes")) for skill in skills)]
    modes = (as_text(mode).partition(";")[0].strip().lower() for mode in chain.from_iterable(named))
    return tuple(dict.fromkeys(mode for mode in modes if mode))


def _interfaces_v10(card: Mapping[str, Any]) -> list[Interface]:
    listed = [as_mapping(item) for item in as_list(card.get("supportedInterfaces"))]
    return [
        Interface(
            as_text(item.get("url")),
            as_text(item.get("protocolBinding")).upper() or JSON_RPC,
            as_text(item.get("protocolVersion")) or "1.0",
            as_text(item.get("tenant")),
        )
        for item in listed
        if item
    ]


def _interfaces_v03(card: Mapping[str, Any]) -> list[Interface]:
    """Return what a card of version 0.3 offers: its own URL, and additional ones."""
    if "url" not in card:
        return []
    version = as_text(card.get("protocolVersion")) or "0.3.0"
    transport = as_text(card.get("preferredTransport")).upper() or JSON_RPC
    more = [as_mapping(item) for item in as_list(card.get("additionalInterfaces"))]
    return [
        Interface(as_text(card.get("url")), transport, version),
        *(
            Interface(as_text(item.get("url")), as_text(item.get("transport")).upper(), version)
            for item in more
            if item
        ),
    ]


def _absolute(url: str, base: str) -> SplitResult | None:
    """Return the URL, completed by the base; None if no request can go there, or if it throws a credential back.

    Such a host is not even looked up: the question would tell the credential to every name server on the way.
    """
    try:
        named = urlsplit(urljoin(base + "/", url.strip()))
        _ = named.port
    except ValueError:
        return None
    whole = named.geturl()
    if named.scheme not in ("http", "https") or not named.hostname or redact_url(whole) != whole:
        return None
    return named


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.strip("/")
    except ValueError:
        return ""


def _same_host(one: SplitResult, other: SplitResult) -> bool:
    return (one.hostname or "").rstrip(".") == (other.hostname or "").rstrip(".")


def _is_own_address(host: str) -> bool:
    """Whether the host means "this machine" to whoever wrote the card, and so nothing to us."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_downgrade(named: SplitResult, configured: SplitResult) -> bool:
    """Whether the card gives encryption up."""
    return named.scheme == "http" and configured.scheme == "https"


def _is_inside(named: SplitResult, configured: SplitResult) -> bool:
    """Whether a public server's card names an address of this machine or of a network around it."""
    inner, outer = origin_of(named.geturl()), origin_of(configured.geturl())
    return inner is None or (inner.is_private and outer is not None and not outer.is_private)


def _is_nowhere(host: str) -> bool:
    """Whether the host means "every address of mine", which is no place to connect to."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _moved(named: SplitResult, configured: SplitResult) -> str:
    """Return the configured origin with the card's path, below the configured path where the card leaves that out."""
    base_path = configured.path.rstrip("/")
    path = named.path or "/"
    if base_path and path != base_path and not path.startswith(base_path + "/"):
        path = base_path + (path if path != "/" else "")
    return named._replace(scheme=configured.scheme, netloc=configured.netloc, path=path).geturl()
