"""What stands above the prompt for a while: the agent's form, the files that go along, paths to choose from.

Each is made with the first need: most sessions never ask for one.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.screen import Screen

from chatforge_tui.ui.hints import HintWriter
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.pane import Pane

if TYPE_CHECKING:
    from chatforge_tui.ui.widgets.attachment_bar import AttachmentBar
    from chatforge_tui.ui.widgets.completion_list import CompletionList
    from chatforge_tui.ui.widgets.form_panel import FormPanel

_NOTES_ABOVE = 4
"""Lines at the bottom that what the program says leaves free, as main.tcss has it."""


class AbovePrompt:
    """Mounts and removes it on the main screen."""

    def __init__(self, screen: Screen[None], marks: MarkSet, hints: HintWriter) -> None:
        """Have nothing yet.

        Args:
            screen: where it is mounted, before `#prompt` or at the end of `#stage`.
            marks: how states are drawn.
            hints: names the keys.
        """
        self._screen, self._marks, self._hints = screen, marks, hints
        self.form: FormPanel | None = None
        """The form of the session in front, while it has one."""
        self.offered: CompletionList | None = None
        """What could complete the path that is being written."""
        self._files: AttachmentBar | None = None

    def offer(self, paths: Sequence[str]) -> None:
        """Offer paths for what is being written; () for none."""
        if self.offered is None and paths:
            # Lazy: for who writes an @.
            from chatforge_tui.ui.widgets.completion_list import CompletionList  # noqa: PLC0415 - see above

            self.offered = CompletionList(self._marks, id="offers")
            self._screen.mount(self.offered, before=self._files or "#prompt")
        if self.offered is not None:
            self.offered.show(paths)

    def place_form(self, pane: Pane | None) -> None:
        """Show the form of the question that the session waits for, and only that. From one that goes, the cursor goes back."""
        form = pane.question.form if pane is not None and pane.question is not None else None
        shown = self.form
        if shown is not None and (form is None or shown.form is not form):
            shown.keep()
            composer = self._screen.query_one("#composer")
            if not composer.has_focus:
                composer.focus()
            shown.remove()
            self.form = None
        if form is not None and self.form is None and pane is not None:
            # Lazy: fields of every kind cost 5 ms, and most sessions never ask.
            from chatforge_tui.ui.widgets.form_panel import FormPanel  # noqa: PLC0415

            self.form = FormPanel(form, pane.form_input)
            self._screen.query_one("#stage").mount(self.form)

    def place_files(self, pane: Pane | None) -> None:
        """Show what goes along with the next prompt."""
        bar = self._files
        if bar is None:
            if pane is None or not (pane.head.attachments or pane.reading):
                return
            # Lazy: for who sends files.
            from chatforge_tui.ui.widgets.attachment_bar import AttachmentBar  # noqa: PLC0415 - see above

            bar = self._files = AttachmentBar(self._marks, id="attachments")
            self._screen.mount(bar, before="#prompt")
        if pane is None:
            bar.show((), reading=(), warning="", hint="")
            self._raise_notes(0)
            return
        key = self._hints.key("prompt.detach")
        back = f"{key} takes {'it' if len(pane.head.attachments) == 1 else 'one'} back" if key else ""
        send = self._hints.key("prompt.send")
        hint = f" {self._marks.dot} ".join(filter(None, [f"{send} sends" if send else "", back]))
        if bar.show(pane.head.attachments, reading=pane.reading, warning=pane.objection, hint=hint):
            self._raise_notes(bar.lines(self._screen.size.width))

    def _raise_notes(self, lines: int) -> None:
        """Have what the program says stand above the files: they are to be seen before they go."""
        for rack in self._screen.query("#textual-toastrack"):
            rack.styles.margin = (0, 0, _NOTES_ABOVE + lines, 0)
