"""Finds out how to speak to an agent: fetches its card and settles on a route.

Owns the requests that discovery takes. What a card means is judged in card.py.
"""

import asyncio
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.config.card_hosts import Permission
from chatforge_tui.endpoints.a2a.binding import Binding, HttpJson, JsonRpc
from chatforge_tui.endpoints.a2a.card import (
    HTTP_JSON,
    Card,
    CardPlace,
    ConfiguredUrl,
    Version,
    choose,
    lookup_host,
    other_origin,
    place,
    read_card,
    read_url,
)
from chatforge_tui.endpoints.http import FetchedResponse, HttpChannel, reject_status
from chatforge_tui.endpoints.http_url import host_port, origin, split_url
from chatforge_tui.endpoints.name_lookup import addresses, look_up
from chatforge_tui.errors import ProtocolMismatch, StreamStalled, Unreachable
from chatforge_tui.safety.urls import is_private_address, origin_of

_CARD_S: Final = 15.0
"""How long one card may take."""
_LOOKUP_S: Final = 5.0
"""How long the look-up of a host may take that a card names."""
_REDIRECTS: Final = 3
"""How many redirects within the configured origin are followed to a card."""
_ELSEWHERE: Final = frozenset({400, 404, 405, 406, 410, 501})
"""Statuses that say: no card here."""


class Agreement(Struct, frozen=True):
    """An answer of the user, and to what."""

    configured: str
    """Origin."""
    named: str
    """Origin that the card names."""
    permission: Permission


class Route(Struct, frozen=True):
    """How to speak to an agent."""

    binding: Binding
    url: str
    """Where requests go."""
    agent: str = ""
    """What the agent calls itself."""
    streams: bool = True
    """Whether it answers with a stream."""
    input_modes: tuple[str, ...] = ()
    """Media types that it says it takes; () = it does not say."""
    agreement: Agreement | None = None
    """What the user answered that lets requests go there; None = no answer was needed."""

    @property
    def takes_credential(self) -> bool:
        """Whether the endpoint's credential may go there."""
        return self.agreement is None or self.agreement.permission is Permission.WITH_CREDENTIAL

    @property
    def place(self) -> tuple[str, str]:
        """Where requests go, and in which way."""
        return self.url, self.binding.name

    public_host: str = ""
    """A host named by the card of a public agent: every connection to it is made to a public address, or not at all."""
    is_settled: bool = False
    """It was understood before: nothing else is tried any more."""

    def alternatives(self) -> "list[Route]":
        """Return what else may be understood, in order: the other dialect, then no stream."""
        if self.is_settled:
            return []
        other = [replace(self, binding=self.binding.other())] if isinstance(self.binding, JsonRpc) else []
        return [*other, *([replace(self, streams=False)] if self.streams else [])]


class AskedHosts(Protocol):
    """Knows what the user answered about other servers that an agent card names."""

    def permission(self, configured: str, named: str) -> Permission | None:
        """Return the answer for a pair of origins; None = it was not answered yet, and is kept to be asked."""
        ...


async def find_route(
    channel: HttpChannel,
    url: str,
    *,
    version: Version,
    use_card_url: bool,
    asked: AskedHosts | None = None,
    own_connection: bool = False,
) -> Route:
    """Fetch the agent's card and choose.

    Args:
        channel: the session's connections.
        url: as configured.
        version: as configured.
        use_card_url: the user lets the card name another server.
        asked: what the user answered when asked; None = nobody can be asked.
        own_connection: do not disturb a stream.

    Raises:
        OtherHost: the card names another server, and the user has not agreed.
        EndpointError: the agent cannot be reached, has no card, or offers nothing that is spoken here.
        ConfigError: the URL is none.
    """
    configured = read_url(url)
    found = await _find_card(channel, configured, own_connection=own_connection)
    if found is None:
        if version == "auto":
            raise _no_card(channel, configured)
        return Route(JsonRpc(url, is_v1=version == "1.0"), url)
    card, where = found
    only_path = split_url(configured.base).path.strip("/") if where.is_root else None
    interface = choose(card, version, only_path=only_path)
    if interface is None:
        raise _nothing_spoken(card, configured)
    host = lookup_host(interface.url, configured.base)
    addresses = [] if host is None else await _addresses(host)
    exists = host is None or bool(addresses)
    public_host = "" if host is None or not exists or not await _is_public(configured) else host
    if public_host and (inside := next(filter(is_private_address, addresses), None)):
        raise _leads_inside(interface.url, configured, inside)
    elsewhere = other_origin(interface.url, configured.base) if exists and not use_card_url else None
    agreement = _agreement(asked, configured, elsewhere)
    target = place(
        interface.url,
        configured.base,
        follow=use_card_url or agreement is not None,
        exists=exists,
        setting=channel.settings.setting("use_card_url"),
    )
    binding: Binding = (
        HttpJson(target, is_v1=interface.is_v1, tenant=interface.tenant)
        if interface.transport == HTTP_JSON
        else JsonRpc(target, is_v1=interface.is_v1, tenant=interface.tenant)
    )
    if origin(target) == origin(configured.base):
        public_host = ""
    return Route(
        binding,
        target,
        card.name,
        card.streams,
        card.input_modes,
        agreement=agreement,
        public_host=public_host,
    )


def _agreement(asked: AskedHosts | None, configured: ConfiguredUrl, elsewhere: str | None) -> Agreement | None:
    """Return what the user agreed to about another server; None = nothing, or there is none."""
    if asked is None or elsewhere is None:
        return None
    permission = asked.permission(origin(configured.base), elsewhere)
    if permission is None or permission is Permission.REFUSED:
        return None
    return Agreement(origin(configured.base), elsewhere, permission)


async def _find_card(
    channel: HttpChannel, configured: ConfiguredUrl, *, own_connection: bool
) -> tuple[Card, CardPlace] | None:
    for where in configured.places:
        response = await _fetch(channel, where.url, own_connection=own_connection)
        if response.status in _ELSEWHERE:
            continue
        if response.status >= 400:
            reject_status(response, response.body)
        card = read_card(response.body)
        if card is None:
            continue
        if where.is_root and choose(card, "auto", only_path=split_url(configured.base).path.strip("/")) is None:
            continue
        return card, where
    return None


async def _fetch(channel: HttpChannel, url: str, *, own_connection: bool) -> FetchedResponse:
    try:
        return await channel.fetch(
            "GET",
            url,
            headers={"Accept": "application/json"},
            timeout_s=_CARD_S,
            own_connection=own_connection,
            redirects=_REDIRECTS,
        )
    except StreamStalled as error:
        # nothing of the prompt was sent: another try is harmless
        raise Unreachable(str(error), hint=error.hint, retryable=True) from error


async def _addresses(host: str) -> list[str]:
    """Return the addresses of a host; none when its name cannot be resolved."""
    try:
        async with asyncio.timeout(_LOOKUP_S):
            return addresses(await look_up(host, None))
    except (OSError, TimeoutError, UnicodeError):
        return []


async def _is_public(configured: ConfiguredUrl) -> bool:
    """Whether the server that the user typed is one of the public's. An agent inside a network may name its neighbours."""
    own = origin_of(configured.base)
    if own is None or own.is_private:
        return False
    return not any(map(is_private_address, await _addresses(own.host)))


def _leads_inside(url: str, configured: ConfiguredUrl, address: str) -> ProtocolMismatch:
    """Return the refusal of a name that leads where the card could not have sent requests by address."""
    return ProtocolMismatch(
        f"The agent card of {origin(configured.base)} sends requests to {origin(url)}, which leads to {address}, an address "
        "inside your own network: nothing was sent there.",
        hint="The agent's operator has to correct the card, or configure that address itself.",
    )


def _no_card(channel: HttpChannel, configured: ConfiguredUrl) -> ProtocolMismatch:
    path = split_url(configured.places[0].url).path
    return ProtocolMismatch(
        f"{host_port(configured.base)} has no agent card at {path}: it is not an A2A agent, or its URL is another.",
        hint=(
            f"Check {channel.settings.setting('url')} and {channel.settings.setting('protocol')}; "
            f'an agent without a card needs {channel.settings.setting("a2a_version")} = "0.3" or "1.0".'
        ),
    )


def _nothing_spoken(card: Card, configured: ConfiguredUrl) -> ProtocolMismatch:
    offered = ", ".join(sorted({f"{each.transport} {each.version}" for each in card.interfaces})) or "nothing"
    return ProtocolMismatch(
        f"The agent at {host_port(configured.base)} offers {offered[:200]}; JSON-RPC or HTTP+JSON is needed.",
        hint="Its operator may be able to switch JSON-RPC on.",
    )
