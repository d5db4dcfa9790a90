"""`chatforge send`: one prompt, its answer on stdout."""

import sys
from pathlib import Path

import click

from chatforge_tui.cli.commands.flags import launch_of, with_endpoint, with_home
from chatforge_tui.cli.event_table import EVENTS

_LONGEST_PROMPT = 16 * 2**20
"""Bytes read from stdin."""
_EPILOG = "\b\nEvents of --json, each with the key `event`:\n" + "\n".join(
    f"  {name:<10}{', '.join(keys):<40}{when}" for name, keys, when in EVENTS
)


@click.command(epilog=_EPILOG)
@with_endpoint
@with_home
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

    launch = launch_of(home, choice, ctx.obj)
    prompt = _prompt(text) if text else ""
    ctx.exit(run_send(launch, SendCommand(prompt, session, files, tab=tab, as_json=as_json)))


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
