"""The commands about the program itself: its endpoints, its health, its configuration, its reference."""

from pathlib import Path

import click

from chatforge_tui.cli.commands.flags import launch_of, with_home, with_json
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.output import standard_output


@click.command()
@with_home
@with_json
@click.pass_obj
def endpoints(parent: Launch, home: Path | None, *, as_json: bool) -> None:
    """List the endpoints that are configured, and where their credentials come from."""
    from chatforge_tui.cli.endpoint_commands import list_endpoints  # noqa: PLC0415 - 60 ms for the configuration

    list_endpoints(launch_of(home, {}, parent), as_json=as_json)


@click.command()
@with_home
@click.option("--ask", "asks", is_flag=True, help="Send each endpoint a tiny prompt, which costs a few tokens.")
@click.option("--no-prompt", is_flag=True, help="Run no credential command that may ask for something.")
@with_json
@click.argument("endpoints", metavar="[ENDPOINT]...", nargs=-1)
@click.pass_context
def doctor(
    ctx: click.Context, home: Path | None, endpoints: tuple[str, ...], *, asks: bool, no_prompt: bool, as_json: bool
) -> None:
    """Look at terminal, store, endpoints, proxies and versions, and say what to do about what is wrong.

    Contacts every configured endpoint, or only the named ones, and nobody else. Exit code 1: something does not work.

    `chatforge doctor keys` asks for one key after the other and shows what arrives.
    """
    launch = launch_of(home, {}, ctx.obj)
    if endpoints == ("keys",):
        # 300 ms for textual.
        from chatforge_tui.cli.doctor.keys import run_key_test  # noqa: PLC0415 - see above

        ctx.exit(run_key_test(launch))
    # 300 ms: endpoints, store, built-in agent.
    from chatforge_tui.cli.doctor.command import DoctorCommand  # noqa: PLC0415 - see above
    from chatforge_tui.cli.doctor.command import doctor as run_doctor  # noqa: PLC0415 - see above

    command = DoctorCommand(endpoints, asks=asks, may_prompt=not no_prompt, as_json=as_json)
    ctx.exit(run_doctor(launch, command))


@click.group()
def config() -> None:
    """Say where the configuration is."""


@config.command()
@with_home
@click.pass_obj
def path(parent: Launch, home: Path | None) -> None:
    """Write the path of the configuration file, whether it exists or not."""
    standard_output().line(str(launch_of(home, {}, parent).locations.config_file))


@click.command(hidden=True)
@with_home
@click.option("--markdown", type=click.Choice(("keys", "config", "exit-codes", "commands")), default="keys")
@click.pass_obj
def keys(parent: Launch, home: Path | None, markdown: str) -> None:
    """Write a part of the reference as Markdown: what stands in the README."""
    from chatforge_tui.cli.reference_pages import page  # noqa: PLC0415 - 60 ms for the configuration

    standard_output().line(page(launch_of(home, {}, parent), markdown))


COMMANDS = (endpoints, doctor, config, keys)
"""In the order of help."""
