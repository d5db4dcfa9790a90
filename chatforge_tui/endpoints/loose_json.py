"""JSON from servers that nobody promised anything about: read what can be read, tolerate the rest.

Owns the tolerance for wrong types and for JSON that is almost right. Knows no protocol.
"""

import json
from collections.abc import Mapping
from typing import Final, cast

import msgspec

_LONGEST_INT: Final = 30
"""Digits. Longer integers become floats: turning a long digit string into an integer takes quadratic time."""


def read_object(text: str | bytes) -> Mapping[str, object] | None:
    """Return the JSON object that a text is; None when it is none, is malformed, or nests too deeply.

    Halves of surrogate pairs (a server cut an emoji in two), NaN and endless numbers are read all the same.
    """
    try:
        value: object = msgspec.json.decode(text)
    except RecursionError:
        return None
    except (msgspec.MsgspecError, UnicodeError):
        value = _read_leniently(text)
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def _read_leniently(text: str | bytes) -> object:
    """Read what the strict reader refused, if it is JSON at all; else return None."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8", "replace")
        return _without_surrogates(json.loads(text, parse_int=_integer))
    except (ValueError, RecursionError):
        return None


def _without_surrogates(value: object) -> object:
    """Return the value with the halves of surrogate pairs joined, or replaced by U+FFFD where one is missing."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in sequence(cast("object", value))]
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in mapping(cast("object", value)).items()}
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INT else float(digits)


def mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is an object, else an empty one."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    """Return the value if it is an array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text(value: object) -> str:
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
