"""What the program says about itself, in the shape the agent reads it. Filled by cli, which knows every part of it.

Nothing here is written by hand for the agent: keys come from the key table, commands from the command line's own
definitions, settings from the configuration reference. What the agent answers can therefore not differ from what the
program does.
"""

import re

from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.config.keymap import Keymap, Scope
from chatforge_tui.config.reference import SettingDescription


class KeyEntry(Struct, frozen=True):
    """One action of the program."""

    action: str
    """Its stable id, e.g. "session.new"."""
    keys: tuple[str, ...]
    """What is bound to it now, the first is the one shown; empty: only in the command palette."""
    label: str
    description: str
    """One sentence."""
    group: str = ""
    where: str = ""
    """Where its keys work, to be put after them: "in the list of sessions"; "" = everywhere."""


class CommandEntry(Struct, frozen=True):
    """One command of the command line."""

    usage: str
    """As typed, e.g. "chatforge send [OPTIONS] TEXT"."""
    description: str
    options: tuple[tuple[str, str], ...] = ()
    """Option as typed, and what it does."""


class PlaceEntry(Struct, frozen=True):
    """One place on disk."""

    name: str
    """What is there, e.g. "configuration file"."""
    path: str
    description: str = ""


class ExitCodeEntry(Struct, frozen=True):
    """What one exit code means."""

    code: int
    meaning: str


class ProgramReference(Struct, frozen=True):
    """Everything the agent knows about the program."""

    version: str
    keys: tuple[KeyEntry, ...] = ()
    commands: tuple[CommandEntry, ...] = ()
    settings: tuple[SettingDescription, ...] = ()
    """As `config.reference.describe_settings` gives them."""
    places: tuple[PlaceEntry, ...] = ()
    exit_codes: tuple[ExitCodeEntry, ...] = ()
    protocols: tuple[str, ...] = ()
    """The protocols this program speaks, as the configuration spells them."""

    def keys_of(self, action: str) -> tuple[str, ...]:
        """Return what is bound to an action now; () when nothing is, or there is no such action."""
        return next((entry.keys for entry in self.keys if entry.action == action), ())


_PLACES = {
    Scope.APP: "",
    Scope.PROMPT: "in the prompt",
    Scope.TRANSCRIPT: "in the transcript",
    Scope.BOARD: "in the list of sessions",
}


def key_entries(keymap: Keymap) -> tuple[KeyEntry, ...]:
    """Read the keys in force; actions that differ by a number only ("session.goto.1" to "9") become one entry."""
    entries: dict[str, KeyEntry] = {}
    for action in keymap.actions:
        family, _, number = action.id.rpartition(".")
        name = f"{family}.N" if number.isdigit() else action.id
        label, description = (re.sub(r"\b1\b", "N", text) for text in (action.label, action.description))
        known = entries.setdefault(name, KeyEntry(name, (), label, description, action.group, _PLACES[action.scope]))
        entries[name] = replace(known, keys=known.keys + action.keys)
    return tuple(entries.values())
