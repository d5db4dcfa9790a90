"""What a session without turns shows: who answers here, and three things to try with the keys for them.

Where there is no session at all, it says why.
"""

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.line_drawing import wrap

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
        overflow-y: auto;
        scrollbar-size-vertical: 1;
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
        self._examples: dict[int, str] = {}
        """Line of the page -> the example that stands there."""

    def teach(self, agent: str, lesson: Lesson, keys: Sequence[tuple[str, str]]) -> None:
        """Show the page.

        Args:
            agent: who answers, cleaned.
            lesson: what to try.
            keys: key and what it does, for the lines below.
        """
        self._rows = [_Row(f"A new session with {agent}", "bold")]
        if lesson.note:
            self._rows.append(_Row(lesson.note, "$text-muted"))
        self._rows += [_Row(), _Row("Try", "bold")]
        for number, example in enumerate(lesson.examples, 1):
            self._rows.append(_Row(clean_name(example), "", " ".join(["Tab"] * number), "$text-muted", example))
        self._rows += [_Row(), _Row("Keys", "bold"), *(_Row(does, "$text-muted", key) for key, does in keys)]
        self._write()

    def tell(self, sentence: str) -> None:
        """Say, where there is no session, why there is none; cleaned."""
        self._rows = [_Row("No session can be shown", "bold"), _Row(sentence)]
        self._write()

    def on_resize(self) -> None:
        """Fit the page to the new width."""
        self._write()

    def _write(self) -> None:
        """Write the page, what goes on in the next line below where it began."""
        width = self.scrollable_content_region.width or _WIDE
        beside = max((cell_len(row.key) for row in self._rows), default=0) + 2
        lines: list[Content] = []
        self._examples = {}
        for row in self._rows:
            margin = beside if row.key else 0
            for number, words in enumerate(wrap(row.words, max(width - margin, 1))):
                if row.example:
                    self._examples[len(lines)] = row.example
                key = Content.styled(("" if number else row.key).ljust(margin), row.key_style)
                lines.append(Content.assemble(key, Content.styled(words, row.style)))
        self.update(Content("\n").join(lines))

    def on_click(self, event: events.Click) -> None:
        """Act on what was clicked."""
        example = self._examples.get(event.y - 1 + int(self.scroll_offset.y))
        if example is not None:
            event.stop()
            self.post_message(self.Chosen(example))
