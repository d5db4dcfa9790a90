"""Options that several commands take, and what they say together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from chatforge_tui.cli.launch import Launch

_Function = TypeVar("_Function", bound=Callable[..., Any])
_PROTOCOLS = ("a2a", "openai-chat")


def with_home(function: _Function) -> _Function:
    """Add --home."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Keep configuration, sessions, state and log under DIR, as CHATFORGE_HOME does.",
    )(function)


def with_endpoint(function: _Function) -> _Function:
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


def with_json(function: _Function) -> _Function:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")(function)


def launch_of(home: Path | None, choice: dict[str, Any], parent: Launch | None = None) -> Launch:
    """Return what the flags of a command say; what it leaves open is as the flags before its name say."""
    before = parent or Launch()
    return Launch(
        home=home or before.home,
        endpoint_name=choice.get("endpoint") or before.endpoint_name,
        protocol=choice.get("protocol") or before.protocol,
        model=choice.get("model") or before.model,
        token_env=choice.get("token_env") or before.token_env,
    )
