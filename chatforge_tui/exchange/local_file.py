"""Reading a file that the user attaches: a regular file of limited size, and no other than the one that was named.

Blocks: beside a screen, call it in a thread. Only looks: nothing that is no regular file is ever opened, for opening a
pipe waits, and opening a device may do something.
"""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from chatforge_tui.domain.attachment import Attachment, size_words
from chatforge_tui.domain.digest import attachment
from chatforge_tui.errors import FileRefused
from chatforge_tui.exchange.media_type import media_type
from chatforge_tui.safety.clean import clean_name

MEBIBYTE: Final = 2**20
LONGEST_NAME: Final = 255
"""Characters of an attachment's name."""
_QUOTED: Final = 200
"""Characters of a path in a sentence."""
_PIECE: Final = 2**20
"""Bytes read at once."""
_WHAT: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class SizeLimits(Struct, frozen=True):
    """How much may be attached, in bytes, > 0."""

    each: int = 10 * MEBIBYTE
    together: int = 20 * MEBIBYTE


DEFAULT_LIMITS = SizeLimits()


class LinkNamed(FileRefused):
    """The path names a link: what it leads to is another file, which the user has not named."""

    def __init__(self, path: Path, target: Path) -> None:
        """Keep where it leads in the end."""
        super().__init__(
            f"{_quoted(path)} is a link to {_quoted(target)}; it is not followed.", hint="Name that file itself."
        )
        self.target = target


def typed_path(text: str, folder: Path) -> Path:
    """Return the path that was typed, absolute. A leading `~` is the home; nothing else in it means anything.

    Args:
        text: as typed.
        folder: what a relative path begins at.

    Raises:
        FileRefused: it is no path, or names a user whom this machine does not know.
    """
    if not text or "\0" in text:
        message = "This is no path." if text else "No file is named."
        raise FileRefused(message, hint="Name one file.")
    try:
        return folder / Path(text).expanduser()
    except (RuntimeError, ValueError) as error:
        message = f"There is no such place: {_shortened(text)}."
        raise FileRefused(message, hint="Name one file.") from error


def read_file(path: Path, limits: SizeLimits = DEFAULT_LIMITS) -> tuple[Attachment, bytes]:
    """Return a file as an attachment, with its content.

    Raises:
        LinkNamed: its last component is a symbolic link.
        FileRefused: it is not there, no regular file, may not be read, or is too large.
    """
    try:
        content = _content(path, limits.each)
    except (OSError, ValueError) as error:
        raise FileRefused(f"{_quoted(path)} {_reason(error)}.", hint="Nothing was attached.") from error
    name = clean_name(path.name.encode("utf-8", "replace").decode())[:LONGEST_NAME] or "file"
    return attachment(name, media_type(name, content), content), content


def check_total(files: Sequence[Attachment], limits: SizeLimits) -> None:
    """Check that files may go along with one prompt.

    Raises:
        FileRefused: they are too large together.
    """
    total = sum(file.size for file in files)
    if total > limits.together:
        message = f"The files are {size_words(total)} together; {size_words(limits.together)} go with one prompt."
        raise FileRefused(message, hint="files.total_limit raises that, if the agent takes it.")


def _content(path: Path, limit: int) -> bytes:
    _refuse_irregular(path, path.lstat())
    # O_NONBLOCK and the second look: between the first one and the opening it may have become something else.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        _refuse_irregular(path, status)
        if status.st_size > limit:
            raise _too_large(path, status.st_size, limit)
        pieces: list[bytes] = []
        total = 0
        while piece := file.read(_PIECE):
            pieces.append(piece)
            total += len(piece)
            if total > limit:  # it grows, or says nothing about its size
                raise _too_large(path, total, limit)
    return b"".join(pieces)


def _refuse_irregular(path: Path, status: os.stat_result) -> None:
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        raise LinkNamed(path, Path(os.path.realpath(path)))
    if not stat.S_ISREG(mode):
        what = next((words for test, words in _WHAT if test(mode)), "no file")
        raise FileRefused(f"{_quoted(path)} is {what}; only files can be attached.", hint="Nothing was attached.")


def _too_large(path: Path, size: int, limit: int) -> FileRefused:
    message = f"{_quoted(path)} is {size_words(size)} large; the limit for one file is {size_words(limit)}."
    return FileRefused(message, hint="files.attachment_limit raises it, if the agent takes that much.")


def _reason(error: OSError | ValueError) -> str:
    """Return the rest of a sentence that begins with the path."""
    number = error.errno if isinstance(error, OSError) else errno.EINVAL
    match number:
        case errno.ENOENT | errno.ENOTDIR:
            return "is not there"
        case errno.EACCES | errno.EPERM:
            return "may not be read with your rights"
        case errno.ENAMETOOLONG:
            return "is too long for a path"
        case errno.EINVAL:
            return "is no path"
        case errno.ELOOP:
            return "leads through links in a circle, or became one"
        case _:
            return f"cannot be read: {os.strerror(number or errno.EIO)}"


def _quoted(path: Path) -> str:
    return _shortened(str(path))


def _shortened(text: str) -> str:
    """Return a path, cleaned; of a long one the end, which names the file."""
    text = clean_name(text)
    return text if len(text) <= _QUOTED else f"…{text[-_QUOTED:]}"
