"""What the agent says about files that it is given: what they are, and how a text begins. It is no model."""

import re

from msgspec import Struct

from chatforge_tui.domain.attachment import size_words
from chatforge_tui.domain.digest import digest

_LINES, _CHARACTERS = 12, 1_000
"""What is quoted of a text, at most."""


class GivenFile(Struct, frozen=True):
    """A file beside a prompt."""

    name: str
    media_type: str
    data: bytes | None
    """None when it came as an address only."""


def about_files(files: tuple[GivenFile, ...], prompt: str) -> str:
    """Return what there is to say, as Markdown."""
    count = "one file" if len(files) == 1 else f"{len(files)} files"
    blocks = [f"I received {count}.", *map(_about, files)]
    if prompt.strip():
        blocks.append("I am not a model and cannot work with files: send your question without one, and I answer it.")
    return "\n\n".join(blocks)


def _about(file: GivenFile) -> str:
    name, kind = _code(file.name or "unnamed"), file.media_type or "of no named type"
    if file.data is None:
        return f"- {name} ({kind}), by its address only: I fetch nothing."
    facts = f"- {name} ({kind}), {size_words(len(file.data))}, SHA-256 `{digest(file.data)}`."
    text = _text(file.data)
    if text is None:
        return f"{facts} It is no text."
    lines = text.split("\n")
    quoted = "\n".join(lines[:_LINES])[:_CHARACTERS]
    count = len(lines) - (lines[-1] == "")
    if not quoted.strip():
        return f"{facts} It is empty."
    begins = "It says:" if quoted.strip() == text.strip() else f"Its {count} lines begin:"
    fence = "`" * max((len(found) + 1 for found in re.findall("`{3,}", quoted)), default=3)
    return f"{facts} {begins}\n\n{fence}\n{quoted.rstrip()}\n{fence}"


def _text(data: bytes) -> str | None:
    try:
        return None if b"\0" in data else data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _code(name: str) -> str:
    """Return a name as inline code, on one line."""
    name = " ".join(name.split())
    fence = "`" * max((len(found) + 1 for found in re.findall("`+", name)), default=1)
    return f"{fence} {name} {fence}" if "`" in name else f"{fence}{name}{fence}"
