"""Fetching a file that an agent offers by its address, after the user said so. One file, one request, nothing followed blindly.

Owns where such a request may go: http and https only, to the public or to the endpoint's own host, with a credential only
to the endpoint's own origin, and not on to another origin before the user has seen it.
"""

from typing import Final
from urllib.parse import urljoin

from msgspec.structs import replace

from chatforge_tui.endpoints.http import HttpChannel, HttpSettings, reject_status
from chatforge_tui.errors import FileElsewhere, ProtocolMismatch
from chatforge_tui.safety.redact import redact_url
from chatforge_tui.safety.urls import SafeLink, judge_link, origin_of

_WHOLE_S: Final = 300.0
"""Seconds for the whole file; a server that stands still is given up sooner, as the endpoint's settings say."""
_REDIRECTS: Final = 3
"""How many redirects within one origin are followed."""


async def fetch_file(url: str, settings: HttpSettings, *, limit: int) -> bytes:
    """Return the file at a URL.

    Args:
        url: as the agent gave it, or as a redirect names it.
        settings: of the endpoint: its credential goes to its own origin only.
        limit: most bytes.

    Raises:
        FileElsewhere: the server sends on to another origin; nothing was sent there.
        ProtocolMismatch: no request may go to this URL.
        LimitExceeded: the file is larger.
        EndpointError: it cannot be had.
    """
    link = judge_link(url)
    if link is None:
        message = (
            "The address of this file cannot be fetched: only http and https addresses are, without odd characters."
        )
        raise ProtocolMismatch(message)
    own = origin_of(settings.origin) if settings.origin else None
    is_own_host = own is not None and own.host == link.origin.host
    if link.origin.is_private and not is_own_host:
        raise inside(link.origin.host)
    channel = HttpChannel(
        replace(settings, public_host="" if is_own_host else link.origin.host, max_turn_bytes=limit + 1)
    )
    try:
        response = await channel.download(link.url, timeout_s=_WHOLE_S, limit=limit, redirects=_REDIRECTS)
    finally:
        await channel.aclose()
    if 300 <= response.status < 400:
        raise _elsewhere(link, urljoin(response.url, response.headers.get("location", "")))
    if response.status >= 400:
        reject_status(response, response.body)
    return response.body


def inside(host: str) -> ProtocolMismatch:
    """Return the refusal of an address that only this machine or its network knows."""
    return ProtocolMismatch(
        f"The address of this file leads to {host}, inside your own network: nothing was sent there.",
        hint="Only the endpoint's own host may be such a one.",
    )


def _elsewhere(link: SafeLink, target: str) -> ProtocolMismatch:
    """Return what to say about a redirect that was not followed."""
    next_link = judge_link(target)
    if next_link is None or (link.origin.scheme == "https" and next_link.origin.scheme == "http"):
        return ProtocolMismatch(f"{link.origin} sends on to an address that is not fetched: {redact_url(target)[:200]}")
    if next_link.origin == link.origin:
        return ProtocolMismatch(f"{link.origin} sends on and on: the file is nowhere.")
    return FileElsewhere(f"{link.origin} sends on to {redact_url(str(next_link.origin))}.", target=next_link.url)
