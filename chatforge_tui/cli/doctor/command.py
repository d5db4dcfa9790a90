"""Runs the examinations of `chatforge doctor` and writes each as soon as it is done; endpoints all at once."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from msgspec import Struct

from chatforge_tui.cli import exit_codes
from chatforge_tui.cli.composition import BuiltInEndpoint
from chatforge_tui.cli.doctor import program, terminal
from chatforge_tui.cli.doctor.report import report_shape, section_lines, summary
from chatforge_tui.cli.launch import Launch, check_endpoint
from chatforge_tui.cli.logging_setup import start_logging
from chatforge_tui.cli.output import standard_output
from chatforge_tui.config.card_hosts import CardHosts
from chatforge_tui.config.settings import BUILT_IN, Settings
from chatforge_tui.domain.finding import Section
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.endpoints.checkup import Checkup, CheckupOptions
from chatforge_tui.errors import ConfigError
from chatforge_tui.exchange.json_shapes import dumps
from chatforge_tui.store.examination import examine


class DoctorCommand(Struct, frozen=True):
    """What was asked for."""

    endpoints: tuple[str, ...] = ()
    """Names or URLs; empty = every configured one and the built-in agent."""
    asks: bool = False
    """Send each endpoint a tiny prompt."""
    may_prompt: bool = True
    """Run credential commands, which may ask for a passphrase."""
    as_json: bool = False


def doctor(launch: Launch, command: DoctorCommand) -> int:
    """Examine everything and write the report; return the exit code: 1 when something does not work.

    Raises:
        ConfigError: a named endpoint does not exist.
    """
    settings = _settings(launch)
    if settings is not None:
        for name in command.endpoints:
            check_endpoint(name, settings)
    start_logging(launch.log_file)
    output = standard_output()
    ascii_only = (settings is not None and settings.ui.ascii) or not _can_draw()
    width = shutil.get_terminal_size().columns if output.is_terminal else 0
    sections: list[Section] = []

    def tell(section: Section) -> None:
        sections.append(section)
        if not command.as_json:
            output.line("\n".join(section_lines(section, ascii_only=ascii_only, width=width)) + "\n")

    for section in _local(launch):
        tell(section)
    tell(terminal.examine(settings or Settings()))
    if settings is not None:
        _examine_endpoints(launch, settings, command, tell)
    if command.as_json:
        output.raw_line(dumps(report_shape(sections), indent=2))
    else:
        output.line(summary(sections))
    return exit_codes.FAULT if any(section.is_wrong for section in sections) else exit_codes.DONE


def report_beside_screen(launch: Launch, width: int) -> str:
    """Return the report in lines of `width` columns, without asking terminal or user anything: a screen is reading them."""
    settings = launch.settings
    sections = [*_local(launch), terminal.examine(settings, asks=False)]
    _examine_endpoints(launch, settings, DoctorCommand(may_prompt=False), sections.append)
    lines = [section_lines(section, ascii_only=settings.ui.ascii, width=width) for section in sections]
    return "\n\n".join([*("\n".join(each) for each in lines), summary(sections)])


def _local(launch: Launch) -> Iterator[Section]:
    """Yield what is found on this machine."""
    yield program.versions(launch)
    yield Section("store", "Store", examine(launch.store_file))
    yield program.proxies(os.environ)


def _examine_endpoints(
    launch: Launch, settings: Settings, command: DoctorCommand, tell: Callable[[Section], None]
) -> None:
    """Look at all endpoints at once; tell of them in their order, when the last is done."""
    names = command.endpoints or (*settings.endpoints, BUILT_IN)
    with ExitStack() as stack:
        built_in = BuiltInEndpoint(launch)
        stack.callback(built_in.stop)
        asyncio.run(
            _examine_all(
                EndpointCatalog(settings, built_in, card_hosts=CardHosts(launch.locations.state_dir)),
                names,
                command,
                tell,
            )
        )


async def _examine_all(
    catalog: EndpointCatalog, names: tuple[str, ...], command: DoctorCommand, tell: Callable[[Section], None]
) -> None:
    options = CheckupOptions(asks=command.asks, may_prompt=command.may_prompt)
    checkups = [Checkup(catalog, name, os.environ, options).examine() for name in names]
    for section in await asyncio.gather(*checkups):
        tell(section)


def _settings(launch: Launch) -> Settings | None:
    """Return the configuration; None for one that cannot be used, which is a finding and not the end."""
    try:
        return launch.settings
    except ConfigError:
        return None


def _can_draw() -> bool:
    """Return whether the encoding of stdout has the marks."""
    return sys.stdout.encoding.lower().replace("-", "") == "utf8"
