"""A file as chat completions carry it: an image by data URL, sound as `input_audio`, text as text, the rest as `file`.

Servers take these in different measure (llama.cpp with a vision model: images and sound; LiteLLM and OpenAI: PDF as
`file`, too); text goes everywhere. What a server does not take it refuses with a sentence of its own.
"""

import base64
from typing import Any, Final

from chatforge_tui.domain.attachment import Attachment

ContentPart = dict[str, Any]
"""One part of a message, as JSON."""

_SOUNDS: Final = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
}
_BINARY: Final = ("image/", "audio/", "video/", "font/")
_DOCUMENTS: Final = frozenset({"application/pdf", "application/zip", "application/gzip"})


def text_part(text: str) -> ContentPart:
    """Return text as a part."""
    return {"type": "text", "text": text}


def file_part(file: Attachment, data: bytes | None) -> ContentPart:
    """Return a file as a part.

    Args:
        file: what it is.
        data: its content; None = it is lost, and the model is told so.
    """
    if data is None:
        return text_part(f"[The file {file.name!r} that went along here is not available any more.]")
    if file.media_type.startswith("image/") and file.media_type != "image/svg+xml":
        return {"type": "image_url", "image_url": {"url": _data_url(file, data)}}
    if (sound := _SOUNDS.get(file.media_type)) is not None:
        return {"type": "input_audio", "input_audio": {"data": base64.b64encode(data).decode(), "format": sound}}
    if (text := _as_text(file, data)) is not None:
        return text_part(f"File {file.name!r} ({file.media_type}):\n\n{text}")
    return {"type": "file", "file": {"filename": file.name, "file_data": _data_url(file, data)}}


def _as_text(file: Attachment, data: bytes) -> str | None:
    """Return the content of a text file of whatever type; None when it is something else."""
    is_binary = file.media_type.startswith(_BINARY) and file.media_type != "image/svg+xml"
    if is_binary or file.media_type in _DOCUMENTS or b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _data_url(file: Attachment, data: bytes) -> str:
    return f"data:{file.media_type};base64,{base64.b64encode(data).decode()}"
