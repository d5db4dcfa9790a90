"""Opening a link in a browser that has a window of its own: nothing started here ever sees this terminal.

Owns which programs count as a browser with a window, judged by the environment, and how they are run: without a shell,
in a session of their own, reading and writing nowhere. Whether a link may be opened is safety.urls' to judge, and the
user's.
"""

import asyncio
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath

from chatforge_tui.safety.urls import judge_link

OPENING_S = 3.0
"""Seconds after which a program that still runs counts as a browser at work; one that fails does so sooner."""

TEXT_BROWSERS = frozenset(
    {"browsh", "carbonyl", "chawan", "cha", "edbrowse", "elinks", "links", "links2", "lynx", "netrik", "retawq",
     "w3m", "www-browser", "amfora", "offpunk", "curl", "wget"}
)  # fmt: skip
"""Programs that `BROWSER` may name and that draw, or write, on the terminal they are started from."""

Find = Callable[[str], str | None]
"""Says where a program is, None when it is not installed."""


def opening_commands(
    url: str, environ: Mapping[str, str], *, find: Find = shutil.which, platform: str = sys.platform
) -> Iterator[tuple[str, ...]]:
    """Yield the commands that may open a link, the best first; none where there is no desktop to open it on.

    Args:
        url: a clean http or https URL, as `safety.urls.judge_link` gives it; for any other nothing is yielded.
        environ: the environment of this program.
        find: finds installed programs.
        platform: as `sys.platform` has it.
    """
    link = judge_link(url)
    if link is None or link.url != url:
        return
    yield from (command for command in _own_browsers(url, environ) if find(command[0]))
    if platform == "darwin":
        system: tuple[str, ...] = () if _is_remote(environ) else ("open",)
    elif environ.get("WSL_DISTRO_NAME"):
        system = ("wslview", "xdg-open")
    else:
        system = ("xdg-open", "gio") if _has_display(environ) else ()
    for name in system:
        if find(name):
            yield (name, "open", url) if name == "gio" else (name, url)


def _own_browsers(url: str, environ: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield what `BROWSER` names, in its order: commands between colons, `%s` standing for the address."""
    for given in environ.get("BROWSER", "").split(":"):
        try:
            words = shlex.split(given)
        except ValueError:
            continue
        if words and not _is_text_browser(words[0]):
            yield tuple(word.replace("%s", url) for word in words) if "%s" in given else (*words, url)


def _is_text_browser(program: str) -> bool:
    return PurePath(program).name in TEXT_BROWSERS


def _has_display(environ: Mapping[str, str]) -> bool:
    """Whether there is a screen that the user sits at: over ssh only one that is forwarded is."""
    display = environ.get("DISPLAY", "")
    if _is_remote(environ):
        return bool(display) and not display.startswith(":")
    return bool(display or environ.get("WAYLAND_DISPLAY"))


def _is_remote(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


class LinkOpener:
    """Opens links one after the other."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Go by this environment; programs are run with it, but for a `BROWSER` that would want a terminal."""
        self._environ = environ
        self.environ_of_browsers = dict(environ)
        """What they are run with."""
        named = (part.split() for part in environ.get("BROWSER", "").split(":"))
        if any(words and _is_text_browser(words[0]) for words in named):
            del self.environ_of_browsers["BROWSER"]  # xdg-open would start it
        self._started: list[subprocess.Popen[bytes]] = []

    async def open(self, url: str) -> bool:
        """Open a clean http or https URL; return whether a program took it."""
        return await asyncio.to_thread(self._open, url)

    def _open(self, url: str) -> bool:
        self._started = [process for process in self._started if process.poll() is None]
        return any(self._runs(command) for command in opening_commands(url, self._environ))

    def _runs(self, command: tuple[str, ...]) -> bool:
        """Start a program; return whether it ended well or is still at work after OPENING_S."""
        nowhere = subprocess.DEVNULL
        try:
            process = subprocess.Popen(  # noqa: S603 - a program of the user's, and a judged address
                command,
                stdin=nowhere,
                stdout=nowhere,
                stderr=nowhere,
                env=self.environ_of_browsers,
                start_new_session=True,
            )
        except OSError:
            return False
        try:
            return process.wait(OPENING_S) == 0
        except subprocess.TimeoutExpired:
            self._started.append(process)
            return True
