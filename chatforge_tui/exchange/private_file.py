"""Writing a file whole or not at all. Blocks: beside a screen, call it in a thread.

Owns how exports reach the disk: private, never over another file unasked, never half.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from chatforge_tui.errors import ChatForgeError


def write_private(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a file that only its owner can read (0600), as `private_file` does.

    Raises:
        ChatForgeError: there is a file already, or it cannot be written.
    """
    with private_file(path, replace=replace) as file:
        file.write(content)


class AlreadyThere(ChatForgeError):
    """Something has this name, and nobody said that it may be replaced."""

    kind = "already-there"


@contextmanager
def private_file(path: Path, *, replace: bool) -> Generator[BinaryIO]:
    """Give a file to write that only its owner can read (0600); it has its name once the block has ended well.

    It is built beside its place, forced to disk and moved there: after a crash there is the old file or the new one.

    Args:
        path: where; its directory must exist.
        replace: whether a file that is there may be replaced.

    Raises:
        AlreadyThere: there is a file already.
        ChatForgeError: it cannot be written.
    """
    try:
        with _built(path, replace=replace) as file:
            yield file
    except FileExistsError as error:
        raise AlreadyThere(f"{path} exists already.", hint="--force replaces it.") from error
    except FileNotFoundError as error:
        raise ChatForgeError(f"There is no folder {path.parent}.", hint="Make it, or choose another.") from error
    except OSError as error:
        raise ChatForgeError(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def _built(path: Path, *, replace: bool) -> Generator[BinaryIO]:
    if replace and path.exists() and not path.is_file():
        raise IsADirectoryError(0, "it is no regular file")
    if not replace and (path.exists() or path.is_symlink()):
        raise FileExistsError(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".part", dir=path.parent)
    building = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if replace:
            building.replace(path)
        else:
            _move_to_free_place(building, path)
    finally:
        building.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _move_to_free_place(building: Path, path: Path) -> None:
    """Give the file its name unless something has it. A link, unlike a rename, fails when somebody was there first."""
    try:
        os.link(building, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the check and the rename are two steps there
        if path.exists() or path.is_symlink():
            raise FileExistsError(path) from None
        building.replace(path)


def _sync_directory(directory: Path) -> None:
    """Force the directory's entry to disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
