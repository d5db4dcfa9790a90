"""An agent's plan: what it means to do, and how far it is."""

from enum import StrEnum

from msgspec import Struct


class StepStatus(StrEnum):
    """Where one step stands. Spellings that an agent uses beyond these are mapped by its adapter."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class PlanStep(Struct, frozen=True, gc=False):
    """One step of a plan."""

    title: str
    status: StepStatus = StepStatus.PENDING
    agent: str = ""
    """Which sub-agent does it; "" when the agent does not say."""


class Plan(Struct, frozen=True, gc=False):
    """A complete plan. An update is a whole new Plan, never a difference to the one before."""

    steps: tuple[PlanStep, ...]

    @property
    def done(self) -> int:
        """Number of completed steps."""
        return sum(step.status is StepStatus.COMPLETED for step in self.steps)
