"""The question whether requests may go to a server that an agent card names. Nothing in it can be answered by typing on."""

from typing import ClassVar

from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Static

from chatforge_tui.config.card_hosts import CardHostQuestion, Permission
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.screens.dialog import Dialog


class CardHostScreen(Dialog[Permission]):
    """Gives the answer; Esc gives none. The button that sends nothing has the focus, and no letter chooses another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,right", "app.focus_next", show=False),
        Binding("up,left", "app.focus_previous", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "card_host.tcss"]

    def __init__(self, question: CardHostQuestion) -> None:
        """Ask this."""
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out both hosts and the answers, the safe one first."""
        asked = self._question
        with Vertical(classes="dialog--box"):
            yield self.title_line("Send to another server?")
            yield Static(Content(_hosts(asked)), markup=False)
            yield Static(Content(_what(asked)), markup=False, id="what")
            yield Button(Content("Send nothing there"), variant="primary", compact=True, id=Permission.REFUSED.value)
            bare = "Send prompts, without the credential" if asked.credential_source else "Send prompts there"
            yield Button(Content(bare), compact=True, id=Permission.WITHOUT_CREDENTIAL.value)
            if asked.credential_source:
                with_it = "Send prompts and the credential"
                yield Button(Content(with_it), compact=True, id=Permission.WITH_CREDENTIAL.value)
            yield self.hint_line("Arrows choose, Enter answers, Esc asks again next time")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button."""
        self.dismiss(Permission(event.button.id))


def _hosts(asked: CardHostQuestion) -> str:
    """Return both hosts, one below the other, so that a difference of one letter shows."""
    return (
        f"The agent card of {clean_name(asked.endpoint)} sends requests to a server that you did not configure.\n\n"
        f"  configured  {clean_name(asked.configured)}\n"
        f"  named       {clean_name(asked.named)}"
    )


def _what(asked: CardHostQuestion) -> str:
    """Return what would leave, and how long the answer holds."""
    credential = (
        f"The credential ({clean_name(asked.credential_source)}) goes there only with the last answer."
        if asked.credential_source
        else "This endpoint has no credential."
    )
    return f"Nothing has been sent there. {credential} The answer is kept for these two servers; /trust asks again."
