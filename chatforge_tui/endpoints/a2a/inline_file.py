"""Files that an agent sends inside its answer, as base64.

Owns the tolerance for its spellings.
"""

import base64
import binascii

from chatforge_tui.endpoints.a2a.wire import FilePiece

_STANDARD_ALPHABET = str.maketrans("-_", "+/")


def inline_file(encoded: str, *, name: str, media_type: str) -> FilePiece:
    """Return a file that came as base64: standard or URL-safe alphabet, padded or not."""
    plain = "".join(encoded.split()).translate(_STANDARD_ALPHABET).rstrip("=")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return FilePiece(name, media_type, is_damaged=True)
    return FilePiece(name, media_type, data=data)
