"""What the connections of one endpoint need: names, headers, times, limits, trust. Values only, nothing is opened here."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from chatforge_tui.safety.secret import Secret

MEBIBYTE: Final = 2**20
"""Bytes."""
DIRECT: Final = "direct"
"""The value of `HttpSettings.proxy` that means: none, whatever the environment says."""


class HttpSettings(Struct, frozen=True):
    """What one endpoint's connections need. Times in seconds, > 0; sizes in bytes, > 0."""

    name: str = ""
    """What the endpoint is called in the configuration; "" for one that was given as a URL."""
    headers: Mapping[str, str | Secret] = field(default_factory=dict[str, str | Secret])
    """Sent with every request to `origin`; credentials live here."""
    credential_source: str = ""
    """Where the credential came from, for people: "the environment variable PLATFORM_TOKEN"; "" = there is none."""
    origin: str = ""
    """A URL on the only origin that `headers` and the client certificate may reach; "" = every one."""
    connect_s: float = 10.0
    """Until a connection stands, TLS included."""
    first_byte_s: float = 120.0
    """From the request to the head of the answer."""
    idle_s: float = 120.0
    """Between two bytes of a streamed answer."""
    progress_s: float = 300.0
    """Between two pieces of content of a streamed answer; keepalives are none."""
    max_event_bytes: int = 8 * MEBIBYTE
    """One event of a stream."""
    max_turn_bytes: int = 64 * MEBIBYTE
    """One whole streamed answer, decoded."""
    verify: bool = True
    """Whether the server's TLS certificate must be trusted."""
    ca_file: str = ""
    """PEM file with certificate authorities to trust besides the usual ones."""
    client_cert: str = ""
    """PEM file with the certificate to identify with, and its key unless `client_key` names that."""
    client_key: str = ""
    """PEM file with the key of `client_cert`."""
    proxy: str = ""
    """Proxy URL. "" = as the environment says (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY), "direct" = none."""

    public_host: str = ""
    """A host that must be one of the public's: addresses that only this machine or its network knows are refused."""

    def setting(self, key: str) -> str:
        """Name a setting of this endpoint the way the configuration spells it."""
        return f"endpoints.{self.name}.{key}" if self.name else f"`{key}` of this endpoint"
