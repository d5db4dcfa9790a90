"""Checking the answers of an agent's form and turning them into a prompt. Pure: knows no widget.

Answers come as the user typed them (text, or a bool for a yes/no field). What an agent sends as a pattern is only
matched when safety.patterns finds that it cannot be slow; the agent checks its answers itself.
"""

import re
from collections.abc import Mapping

from msgspec import Struct, field

from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.safety.patterns import may_be_slow

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")


class FormAnswers(Struct, frozen=True):
    """The form's answers, or what is wrong with them."""

    values: dict[str, str | bool | float] = field(default_factory=dict[str, "str | bool | float"])
    """Field name to value; optional fields left empty are not in it."""
    problems: dict[str, str] = field(default_factory=dict[str, str])
    """Field name to one sentence; empty when the form can be sent."""


def check_form(form: Form, typed: Mapping[str, str | bool]) -> FormAnswers:
    """Check every field; a field missing from `typed` counts as left empty."""
    answers = FormAnswers()
    for question in form.fields:
        value = typed.get(question.name, "")
        problem = _problem(question, value)
        if problem:
            answers.problems[question.name] = problem
        elif question.kind is FieldKind.BOOLEAN:
            answers.values[question.name] = bool(value)
        elif str(value).strip() and question.kind is FieldKind.NUMBER:
            answers.values[question.name] = _number(str(value)) or 0.0
        elif str(value) != "":
            answers.values[question.name] = str(value)
    return answers


def form_prompt(form: Form, values: Mapping[str, str | bool | float]) -> Prompt:
    """Return the prompt that answers the form: one readable `name: value` line a field, and the values beside it.

    A password is in the values, which go to the agent, and masked in the text, which everybody can read.
    """
    kinds = {question.name: question.kind for question in form.fields}
    lines = [f"{name}: {_readable(kinds[name], value)}" for name, value in values.items()]
    return Prompt(text="\n".join(lines), form=dict(values))


def _readable(kind: FieldKind, value: str | bool | float) -> str:
    if kind is FieldKind.PASSWORD:
        return "********"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.15g}"


def _problem(question: FormField, value: str | bool) -> str:
    if question.kind is FieldKind.BOOLEAN:
        return ""
    text = str(value)
    if not text.strip():
        return "This is needed." if question.required else ""
    match question.kind:
        case FieldKind.NUMBER:
            return _number_problem(question, text)
        case FieldKind.SELECT:
            return "" if not question.options or text in question.options else "Choose one of the list."
        case FieldKind.EMAIL if not _EMAIL.fullmatch(text):
            return "This is not an e-mail address."
        case _:
            return _length_problem(question, text) or _pattern_problem(question, text)


def _number_problem(question: FormField, text: str) -> str:
    number = _number(text)
    if number is None:
        return "This is not a number."
    if question.minimum is not None and number < question.minimum:
        return f"At least {question.minimum:g}."
    if question.maximum is not None and number > question.maximum:
        return f"At most {question.maximum:g}."
    return ""


def _number(text: str) -> float | None:
    try:
        number = float(text.strip())
    except ValueError:
        return None
    return number if number - number == 0 else None


def _length_problem(question: FormField, text: str) -> str:
    if question.minimum is not None and len(text) < question.minimum:
        return f"At least {question.minimum:g} characters."
    if question.maximum is not None and len(text) > question.maximum:
        return f"At most {question.maximum:g} characters."
    return ""


def _pattern_problem(question: FormField, text: str) -> str:
    if not question.pattern or may_be_slow(question.pattern, len(text)):
        return ""
    try:
        found = re.fullmatch(question.pattern, text)
    except (re.error, RecursionError, OverflowError):
        return ""
    return "" if found else "This does not have the form that the agent asks for."
