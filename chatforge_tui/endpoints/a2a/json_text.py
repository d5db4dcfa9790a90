"""JSON values of an agent, written for people to read.

Owns their form. Knows no protocol.
"""

import json
from typing import cast


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
