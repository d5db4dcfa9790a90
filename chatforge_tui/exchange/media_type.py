"""What kind of file a file is: by how it begins, by its name, by whether it is text. Pure; trusts no name alone."""

import mimetypes
from pathlib import PurePath
from typing import Final

BINARY: Final = "application/octet-stream"
PLAIN: Final = "text/plain"
_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
"""Of kinds that a model is told by their type, and refuses under a wrong one."""
_TEXTS: Final = {
    ".c": PLAIN, ".cfg": PLAIN, ".conf": PLAIN, ".cpp": PLAIN, ".diff": "text/x-diff", ".env": PLAIN, ".go": PLAIN,
    ".h": PLAIN, ".ini": PLAIN, ".java": PLAIN, ".jsonl": "application/x-ndjson", ".kt": PLAIN, ".log": PLAIN,
    ".md": "text/markdown", ".mjs": "text/javascript", ".patch": "text/x-diff", ".php": PLAIN, ".pl": PLAIN,
    ".proto": PLAIN, ".py": "text/x-python", ".rb": PLAIN, ".rs": PLAIN, ".rst": PLAIN, ".sh": "text/x-shellscript",
    ".sql": "application/sql", ".swift": PLAIN, ".tf": PLAIN, ".toml": "application/toml", ".ts": PLAIN, ".tsx": PLAIN,
    ".yaml": "application/yaml", ".yml": "application/yaml",
}  # fmt: skip
"""Endings that systems do not know, or know as something else (`.ts` as film)."""
_PACKED: Final = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
_LOOKED_AT: Final = 8_192
"""Bytes at the beginning by which text is told from other content."""


def media_type(name: str, data: bytes) -> str:
    """Return the media type of a file; never empty.

    Args:
        name: with its ending; as hostile as it likes.
        data: its content.
    """
    if (known := _by_beginning(data)) is not None:
        return known
    ending = PurePath(name).suffix.lower()
    is_text = _is_text(data)
    if ending in _TEXTS and is_text:
        return _TEXTS[ending]
    guessed, packing = mimetypes.guess_type(f"x{ending}")
    if packing is not None:
        return _PACKED.get(packing, BINARY)
    if guessed is None or guessed == BINARY:
        return PLAIN if is_text else BINARY
    # A picture or a text by name alone would be refused, or read as nonsense.
    if guessed in {one for _, one in _BEGINNINGS} or (guessed.startswith("text/") and not is_text):
        return PLAIN if is_text else BINARY
    return guessed


def _by_beginning(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] in (b"WEBP", b"WAVE"):
        return "image/webp" if data[8:12] == b"WEBP" else "audio/wav"
    return next((kind for beginning, kind in _BEGINNINGS if data.startswith(beginning)), None)


def _is_text(data: bytes) -> bool:
    """Return whether the content begins as UTF-8 without NUL; a character that the look cuts in two does not count."""
    head = data[:_LOOKED_AT]
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(data) > _LOOKED_AT and error.start > len(head) - 4
    return True
