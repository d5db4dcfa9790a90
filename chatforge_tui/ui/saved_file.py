"""Writing a file that an agent sent: new, private, whole or not at all, and inside the folder that was chosen.

Blocks while it writes: call it in a thread.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from chatforge_tui.errors import ChatForgeError
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.safety.file_names import LONGEST, safe_file_name

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What link() says where the file system has none (Linux, link(2): EPERM)."""
MOST_NAMES = 1_000
"""How many numbered names are tried when files of this name are there already."""


def save_new(folder: Path, name: str, content: bytes) -> Path:
    """Write a new file (0600) and return where it is; one that is there already is left alone: -2, -3 ... is added.

    The folder is opened once, and everything happens in that very folder, whatever its path means a moment later. The
    content goes under a hidden name first, is forced to disk, and then linked to its own: a link never replaces
    anything and follows nothing. Where there are no links (FAT, some shares) an empty file of our own holds the name for
    the content to take. Whatever fails, nothing is left behind.

    Args:
        folder: an existing directory, chosen by the user; what links lead to it is the user's business.
        name: as received; it is rebuilt.
        content: all of it.

    Raises:
        ChatForgeError: it cannot be written there.
    """
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return folder / _write(directory, safe_file_name(name), content)
        finally:
            os.close(directory)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = error.strerror if isinstance(error, OSError) else "no path looks like this"
        message = f"The file cannot be saved in {clean_name(str(folder))}: {reason}."
        raise ChatForgeError(message, hint="Choose another folder; nothing was left behind.") from error


def _write(directory: int, name: str, content: bytes) -> str:
    building = f".chatforge-{token_hex(8)}.part"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(building, flags, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        placed = _place(directory, building, name)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(building, dir_fd=directory)
    try:
        os.fsync(directory)
    except OSError:
        os.unlink(placed, dir_fd=directory)  # whoever reads that it was not saved must not find half a promise
        raise
    return placed


def _place(directory: int, building: str, name: str) -> str:
    """Give the finished file the first free name and return it."""
    for number in range(1, MOST_NAMES + 1):
        candidate = numbered(name, number)
        with suppress(FileExistsError):
            _link(directory, building, candidate)
            return candidate
    message = f"There are {MOST_NAMES} files called {name} already."
    raise ChatForgeError(message, hint="Choose another folder.")


def _link(directory: int, building: str, name: str) -> None:
    """Give the finished file this name if it is free."""
    try:
        os.link(building, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(name, flags, 0o600, dir_fd=directory))
        os.rename(building, name, src_dir_fd=directory, dst_dir_fd=directory)


def numbered(name: str, number: int) -> str:
    """Return the name with -2, -3 ... before its extension, within the limit; as it is for 1."""
    if number == 1:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    tail = f"-{number}{dot}{extension}"
    return stem[: LONGEST - len(tail)] + tail
