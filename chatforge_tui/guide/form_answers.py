"""Reads the answers to a form out of whatever a client sends back: values, JSON, or lines of `key: value`."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import cast

from msgspec import Struct

from chatforge_tui.domain.form import FieldKind, Form, FormField

Value = str | float | bool

_LINE = re.compile(r"^\s*[-*]?\s*\**([\w][\w .-]*?)\**\s*[:=]\s*(.*?)\s*$")
_YES = frozenset({"yes", "y", "true", "on", "1", "x", "ok", "sure"})
_NO = frozenset({"no", "n", "false", "off", "0", "", "-"})


class Answers(Struct, frozen=True):
    """What was read."""

    values: Mapping[str, Value]
    """Field name to value, for the fields that could be read."""
    problems: tuple[str, ...] = ()
    """One sentence for each field that could not."""


def read_answers(form: Form, text: str, data: Sequence[object]) -> Answers:
    """Read the answers to a form.

    Args:
        form: what was asked.
        text: the text of the user's message.
        data: the structured parts of the message: a mapping of field names to values, alone or under `resume`.
    """
    given = _from_data(data) or _from_json(text) or _from_lines(text)
    if not given and len(form.fields) == 1:
        given = {form.fields[0].name: text}
    values: dict[str, Value] = {}
    problems: list[str] = []
    for field in form.fields:
        raw = _given_for(field, given)
        if raw is None:
            if field.required:
                problems.append(f"`{field.name}` is needed.")
            continue
        value = _read(field, raw)
        if value is None:
            problems.append(f"`{field.name}` cannot be “{raw}”: {_expected(field)}.")
        else:
            values[field.name] = value
    return Answers(values, tuple(problems))


def _given_for(field: FormField, given: Mapping[str, object]) -> object:
    """Return what was given for a field, by its name or label, whatever the case; its default otherwise; or None."""
    by_name = {name.casefold(): value for name, value in given.items()}
    raw = by_name.get(field.name.casefold(), by_name.get(field.label.casefold()))
    if raw is None or (raw == "" and field.default):
        return field.default or None
    return raw


def _read(field: FormField, raw: object) -> Value | None:
    """Read one value as its field wants it; None when it is not one."""
    if field.kind is FieldKind.BOOLEAN:
        word = str(raw).strip().casefold()
        return True if raw is True or word in _YES else False if raw is False or word in _NO else None
    if field.kind is FieldKind.NUMBER:
        try:
            number = float(str(raw))
        except ValueError:
            return None
        low = field.minimum if field.minimum is not None else number
        high = field.maximum if field.maximum is not None else number
        return number if low <= number <= high else None
    text = str(raw)
    if field.kind is FieldKind.SELECT:
        return next((option for option in field.options if option.casefold() == text.strip().casefold()), None)
    return text if text.strip() or not field.required else None


def _expected(field: FormField) -> str:
    if field.kind is FieldKind.BOOLEAN:
        return "yes or no"
    if field.kind is FieldKind.SELECT:
        return f"one of {', '.join(field.options)}"
    if field.kind is FieldKind.NUMBER:
        return (
            f"a number from {field.minimum:g} to {field.maximum:g}"
            if field.minimum is not None and field.maximum is not None
            else "a number"
        )
    return "some text"


def _from_data(data: Sequence[object]) -> dict[str, object]:
    """Read structured parts; a `resume` with decisions carries the values in their `args`."""
    given: dict[str, object] = {}
    for part in data:
        values = _mapping(part)
        resume = _mapping(values.get("resume"))
        for decision in (
            cast("list[object]", decisions) if isinstance(decisions := resume.get("decisions"), list) else ()
        ):
            given |= _mapping(_mapping(decision).get("args"))
        given |= {name: value for name, value in values.items() if name != "resume"}
    return given


def _from_json(text: str) -> dict[str, object]:
    """Read a text that is a JSON object."""
    if not text.lstrip().startswith("{"):
        return {}
    try:
        return _mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _from_lines(text: str) -> dict[str, object]:
    """Read lines of `key: value`."""
    found = (_LINE.match(line) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}


def _mapping(value: object) -> dict[str, object]:
    """Return a JSON object's items; {} for anything else."""
    return (
        {str(name): item for name, item in cast("dict[object, object]", value).items()}
        if isinstance(value, dict)
        else {}
    )
