"""Judging URLs: what may be opened, and whose server is meant.

Pure text work; nothing is looked up or opened here.
"""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

_OPENABLE = frozenset({"http", "https"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\"<>^`{|}\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]")
_HOST = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*\.?")
_NUMERIC = re.compile(r"(^|\.)(0x[0-9a-f]*|[0-9]+)\.?$")
"""A host ending like this is read as an IPv4 address by some programs and not by others: `2130706433`, `0x7f.1`."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LONGEST = 8192
"""Characters. A longer URL is no link."""


class Origin(Struct, frozen=True):
    """Scheme, host and port: what a credential is bound to."""

    scheme: str
    """"http" or "https"."""
    host: str
    """Lower case, punycode; an IPv6 address without brackets."""
    port: int

    def __str__(self) -> str:
        """Spell it as a browser does: the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if _DEFAULT_PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_private(self) -> bool:
        """Whether the host names this machine or a network that the public cannot reach."""
        host = self.host.rstrip(".")
        if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
            return True
        return is_private_address(host)


class SafeLink(Struct, frozen=True):
    """A link that may be opened after the user agreed."""

    url: str
    """What is opened: ASCII, punycode host, without userinfo."""
    origin: Origin
    shown_host: str
    """The host as written, for comparison with `origin.host`; clean it before it is shown."""
    had_userinfo: bool
    """The URL carried a user name before the host, a common disguise; it was removed."""
    is_disguised: bool
    """Host as written and real host differ (an international name): say both."""


def is_private_address(text: str) -> bool:
    """Whether an address is this machine's or of a network that the public cannot reach; False for a name.

    IPv6 addresses that carry an IPv4 one (mapped, 6to4, Teredo, NAT64) are what that one is.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not address.is_global or address.is_multicast
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())[1:]]
    if address in _NAT64:
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if any(each is not None and not each.is_global for each in carried):
        return True
    return address.ipv4_mapped is None and (not address.is_global or address.is_multicast)


def judge_link(url: str) -> SafeLink | None:
    """Return the link that `url` stands for, None when it must not be opened: another scheme, no host, odd characters."""
    parts = _split(url)
    if parts is None:
        return None
    origin = _origin(parts)
    if origin is None:
        return None
    written = (parts.hostname or "").lower()
    tail = parts._replace(scheme="", netloc="").geturl()
    try:
        tail = _percent_encoded(tail)
    except UnicodeEncodeError:
        return None
    return SafeLink(
        url=f"{origin}{tail}",
        origin=origin,
        shown_host=written,
        had_userinfo="@" in parts.netloc,
        is_disguised=written != origin.host,
    )


def origin_of(url: str) -> Origin | None:
    """Return scheme, host and port of an http(s) URL; None for anything else."""
    parts = _split(url)
    return _origin(parts) if parts else None


def same_origin(one: str, other: str) -> bool:
    """Tell whether a credential for one URL may go to the other."""
    origin = origin_of(one)
    return origin is not None and origin == origin_of(other)


def has_userinfo(url: str) -> bool:
    """Tell whether the URL carries a user name or password before its host."""
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        return "@" in url.partition("//")[2].partition("/")[0]


def without_userinfo(url: str) -> str:
    """Return the URL without user name and password, for screens and logs."""
    scheme, slashes, rest = url.partition("//")
    authority_end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    return f"{scheme}{slashes}{rest[:authority_end].rpartition('@')[2]}{rest[authority_end:]}"


def _split(url: str) -> SplitResult | None:
    if len(url) > _LONGEST or _FORBIDDEN.search(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts if parts.scheme in _OPENABLE and parts.netloc else None


def _origin(parts: SplitResult) -> Origin | None:
    try:
        port = parts.port
    except ValueError:
        return None
    host = _real_host(parts.hostname or "")
    if not host or port == 0:
        return None
    return Origin(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme])


def _real_host(written: str) -> str:
    """Return the host as it is looked up: lower case, punycode. "" when it is none."""
    if ":" in written:
        try:
            return str(ipaddress.IPv6Address(written))
        except ValueError:
            return ""
    try:
        host = written.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    if not _HOST.fullmatch(host) or (_NUMERIC.search(host) and not _is_dotted_quad(host)):
        return ""
    return host


def _is_dotted_quad(host: str) -> bool:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def _percent_encoded(tail: str) -> str:
    """Return path, query and fragment in ASCII, everything beyond it percent-encoded as UTF-8."""
    return "".join(
        character if character.isascii() else "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))
        for character in tail
    )
