"""The command line: commands, options, and their words. What they do is elsewhere and imported when it is needed.

Owns the names and the help. `chatforge sessions` must not pay for the engine, nor `send` for the screen: every import
inside a function says what it costs.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from chatforge_tui import __version__
from chatforge_tui.cli.event_table import EVENTS
from chatforge_tui.cli.exit_codes import DONE, EXIT_CODES, STOPPED, USAGE
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.open_ui import open_ui
from chatforge_tui.cli.output import standard_output, tell

_Function = TypeVar("_Function", bound=Callable[..., Any])
_PROTOCOLS = ("a2a", "openai-chat")
_LONGEST_PROMPT = 16 * 2**20
"""Bytes read from stdin."""
_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES)
_SEND_EPILOG = "\b\nEvents of --json, each with the key `event`:\n" + "\n".join(
    f"  {name:<10}{', '.join(keys):<40}{when}" for name, keys, when in EVENTS
)
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


def _with_home(function: _Function) -> _Function:
    """Add --home."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Keep configuration, sessions, state and log under DIR, as CHATFORGE_HOME does.",
    )(function)


def _with_endpoint(function: _Function) -> _Function:
    """Add the options that choose the endpoint of a new session."""
    options = (
        click.option("--endpoint", metavar="NAME_OR_URL", default="", help="Endpoint of new sessions."),
        click.option("--protocol", type=click.Choice(_PROTOCOLS), default=None, help="What it speaks."),
        click.option("--model", metavar="MODEL", default="", help="Model to ask for."),
        click.option("--token-env", metavar="VAR", default="", help="Environment variable that holds its credential."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _with_json(function: _Function) -> _Function:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")(function)


class _Root(click.Group):
    """The program. Help lists the commands in the order in which they are defined."""

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
@_with_endpoint
@_with_home
@click.version_option(__version__, "--version", message="chatforge %(version)s")
@click.pass_context
def root(ctx: click.Context, home: Path | None, **choice: str | None) -> None:
    """Talk to many agents at once: every tab is a session that streams on its own.

    Without a command: the terminal UI with the tabs of the last time. With nothing configured it talks to the
    built-in agent.
    """
    ctx.obj = _launch(home, choice)
    if ctx.invoked_subcommand is None:
        ctx.exit(open_ui(ctx.obj))


@root.command(epilog=_SEND_EPILOG)
@_with_endpoint
@_with_home
@click.option("--session", metavar="ID", default="", help="Continue this session; the beginning of its id is enough.")
@click.option("--tab", is_flag=True, help="Give a new session a tab in the UI.")
@click.option(
    "--attach",
    "files",
    metavar="FILE",
    multiple=True,
    help="Send this file along; may be given several times. A link is not followed.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one event a line, as JSON.")
@click.argument("text", nargs=-1)
@click.pass_context
def send(
    ctx: click.Context,
    home: Path | None,
    text: tuple[str, ...],
    session: str,
    files: tuple[str, ...],
    *,
    tab: bool,
    as_json: bool,
    **choice: str,
) -> None:
    """Send TEXT to an agent and write its answer to stdout as it comes.

    TEXT is the prompt; `-` reads it from stdin, and with a file it may be left out. Ctrl+C stops the answer and tells
    the agent.
    """
    if not text and not files:
        raise click.UsageError("Missing argument 'TEXT...'.", ctx)
    # 300 ms: engine, endpoints, built-in agent.
    from chatforge_tui.cli.send import SendCommand  # noqa: PLC0415
    from chatforge_tui.cli.send import send as run_send  # noqa: PLC0415

    launch = _launch(home, choice, ctx.obj)
    prompt = _prompt(text) if text else ""
    ctx.exit(run_send(launch, SendCommand(prompt, session, files, tab=tab, as_json=as_json)))


@root.command()
@_with_home
@click.option("--trash", is_flag=True, help="List the deleted ones instead.")
@_with_json
@click.pass_context
def sessions(ctx: click.Context, home: Path | None, *, trash: bool, as_json: bool) -> None:
    """List the sessions, open and closed."""
    from chatforge_tui.cli.store_commands import list_sessions  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    ctx.exit(list_sessions(_launch(home, {}, ctx.obj), trash=trash, as_json=as_json))


@root.command()
@_with_home
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, metavar="N", help="Hits at most.", show_default=True
)
@_with_json
@click.argument("query", nargs=-1, required=True)
@click.pass_context
def search(ctx: click.Context, home: Path | None, query: tuple[str, ...], *, limit: int, as_json: bool) -> None:
    """Find words in the titles, prompts and answers of all sessions.

    QUERY is any text; what is found has all its words, in any order. Longer words are found by their beginning.
    """
    from chatforge_tui.cli.store_commands import search_sessions  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    ctx.exit(search_sessions(_launch(home, {}, ctx.obj), " ".join(query), limit=limit, as_json=as_json))


@root.command()
@_with_home
@_with_json
@click.argument("session_id", metavar="ID")
@click.pass_context
def show(ctx: click.Context, home: Path | None, session_id: str, *, as_json: bool) -> None:
    """Show one session with all its turns; the beginning of its ID is enough."""
    from chatforge_tui.cli.store_commands import show_session  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    ctx.exit(show_session(_launch(home, {}, ctx.obj), session_id, as_json=as_json))


@root.command()
@_with_home
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

    launch = _launch(home, {}, ctx.obj)
    if everything and session_id:
        raise click.UsageError("--all takes no ID.")
    if everything:
        ctx.exit(export_all(launch, target=output, force=force))
    if not session_id:
        raise click.UsageError("Missing argument 'ID', or --all.")
    ctx.exit(export_session(launch, session_id, form=form, target=output, force=force))


@root.command(name="import")
@_with_home
@_with_json
@click.argument("file", metavar="FILE", type=click.File("rb"))
@click.pass_context
def import_(ctx: click.Context, home: Path | None, file: BinaryIO, *, as_json: bool) -> None:
    """Take in the sessions of a FILE that `export --all` wrote; `-` reads stdin.

    What is here already stays as it is, so that a second time adds nothing. Lines that cannot be taken are named and
    skipped; the exit code is 1 then.
    """
    from chatforge_tui.cli.bundle_commands import import_bundle  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    ctx.exit(import_bundle(_launch(home, {}, ctx.obj), file, as_json=as_json))


@root.command()
@_with_home
@click.option("--purge", is_flag=True, help="For good, past the trash.")
@click.argument("session_id", metavar="ID")
@click.pass_obj
def delete(parent: Launch, home: Path | None, session_id: str, *, purge: bool) -> None:
    """Put one session into the trash."""
    from chatforge_tui.cli.store_commands import delete_session  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    delete_session(_launch(home, {}, parent), session_id, purge=purge)


@root.command()
@_with_home
@click.argument("session_id", metavar="ID")
@click.pass_obj
def restore(parent: Launch, home: Path | None, session_id: str) -> None:
    """Bring one session back from the trash."""
    from chatforge_tui.cli.store_commands import restore_session  # noqa: PLC0415 - 100 ms for asyncio and sqlite

    restore_session(_launch(home, {}, parent), session_id)


@root.group()
def store() -> None:
    """Look after the file that holds all sessions."""


@store.command()
@_with_home
@_with_json
@click.pass_context
def check(ctx: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Read the whole store and say whether it is sound; exit code 3 when it is not. Changes nothing."""
    from chatforge_tui.cli.care_commands import check_store  # noqa: PLC0415 - 60 ms for sqlite and the store

    ctx.exit(check_store(_launch(home, {}, ctx.obj), as_json=as_json))


@store.command()
@_with_home
@_with_json
@click.pass_context
def repair(ctx: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Move a damaged store aside and bring back what can be read, from it and from the newest backup.

    Nothing is deleted, and a sound store is left alone.
    """
    from chatforge_tui.cli.care_commands import repair_store  # noqa: PLC0415 - 60 ms for sqlite and the store

    ctx.exit(repair_store(_launch(home, {}, ctx.obj), as_json=as_json))


@store.command()
@_with_home
@_with_json
@click.pass_context
def backup(ctx: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Copy the store now, also while ChatForge runs; the newest three copies are kept."""
    from chatforge_tui.cli.care_commands import back_up_store  # noqa: PLC0415 - 60 ms for sqlite and the store

    ctx.exit(back_up_store(_launch(home, {}, ctx.obj), as_json=as_json))


@store.command()
@_with_home
@_with_json
@click.pass_context
def compact(ctx: click.Context, home: Path | None, *, as_json: bool) -> None:
    """Give the space of deleted sessions back to the disk."""
    from chatforge_tui.cli.care_commands import compact_store  # noqa: PLC0415 - 60 ms for sqlite and the store

    ctx.exit(compact_store(_launch(home, {}, ctx.obj), as_json=as_json))


@root.command()
@_with_home
@_with_json
@click.pass_obj
def endpoints(parent: Launch, home: Path | None, *, as_json: bool) -> None:
    """List the endpoints that are configured, and where their credentials come from."""
    from chatforge_tui.cli.endpoint_commands import list_endpoints  # noqa: PLC0415 - 60 ms for the configuration

    list_endpoints(_launch(home, {}, parent), as_json=as_json)


@root.command()
@_with_home
@click.option("--ask", "asks", is_flag=True, help="Send each endpoint a tiny prompt, which costs a few tokens.")
@click.option("--no-prompt", is_flag=True, help="Run no credential command that may ask for something.")
@_with_json
@click.argument("endpoints", metavar="[ENDPOINT]...", nargs=-1)
@click.pass_context
def doctor(
    ctx: click.Context, home: Path | None, endpoints: tuple[str, ...], *, asks: bool, no_prompt: bool, as_json: bool
) -> None:
    """Look at terminal, store, endpoints, proxies and versions, and say what to do about what is wrong.

    Contacts every configured endpoint, or only the named ones, and nobody else. Exit code 1: something does not work.

    `chatforge doctor keys` asks for one key after the other and shows what arrives.
    """
    launch = _launch(home, {}, ctx.obj)
    if endpoints == ("keys",):
        # 300 ms for textual.
        from chatforge_tui.cli.doctor.keys import run_key_test  # noqa: PLC0415 - see above

        ctx.exit(run_key_test(launch))
    # 300 ms: endpoints, store, built-in agent.
    from chatforge_tui.cli.doctor.command import DoctorCommand  # noqa: PLC0415 - see above
    from chatforge_tui.cli.doctor.command import doctor as run_doctor  # noqa: PLC0415 - see above

    command = DoctorCommand(endpoints, asks=asks, may_prompt=not no_prompt, as_json=as_json)
    ctx.exit(run_doctor(launch, command))


@root.group()
def config() -> None:
    """Say where the configuration is."""


@config.command()
@_with_home
@click.pass_obj
def path(parent: Launch, home: Path | None) -> None:
    """Write the path of the configuration file, whether it exists or not."""
    standard_output().line(str(_launch(home, {}, parent).locations.config_file))


@root.command(hidden=True)
@_with_home
@click.option("--markdown", type=click.Choice(("keys", "config", "exit-codes", "commands")), default="keys")
@click.pass_obj
def keys(parent: Launch, home: Path | None, markdown: str) -> None:
    """Write a part of the reference as Markdown: what stands in the README."""
    from chatforge_tui.cli.reference_pages import page  # noqa: PLC0415 - 60 ms for the configuration

    standard_output().line(page(_launch(home, {}, parent), markdown))


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


def _launch(home: Path | None, choice: dict[str, Any], parent: Launch | None = None) -> Launch:
    """Return what the flags of a command say; what it leaves open is as the flags before its name say."""
    before = parent or Launch()
    return Launch(
        home=home or before.home,
        endpoint_name=choice.get("endpoint") or before.endpoint_name,
        protocol=choice.get("protocol") or before.protocol,
        model=choice.get("model") or before.model,
        token_env=choice.get("token_env") or before.token_env,
    )


def _prompt(words: tuple[str, ...]) -> str:
    """Return the prompt: the words, or stdin for a single `-`. Bytes that are no UTF-8 become U+FFFD."""
    if words == ("-",):
        content = sys.stdin.buffer.read(_LONGEST_PROMPT + 1)
        if len(content) > _LONGEST_PROMPT:
            raise click.UsageError(f"The prompt on stdin is larger than {_LONGEST_PROMPT >> 20} MiB.")
    else:
        content = " ".join(words).encode("utf-8", "surrogateescape")
    text = content.decode("utf-8", "replace")
    if not text.strip():
        raise click.UsageError("The prompt is empty.")
    return text
