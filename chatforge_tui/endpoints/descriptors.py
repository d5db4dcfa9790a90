"""Whether this process may open one more connection: its store, its files and its programs need descriptors, too.

A system lets a process have so many files and sockets open at once (`ulimit -n`: 256 on macOS, 1,024 on most Linux systems,
before cli/open_files.py raises it to what is allowed). Without the last of them a store cannot be written, a module not be
imported and a file not be attached, so one session too many would be felt in all. Connections leave `_SPARE` of them alone.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Final

_SPARE: Final = 96
"""Descriptors that no connection takes; half of all where there are fewer than twice as many."""
_EACH: Final = 2
"""Descriptors that a connection takes at most while it is opened: of the built-in agent both ends are in this process."""
_MANY: Final = 16
"""While more connections than these are being opened, the gaps below the highest descriptor do not suffice: all are counted."""
_DIRECTORY: Final = "/dev/fd"
"""Linux and macOS: the descriptors of the process that looks."""

_opening = 0
_lock = Lock()


def most() -> int | None:
    """Return how many descriptors this process may have; None where the system sets no limit."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def are_short() -> bool:
    """Return whether so few are left that no connection may be opened."""
    limit = most()
    if limit is None:
        return False
    allowed = limit - min(_SPARE, limit // 2) - _EACH * (_opening + 1)
    return _lowest_free(limit) > allowed or (_opening > _MANY and _count(limit) > allowed)


@contextmanager
def opening() -> Generator[None]:
    """Let a connection count as open while it is being opened."""
    global _opening  # noqa: PLW0603 - of the process, as what it counts
    with _lock:
        _opening += 1
    try:
        yield
    finally:
        with _lock:
            _opening -= 1


def _lowest_free(limit: int) -> int:
    """Return the number that the next descriptor would get, the lowest free one (POSIX): all below it are taken. 1 us."""
    try:
        probe = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return limit
    os.close(probe)
    return probe


def _count(limit: int) -> int:
    """Return how many are taken, where the system tells: 0.6 ms for 2,000."""
    try:
        return len(os.listdir(_DIRECTORY))  # noqa: PTH208 - paths would be made for nothing
    except FileNotFoundError:
        return 0
    except OSError:
        return limit
