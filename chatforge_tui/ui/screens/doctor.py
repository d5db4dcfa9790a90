"""The doctor's report, as `chatforge doctor` writes it: looked for beside the screen, read-only, to be copied."""

import threading
from collections.abc import Callable
from typing import ClassVar

from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.screens.dialog import Dialog

_FAILED = "No report: an error of ChatForge's own. `chatforge doctor` in a shell says more."

Examine = Callable[[int], str]
"""Returns the report in lines of so many columns. May take half a minute; called in a thread of its own."""


class DoctorScreen(Dialog[None]):
    """Scrolls; `c` copies, Esc closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("c,y", "copy", show=False), Binding("q", "leave", show=False)]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "doctor.tcss"]

    class Examined(Message):
        """The report is there."""

        def __init__(self, report: str) -> None:
            """Carry the report."""
            super().__init__()
            self.report = report

    def __init__(self, examine: Examine, copy: Callable[[str, str], None]) -> None:
        """Show what `examine` finds; `copy` takes a text and what to call it."""
        super().__init__()
        self._examine, self._copy = examine, copy
        self._report = ""

    def compose(self) -> ComposeResult:
        """Lay out one long page."""
        with Vertical(classes="dialog--box"):
            yield self.title_line("Doctor")
            with VerticalScroll():
                yield Static(
                    Content("Looking at program, store, terminal and endpoints ..."), markup=False, id="report"
                )
            yield self.hint_line("Up and Down scroll, c copies, Esc back. `chatforge doctor` in a shell looks closer.")

    def on_mount(self) -> None:
        """Look, once the width is known."""
        self.query_one(VerticalScroll).focus()
        self.call_after_refresh(self._look)

    def on_doctor_screen_examined(self, event: Examined) -> None:
        """Show what was found."""
        self._report = clean(event.report)
        self.query_one("#report", Static).update(Content(self._report))

    def action_copy(self) -> None:
        """Copy the report."""
        if self._report:
            self._copy(self._report, "report")

    def _look(self) -> None:
        width = self.query_one(VerticalScroll).scrollable_content_region.width - 1

        def look() -> None:
            report = _FAILED
            try:
                report = self._examine(width)
            finally:
                self.post_message(self.Examined(report))

        # Not one of the event loop's threads: leaving the program does not wait for a server that says nothing.
        threading.Thread(target=look, name="doctor", daemon=True).start()
