"""Names a content by what it is. Apart from attachment.py, for a screen needs no hashing before there is a file."""

import hashlib

from chatforge_tui.domain.attachment import Attachment


def attachment(name: str, media_type: str, data: bytes) -> Attachment:
    """Return the attachment with this content."""
    return Attachment(name, media_type, len(data), digest(data))


def digest(data: bytes) -> str:
    """Return the name of a content: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
