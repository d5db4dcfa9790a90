"""What the actions that go beyond sessions and turns need of the app: its main screen, its dialogs, its keys and looks."""

from collections.abc import Callable, Sequence
from typing import Protocol

from textual.screen import Screen

from chatforge_tui.config.card_hosts import CardHosts
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.settings import Settings
from chatforge_tui.ui.desk import Desk
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.offers import Offer
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.screens.main import MainScreen


class Program(Desk, Protocol):
    """The app, as these actions see it."""

    @property
    def main(self) -> MainScreen:
        """The main screen."""
        ...

    @property
    def keymap(self) -> Keymap:
        """The keys in force."""
        ...

    @property
    def monotonic(self) -> Callable[[], float]:
        """A clock in seconds that never goes back."""
        ...

    @property
    def settings(self) -> Settings:
        """The configuration."""
        ...

    @property
    def card_hosts(self) -> CardHosts:
        """What the user answered about other servers that agent cards name."""
        ...

    @property
    def is_at_rest(self) -> bool:
        """Whether no dialog lies over the main screen."""
        ...

    @property
    def marks(self) -> MarkSet:
        """How states are drawn."""
        ...

    @property
    def find_offers(self) -> Callable[[], Sequence[Offer]]:
        """Finds endpoints beyond the configured ones; called in a thread."""
        ...

    @property
    def examine(self) -> Callable[[int], str]:
        """Returns the doctor's report in lines of so many columns; called in a thread."""
        ...

    def do(self, action_id: str) -> None:
        """Do an action of the key table on the pane in front."""
        ...

    def do_to(self, action_id: str, pane: Pane | None) -> None:
        """Do an action of the key table on this pane."""
        ...

    def open_link(self, url: str) -> None:
        """Open a clean http or https URL in a browser, or copy it where there is none."""
        ...

    def attach_again(self, pane: Pane, text: str) -> None:
        """Have the files of an earlier prompt with this text go along once more."""
        ...

    def push(self, screen: Screen[None]) -> None:
        """Show a screen that gives no answer."""
        ...

    def copy_text(self, text: str, what: str) -> None:
        """Put text into the clipboard and say so."""
        ...

    def theme_names(self) -> tuple[str, list[str]]:
        """Return the theme in use, and all."""
        ...

    def use_theme(self, name: str) -> None:
        """Switch to a theme and remember it."""
        ...

    def leave(self) -> None:
        """End the program."""
        ...
