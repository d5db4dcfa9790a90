"""The configuration reference, read from the settings themselves: for the README, the help and the built-in agent.

Owns how a setting is described to people. Nothing here is written by hand but the words for types.
"""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from chatforge_tui.config.settings import EndpointSettings, FileSettings, Settings, UiSettings

_TABLES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("", Settings),
    ("endpoints.NAME.", EndpointSettings),
    ("files.", FileSettings),
    ("ui.", UiSettings),
)
_WORDS: dict[object, str] = {str: "text", int: "whole number", float: "number", bool: "true or false"}


class SettingDescription(Struct, frozen=True):
    """One setting, for people."""

    name: str
    """Where it stands: `endpoints.NAME.url`."""
    type: str
    """What it may be, in words or as the allowed values."""
    default: str
    """As it would be written; "required" when there is none, "" when unset."""
    description: str
    """One sentence."""


def describe_settings() -> tuple[SettingDescription, ...]:
    """Return every setting, in the order in which the settings define them."""
    return tuple(_descriptions())


def allowed_values(struct: type[msgspec.Struct], key: str) -> tuple[str, ...]:
    """Return the values a setting may have when they are a closed list; () otherwise."""
    bare, _ = _unwrapped(get_type_hints(struct, include_extras=True)[key])
    return tuple(map(str, get_args(bare))) if get_origin(bare) is Literal else ()


def _descriptions() -> Iterator[SettingDescription]:
    for prefix, struct in _TABLES:
        hints = get_type_hints(struct, include_extras=True)
        for item in msgspec.structs.fields(struct):
            bare, sentence = _unwrapped(hints[item.name])
            if not _is_table(bare):
                yield SettingDescription(f"{prefix}{item.name}", _type_words(bare), _default_text(item), sentence)


def _unwrapped(hint: Any) -> tuple[Any, str]:  # noqa: ANN401 - a type as `typing` represents it
    """Return a type without its annotations, and the outermost description among them."""
    description = ""
    while get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        for note in notes:
            if isinstance(note, msgspec.Meta) and note.description:
                description = description or note.description
    return hint, description


def _is_table(bare: Any) -> bool:  # noqa: ANN401 - a type as `typing` represents it
    """Tell whether a setting is a table whose own settings are described instead."""
    inner = get_args(bare)[-1] if get_origin(bare) is dict else bare
    return isinstance(inner, type) and issubclass(inner, msgspec.Struct)


def _type_words(hint: Any) -> str:  # noqa: ANN401 - a type as `typing` represents it
    bare, _ = _unwrapped(hint)
    origin = get_origin(bare)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(bare))
    if origin is dict:
        return "table"
    if origin in (tuple, list):
        return "list of text"
    if origin in (Union, types.UnionType):
        return " or ".join(_type_words(one) for one in get_args(bare) if one is not types.NoneType)
    return _WORDS[bare]


def _default_text(item: msgspec.structs.FieldInfo) -> str:
    if item.required:
        return "required"
    value = cast("object", item.default)
    if value is msgspec.NODEFAULT or value is None or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else f'"{value}"' if isinstance(value, str) else str(value)
