"""Lets this process open as many files and connections as the system allows it: each session that streams holds one."""

from contextlib import suppress
from typing import Final

MOST: Final = 65_536
"""More are not asked for, where there is no limit."""
_MOST_ON_MACOS: Final = 10_240
"""OPEN_MAX: macOS takes no more, whatever it says is allowed."""


def allow_open_files() -> None:
    """Raise the soft limit (256 on macOS, 1,024 on most Linux systems) to the hard one, at most `MOST`. Never lowers it."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return
    for wanted in (MOST, _MOST_ON_MACOS):
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if allowed <= soft:
            return
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
            return
