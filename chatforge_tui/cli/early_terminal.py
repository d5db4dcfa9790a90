"""The terminal between the launch and the first frame: keys are kept as they are typed, and not shown.

A terminal in its usual mode turns Enter into a line feed and writes what is typed over the line of the command. Owns
its modes until the screen takes them over, and gives them back when the program ends.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

_INPUT, _LOCAL, _CHARACTERS = 0, 3, 6


@contextmanager
def keys_kept() -> Generator[list[Any] | None]:
    """Keep what is typed for the screen; yield the modes that the terminal had, as termios has them, None when there is no terminal.

    Ctrl+C and Ctrl+Z go on working.
    """
    if sys.platform == "win32":
        yield None
        return
    import termios  # noqa: PLC0415 - only Unix has it

    try:
        descriptor = sys.stdin.fileno()
        before, modes = termios.tcgetattr(descriptor), termios.tcgetattr(descriptor)
    except (OSError, ValueError, termios.error):
        yield None
        return
    modes[_INPUT] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR)
    modes[_LOCAL] &= ~(termios.ICANON | termios.ECHO)
    modes[_CHARACTERS][termios.VMIN] = 1
    modes[_CHARACTERS][termios.VTIME] = 0
    try:
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, modes)
        yield before
    finally:
        with suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
