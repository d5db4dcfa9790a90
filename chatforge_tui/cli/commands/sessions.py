"""The commands about sessions: list, find, show, write and read as files, delete, bring back."""

from pathlib import Path
from typing import BinaryIO

import click

from chatforge_tui.cli.commands.flags import launch_of, with_home, with_json
from chatforge_tui.cli.launch import Launch


@click.command()
@with_home
@click.option("--trash", is_flag=True, help="List the deleted ones instead.")
@with_json
@click.pass_context
def sessions(ctx: click.Context, home: Path | None, *, trash: bool, as_json: bool) -> None:
    """List the sessions, open and closed."""
    from chatforge_tui.cli.store_commands import list_sessions  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    ctx.exit(list_sessions(launch_of(home, {}, ctx.obj), trash=trash, as_json=as_json))


@click.command()
@with_home
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, metavar="N", help="Hits at most.", show_default=True
)
@with_json
@click.argument("query", nargs=-1, required=True)
@click.pass_context
def search(ctx: click.Context, home: Path | None, query: tuple[str, ...], *, limit: int, as_json: bool) -> None:
    """Find words in the titles, prompts and answers of all sessions.

    QUERY is any text; what is found has all its words, in any order. Longer words are found by their beginning.
    """
    from chatforge_tui.cli.store_commands import search_sessions  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    ctx.exit(search_sessions(launch_of(home, {}, ctx.obj), " ".join(query), limit=limit, as_json=as_json))


@click.command()
@with_home
@with_json
@click.argument("session_id", metavar="ID")
@click.pass_context
def show(ctx: click.Context, home: Path | None, session_id: str, *, as_json: bool) -> None:
    """Show one session with all its turns; the beginning of its ID is enough."""
    from chatforge_tui.cli.store_commands import show_session  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    ctx.exit(show_session(launch_of(home, {}, ctx.obj), session_id, as_json=as_json))


@click.command()
@with_home
@click.option(
    "--format",
    "form",
    type=click.Choice(("md", "json", "html")),
    default="md",
    help="Form of the file.",
    show_default=True,
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="File to write; - is stdout.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.option("--all", "everything", is_flag=True, help="All sessions, as lines of JSON that `import` reads.")
@click.argument("session_id", metavar="ID", default="")
@click.pass_context
def export(
    ctx: click.Context,
    home: Path | None,
    session_id: str,
    form: str,
    output: Path | None,
    *,
    force: bool,
    everything: bool,
) -> None:
    """Write one session, or all of them, into a file that only you can read.

    Without -o the file is named after the session, in the current directory. The trash is never among --all.
    """
    from chatforge_tui.cli.bundle_commands import export_all  # noqa: PLC0415 - 100 ms for asyncio and sqlite
    from chatforge_tui.cli.store_commands import export_session  # noqa: PLC0415 - see above

    launch = launch_of(home, {}, ctx.obj)
    if everything and session_id:
        raise click.UsageError("--all takes no ID.")
    if everything:
        ctx.exit(export_all(launch, target=output, force=force))
    if not session_id:
        raise click.UsageError("Missing argument 'ID', or --all.")
    ctx.exit(export_session(launch, session_id, form=form, target=output, force=force))


@click.command(name="import")
@with_home
@with_json
@click.argument("file", metavar="FILE", type=click.File("rb"))
@click.pass_context
def import_(ctx: click.Context, home: Path | None, file: BinaryIO, *, as_json: bool) -> None:
    """Take in the sessions of a FILE that `export --all` wrote; `-` reads stdin.

    What is here already stays as it is, so that a second time adds nothing. Lines that cannot be taken are named and
    skipped; the exit code is 1 then.
    """
    from chatforge_tui.cli.bundle_commands import import_bundle  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    ctx.exit(import_bundle(launch_of(home, {}, ctx.obj), file, as_json=as_json))


@click.command()
@with_home
@click.option("--purge", is_flag=True, help="For good, past the trash.")
@click.argument("session_id", metavar="ID")
@click.pass_obj
def delete(parent: Launch, home: Path | None, session_id: str, *, purge: bool) -> None:
    """Put one session into the trash."""
    from chatforge_tui.cli.store_commands import delete_session  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    delete_session(launch_of(home, {}, parent), session_id, purge=purge)


@click.command()
@with_home
@click.argument("session_id", metavar="ID")
@click.pass_obj
def restore(parent: Launch, home: Path | None, session_id: str) -> None:
    """Bring one session back from the trash."""
    from chatforge_tui.cli.store_commands import restore_session  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    restore_session(launch_of(home, {}, parent), session_id)


COMMANDS = (sessions, search, show, export, import_, delete, restore)
"""In the order of help."""
