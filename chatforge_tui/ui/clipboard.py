"""Copying: hands a text to the terminal and to a clipboard's program, keeps it in a file where neither may have it.

Owns what is claimed about it. A program that ended well has the text; a terminal never answers, so it was "sent".
Nothing goes through a shell.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from chatforge_tui.config.settings import UiSettings
from chatforge_tui.ui.clipboard_ways import MOST_BYTES, SURE_BYTES, CopyCommand, CopyWays, copy_ways
from chatforge_tui.ui.desk import Severity
from chatforge_tui.ui.terminal_driver import TerminalDriver

COMMAND_S = 2.0
"""Seconds that a clipboard's program may take."""


class Copied(Struct, frozen=True):
    """What became of a text."""

    message: str
    """One sentence that claims no more than is known."""
    severity: Severity = "information"


class Clipboard:
    """Copies one text after the other: the last one asked for is the last one that arrives."""

    def __init__(
        self,
        settings: UiSettings,
        *,
        environ: Mapping[str, str],
        file: Path,
        terminal: Callable[[], TerminalDriver],
    ) -> None:
        """Copy by these ways.

        Args:
            settings: which ways the user wants.
            environ: tells which there are, and is what programs are run with.
            file: where a text is kept as a last resort; overwritten by the next.
            terminal: returns the terminal: without one there is no user whose clipboard is meant.
        """
        self._settings, self._environ, self._file = settings, environ, file
        self._terminal = terminal
        self._turn = asyncio.Lock()

    async def put(self, text: str, what: str) -> Copied:
        """Copy a text.

        Args:
            text: already cleaned.
            what: what it is, for the message: "answer".
        """
        async with self._turn:
            ways = copy_ways(self._settings.copy, self._settings.copy_command, self._environ)
            if ways.is_off:
                return Copied(f"The {what} was not copied: the setting ui.copy is off.", "warning")
            return await self._put(text, what, ways)

    async def _put(self, text: str, what: str, ways: CopyWays) -> Copied:
        data = text.encode("utf-8", "replace")
        terminal = self._terminal()
        is_sent = ways.osc52 and len(data) <= MOST_BYTES and terminal.copy(text)
        done: list[str] = []
        if terminal.is_there:
            taken = [await self._first_working(group, data) for group in (ways.desktop, ways.multiplexer)]
            done = [command.done for command in taken if command is not None]
        if done:
            return Copied(f"Copied the {what} {' and '.join(done)}.")
        is_long = len(data) * 4 // 3 > SURE_BYTES
        if is_sent and not ways.is_doubtful and not is_long:
            return Copied(f"Sent the {what} to the terminal's clipboard.")
        return await self._keep(data, what, is_sent=is_sent, is_long=is_long)

    async def _keep(self, data: bytes, what: str, *, is_sent: bool, is_long: bool) -> Copied:
        """Put the text into the file and say so: the terminal was not asked, or may not have taken it."""
        try:
            await asyncio.to_thread(_write, self._file, data)
        except OSError as error:
            if is_sent:
                return Copied(f"Sent the {what} to the terminal's clipboard, which may not have taken it.")
            reason = error.strerror or "it cannot be written"
            return Copied(f"The {what} was not copied: no clipboard answers, and {self._file}: {reason}.", "error")
        if not is_sent:
            return Copied(f"No clipboard answers: the {what} was written to {self._file}.")
        doubt = "which may be too long for it" if is_long else "which may not take it"
        return Copied(f"Sent the {what} to the terminal's clipboard, {doubt}, and written to {self._file}.")

    async def _first_working(self, commands: Sequence[CopyCommand], data: bytes) -> CopyCommand | None:
        for command in commands:
            if await self._run(command, data):
                return command
        return None

    async def _run(self, command: CopyCommand, data: bytes) -> bool:
        """Run a program with the text on its standard input; return whether it ended well, and in time."""
        nowhere = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=nowhere,
                stderr=nowhere,
                env=dict(self._environ),
                start_new_session=True,  # it may stay, to own the clipboard, when this terminal is closed
            )
        except (OSError, ValueError):
            return False
        try:
            async with asyncio.timeout(COMMAND_S):
                await process.communicate(data)
        except TimeoutError:
            process.kill()
            await process.wait()
        return process.returncode == 0


def _write(file: Path, data: bytes) -> None:
    """Write a file that its owner alone may read. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(file, flags, 0o600), "wb") as out:  # noqa: PTH123 - Path.open cannot say whose it is
        out.write(data)
