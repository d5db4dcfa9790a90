"""Places to answer that are not the composer: one line, several, yes or no. What is pasted there is cleaned, too."""

from textual import events
from textual.content import Content
from textual.widgets import Checkbox, Input, TextArea

from chatforge_tui.safety.clean import clean, clean_line
from chatforge_tui.ui.widgets.own_keys import do_own_binding

PASTE_LIMIT = 100_000
"""Most characters that one paste inserts."""


class Entry(Input):
    """One line. Of a paste it takes the first; a password is taken as it is, for nobody sees it."""

    DEFAULT_CSS = """
    Entry > .input--placeholder { color: $text-muted; }
    """

    async def on_key(self, event: events.Key) -> None:
        """Do the keys of its own in their turn."""
        await do_own_binding(self, event)

    def on_paste(self, event: events.Paste) -> None:
        """Insert the first line of what was pasted, cleaned."""
        event.stop()
        event.prevent_default()
        line = event.text.replace("\r", "\n").partition("\n")[0][:PASTE_LIMIT]
        text = line if self.password else clean_line(line)
        if self.selection.is_empty:
            self.insert_text_at_cursor(text)
        else:
            self.replace(text, *self.selection)


class LongEntry(TextArea):
    """Several lines."""

    DEFAULT_CSS = """
    LongEntry > .text-area--placeholder { color: $text-muted; }
    """

    async def on_key(self, event: events.Key) -> None:
        """Do the keys of its own in their turn."""
        await do_own_binding(self, event)

    def on_paste(self, event: events.Paste) -> None:
        """Insert what was pasted, cleaned."""
        event.stop()
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")[:PASTE_LIMIT]
        if result := self._replace_via_keyboard(clean(text), *self.selection):
            self.move_cursor(result.end_location)


class Tick(Checkbox):
    """Yes or no. Textual's own shows the same cross for both, in two colours."""

    def render(self) -> Content:
        """Draw the box, empty or crossed, and the label."""
        box = Content("[x]" if self.value else "[ ]")
        return box + self.label.pad(1, 1).stylize_before(self.get_visual_style("toggle--label"))
