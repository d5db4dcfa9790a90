"""Tells what an answer is by how it begins, whatever its content type says.

Owns the beginnings of an event stream and of JSON. Some servers stream without a content type or under a wrong one, and some
say why they gave up as plain JSON where a stream was promised. Knows no protocol.
"""

from collections.abc import AsyncGenerator
from typing import Final

_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How a line of an event stream begins."""
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_MOST_BLANKS: Final = 4_096
"""Bytes of nothing but blanks after which an answer is what its content type says."""


async def first_bytes(chunks: AsyncGenerator[bytes, None]) -> bytes:
    """Return what comes first of a body: enough to tell what it is, all of it when that is less, b"" for nothing."""
    begin = b""
    while _is_undecided(begin) and (chunk := await anext(chunks, None)) is not None:
        begin += chunk
    return begin


def begins_events(begin: bytes) -> bool:
    """Whether a body that begins so is an event stream."""
    return begin.lstrip(_BLANK).startswith(_FIELDS)


def begins_json(begin: bytes) -> bool:
    """Whether a body that begins so is a JSON object."""
    return begin.lstrip(_BLANK).startswith(b"{")


def _is_undecided(begin: bytes) -> bool:
    start = begin.lstrip(_BLANK)
    return (
        len(begin) < _MOST_BLANKS
        and not start.startswith(_FIELDS)
        and any(field.startswith(start) for field in _FIELDS)
    )
