"""Lets one program at a time use a store on a disk that other machines share.

Operating-system locks are not to be relied on there (several hosts, several versions of a network file system), so
nobody could tell whether another program is alive. A file that can only be made once can: it names its maker.
"""

import contextlib
import os
import socket
from pathlib import Path

from chatforge_tui.errors import StoreUnavailable


class LoneLock:
    """The file, while this program holds it."""

    def __init__(self, store: Path) -> None:
        """Make the file beside the store, unless a living program has made it.

        Raises:
            StoreUnavailable: another program has, here or on another machine.
            OSError: it cannot be made.
        """
        self._file = store.with_name(f"{store.name}.lock")
        for _ in range(2):
            try:
                lock = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                self._remove_if_dead()
            else:
                os.write(lock, f"{socket.gethostname()} {os.getpid()}\n".encode())
                os.close(lock)
                return
        message = f"The store is on a disk that machines share, and {self._owner()} uses it."
        raise StoreUnavailable(message, hint=f"End that program; if it is gone, delete {self._file}.")

    def release(self) -> None:
        """Remove the file. Idempotent."""
        self._file.unlink(missing_ok=True)

    def _owner(self) -> str:
        """Return words for who made the file."""
        host, pid = self._read()
        return f"process {pid} on {host}" if host else "another ChatForge"

    def _remove_if_dead(self) -> None:
        """Remove the file of a program of this machine that is no more."""
        host, pid = self._read()
        if host != socket.gethostname() or not pid.isdigit():
            return
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            self._file.unlink(missing_ok=True)
        except PermissionError:
            # Somebody else's process: it lives.
            return

    def _read(self) -> tuple[str, str]:
        """Return host and process id of who made the file; ("", "") when it does not say."""
        with contextlib.suppress(OSError, ValueError):
            host, pid = self._file.read_text(encoding="utf-8").split()
            return host, pid
        return "", ""
