"""The question about a link: the whole address that it really leads to, and what to do with it."""

from typing import ClassVar, Literal

from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.screens.dialog import Dialog

LinkAnswer = Literal["open", "copy"]


class LinkQuestion(Dialog[LinkAnswer]):
    """Gives what shall be done with the address; Esc gives nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "answer('open')", show=False),
        Binding("c", "answer('copy')", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "link.tcss"]

    def __init__(self, url: str) -> None:
        """Ask about a clean http or https URL."""
        super().__init__()
        self._url = url

    def compose(self) -> ComposeResult:
        """Lay out address and buttons."""
        with Vertical(classes="dialog--box"):
            yield self.title_line("Open this link?")
            yield Static(Content(clean_name(self._url)), markup=False, id="address")
            with Horizontal(id="answers"):
                yield Button(Content("Open in the browser"), variant="primary", compact=True, id="open")
                yield Button(Content("Copy the address"), compact=True, id="copy")
                yield Button(Content("Back"), compact=True, id="back")
            yield self.hint_line("Enter chooses, o opens, c copies, Esc back")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button."""
        answers: dict[str | None, LinkAnswer] = {"open": "open", "copy": "copy"}
        self.dismiss(answers.get(event.button.id))

    def action_answer(self, answer: LinkAnswer) -> None:
        """Answer."""
        self.dismiss(answer)
