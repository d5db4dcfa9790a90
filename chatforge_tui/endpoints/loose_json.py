"""JSON from servers that nobody promised anything about: read what can be read, tolerate the rest.

Owns the tolerance for wrong types and for JSON that is almost right: halves of surrogate pairs (a server cut an emoji in
two), NaN and endless numbers are read all the same. Knows no protocol.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

import msgspec

Decoded = TypeVar("Decoded")

_LONGEST_INT: Final = 30
"""Digits. Longer integers become floats: turning a long digit string into an integer takes quadratic time."""


class MalformedJson(Exception):
    """A text is no JSON, nests too deeply, or has another shape than was asked for. Never leaves this package."""


def decode(text: str | bytes, kind: type[Decoded]) -> Decoded:
    """Decode JSON into `kind`; members that `kind` does not name are ignored.

    Raises:
        MalformedJson: it is no JSON, nests too deeply, or has another shape.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except RecursionError as error:
        raise MalformedJson("JSON nests too deeply") from error
    except (msgspec.MsgspecError, UnicodeError):  # a number out of range counts as another shape, too
        return _decode_leniently(text, kind)


def read_object(text: str | bytes) -> Mapping[str, object] | None:
    """Return the JSON object that a text is; None when it is none, is malformed, or nests too deeply."""
    try:
        return decode(text, dict[str, object])
    except MalformedJson:
        return None


def _decode_leniently(text: str | bytes, kind: type[Decoded]) -> Decoded:
    """Read what the strict decoder refused, if it is JSON at all."""
    readable = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    try:
        return msgspec.convert(_without_surrogates(json.loads(readable, parse_int=_integer)), type=kind)
    except (ValueError, RecursionError) as error:
        # json's and msgspec's own errors are ValueErrors
        raise MalformedJson(str(error)) from error


def _without_surrogates(value: object) -> object:
    """Return the value with the halves of surrogate pairs joined, or replaced by U+FFFD where one is missing."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {
            _without_surrogates(key): _without_surrogates(item)
            for key, item in as_mapping(cast("object", value)).items()
        }
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INT else float(digits)


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return the value if it is an object, else an empty one."""
    # dict first: asking an abstract class takes four times as long, and this is asked five times for each event
    return cast("Mapping[str, Any]", value) if isinstance(value, (dict, Mapping)) else {}


def as_list(value: object) -> list[Any]:
    """Return the value if it is an array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return the value if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int | None:
    """Return the value if it is a whole number >= 0, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**53 and value == int(value) else None


def amount(value: object) -> float | None:
    """Return the value if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None


def compact(value: object) -> str:
    """Return the value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)
