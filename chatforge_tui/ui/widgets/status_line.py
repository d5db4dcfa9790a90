"""One line under the composer: what a key press would do now, and what the session in front is doing.

The numbers keep their width, so that nothing beside them moves. It draws what it is given, and ticks only when told.
"""

from typing import ClassVar, Literal

from msgspec import Struct
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from chatforge_tui.ui.line_drawing import shorten, spread

Tone = Literal["dim", "running", "waiting", "failed"]


class Status(Struct, frozen=True):
    """What the line shows; every text already cleaned."""

    hint: str = ""
    """What the keys do, left."""
    tone: Tone = "dim"
    """Look of the mark and the state."""
    mark: str = ""
    state: str = ""
    facts: tuple[str, ...] = ()
    """Numbers of fixed width; the last ones give way on a narrow screen."""
    warning: str = ""
    """A sentence that takes the place of the hint: something is wrong with the program itself."""


class StatusLine(Widget):
    """Hint left, state and numbers right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status--dim", "status--running", "status--waiting", "status--failed", "status--warning",
    }  # fmt: skip
    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        & > .status--dim { color: $text-muted; }
        & > .status--running { color: $primary; }
        & > .status--waiting { color: $warning; }
        & > .status--failed { color: $error; }
        & > .status--warning { color: $error; text-style: bold; }
    }
    """

    def __init__(self, dot: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        """Draw with `dot` between facts."""
        super().__init__(id=id)
        self._dot = dot
        self._status = Status()

    @property
    def status(self) -> Status:
        """What it shows."""
        return self._status

    def show(self, status: Status) -> None:
        """Show this; nothing is drawn when it is what is shown already."""
        if status != self._status:
            self._status = status
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        del y
        width, status = self.size.width, self._status
        right = self._right(width)
        hint = status.warning or status.hint
        room = width - sum(len(segment.text) for segment in right) - 4
        look = "warning" if status.warning else "dim"
        left = Segment(f"   {shorten(hint, room)}", self.get_component_rich_style(f"status--{look}"))
        return spread(width, [left], right, self.rich_style)

    def _right(self, width: int) -> list[Segment]:
        status = self._status
        if not status.state:
            return []
        tone = self.get_component_rich_style(f"status--{status.tone}")
        facts = list(status.facts)
        room = width - len(status.warning or status.hint) - 8
        while facts and len(status.state) + 2 + sum(len(fact) + 3 for fact in facts) > room:
            facts.pop()
        text = "".join(f" {self._dot} {fact}" if index else f"  {fact}" for index, fact in enumerate(facts))
        lead = f"{status.mark} {status.state}"
        return [Segment(lead, tone), Segment(f"{text} ", self.get_component_rich_style("status--dim"))]
