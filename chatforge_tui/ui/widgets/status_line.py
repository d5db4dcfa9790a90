"""One line under the composer: what a key press would do now, and what the session in front is doing.

Owns what gives way on a narrow screen. The numbers keep their width, so that nothing beside them moves. It draws what it is
given, and ticks only when told.
"""

from typing import ClassVar, Literal

from msgspec import Struct
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from chatforge_tui.ui.line_drawing import shorten, spread

_INDENT = 3
"""Cells before the sentence: it begins where the prompt does."""
_GAP = 2
"""Cells between the sentence and the state, at least."""

Tone = Literal["dim", "running", "waiting", "failed"]


class Status(Struct, frozen=True):
    """What the line shows; every text already cleaned."""

    hints: tuple[str, ...] = ("",)
    """What the keys do, left: the same in several lengths, the longest first."""
    tone: Tone = "dim"
    """Look of the mark and the state."""
    mark: str = ""
    state: str = ""
    facts: tuple[str, ...] = ()
    """Numbers of fixed width, the most wanted first."""
    warning: str = ""
    """A sentence that takes the place of the hint: something is wrong with the program itself."""

    @property
    def lead(self) -> str:
        """Mark and state."""
        return f"{self.mark} {self.state}" if self.state else ""

    def fitted(self, width: int, dot: str) -> tuple[str, str, str]:
        """Return sentence, state and facts as they fit beside each other.

        The facts give way first, the last ones before the others; then a hint does with a shorter length of it, then the
        first fact goes. A warning, which has one length, takes the place of the state where there is no room for both.

        Args:
            width: cells for all three and the gap between them.
            dot: stands between two facts.
        """
        texts = [""]
        for fact in self.facts if self.state else ():
            texts.append(f"{texts[-1]} {dot} {fact}" if texts[-1] else f"  {fact}")
        sentences = (self.warning,) if self.warning else self.hints
        ways = [(sentence, self.lead, facts) for sentence in sentences for facts in reversed(texts[1:] or texts)]
        ways.append((sentences[-1], self.lead, ""))
        if self.warning:
            ways.append((self.warning, "", ""))
        return next((way for way in ways if cell_len("".join(way)) + _GAP <= width), ways[-1])


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
        sentence, state, facts = status.fitted(width - _INDENT - 1, self._dot)
        room = width - _INDENT - 1 - cell_len(state) - cell_len(facts) - (_GAP if state else 0)
        left = Segment(" " * _INDENT + shorten(sentence, room), self._look("warning" if status.warning else "dim"))
        right = [Segment(state, self._look(status.tone)), Segment(f"{facts} ", self._look("dim"))]
        return spread(width, [left], right, self.rich_style)

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(f"status--{name}")
