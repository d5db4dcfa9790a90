"""Rebuilding file names that come from outside.

Pure text work: a name built here cannot leave its directory, hide, be an option, or be a device. Where it is written,
and how (exclusively, without following links), is decided by who writes.
"""

import re
import unicodedata

LONGEST = 120
"""Bytes of a rebuilt name; its characters are ASCII."""
_LONGEST_EXTENSION = 12
_OUTSIDE_ALPHABET = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def safe_file_name(name: str, *, fallback: str = "file") -> str:
    """Return a file name made of `[A-Za-z0-9._-]` that is as near to `name` as is safe.

    Args:
        name: as an agent gave it, or a session's title: possibly a path, empty, endless or hostile.
        fallback: used when nothing of `name` remains; itself such a name.
    """
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode("ascii")
    rebuilt = _OUTSIDE_ALPHABET.sub("_", plain)
    rebuilt = re.sub(r"\.{2,}", ".", rebuilt).lstrip(".-_").rstrip("._")
    if not rebuilt:
        return fallback
    if _RESERVED.fullmatch(rebuilt):
        rebuilt = f"{fallback}_{rebuilt}"
    return _shortened(rebuilt)


def _shortened(name: str) -> str:
    """Cut to the limit, keeping a short extension."""
    if len(name) <= LONGEST:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _LONGEST_EXTENSION:
        return name[:LONGEST].rstrip("._")
    return stem[: LONGEST - len(extension) - 1].rstrip("._-") + dot + extension
