"""Reads plans from artifacts: structured steps, or text that spells them out.

Owns which artifacts are plans and what their steps say. Every plan is whole: how it came (append or not) does not matter.
"""

from collections.abc import Mapping
from typing import Any, Final

from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.domain.plan_text import parse_plan_text, step_status
from chatforge_tui.endpoints.a2a.wire import DataPiece, Piece, join_text
from chatforge_tui.endpoints.loose_json import as_list, as_mapping, as_text

PLAN_NAMES: Final = frozenset({"execution_plan_update", "execution_plan_status_update"})
"""Artifacts that each carry the complete plan."""
PLAN_STREAM_NAME: Final = "execution_plan_streaming"
"""The artifact that carries a plan's text token by token, beside or instead of the complete ones."""

_STEP_LISTS: Final = ("steps", "plan", "todos", "tasks")
_TITLES: Final = ("title", "content", "step", "task", "name", "description")
_STATES: Final = ("status", "state")


def read_plan(pieces: tuple[Piece, ...]) -> Plan | None:
    """Return the plan that the parts hold, as data or as text; None if they hold none."""
    for piece in pieces:
        if isinstance(piece, DataPiece) and (plan := plan_from_data(piece.value)) is not None:
            return plan
    return parse_plan_text(join_text(pieces))


def plan_from_data(value: object) -> Plan | None:
    """Return the plan that a JSON value describes: a list of steps, or an object that holds one.

    Every step must have a title, and at least one a status: anything else is data of another kind.
    """
    found = as_mapping(value)
    lists = [as_list(value)] if not found else [as_list(found.get(key)) for key in _STEP_LISTS]
    for items in lists:
        steps = [as_mapping(item) for item in items]
        titled = all(_first(step, _TITLES) for step in steps)
        if steps and titled and any(_first(step, _STATES) for step in steps):
            return Plan(tuple(_step(step) for step in _in_order(steps)))
    return None


def _step(step: Mapping[str, Any]) -> PlanStep:
    word = _first(step, _STATES)
    return PlanStep(
        _first(step, _TITLES), step_status(word) if word else StepStatus.PENDING, as_text(step.get("agent"))
    )


def _first(step: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((text for key in keys if (text := as_text(step.get(key)))), "")


def _in_order(steps: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the steps by their `order`, if every one has it."""
    orders = [step.get("order") for step in steps]
    if not all(isinstance(order, int | float) for order in orders):
        return steps
    return sorted(steps, key=lambda step: float(step["order"]))
