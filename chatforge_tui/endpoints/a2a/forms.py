"""Forms that agents ask their users to fill in, and the answers on their way back.

Owns the shapes in which forms are met: as data, or as text that begins with `UserInputMetaData:`. An agent's answer to
nonsense (a field without a name, an unknown kind) is tolerated: what can be asked for is asked for.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.endpoints.a2a.json_text import compact
from chatforge_tui.endpoints.loose_json import as_list, as_mapping, as_text

FORM_NAME: Final = "UserInputMetaData"
"""The artifact that carries a form."""

_MARKER: Final = re.compile(r"UserInputMetaData:\s*(?=\{)")
_KINDS: Final[Mapping[str, FieldKind]] = {
    **{kind.value: kind for kind in FieldKind},
    "integer": FieldKind.NUMBER,
    "float": FieldKind.NUMBER,
    "bool": FieldKind.BOOLEAN,
    "checkbox": FieldKind.BOOLEAN,
    "multiline": FieldKind.TEXTAREA,
    "choice": FieldKind.SELECT,
    "dropdown": FieldKind.SELECT,
    "enum": FieldKind.SELECT,
    "secret": FieldKind.PASSWORD,
}


def read_form(value: object, *, is_named: bool = False) -> Form | None:
    """Return the form that a JSON value describes.

    Args:
        value: `{user_input, input_title, input_description, input_fields: […]}`, or the older
            `{require_user_input, content, metadata: {input_fields: […]}}`.
        is_named: the artifact's name says that it is a form, so the flags need not.
    """
    data = as_mapping(value)
    inner = as_mapping(data.get("metadata"))
    flagged = any(bool(place.get(flag)) for place in (data, inner) for flag in ("user_input", "require_user_input"))
    items = as_list(data.get("input_fields")) or as_list(inner.get("input_fields"))
    fields = tuple(field for item in items if (field := _field(as_mapping(item))) is not None)
    if not fields or not (flagged or is_named):
        return None
    said = next((text for key in ("input_description", "response", "content") if (text := as_text(data.get(key)))), "")
    return Form(fields, as_text(data.get("input_title")), said or as_text(inner.get("input_description")))


def split_form_text(text: str) -> tuple[str, Form | None]:
    """Return the text without the form that it spells out as `UserInputMetaData: {json}`, and that form."""
    if (match := _MARKER.search(text)) is None:
        return text, None
    try:
        value, end = json.JSONDecoder().raw_decode(text, match.end())
    except (ValueError, RecursionError):
        return text, None
    form = read_form(value, is_named=True)
    return (text, None) if form is None else (text[: match.start()] + text[end:], form)


def form_as_text(form: Form) -> str:
    """Return the form as lines to read, for an agent that asks but does not wait."""
    heads = [line for line in (form.title, form.description) if line]
    return "\n".join([*heads, *(f"- {_caption(field)}" for field in form.fields)])


def answer_lines(values: Mapping[str, str | bool | float]) -> str:
    """Return the answers as the lines `key: value` that agents read."""
    return "\n".join(f"{key}: {value if isinstance(value, str) else compact(value)}" for key, value in values.items())


def _caption(field: FormField) -> str:
    said = f"{field.label or field.name}: {field.description}" if field.description else field.label or field.name
    return f"{said} ({', '.join(field.options)})" if field.options else said


def _field(item: Mapping[str, Any]) -> FormField | None:
    name = as_text(item.get("field_name")) or as_text(item.get("name"))
    if not name:
        return None
    options = tuple(_written(option) for option in as_list(item.get("field_values") or item.get("options")))
    fallback = FieldKind.SELECT if options else FieldKind.TEXT
    kind = _KINDS.get((as_text(item.get("field_type")) or as_text(item.get("type"))).lower(), fallback)
    # an agent may name a choice "text" and list the choices all the same; a choice without choices is free text
    kind = FieldKind.SELECT if options and kind is FieldKind.TEXT else kind
    kind = FieldKind.TEXT if not options and kind is FieldKind.SELECT else kind
    is_number = kind is FieldKind.NUMBER
    return FormField(
        name=name,
        label=as_text(item.get("field_label")) or as_text(item.get("label")),
        description=as_text(item.get("field_description")) or as_text(item.get("description")),
        kind=kind,
        options=options,
        required=item.get("required") is True,
        default=_written(item.get("default_value", item.get("default"))),
        placeholder=as_text(item.get("placeholder")),
        minimum=_number(item, ("min", "minimum") if is_number else ("minLength", "min_length")),
        maximum=_number(item, ("max", "maximum") if is_number else ("maxLength", "max_length")),
        pattern=as_text(item.get("pattern")),
    )


def _written(value: object) -> str:
    """Return a value as a person would type it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else compact(value)


def _number(item: Mapping[str, Any], keys: tuple[str, str]) -> float | None:
    places = (item, as_mapping(item.get("validation")))
    found = (place.get(key) for place in places for key in keys)
    return next((float(value) for value in found if isinstance(value, int | float)), None)
