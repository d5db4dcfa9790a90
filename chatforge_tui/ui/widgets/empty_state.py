"""What a session without turns shows: who answers here, and three things to try with the keys for them.

Where there is no session at all, it says why. On a small screen it shows as much as there is room for, and goes on with
the wheel and the keys for a page.
"""

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from chatforge_tui.domain.counting import counted
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.line_drawing import wrap

_WHEEL = 2
"""Lines for one step of the wheel."""
_WIDE = 1_000
"""Cells of a line before the page has a width."""


class Lesson(Struct, frozen=True):
    """What a new session on an endpoint teaches."""

    examples: Sequence[str]
    """Prompts to try; the first is one Tab away, the second two."""
    note: str = ""
    """One sentence about the endpoint, cleaned; "" for none."""


class _Row(Struct, frozen=True):
    """A line of the page, as wide as it is."""

    words: str = ""
    style: str = ""
    key: str = ""
    """What stands before it."""
    key_style: str = ""
    example: str = ""
    """What a click on it chooses; "" for nothing."""


class EmptyState(Static):
    """A page that teaches. A click on an example puts it into the prompt, as Tab does."""

    DEFAULT_CSS = """
    EmptyState {
        height: 1fr;
        padding: 1 2;
    }
    """

    class Chosen(Message):
        """An example was clicked."""

        def __init__(self, example: str) -> None:
            self.example = example
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, markup=False)
        self._rows: list[_Row] = []
        self._top = 0
        """Lines of the page above what is shown."""
        self._examples: dict[int, str] = {}
        """Line of what is shown -> the example that stands there."""

    def teach(self, agent: str, lesson: Lesson, keys: Sequence[tuple[str, str]]) -> None:
        """Show the page.

        Args:
            agent: who answers, cleaned.
            lesson: what to try.
            keys: key and what it does, for the lines below.
        """
        title = _Row(f"A new session with {agent}", "bold")
        if self._rows[:1] != [title]:
            self._top = 0
        self._rows = [title]
        if lesson.note:
            self._rows.append(_Row(lesson.note, "$text-muted"))
        self._rows += [_Row(), _Row("Try", "bold")]
        for number, example in enumerate(lesson.examples, 1):
            self._rows.append(_Row(clean_name(example), "", " ".join(["Tab"] * number), "$text-muted", example))
        self._rows += [_Row(), _Row("Keys", "bold"), *(_Row(does, "$text-muted", key) for key, does in keys)]
        self._write()

    def tell(self, sentence: str) -> None:
        """Say, where there is no session, why there is none; cleaned."""
        self._rows, self._top = [_Row("No session can be shown", "bold"), _Row(sentence)], 0
        self._write()

    def turn_pages(self, pages: float) -> None:
        """Show what is so many heights further down, or up."""
        self._go(round(pages * max(self.size.height - 1, 1)))

    def on_resize(self) -> None:
        """Fit the page to the new width."""
        self._write()

    def _write(self) -> None:
        """Write the page, what goes on in the next line below where it began."""
        width = self.size.width or _WIDE
        beside = max((cell_len(row.key) for row in self._rows), default=0) + 2
        lines: list[Content] = []
        examples: dict[int, str] = {}
        for row in self._rows:
            margin = beside if row.key else 0
            for number, words in enumerate(wrap(row.words, max(width - margin, 1))):
                if row.example:
                    examples[len(lines)] = row.example
                key = Content.styled(("" if number else row.key).ljust(margin), row.key_style)
                lines.append(Content.assemble(key, Content.styled(words, row.style)))
        self._show(lines, examples)

    def _show(self, lines: list[Content], examples: dict[int, str]) -> None:
        """Show as many lines as there is room for; where some are below, the last one says so."""
        height = self.size.height or len(lines)
        self._top = max(0, min(self._top, len(lines) - height))
        shown, rest = lines[self._top : self._top + height], len(lines) - self._top - height
        if rest > 0:
            shown[-1] = Content.styled(f"{counted(rest + 1, 'more line')} below", "$text-muted")
        self._examples = {
            line - self._top: example for line, example in examples.items() if line - self._top < height - (rest > 0)
        }
        self.update(Content("\n").join(shown))

    def _go(self, lines: int) -> None:
        self._top += lines
        self._write()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go on with the page."""
        event.stop()
        self._go(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go back."""
        event.stop()
        self._go(-_WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Act on what was clicked."""
        example = self._examples.get(event.y - 1)
        if example is not None:
            event.stop()
            self.post_message(self.Chosen(example))
