"""A form that an agent asks the user to fill in."""

from enum import StrEnum

from msgspec import Struct


class FieldKind(StrEnum):
    """How a field is asked for. Anything an agent names that is not listed here is asked for as TEXT."""

    TEXT = "text"
    TEXTAREA = "textarea"
    NUMBER = "number"
    EMAIL = "email"
    PASSWORD = "password"  # noqa: S105 - the kind of a field, not a secret
    SELECT = "select"
    BOOLEAN = "boolean"


class FormField(Struct, frozen=True, gc=False):
    """One question of a form."""

    name: str
    """Key under which the answer goes back to the agent, verbatim."""
    label: str = ""
    """Shown instead of the name, when not empty."""
    description: str = ""
    kind: FieldKind = FieldKind.TEXT
    options: tuple[str, ...] = ()
    """For SELECT: the allowed answers, in the agent's order."""
    required: bool = False
    default: str = ""
    placeholder: str = ""
    minimum: float | None = None
    """NUMBER: smallest value. Text kinds: smallest length in characters."""
    maximum: float | None = None
    """NUMBER: largest value. Text kinds: largest length in characters."""
    pattern: str = ""
    """A regular expression the whole answer must match; "" for none."""


class Form(Struct, frozen=True, gc=False):
    """A titled list of fields; answered all at once."""

    fields: tuple[FormField, ...]
    """At least one."""
    title: str = ""
    description: str = ""
