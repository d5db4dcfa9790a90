"""Redaction by value: every loaded credential disappears from what is logged, shown or exported.

Owns the set of known credentials of this process. It must not guess what looks like a credential: what was not
registered is not touched.
"""

import base64
import json
import re
import threading
from urllib.parse import quote, quote_plus, unquote

from chatforge_tui.safety.secret import Secret

MASK = "***"
_ENCODED_MOST = 3
"""How often a credential in a URL may have been encoded to be found all the same."""
SHORTEST = 6
"""Characters. A shorter credential would redact ordinary words; it is registered nowhere."""


class Redactor:
    """A set of credentials and the pattern that finds them. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def register(self, secret: Secret) -> None:
        """Redact this credential from now on, in every form it could take. Too short ones are ignored."""
        value = secret.reveal()
        if len(value.strip()) < SHORTEST:
            return
        with self._lock:
            self._forms |= _forms(value)
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str, *, is_cut: bool = False) -> str:
        """Return `text` with each registered credential replaced by `***`.

        Args:
            text: any.
            is_cut: it is the beginning of a longer text, whose end may be the beginning of a credential.
        """
        pattern = self._pattern
        if pattern is None:
            return text
        text = pattern.sub(MASK, text)
        return text[: len(text) - self._cut_off(text)] + MASK if is_cut and self._cut_off(text) else text

    def _cut_off(self, text: str) -> int:
        """Return how many characters at the end begin a credential that is cut there; 0 for none."""
        end = text.lower()
        found = 0
        for form in map(str.lower, self._forms):
            lengths = range(min(len(form) - 1, len(end)), max(SHORTEST - 1, found), -1)
            found = next((length for length in lengths if end.endswith(form[:length])), found)
        return found


_process = Redactor()


def register(secret: Secret) -> None:
    """Redact this credential in this process from now on; see `Redactor.register`."""
    _process.register(secret)


def register_userinfo(url: str) -> None:
    """Redact the password of a URL from now on, or a user name that stands alone, wherever the URL may be shown."""
    user, _, password = url.partition("//")[2].split("/")[0].rpartition("@")[0].partition(":")
    for spelled in (password, unquote(password)) if password else (user, unquote(user)):
        register(Secret(spelled))


def redact(text: str, *, is_cut: bool = False) -> str:
    """Return `text` with each credential registered in this process replaced by `***`; see `Redactor.redact`."""
    return _process.redact(text, is_cut=is_cut)


def redact_url(url: str) -> str:
    """Return a URL as it can be shown: decoded where a credential stands in it, encoded however often."""
    plain = url
    for _ in range(_ENCODED_MOST):
        plain = unquote(plain)
        if (shown := redact(plain)) != plain:
            return shown
    return redact(url)


def _forms(value: str) -> set[str]:
    """Return every spelling of a credential: as it is, URL-encoded, in JSON, in base64 at each alignment."""
    forms = {value, value.strip(), quote(value, safe=""), quote(value), quote_plus(value), json.dumps(value)[1:-1]}
    forms |= {_lower_escapes(form) for form in forms}
    # A host name comes back in lower case. Ignoring case altogether would take thirty times as long.
    forms |= {form.lower() for form in forms}
    raw = value.encode("utf-8", "surrogatepass")
    for offset in range(3):
        forms |= _base64_forms(raw, offset)
    return {form for form in forms if len(form) >= SHORTEST}


def _lower_escapes(form: str) -> str:
    """Return a URL-encoded text with its escapes in lower case."""
    return re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), form)


def _base64_forms(raw: bytes, offset: int) -> set[str]:
    """Return what `raw` looks like inside longer base64 when `offset` (0 to 2) bytes stand before it in its group.

    Only the characters that depend on nothing but `raw` are taken: a header `user:password` hides the password at an
    alignment that the user name decides.
    """
    padded = base64.b64encode(b"\0" * offset + raw)
    first = (offset * 8 + 5) // 6
    last = (offset + len(raw)) * 8 // 6
    middle = padded[first:last].decode("ascii")
    return {middle, middle.replace("+", "-").replace("/", "_")}
