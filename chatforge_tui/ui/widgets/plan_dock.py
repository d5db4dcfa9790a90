"""The plan of the session in front, beside the transcript: live steps, how far, how long, and the earlier plans.

Owns how a plan is laid out in a narrow column and which earlier plans are unfolded. It is handed a PlanHistory and
changes nothing in it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.safety.clean import clean_line
from chatforge_tui.ui.line_drawing import shorten, spread, wrap
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.plan_history import PlanEntry, PlanHistory
from chatforge_tui.ui.turn_facts import clock

DOCK_COLUMNS = 38
"""Width of the column beside the transcript."""

_LOOKS = {
    StepStatus.PENDING: "dim",
    StepStatus.IN_PROGRESS: "running",
    StepStatus.COMPLETED: "done",
    StepStatus.FAILED: "failed",
}


Line = tuple[list[Segment], list[Segment]]
"""What stands left and what stands right."""


class PlanDock(ScrollView, can_focus=True):
    """The right-hand column. With the focus, Up and Down choose an earlier plan and Space unfolds it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("space,enter", "unfold", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "plan--title", "plan--dim", "plan--line", "plan--running", "plan--done", "plan--failed", "plan--chosen",
    }  # fmt: skip
    DEFAULT_CSS = """
    PlanDock {
        width: 38;
        scrollbar-size-vertical: 1;
        & > .plan--title { color: $text; text-style: bold; }
        & > .plan--dim { color: $text-muted; }
        & > .plan--line { color: $hairline; }
        & > .plan--running { color: $primary; }
        & > .plan--done { color: $success; }
        & > .plan--failed { color: $error; }
        & > .plan--chosen { color: $primary; text-style: bold; }
    }
    """

    def __init__(self, marks: MarkSet, *, now: Callable[[], float], id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        """Draw with these marks; `now` gives the Unix time in seconds."""
        super().__init__(id=id)
        self._marks = marks
        self._now = now
        self._history = PlanHistory()
        self._unfolded: set[tuple[str, float, str]] = set()
        self._chosen = 0
        self._lines: list[Line] = []
        self._rows: dict[int, int] = {}
        """Line -> index among the earlier plans, for those that can be unfolded."""

    def show(self, history: PlanHistory) -> None:
        """Draw this session's plans, or what has changed in them."""
        if history is not self._history:
            self._history, self._chosen = history, 0
            self.scroll_to(0, 0, animate=False)
        self.redraw()

    def redraw(self) -> None:
        """Lay everything out again: the plan changed, or a second went by."""
        self._rows.clear()
        self._lines = self._layout() if self.size.width else []
        height = len(self._lines)
        if self.virtual_size.height != height:
            self.virtual_size = Size(self.size.width, height)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line, the upright hairline first."""
        width, fill = self.size.width, self.rich_style
        left: list[Segment] = []
        right: list[Segment] = []
        line = y + self.scroll_offset.y
        if line < len(self._lines):
            left, right = self._lines[line]
        border = Segment(f"{self._marks.upright} ", self._style("line"))
        return spread(width, [border, *left], [*right, Segment(" ", fill)], fill)

    def action_choose(self, step: int) -> None:
        """Choose the next earlier plan."""
        count = len(self._history.earlier)
        self._chosen = max(0, min(self._chosen + step, count - 1))
        self.redraw()
        row = next((line for line, index in self._rows.items() if index == self._chosen), 0)
        self.scroll_to(y=max(row - self.size.height // 2, 0), animate=False)

    def action_unfold(self) -> None:
        """Unfold the chosen earlier plan, or fold it."""
        self._toggle(self._chosen)

    def notify_style_update(self) -> None:
        """Draw again in the colours of the new theme."""
        super().notify_style_update()
        if self._lines:
            self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Fit to the new size."""
        del event
        self.redraw()

    def on_focus(self, event: events.Focus) -> None:
        """Show what is chosen."""
        del event
        self.redraw()

    def on_blur(self, event: events.Blur) -> None:
        """Hide what is chosen."""
        del event
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Act on what was clicked."""
        index = self._rows.get(event.y + self.scroll_offset.y)
        if index is not None:
            event.stop()
            self._chosen = index
            self._toggle(index)

    def _toggle(self, index: int) -> None:
        earlier = self._history.earlier
        if index < len(earlier):
            self._unfolded ^= {_key(earlier[index])}
            self.redraw()

    def _style(self, look: str) -> Style:
        return self.get_component_rich_style(f"plan--{look}") if look else self.rich_style

    @property
    def _room(self) -> int:
        """Cells for text: without the line, its blank, and the blank at the end."""
        return max(self.scrollable_content_region.width - 3, 10)

    def _layout(self) -> list[Line]:
        current = self._history.current
        if current is None:
            hint: list[Line] = [([Segment(line, self._style("dim"))], []) for line in wrap(_NO_PLAN, self._room)]
            return [([Segment("Plan", self._style("title"))], []), ([], []), *hint]
        end = current.ended if current.ended is not None else self._now()
        facts = f"{_progress(current.plan)} {clock(max(end - current.started, 0)).rjust(6)}"
        lines: list[Line] = [([Segment("Plan", self._style("title"))], [Segment(facts, self._style("dim"))])]
        lines += self._steps(current.plan, indent="")
        earlier = self._history.earlier
        if earlier:
            lines += [([], []), ([Segment("Earlier", self._style("title"))], [])]
        for index, entry in enumerate(earlier):
            self._rows[len(lines)] = index
            lines += self._earlier(index, entry)
        return lines

    def _earlier(self, index: int, entry: PlanEntry) -> Iterator[Line]:
        is_open = _key(entry) in self._unfolded
        look = "chosen" if self.has_focus and index == self._chosen else "dim"
        mark = self._marks.unfolded if is_open else self._marks.folded
        when = f"{datetime.fromtimestamp(entry.started).astimezone():%H:%M}"
        progress = _progress(entry.plan)
        title = shorten(clean_line(entry.title), self._room - 10 - len(progress), self._marks.ellipsis)
        left = [Segment(f"{mark} {when}  ", self._style(look)), Segment(title, self._style("" if is_open else look))]
        yield left, [Segment(progress, self._style("dim"))]
        if is_open:
            yield from self._steps(entry.plan, indent="  ")

    def _steps(self, plan: Plan, *, indent: str) -> Iterator[Line]:
        for step in plan.steps:
            yield from self._step(step, indent)

    def _step(self, step: PlanStep, indent: str) -> Iterator[Line]:
        room = self._room - len(indent) - 2
        title, agent = clean_line(step.title.strip()), shorten(clean_line(step.agent), room, self._marks.ellipsis)
        lines = wrap(title, room)
        fits = not agent or (len(lines) == 1 and cell_len(title) + 2 + cell_len(agent) <= room)
        text = self._style("dim" if step.status is StepStatus.PENDING else "")
        mark = Segment(f"{indent}{self._marks.of_step(step.status)} ", self._style(_LOOKS[step.status]))
        beside = [Segment(agent, self._style("dim"))] if agent else []
        for number, line in enumerate(lines):
            lead = Segment(indent + "  ", text) if number else mark
            yield [lead, Segment(line, text)], beside if fits and not number else []
        if not fits:
            yield [], beside


_NO_PLAN = "An agent that plans shows its steps here, while it works."


def _progress(plan: Plan) -> str:
    return f"{plan.done} of {len(plan.steps)}"


def _key(entry: PlanEntry) -> tuple[str, float, str]:
    """What an entry is recognised by while the history changes around it."""
    first = entry.plan.steps[0].title if entry.plan.steps else ""
    return entry.turn_id, entry.started, first
