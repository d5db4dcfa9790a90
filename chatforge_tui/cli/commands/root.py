"""The program itself as a command, with all others below it in the order in which help lists them."""

from pathlib import Path

import click

from chatforge_tui import __version__
from chatforge_tui.cli.commands import about, sessions, store
from chatforge_tui.cli.commands.flags import launch_of, with_endpoint, with_home
from chatforge_tui.cli.commands.send import send
from chatforge_tui.cli.exit_codes import DONE, EXIT_CODES, STOPPED, USAGE
from chatforge_tui.cli.open_ui import open_ui
from chatforge_tui.cli.output import standard_output, tell

_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


class _Root(click.Group):
    """The program. Help lists the commands in the order in which they are added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in order."""
        del ctx
        return list(self.commands)


@click.group(
    name="chatforge",
    cls=_Root,
    invoke_without_command=True,
    context_settings=_SETTINGS,
    epilog=_EPILOG,
    subcommand_metavar="[COMMAND] ...",
)
@with_endpoint
@with_home
@click.version_option(__version__, "--version", message="chatforge %(version)s")
@click.pass_context
def root(ctx: click.Context, home: Path | None, **choice: str | None) -> None:
    """Talk to many agents at once: every tab is a session that streams on its own.

    Without a command: the terminal UI with the tabs of the last time. With nothing configured it talks to the
    built-in agent.
    """
    ctx.obj = launch_of(home, choice)
    if ctx.invoked_subcommand is None:
        ctx.exit(open_ui(ctx.obj))


for _command in (send, *sessions.COMMANDS, store.store, *about.COMMANDS):
    root.add_command(_command)


def run_command(arguments: list[str]) -> int:
    """Run what the arguments say; return the exit code. A mistake in them is told on stderr."""
    try:
        return root.main(arguments, prog_name="chatforge", standalone_mode=False) or DONE
    except click.exceptions.NoArgsIsHelpError as error:
        standard_output().line(error.format_message())
        return USAGE
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "chatforge"
        said = error.format_message().removesuffix(".")
        tell(f"{said}. `{command} --help` says how it is used.")
        return USAGE
    except click.ClickException as error:
        tell(error.format_message())
        return USAGE
    except click.Abort:
        return STOPPED
