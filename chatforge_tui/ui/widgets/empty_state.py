"""What a session without turns shows: who answers here, and three things to try with the keys for them.

Where there is no session at all, it says why.
"""

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from chatforge_tui.safety.clean import clean_name


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
        self._examples: Sequence[str] = ()
        self._first_row = 0

    def teach(self, agent: str, examples: Sequence[str], keys: Sequence[tuple[str, str]], note: str = "") -> None:
        """Show the page.

        Args:
            agent: who answers, cleaned.
            examples: prompts to try; the first is one Tab away, the second two.
            keys: key and what it does, for the lines below.
            note: one sentence about the endpoint, cleaned; "" for none.
        """
        self._examples = examples
        lines = [Content.styled(f"A new session with {agent}", "bold")]
        if note:
            lines.append(Content.styled(note, "$text-muted"))
        lines += [Content(""), Content.styled("Try", "bold")]
        self._first_row = len(lines)
        for number, example in enumerate(examples, 1):
            key = Content.styled(" ".join(["Tab"] * number).ljust(13), "$text-muted")
            lines.append(Content.assemble(key, clean_name(example)))
        lines += [Content(""), Content.styled("Keys", "bold")]
        width = max((len(key) for key, _ in keys), default=0) + 2
        for key, does in keys:
            lines.append(Content.assemble(Content(key.ljust(max(width, 13))), Content.styled(does, "$text-muted")))
        self.update(Content("\n").join(lines))

    def tell(self, sentence: str) -> None:
        """Say, where there is no session, why there is none; cleaned."""
        self._examples = ()
        lines = [Content.styled("No session can be shown", "bold"), Content(sentence)]
        self.update(Content("\n").join(lines))

    def on_click(self, event: events.Click) -> None:
        """Act on what was clicked."""
        row = event.y - 1 + int(self.scroll_offset.y) - self._first_row
        if 0 <= row < len(self._examples):
            event.stop()
            self.post_message(self.Chosen(self._examples[row]))
