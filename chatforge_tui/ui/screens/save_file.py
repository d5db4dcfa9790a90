"""Where a file of the agent shall go: what it is, what it will be called, and the folder to choose."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from chatforge_tui.domain.part import FilePart
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.safety.file_names import safe_file_name
from chatforge_tui.ui.file_source import FileSource
from chatforge_tui.ui.line_drawing import shorten
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.transcript.phrases import size_of
from chatforge_tui.ui.widgets.entry import Entry

_LONGEST = 300
"""Characters of a received name that are shown."""


class SaveFileScreen(Dialog[str]):
    """Gives the folder as typed; Esc gives nothing, and nothing is written."""

    def __init__(self, file: FilePart, *, folder: str, source: FileSource | None = None) -> None:
        """Ask about a file, with a folder to start from; `source`: where it is fetched from when it did not come inline."""
        super().__init__()
        self._file, self._folder, self._source = file, folder, source

    def compose(self) -> ComposeResult:
        """Lay out facts and entry."""
        file = self._file
        received = shorten(clean_name(file.name), _LONGEST) or "without a name"
        rows = [
            ("Received as", received),
            ("Saved as", safe_file_name(file.name or (self._source.name if self._source else ""))),
            ("Type", clean_name(file.media_type) or "not said"),
            *([("Size", size_of(file.data))] if self._source is None else self._source.rows()),
        ]
        with Vertical(classes="dialog--box"):
            yield self.title_line("Save this file?" if self._source is None else "Fetch and save this file?")
            for label, value in rows:
                yield Static(Content.assemble(Content.styled(f"{label:<13}", "$text-muted"), value), markup=False)
            yield Static(Content("Folder"), classes="dialog--label", markup=False)
            entry = Entry(clean_name(self._folder), placeholder="A folder that exists", compact=True)
            entry.cursor_blink = False
            yield entry
            does = "saves" if self._source is None else "fetches and saves"
            yield self.hint_line(f"Enter {does} it for you alone and replaces nothing, Esc back")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the folder; an empty one is none."""
        if event.value.strip():
            self.dismiss(event.value.strip())
