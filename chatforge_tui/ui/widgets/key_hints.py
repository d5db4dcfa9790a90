"""The bottom line: the most useful keys, and who answers in the session in front.

Owns which hints give way on a narrow screen. The keys come from the key table, remapped ones as they are.
"""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct
from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chatforge_tui.ui.line_drawing import shorten, spread


class KeyHint(Struct, frozen=True):
    """One key and what it does."""

    action: str
    """Id in the key table."""
    key: str
    """As people read it: "Ctrl+N"."""
    label: str
    rank: int
    """The highest rank gives way first."""

    @property
    def width(self) -> int:
        """Cells, with the gap behind it."""
        return cell_len(self.key) + 1 + cell_len(self.label) + 2


class KeyHints(Widget):
    """Keys left, endpoint, protocol and usage right. A click on a hint is the key."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"hint--key", "hint--label"}
    DEFAULT_CSS = """
    KeyHints {
        height: 1;
        & > .hint--key { color: $text; }
        & > .hint--label { color: $text-muted; }
    }
    """

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            self.action = action
            super().__init__()

    def __init__(self, dot: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        """Draw with `dot` between facts."""
        super().__init__(id=id)
        self._dot = dot
        self._hints: Sequence[KeyHint] = ()
        self._facts: Sequence[str] = ()
        self._targets: list[tuple[int, str]] = []

    def show(self, hints: Sequence[KeyHint], facts: Sequence[str]) -> None:
        """Show these hints and facts (endpoint first; every text already cleaned)."""
        if (hints, facts) != (self._hints, self._facts):
            self._hints, self._facts = hints, facts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        del y
        width = self.size.width
        key, label = self.get_component_rich_style("hint--key"), self.get_component_rich_style("hint--label")
        facts = self._fitting_facts(width - sum(hint.width for hint in self._hints) - 3, width // 3)
        segments = [Segment(" ", label)]
        self._targets, end = [], 1
        for hint in self._fitting_hints(width - cell_len(facts) - 3):
            segments += [Segment(hint.key, key), Segment(f" {hint.label}  ", label)]
            end += hint.width
            self._targets.append((end, hint.action))
        return spread(width, segments, [Segment(f"{facts} ", label)], self.rich_style)

    def _fitting_facts(self, room: int, most: int) -> str:
        """Return as many facts as fit beside all keys into `room` cells; the first, cut to `most`, in any case."""
        facts = [fact for fact in self._facts if fact]
        while len(facts) > 1 and cell_len(self._joined(facts)) > room:
            facts.pop()
        return shorten(self._joined(facts), max(room, most, 12))

    def _joined(self, facts: Sequence[str]) -> str:
        return f" {self._dot} ".join(facts)

    def _fitting_hints(self, room: int) -> list[KeyHint]:
        """Return the hints that fit into `room` cells; of two of one rank, the one on the right gives way."""
        hints = list(self._hints)
        while hints and sum(hint.width for hint in hints) > room:
            hints.remove(max(reversed(hints), key=lambda hint: hint.rank))
        return hints

    def on_click(self, event: events.Click) -> None:
        """Act on what was clicked."""
        event.stop()
        action = next((action for end, action in self._targets if event.x < end), None)
        if action is not None:
            self.post_message(self.Pressed(action))
