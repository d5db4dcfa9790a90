"""Credentials that must not turn up anywhere, and the finder that would see one in any of its disguises.

The finder shares nothing with the product's own redaction: it looks for the core of a canary, which no spelling of it
changes, and for base64 of it at each alignment. A text may be broken over lines or cells; blanks do not hide a canary.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_TAIL = "+/7Qx=9&Zt%2w"
"""What makes the spellings of a canary differ: signs that URLs, HTML, JSON and base64 write otherwise."""
_PIECE = 16
"""Characters of base64 that are evidence enough."""
_CONTROL = re.compile(rb"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x20\x7f]")
_CLIPBOARD = re.compile(rb"\x1b\]52;[^;]*;([A-Za-z0-9+/=]*)")
_WINDOW = re.compile(rb"\x1b\]([^\x07\x1b]*)")


@dataclass(frozen=True)
class Canary:
    """One credential."""

    where: str
    """Where it comes from."""

    @property
    def core(self) -> str:
        """The part that every spelling keeps, but for base64."""
        return f"zq{self.where}c4n4ry5kX"

    @property
    def value(self) -> str:
        """The credential as it goes over the wire."""
        return self.core + _TAIL

    def pieces(self) -> Iterator[bytes]:
        """Yield what betrays it, in lower case where case does not matter."""
        yield self.core.encode()
        for before in range(3):
            encoded = base64.b64encode(b"x" * before + self.value.encode())
            yield encoded[4 if before else 0 :][:_PIECE]


def hits(canaries: Iterable[Canary], data: bytes, place: str) -> list[str]:
    """Return which canaries stand in some bytes: as they are, without blanks, in a clipboard's or title's sequence."""
    inner = b" ".join([*_WINDOW.findall(data), *map(_decoded, _CLIPBOARD.findall(data))])
    texts = [data, _CONTROL.sub(b"", data), inner, _CONTROL.sub(b"", inner)]
    return [
        f"{canary.where} in {place}: {near}"
        for canary in canaries
        for piece in canary.pieces()
        if (near := next(filter(None, (_near(text, piece) for text in texts)), None))
    ]


def hits_below(canaries: Iterable[Canary], folder: Path, *, besides: Iterable[str] = ()) -> list[str]:
    """Return which canaries stand in the files of a folder, names included; `besides`: names of files to pass over."""
    canaries, found = list(canaries), list[str]()
    for path in sorted(folder.rglob("*")):
        found += hits(canaries, str(path.relative_to(folder)).encode(), f"the name {path.name}")
        if path.is_file() and path.name not in besides:
            found += hits(canaries, path.read_bytes(), str(path.relative_to(folder)))
    return found


def _near(text: bytes, piece: bytes) -> str:
    """Return what stands around a piece, "" when it is not there."""
    at = text.lower().find(piece.lower())
    return repr(text[max(0, at - 60) : at + len(piece) + 20]) if at >= 0 else ""


def _decoded(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4))
