"""Drawing a plan: one line a step, with the mark of its state. For the transcript's lines and for the plan dock."""

from textual.content import Content

from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.safety.clean import clean_line, clean_name
from chatforge_tui.ui.marks import UNICODE_MARKS, MarkSet
from chatforge_tui.ui.transcript.ink import MUTED, TEXT, Ink, Span

_INKS = {
    StepStatus.PENDING: MUTED,
    StepStatus.IN_PROGRESS: Ink("accent"),
    StepStatus.COMPLETED: Ink("success"),
    StepStatus.FAILED: Ink("error"),
}
_STYLES = {
    StepStatus.PENDING: "$text-muted",
    StepStatus.IN_PROGRESS: "$primary",
    StepStatus.COMPLETED: "$success",
    StepStatus.FAILED: "$error",
}


def step_spans(step: PlanStep, marks: MarkSet) -> list[Span]:
    """Return one step as spans: mark, title, who does it."""
    title = Ink(bold=True) if step.status is StepStatus.IN_PROGRESS else TEXT
    spans: list[Span] = [(f"{marks.of_step(step.status)} ", _INKS[step.status]), (clean_line(step.title), title)]
    if step.agent:
        spans.append((f"  {clean_name(step.agent)}", MUTED))
    return spans


def plan_content(plan: Plan, marks: MarkSet = UNICODE_MARKS) -> Content:
    """Return a whole plan for a widget: as many lines as steps, cleaned, following the theme."""
    lines: list[Content] = []
    for step in plan.steps:
        weight = "bold" if step.status is StepStatus.IN_PROGRESS else ""
        parts = [
            Content.styled(f"{marks.of_step(step.status)} ", _STYLES[step.status]),
            Content.styled(clean_line(step.title), weight) if weight else Content(clean_line(step.title)),
        ]
        if step.agent:
            parts.append(Content.styled(f"  {clean_name(step.agent)}", "$text-muted"))
        lines.append(Content("").join(parts))
    return Content("\n").join(lines)


def plan_progress(plan: Plan) -> str:
    """Return how far a plan is, for people: "3 of 5"."""
    return f"{plan.done} of {len(plan.steps)}"
