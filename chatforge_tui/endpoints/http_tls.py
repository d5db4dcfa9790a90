"""Whom a TLS connection trusts. One context per set of settings, shared by every channel: making one costs 20 ms.

SSLKEYLOGFILE is not honoured: nobody who sets a variable in some shell should be able to read the sessions' traffic.
"""

import ssl
from functools import lru_cache
from pathlib import Path

import certifi

from chatforge_tui.endpoints.http_settings import HttpSettings
from chatforge_tui.errors import ConfigError


def context_for(settings: HttpSettings, *, with_client_cert: bool) -> ssl.SSLContext:
    """Return the context for these settings.

    Args:
        settings: whom to trust, and how to identify.
        with_client_cert: whether the client certificate may be shown to the server.

    Raises:
        ConfigError: a file named in the settings cannot be used.
    """
    certificate = (settings.client_cert, settings.client_key) if with_client_cert else ("", "")
    try:
        return _context(settings.verify, settings.ca_file, *certificate)
    except OSError as error:
        key = "ca_file" if not _is_usable_ca(settings.ca_file) else "client_cert"
        reason = error.strerror or "it holds no usable certificate or key"
        raise ConfigError(
            f"{settings.setting(key)} cannot be used: {reason}.", hint="It names a file in PEM format."
        ) from error


@lru_cache(maxsize=64)
def _context(verify: bool, ca_file: str, client_cert: str, client_key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if verify:
        # What this system trusts (companies add their own authority there), and Mozilla's list where it trusts nothing.
        context.load_default_certs()
        context.load_verify_locations(certifi.where())
        if ca_file:
            context.load_verify_locations(Path(ca_file).expanduser())
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client_cert:
        key = Path(client_key).expanduser() if client_key else None
        context.load_cert_chain(Path(client_cert).expanduser(), key, password=_no_password)
    return context


def _no_password() -> str:
    """Answer OpenSSL's question for a key's password, which it would otherwise put to the terminal."""
    return ""


def _is_usable_ca(ca_file: str) -> bool:
    if not ca_file:
        return True
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(Path(ca_file).expanduser())
    except OSError:
        return False
    return True
