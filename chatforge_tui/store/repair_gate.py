"""Keeps a store from being opened for writing while it is repaired, and from being repaired while it is opened.

Between the look whether a program has the store open and the moment in which the repaired file takes its place, nobody
may begin to write: what they wrote would be gone with the old file. An operating-system lock, for it dies with whoever
holds it.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store.instances import lock_directory
from chatforge_tui.store.store_file import make_directory

WAIT_S = 5.0
"""How long an opening waits for a repair, and a repair for openings."""
_PAUSE_S = 0.05


def repairing(store: Path) -> AbstractContextManager[None]:
    """Let nobody open the store for writing meanwhile, nor repair it.

    Raises:
        StoreUnavailable: others do, for longer than `WAIT_S`.
        OSError: the lock file cannot be made.
    """
    return _locked(store, fcntl.LOCK_EX)


def opening(store: Path) -> AbstractContextManager[None]:
    """Let nobody repair the store meanwhile.

    Raises:
        StoreUnavailable: somebody does, for longer than `WAIT_S`.
        OSError: the lock file cannot be made.
    """
    return _locked(store, fcntl.LOCK_SH)


@contextmanager
def _locked(store: Path, kind: int) -> Generator[None]:
    make_directory(lock_directory(store))
    lock = os.open(lock_directory(store) / "repair", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        end = time.monotonic() + WAIT_S
        while True:
            try:
                fcntl.flock(lock, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    message = "Another ChatForge is repairing the store."
                    raise StoreUnavailable(message, hint="Wait until it is done.") from None
            time.sleep(_PAUSE_S)
        yield
    finally:
        os.close(lock)
