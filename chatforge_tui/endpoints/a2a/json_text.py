"""JSON from agents, decoded into typed values: strictly first, and once more leniently where a strict reader gives up.

Owns the tolerance for JSON that is almost right. Knows no protocol.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

from chatforge_tui.endpoints.a2a.wire import FilePiece, MalformedEvent

Decoded = TypeVar("Decoded")


def decode(text: str | bytes, kind: type[Decoded]) -> Decoded:
    """Decode JSON into `kind`; members that `kind` does not name are ignored.

    A text with halves of surrogate pairs (an agent cut an emoji in two) or with NaN is read all the same, the
    unreadable character becoming U+FFFD.

    Raises:
        MalformedEvent: it is no JSON, nests too deeply, or has another shape.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise MalformedEvent(str(error)) from error
    except RecursionError as error:
        raise MalformedEvent("JSON nests too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode_leniently(text, kind)


def _decode_leniently(text: str | bytes, kind: type[Decoded]) -> Decoded:
    """Read what the strict decoder refused, if it is JSON at all."""
    readable = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    try:
        return msgspec.convert(_repaired(json.loads(readable)), type=kind)
    except (ValueError, RecursionError) as error:
        # json's and msgspec's own errors are ValueErrors
        raise MalformedEvent(str(error)) from error


def _repaired(value: object) -> object:
    """Return the value with every surrogate pair joined and every lone half replaced."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repaired(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {_repaired(key): _repaired(item) for key, item in cast("dict[str, object]", value).items()}
    return value


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is a JSON object, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[Any]:
    """Return the value if it is a JSON array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return the value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def compact(value: object) -> str:
    """Return the value as one line of JSON, whole numbers without a fraction."""
    return json.dumps(_with_whole_numbers(value), ensure_ascii=False)


def pretty(value: object) -> str:
    """Return the value as indented JSON, whole numbers without a fraction."""
    return json.dumps(_with_whole_numbers(value), ensure_ascii=False, indent=2)


def _with_whole_numbers(value: object) -> object:
    """Turn 3.0 into 3, all through: version 1.0 servers make every number a float."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: _with_whole_numbers(item) for key, item in cast("dict[str, object]", value).items()}
    return value


def inline_file(encoded: str, *, name: str, media_type: str) -> FilePiece:
    """Return a file that came as base64: standard or URL-safe alphabet, padded or not."""
    plain = "".join(encoded.split()).translate(_STANDARD_ALPHABET).rstrip("=")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return FilePiece(name, media_type, is_damaged=True)
    return FilePiece(name, media_type, data=data)


_STANDARD_ALPHABET = str.maketrans("-_", "+/")
