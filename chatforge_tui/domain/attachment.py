"""Files that the user sends along with a prompt.

What an attachment is travels with the prompt; its content does not: it is in the store once for each session, by its
digest, and is read only to be sent or shown.
"""

from msgspec import Struct

from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.ids import SessionId


class Attachment(Struct, frozen=True, gc=False):
    """A file as it was when the user attached it."""

    name: str
    """Without a directory, as the file system spells it: clean it before it is shown."""
    media_type: str
    """Guessed from the name and the content, e.g. "image/png"; never empty."""
    size: int
    """Bytes."""
    sha256: str
    """Of the content, 64 hexadecimal digits: by this the content is found."""


class AttachedContent(Struct, frozen=True, gc=False):
    """The bytes of an attachment, and the session in which they are kept."""

    session_id: SessionId
    sha256: str
    data: bytes


def size_words(size: int) -> str:
    """Return a size for people, in the units of the settings: "12 bytes", "3.4 MiB"."""
    if size < 1024:
        return counted(size, "byte")
    number = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        number /= 1024
        if number < 1023.95:
            return f"{number:.1f} {unit}"
    return f"{number / 1024:.1f} TiB"
