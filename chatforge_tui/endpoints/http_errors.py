"""The one place where what httpx, httpcore, ssl and the system raise becomes an error that a person can read.

Loaded with httpx, by `http_wire`. A message names host and port, never a URL: URLs carry credentials.
"""

import errno
import re
import socket
import ssl
from typing import Final, TypeVar

import httpcore
import httpx
from msgspec import Struct

from chatforge_tui.endpoints import descriptors
from chatforge_tui.endpoints.http_settings import HttpSettings
from chatforge_tui.endpoints.http_url import host_port
from chatforge_tui.errors import (
    EndpointError,
    ProtocolMismatch,
    ProxyRefused,
    StreamLost,
    StreamStalled,
    TlsFailed,
    Unreachable,
)
from chatforge_tui.safety.redact import redact

Wanted = TypeVar("Wanted", bound=BaseException)

FAILURES: Final = (
    httpx.HTTPError,
    httpx.StreamError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
    OSError,
)
"""Everything that the libraries below raise when the network or the peer is at fault."""

_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")
_REFUSED: Final = frozenset({111, 61, 10061})
"""ECONNREFUSED of Linux, macOS and Windows: asyncio reports several failed addresses only as text with numbers."""
_NO_ROUTE: Final = frozenset({101, 113, 51, 65, 10051, 10065})
"""ENETUNREACH and EHOSTUNREACH of the same three."""
_NO_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE})
_TLS_RECORD: Final = "\\x15\\x03"
"""How the complaint of a TLS server begins that was spoken to without TLS, as h11 quotes it."""
_EXPIRED, _NOT_YET_VALID = 10, 9
_WRONG_HOST = frozenset({62, 63, 64})
_SELF_SIGNED = frozenset({18, 19})


class Where(Struct, frozen=True):
    """What an exchange was about when it failed."""

    url: str
    settings: HttpSettings
    proxy: str = ""
    """URL of the proxy in between; "" = none."""
    has_head: bool = False
    """The answer had begun."""

    @property
    def peer(self) -> str:
        """Host and port of the server that was meant."""
        return host_port(self.url)

    @property
    def first_hop(self) -> str:
        """Who is connected to, for the beginning of a sentence."""
        return f"The proxy {host_port(self.proxy)}" if self.proxy else self.peer

    @property
    def hop_setting(self) -> str:
        """Which setting names the first hop."""
        if not self.proxy:
            return self.settings.setting("url") if self.settings.name else "the URL"
        return self.settings.setting("proxy") if self.settings.proxy else "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"


def translate(error: Exception, where: Where) -> EndpointError:
    """Return what to raise `from` a failure of the libraries."""
    tls = _cause(error, ssl.SSLError)
    if tls is not None:
        return _tls_failed(tls, where)
    if isinstance(error, httpcore.ProxyError | httpx.ProxyError):
        return _proxy_failed(error, where)
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout | httpx.ConnectError | httpx.ConnectTimeout):
        return _not_connected(error, where)
    if where.has_head:
        return StreamLost(f"The connection to {where.peer} broke before the answer was complete.", hint=_RETRY)
    if isinstance(error, httpcore.RemoteProtocolError) and "without sending" not in str(error):
        return _not_http(error, where)
    if isinstance(error, httpcore.TimeoutException):
        return StreamStalled(f"{where.peer} did not take the request in time.", hint=_RETRY)
    return StreamLost(f"{where.first_hop} closed the connection without an answer.", hint=_after_silence(where))


_RETRY: Final = "Try again; if it keeps happening, the server's log may say why."


def _after_silence(where: Where) -> str:
    """Return what may be behind a connection that was closed at once.

    The alert by which a server says that it wants a client certificate is often lost with the connection, and with TLS 1.3
    it comes after the handshake.
    """
    if not where.url.startswith("https:") or where.settings.client_cert:
        return _RETRY
    wanted = where.settings.setting("client_cert")
    return f"{_RETRY[:-1]}, or it wants a client certificate: {wanted}."


def _cause(error: BaseException | None, kind: type[Wanted]) -> Wanted | None:
    """Return the first of that kind in the chain of causes."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


def _not_connected(error: Exception, where: Where) -> EndpointError:
    """A connection never stood: nothing was sent, another try may help."""
    cause = _cause(error, OSError)
    hint = f"Check {where.hop_setting}, and that the server is running."
    if where.proxy and not where.settings.proxy:
        hint = f"Check {where.hop_setting}; NO_PROXY names hosts that need no proxy."
    if isinstance(cause, socket.gaierror) or _cause(error, UnicodeError) is not None:
        host = host_port(where.proxy or where.url).rpartition(":")[0]
        what = f"No host named {host} was found" + (", the proxy that is set." if where.proxy else ".")
        return Unreachable(what, hint=f"Check {where.hop_setting} and the network connection.", retryable=True)
    if isinstance(error, httpcore.ConnectTimeout | httpx.ConnectTimeout) or isinstance(cause, TimeoutError):
        limit = f"{where.settings.connect_s:g} s"
        if "TLS" in str(error):
            what = f"{where.peer} did not complete the TLS handshake within {limit}."
            hint = f"Check https:// and the port in {where.settings.setting('url')}."
            return Unreachable(what, hint=hint, retryable=True)
        return Unreachable(f"{where.first_hop} could not be connected to within {limit}.", hint=hint, retryable=True)
    if "TLS" in str(error):
        what = f"{where.peer} closed the connection during the TLS handshake."
        return Unreachable(what, hint=_after_silence(where), retryable=True)
    numbers = {cause.errno} if cause is not None and cause.errno else {int(n) for n in _ERRNO.findall(str(cause))}
    if isinstance(cause, ConnectionRefusedError) or numbers & _REFUSED:
        return Unreachable(f"{where.first_hop} refused the connection.", hint=hint, retryable=True)
    if numbers & _NO_DESCRIPTORS:
        most = descriptors.most()
        allowed = f"the system allows this program {most:,}" if most is not None else "the system has no more"
        return Unreachable(
            f"Too many connections and files are open: {allowed}.",
            hint="End or close other sessions, or start ChatForge with a higher limit: ulimit -n 4096.",
            retryable=True,
        )
    if numbers & _NO_ROUTE:
        what = f"There is no network route to {where.first_hop[:1].lower()}{where.first_hop[1:]}."
        return Unreachable(what, hint="Check the network connection or VPN.", retryable=True)
    reason = cause.strerror if cause is not None and cause.strerror else "the connection failed"
    return Unreachable(f"{where.first_hop} could not be connected to: {reason}.", hint=hint, retryable=True)


def _proxy_failed(error: Exception, where: Where) -> EndpointError:
    """The proxy answered the request for a tunnel with something else than a tunnel."""
    said = redact(str(error).strip())[:120]
    if said.startswith("407"):
        return ProxyRefused(
            f"{where.first_hop} wants a user name and password.",
            hint=f"Put them into the URL in {where.hop_setting}: http://user:password@host:port.",
        )
    is_passing = said[:1] == "5"
    return (Unreachable if is_passing else ProxyRefused)(
        f"{where.first_hop} did not connect to {where.peer}" + (f": {said}." if said else "."),
        hint=f"Check {where.hop_setting}.",
        retryable=is_passing,
    )


def _not_http(error: Exception, where: Where) -> EndpointError:
    """Something answered, but not HTTP."""
    if _TLS_RECORD in str(error):
        return ProtocolMismatch(
            f"{where.peer} expects TLS.", hint=f"Write https:// instead of http:// in {where.settings.setting('url')}."
        )
    return ProtocolMismatch(
        f"What answers at {where.peer} does not speak HTTP.", hint=f"Check the port in {where.settings.setting('url')}."
    )


def _tls_failed(error: ssl.SSLError, where: Where) -> EndpointError:
    """Say why a connection is not trusted, and what to set if it should be."""
    peer, settings = where.peer, where.settings
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        if code in _WRONG_HOST:
            what, hint = "is for another host name", f"Use the name in the certificate in {settings.setting('url')}."
        elif code == _EXPIRED:
            what, hint = "has expired", "Its owner has to renew it; check this computer's clock as well."
        elif code == _NOT_YET_VALID:
            what, hint = "is not valid yet", "Check this computer's clock."
        else:
            kind = "is self-signed" if code in _SELF_SIGNED else "is from an authority that is not known here"
            what, hint = kind, f"If you trust it, name the authority's PEM file in {settings.setting('ca_file')}."
        return TlsFailed(f"The certificate of {peer} {what}.", hint=hint)
    reason = (error.reason or "").upper()
    if any(word in reason for word in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER", "PACKET_LENGTH")):
        return TlsFailed(
            f"{peer} does not speak TLS.", hint=f"Write http:// in {settings.setting('url')} if that is meant."
        )
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        hint = f"Name one in {settings.setting('client_cert')} if the server wants it."
        return TlsFailed(f"{peer} refused the TLS connection, perhaps for lack of a client certificate.", hint=hint)
    said = (error.reason or error.strerror or "the handshake failed").replace("_", " ").lower()
    return TlsFailed(f"No TLS connection to {peer}: {said[:120]}.", hint="The server's TLS settings may be at fault.")
