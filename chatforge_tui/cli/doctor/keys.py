"""`chatforge doctor keys`: asks on the terminal for one key after the other and says what arrives."""

import os
import selectors
import sys

from chatforge_tui.cli import exit_codes
from chatforge_tui.cli.doctor.terminal_query import raw
from chatforge_tui.cli.launch import Launch
from chatforge_tui.config.key_names import shown
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.key_test import DISABLE, ENABLE, Arrival, KeyTest

_INTRODUCTION = (
    "Press each key as it is asked for: what arrives is what ChatForge would get.\n"
    "Space goes on to the next one when nothing arrives; q ends.\n\n"
)
_COLUMN = 14


def run_key_test(launch: Launch) -> int:
    """Ask for every bound key; return the exit code: 1 when an action cannot be reached by any of its keys.

    Raises:
        ConfigError: the configuration, or this place, cannot be used.
    """
    test = KeyTest(Keymap.resolve(launch.settings.keys))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("The key test needs a terminal for its input and output.")
    terminal = sys.stdin.fileno()
    try:
        with raw(terminal):
            _write(ENABLE + _INTRODUCTION)
            try:
                _run(test, terminal)
            finally:
                _write(DISABLE)
    except OSError as error:
        raise ConfigError("The key test needs a terminal that it can set.") from error
    return _conclude(test)


def _run(test: KeyTest, terminal: int) -> None:
    """Ask, read and tell until the end."""
    _ask(test)
    with selectors.DefaultSelector() as selector:
        selector.register(terminal, selectors.EVENT_READ)
        while test.asked:
            if selector.select(test.patience_s):
                data = os.read(terminal, 4096)
                if not data:
                    return
                arrivals = test.take(data)
            else:
                arrivals = test.silence()
            for arrival in arrivals:
                _write(f"\r\x1b[K{_line(arrival)}\n")
            if arrivals:
                _ask(test)


def _ask(test: KeyTest) -> None:
    if test.asked:
        _write(f"  ? {shown(test.asked):<{_COLUMN}}")


def _line(arrival: Arrival) -> str:
    name = shown(arrival.asked)
    if arrival.is_right:
        return f"  {_mark('✓', '+')} {name}"
    what = "nothing arrived" if arrival.arrived is None else f"arrived as {clean_name(_readable(arrival.arrived))}"
    return f"  {_mark('✕', 'x')} {name:<{_COLUMN}}{what}"


def _conclude(test: KeyTest) -> int:
    """Say which actions need another key."""
    right = sum(arrival.is_right for arrival in test.arrivals)
    lines = [f"\n{right} of {len(test.arrivals)} keys arrived as themselves."]
    lost = list(test.unreachable())
    for action, keys in lost:
        lines.append(
            f"{action} cannot be reached by {' or '.join(map(shown, keys))}: give it another key under [keys]."
        )
    _write("\r\x1b[K" + "\n".join(lines) + "\n", is_raw=False)
    return exit_codes.FAULT if lost else exit_codes.DONE


def _readable(key: str) -> str:
    """Return a key as people read it, also one that has no name of ours."""
    try:
        return shown(key)
    except KeyError:
        return key


def _mark(sign: str, ascii_sign: str) -> str:
    return sign if sys.stdout.encoding.lower().replace("-", "") == "utf8" else ascii_sign


def _write(text: str, *, is_raw: bool = True) -> None:
    """Write to the terminal, which takes no line ends while it is raw."""
    sys.stdout.write(text.replace("\n", "\r\n") if is_raw else text)
    sys.stdout.flush()
