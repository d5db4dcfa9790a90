"""Which protocol is spoken at a URL that nobody named one for: an agent card means A2A, a list of models means OpenAI."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from chatforge_tui.endpoints.http import FetchedResponse, HttpChannel, HttpSettings, reject_status
from chatforge_tui.endpoints.http_url import host_port
from chatforge_tui.endpoints.loose_json import read_object
from chatforge_tui.endpoints.openai_chat.settings import models_urls
from chatforge_tui.errors import ConfigError, ProtocolMismatch

_TIMEOUT_S: Final = 8.0
_CARDS: Final = ("/.well-known/agent-card.json", "/.well-known/agent.json")
_CARD_KEYS: Final = frozenset(
    {"skills", "capabilities", "supportedInterfaces", "preferredTransport", "protocolVersion"}
)


async def detect_protocol(url: str, http: HttpSettings) -> str:
    """Return "a2a" or "openai-chat", asking the server on a connection of its own.

    Args:
        url: of the endpoint.
        http: how to reach it.

    Raises:
        EndpointError: it cannot be reached, or wants a credential before it says anything.
        ConfigError: it is neither.
    """
    channel = HttpChannel(http)
    try:
        return await _detect(url, channel)
    finally:
        await channel.aclose()


async def _detect(url: str, channel: HttpChannel) -> str:
    refusal: FetchedResponse | None = None
    for protocol, probe in _probes(url):
        try:
            answer = await channel.fetch("GET", probe, headers={"Accept": "application/json"}, timeout_s=_TIMEOUT_S)
        except ProtocolMismatch:  # a redirect to a login page, say: the next address may know better
            continue
        if answer.status in (401, 403):
            refusal = answer
        listed = read_object(answer.body) if answer.status == 200 else None
        if listed is None:
            continue
        if protocol == "a2a" and "name" in listed and not _CARD_KEYS.isdisjoint(listed):
            return protocol
        if protocol == "openai-chat" and isinstance(listed.get("data"), list):
            return protocol
    if refusal is not None:
        reject_status(refusal, refusal.body)
    raise ConfigError(
        f"What answers at {host_port(url)} is neither an A2A agent nor an OpenAI-compatible server, as far as it tells.",
        hint="Check the URL, or name the protocol: --protocol a2a or --protocol openai-chat.",
    )


def _probes(url: str) -> list[tuple[str, str]]:
    """Return what to ask, likeliest first: a path with /v1 is an OpenAI-compatible server's."""
    parts = urlsplit(url)
    paths = dict.fromkeys((parts.path.rstrip("/"), ""))
    cards = [
        ("a2a", urlunsplit((parts.scheme, parts.netloc, path + card, "", ""))) for path in paths for card in _CARDS
    ]
    models = [("openai-chat", address) for address in models_urls(url)]
    return models + cards if "/v1" in parts.path else cards + models
