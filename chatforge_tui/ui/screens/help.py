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
from chatforge_tui.ui.line_drawing import wrap
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.slash_commands import COMMANDS

_KEY_WIDTH = 34
_LEAST_WORDS = 30
"""Cells that a description needs beside its keys."""


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
                yield Static("", markup=False, id="help-page")
            yield self.hint_line("Up and Down scroll, Esc back. Keys are set in the [keys] table of config.toml.")

    def on_mount(self) -> None:
        """Let the arrow keys scroll at once."""
        self.query_one(VerticalScroll).focus()
        self.call_after_refresh(self._write)

    def on_resize(self) -> None:
        """Fit the page to the new width."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        width = self.query_one(VerticalScroll).scrollable_content_region.width - 1
        self.query_one("#help-page", Static).update(Content("\n").join(help_lines(self._keymap, width)))


def help_lines(keymap: Keymap, width: int = 200) -> Iterator[Content]:
    """Yield the help page in lines of at most `width` cells: every action of the key table, every slash command."""
    for group, actions in keymap.groups():
        yield Content.styled(group, "bold")
        for keys, description in _collapsed(actions):
            yield from _entry(keys, description, width)
        yield Content("")
    yield Content.styled("Commands, typed into the prompt", "bold")
    for command in COMMANDS:
        yield from _entry(f"/{command.name} {command.argument}", command.description, width)
    yield from _entry("//", "Send a prompt that begins with /.", width)


def _entry(keys: str, description: str, width: int) -> Iterator[Content]:
    """Yield one entry, its description beside its keys, on several lines where it has to be; on a narrow page below them."""
    if width < _KEY_WIDTH + _LEAST_WORDS:
        yield Content(f"  {keys}")
        yield from (Content.styled(f"    {line}", "$text-muted") for line in wrap(description, max(width - 4, 1)))
        return
    first, *more = wrap(description, width - _KEY_WIDTH)
    yield Content.assemble(Content(f"  {keys}".ljust(_KEY_WIDTH)), Content.styled(first, "$text-muted"))
    for line in more:
        yield Content.styled(" " * _KEY_WIDTH + line, "$text-muted")


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
