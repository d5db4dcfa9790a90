"""The commands about the file that holds all sessions."""

from pathlib import Path

import click

from chatforge_tui.cli.commands.flags import launch_of, with_home, with_json


@click.group()
def store() -> None:
    """Look after the file that holds all sessions."""


@store.command()
@with_home
@with_json
@click.pass_context
def check(ctx: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Read the whole store and say whether it is sound; exit code 3 when it is not. Changes nothing."""
    from chatforge_tui.cli.care_commands import check_store  # noqa: PLC0415 - 60 ms for sqlite and the store

    ctx.exit(check_store(launch_of(home, {}, ctx.obj), as_json=as_json))


@store.command()
@with_home
@with_json
@click.pass_context
def repair(ctx: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Move a damaged store aside and bring back what can be read, from it and from the newest backup.

    Nothing is deleted, and a sound store is left alone.
    """
    from chatforge_tui.cli.care_commands import repair_store  # noqa: PLC0415 - 60 ms for sqlite and the store

    ctx.exit(repair_store(launch_of(home, {}, ctx.obj), as_json=as_json))


@store.command()
@with_home
@with_json
@click.pass_context
def backup(ctx: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Copy the store now, also while ChatForge runs; the newest three copies are kept."""
    from chatforge_tui.cli.care_commands import back_up_store  # noqa: PLC0415 - 60 ms for sqlite and the store

    ctx.exit(back_up_store(launch_of(home, {}, ctx.obj), as_json=as_json))


@store.command()
@with_home
@with_json
@click.pass_context
def compact(ctx: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Give the space of deleted sessions back to the disk."""
    from chatforge_tui.cli.care_commands import compact_store  # noqa: PLC0415 - 60 ms for sqlite and the store

    ctx.exit(compact_store(launch_of(home, {}, ctx.obj), as_json=as_json))
