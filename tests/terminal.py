"""The real program in a pseudo terminal: every byte it writes is kept, a terminal emulator shows what a person would see.

    async with terminal([sys.executable, "-m", "chatforge_tui"], home=path, size=(120, 36)) as screen:
        await screen.wait_for("Enter send")
        screen.press("h", "i", "enter")

Waits are for conditions, looked at again whenever the program has written something. The emulator is fed only when
somebody looks at its screen, so a run that checks raw bytes alone costs no emulation.
"""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pyte

PROGRAM = (sys.executable, "-m", "chatforge_tui")
ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 20.0
"""Seconds that a condition may take; far more than it ever should."""

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "space": " ",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "ctrl+end": "\x1b[1;5F",
    "ctrl+pageup": "\x1b[5;5~",
    "ctrl+pagedown": "\x1b[6;5~",
    "shift+tab": "\x1b[Z",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f6": "\x1b[17~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
}
_FOREIGN = re.compile(
    rb"\x1b\[[<=>?][0-9;:]*[ -/]*[a-zA-Z]|\x1b\[[0-9;]*t|\x1b[P_^X][^\x1b]*\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
)
"""What pyte cannot parse or would show as text: private modes, window operations, strings."""
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;:<=>?]*|[P_^X\]][^\x07\x1b]*\x1b?)?\Z")


def key_bytes(name: str) -> bytes:
    """Return what a terminal sends for a key, as Textual names it; a single character is itself."""
    if name in KEYS:
        return KEYS[name].encode()
    modifier, _, character = name.rpartition("+")
    if modifier == "ctrl":
        return bytes([ord(character.upper()) & 0x1F])
    if modifier == "alt":
        return b"\x1b" + (KEYS.get(character) or character).encode()
    return name.encode()


class Terminal:
    """One running program."""

    def __init__(self, pid: int, descriptor: int, size: tuple[int, int]) -> None:
        self.pid = pid
        self.raw = bytearray()
        """Everything the program has written."""
        self.heard = 0.0
        """When it last wrote, by time.monotonic()."""
        self.code: int | None = None
        """Its exit code, negative for a signal; None while it runs."""
        self._descriptor = descriptor
        self._changed = asyncio.Event()
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._shown = 0
        self._unsent = b""
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def send(self, data: bytes) -> None:
        """Send bytes as if they were typed; as fast as the program takes them."""
        self._unsent += data
        self._flush()

    def press(self, *keys: str) -> None:
        """Press keys, one read each where the program is quick enough."""
        for key in keys:
            self.send(key_bytes(key))

    def paste(self, text: str) -> None:
        """Paste, with the brackets that terminals put around it."""
        self.send(b"\x1b[200~" + text.encode("utf-8", "surrogatepass") + b"\x1b[201~")

    async def until(
        self, condition: Callable[[], object], what: str = "", *, seconds: float = LIMIT_S, every: float = 0.1
    ) -> None:
        """Wait until a condition holds; it is looked at after every output, and `every` so many seconds."""
        end = time.monotonic() + seconds
        while not condition():
            self._check(end, what or "it")
            await self._news(every)

    async def wait_for(self, text: str, *, seconds: float = LIMIT_S) -> None:
        """Wait until the screen shows a text."""
        await self.until(lambda: text in self.text, repr(text), seconds=seconds)

    async def wait_for_bytes(self, data: bytes, since: int = 0, *, seconds: float = LIMIT_S) -> None:
        """Wait until the program has written these bytes, after the first `since`."""
        await self.until(lambda: self.raw.find(data, since) >= 0, repr(data), seconds=seconds)

    async def until_quiet(self, pause: float = 0.1, *, seconds: float = LIMIT_S) -> None:
        """Wait until the program has written nothing for `pause` seconds."""
        self.heard = time.monotonic()
        end = self.heard + seconds
        while (left := self.heard + pause - time.monotonic()) > 0:
            self._check(end, "silence")
            await self._news(left)

    async def until_ended(self, *, seconds: float = LIMIT_S) -> int:
        """Wait until the program has ended; return its exit code."""
        end = time.monotonic() + seconds
        while self._poll() is None:
            assert time.monotonic() < end, f"the program does not end; the screen:\n{self.text}"
            await self._news(0.05)
        assert self.code is not None
        return self.code

    @property
    def lines(self) -> list[str]:
        """The screen's lines, without blanks at their ends."""
        self._emulate()
        rows, columns = (
            self._screen.buffer,
            range(self._screen.columns),
        )  # pyte's display fails on half a wide character
        return ["".join(rows[y][x].data for x in columns).rstrip() for y in range(self._screen.lines)]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines)

    def forget(self) -> None:
        """Show the emulator everything written so far, and keep only what it holds back: for runs of hours."""
        self._emulate()
        del self.raw[: self._shown]
        self._shown = 0

    def stand_still(self) -> None:
        """Read nothing more of what the program writes, as after Ctrl+S, or behind a line that hangs."""
        asyncio.get_running_loop().remove_reader(self._descriptor)

    def read_on(self) -> None:
        """Read again."""
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def hang_up(self) -> None:
        """Take the terminal away; the program can only be waited for then."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._descriptor)
        loop.remove_writer(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send the program a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size and tell the program."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._screen.resize(rows, columns)
        self.kill(signal.SIGWINCH)

    async def close(self) -> None:
        """Let go of the terminal and of the program, which is killed if it still runs."""
        if self._poll() is None:
            self.kill()
            await self.until_ended()
        if self._descriptor >= 0:
            self.hang_up()

    def _check(self, end: float, what: str) -> None:
        """Fail when the program has ended, or the time is over in which something was to happen."""
        assert self.code is None, f"the program ended with {self.code}:\n{self.text}"
        assert time.monotonic() < end, f"{what} did not happen; the screen:\n{self.text}"

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_writer(self._descriptor)
        with suppress(BlockingIOError):
            while self._unsent:
                self._unsent = self._unsent[os.write(self._descriptor, self._unsent) :]
        if self._unsent:
            loop.add_writer(self._descriptor, self._flush)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 262_144)
        except BlockingIOError:
            return
        except OSError:  # Linux says EIO when the last writer is gone
            data = b""
        if data:
            self.raw += data
            self.heard = time.monotonic()
        else:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self._changed.set()

    def _poll(self) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    async def _news(self, seconds: float) -> None:
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._poll()

    def _emulate(self) -> None:
        data = bytes(self.raw[self._shown :])
        unfinished = _UNFINISHED.search(data)
        if unfinished:
            data = data[: unfinished.start()]
        self._shown += len(data)
        if data:
            self._stream.feed(_FOREIGN.sub(b"", data))


@asynccontextmanager
async def terminal(
    argv: Sequence[str] = PROGRAM,
    *,
    home: Path,
    size: tuple[int, int] = (120, 36),
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Terminal]:
    """Run a program in a terminal of `size` columns and rows, with its own CHATFORGE_HOME; kill what is left of it."""
    # COLUMNS and LINES, which a test runner may set, would overrule the size of this terminal.
    foreign = ("CHATFORGE_", "A2A_", "OPENAI_", "COLUMNS", "LINES")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    told = {"CHATFORGE_HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    pid, descriptor = pty.fork()
    if not pid:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.execvpe(argv[0], list(argv), {**kept, **told, **(environ or {})})
        finally:
            os._exit(127)
    running = Terminal(pid, descriptor, size)
    try:
        yield running
    finally:
        await running.close()
