"""What the program says about itself, collected from where each part of it is defined.

One source for the built-in agent, the README and `--help`: nothing here is written twice.
"""

import click

from chatforge_tui import __version__
from chatforge_tui.cli.commands.root import root
from chatforge_tui.cli.exit_codes import EXIT_CODES
from chatforge_tui.cli.launch import Launch
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.reference import describe_settings
from chatforge_tui.endpoints.catalog import PROTOCOLS
from chatforge_tui.guide.reference import (
    CommandEntry,
    ExitCodeEntry,
    PlaceEntry,
    ProgramReference,
    key_entries,
)


def program_reference(launch: Launch) -> ProgramReference:
    """Return everything the program knows about itself, with the keys and places of this start."""
    return ProgramReference(
        version=__version__,
        keys=key_entries(Keymap.resolve(launch.settings.keys)),
        commands=command_entries(),
        settings=describe_settings(),
        places=_places(launch),
        exit_codes=tuple(ExitCodeEntry(code, meaning) for code, meaning in EXIT_CODES),
        protocols=PROTOCOLS,
    )


def command_entries() -> tuple[CommandEntry, ...]:
    """Return every command of the command line that is not hidden, the bare program first."""
    return tuple(_entries(root, "chatforge"))


def _entries(command: click.Command, path: str, parent: click.Context | None = None) -> list[CommandEntry]:
    if command.hidden:
        return []
    # With its parent and settings, as it is run: click keeps the help option that the first context makes.
    context = click.Context(command, parent, path, **command.context_settings)
    entries: list[CommandEntry] = []
    if not isinstance(command, click.Group) or command.invoke_without_command:
        entries.append(CommandEntry(_usage(command, context, path), _sentence(command), _options(command, context)))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            entries.extend(_entries(inner, f"{path} {name}", context))
    return entries


def _usage(command: click.Command, context: click.Context, path: str) -> str:
    pieces = [piece for piece in command.collect_usage_pieces(context) if not piece.startswith("COMMAND")]
    return " ".join([path, *pieces])


def _sentence(command: click.Command) -> str:
    return (command.help or "").strip().split("\n\n")[0].replace("\n", " ").strip()


def _options(command: click.Command, context: click.Context) -> tuple[tuple[str, str], ...]:
    records = (parameter.get_help_record(context) for parameter in command.get_params(context))
    return tuple(record for record in records if record and record[1] and "--help" not in record[0])


def _places(launch: Launch) -> tuple[PlaceEntry, ...]:
    locations = launch.locations
    return (
        PlaceEntry("configuration file", str(locations.config_file), "written by you alone"),
        PlaceEntry("store", str(launch.store_file), "all sessions"),
        PlaceEntry("log file", str(launch.log_file)),
        PlaceEntry("state directory", str(locations.state_dir), "what the screen remembers; may be deleted"),
    )
