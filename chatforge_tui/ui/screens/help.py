"""Every key and every command, generated from the key table and the list of slash commands."""

from collections.abc import Iterator
from typing import ClassVar

from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from chatforge_tui.config.key_names import shown
from chatforge_tui.config.keymap import Action, Keymap
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.slash_commands import COMMANDS

_KEY_WIDTH = 34


class HelpScreen(Dialog[None]):
    """Scrolls; Esc or F1 closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1,question_mark,q", "leave", show=False)]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "help.tcss"]

    def __init__(self, keymap: Keymap) -> None:
        """Show the keys in force."""
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """Lay out one long page."""
        with Vertical(classes="dialog--box"):
            yield self.title_line("Keys and commands")
            with VerticalScroll():
                yield Static(Content("\n").join(help_lines(self._keymap)), markup=False, id="help-page")
            yield self.hint_line("Up and Down scroll, Esc back. Keys are set in the [keys] table of config.toml.")

    def on_mount(self) -> None:
        """Let the arrow keys scroll at once."""
        self.query_one(VerticalScroll).focus()


def help_lines(keymap: Keymap) -> Iterator[Content]:
    """Yield the help page, line by line: every action of the key table, every slash command."""
    for group, actions in keymap.groups():
        yield Content.styled(group, "bold")
        for keys, description in _collapsed(actions):
            yield Content.assemble(Content(f"  {keys}".ljust(_KEY_WIDTH)), Content.styled(description, "$text-muted"))
        yield Content("")
    yield Content.styled("Commands, typed into the prompt", "bold")
    for command in COMMANDS:
        name = f"  /{command.name} {command.argument}".ljust(_KEY_WIDTH)
        yield Content.assemble(Content(name), Content.styled(command.description, "$text-muted"))
    yield Content.assemble(
        Content("  //".ljust(_KEY_WIDTH)), Content.styled("Send a prompt that begins with /.", "$text-muted")
    )


def keys_of(action: Action) -> str:
    """Return an action's keys as people read them; "palette" for one that has none."""
    names = list(dict.fromkeys(shown(key) for key in action.keys))
    return ", ".join(names[:3]) if names else "palette"


def _collapsed(actions: tuple[Action, ...]) -> Iterator[tuple[str, str]]:
    """Yield keys and description; numbered actions (`….1` to `….9`) become one line."""
    for action in actions:
        stem, _, number = action.id.rpartition(".")
        if not number.isdecimal():
            yield keys_of(action), action.description
        elif number == "1":
            last = next(other for other in reversed(actions) if other.id.startswith(f"{stem}."))
            yield f"{keys_of(action)} … {keys_of(last)}", action.description.replace("1.", "1 to 9.")
