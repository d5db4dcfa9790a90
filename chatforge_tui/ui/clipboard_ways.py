"""Which ways lead to a clipboard from here: judged by the environment, never by trying. Pure.

Owns what is known of terminals and commands; running them is clipboard.py's.
"""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from chatforge_tui.config.settings import CopyWay

SURE_BYTES = 74_994
"""Bytes of an OSC 52 sequence that terminals take whose limit is known to be low; others take more."""
MOST_BYTES = 8_000_000
"""Bytes of text beyond which no terminal is asked to take it."""

Find = Callable[[str], str | None]
"""Says where a program is, None when it is not installed."""


class CopyCommand(Struct, frozen=True):
    """A program that takes text for a clipboard on its standard input."""

    argv: tuple[str, ...]
    """Program and arguments; no shell reads them."""
    done: str
    """What to say when it succeeded, behind "Copied the answer": "with wl-copy"."""


class CopyWays(Struct, frozen=True):
    """What shall be tried with a text."""

    desktop: tuple[CopyCommand, ...] = ()
    """Commands for the clipboard of this machine's desktop, the first that works is enough."""
    multiplexer: tuple[CopyCommand, ...] = ()
    """The same for the buffer of tmux, which hands on to the terminal around it."""
    osc52: bool = False
    """Whether the terminal is asked to take it."""
    is_doubtful: bool = False
    """The terminal is not known to take it: a copy in a file is due unless a command took it."""
    is_off: bool = False
    """The user wants nothing copied."""


def copy_ways(
    setting: CopyWay,
    command: tuple[str, ...],
    environ: Mapping[str, str],
    *,
    find: Find = shutil.which,
    platform: str = sys.platform,
) -> CopyWays:
    """Return what to try.

    Args:
        setting: what the configuration says.
        command: the user's own program and its arguments, instead of the known ones; () = none.
        environ: the environment of this program.
        find: finds installed programs.
        platform: as `sys.platform` has it.
    """
    if setting == "off":
        return CopyWays(is_off=True)
    desktop: tuple[CopyCommand, ...] = ()
    multiplexer: tuple[CopyCommand, ...] = ()
    if setting != "osc52":
        own = CopyCommand(command, f"with {command[0].rpartition('/')[2]}") if command else None
        desktop = (own,) if own else tuple(one for one in _desktop(environ, platform) if find(one.argv[0]))
        multiplexer = () if own else tuple(one for one in _multiplexer(environ) if find(one.argv[0]))
    osc52 = setting == "osc52" or (setting == "auto" and environ.get("TERM") not in {"linux", "dumb"})
    return CopyWays(desktop, multiplexer, osc52, setting == "auto" and _is_doubtful(environ))


def _desktop(environ: Mapping[str, str], platform: str) -> Iterator[CopyCommand]:
    """Yield what reaches the desktop that the user sits at: over ssh only a display that is forwarded does."""
    is_remote = any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))
    display = environ.get("DISPLAY", "")
    if not is_remote and platform == "darwin":
        yield CopyCommand(("pbcopy",), "with pbcopy")
    if not is_remote and environ.get("WAYLAND_DISPLAY"):
        yield CopyCommand(("wl-copy",), "with wl-copy")
    if display and not (is_remote and display.startswith(":")):
        yield CopyCommand(("xclip", "-selection", "clipboard"), "with xclip")
        yield CopyCommand(("xsel", "--clipboard", "--input"), "with xsel")


def _multiplexer(environ: Mapping[str, str]) -> Iterator[CopyCommand]:
    """Yield how tmux is told: it drops an application's OSC 52 unless it is configured otherwise."""
    if environ.get("TMUX"):
        yield CopyCommand(("tmux", "load-buffer", "-w", "-"), "into tmux's buffer, which passes it to the terminal")
        yield CopyCommand(("tmux", "load-buffer", "-"), "into tmux's buffer")  # before tmux 3.2


def _is_doubtful(environ: Mapping[str, str]) -> bool:
    """Tell whether this terminal is known not to take OSC 52, or not always."""
    if environ.get("TMUX"):
        return True
    return bool(
        environ.get("STY") or environ.get("VTE_VERSION") or environ.get("TERM_PROGRAM") == "Apple_Terminal"
    ) or environ.get("TERM") in {"linux", "dumb"}
