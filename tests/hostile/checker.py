"""Finds what steered the terminal: in the bytes that the program wrote, and in texts that it left behind.

The program writes few kinds of control sequences once it stands. Whatever is none of them came from somewhere else, and
so did one of them that is followed by what follows it in a payload.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_COLOUR = rb"[34]8;2;\d+;\d+;\d+"
OWN = re.compile(
    rb"\x1b\[\d+;(?P<bottom>\d+)r\x1b\[(?P=bottom);1H(?:\r?\n)+\x1b\[r"
    rb"|\x1b\[\d+;\d+H"
    rb"|\x1b\[(?:[0-9];)*" + _COLOUR + rb"(?:;" + _COLOUR + rb")?m"
    rb"|\x1b\[[0-9](?:;[0-9])*m"
    rb"|\x1b\[\?2026[hl]"
    rb"|\x1b\]8;(?:id=[\w.-]+)?;(?:https?://[!-~]+)?\x1b\\"
    rb"|\x1b\]2;[^\x00-\x1f\x7f]*ChatForge\x07"
    rb"|\x1b\[22;2t(?=\x1b\]2;)"
    rb"|\x1b\]22;[a-z-]+\x07"
    rb"|\x1b7 +\x1b8\x1b7"
    rb"|\x1b8\x1b\[\d+C"
    rb"|\r\n"
)
"""Every control sequence of the program's own, between its start and its end; those around an emoji among them."""

_CONTINUATION = bytes(range(0x80, 0xC0))
_CUT = re.compile(
    rb"(?:\x1b\[\d+;\d+r(?:\x1b\[\d+;1H)?[\r\n]*)?(?:\x1b(?:\[[\d;?]*|\][^\x07\x1b]*|7 *(?:\x1b8?)?|8(?:\x1b(?:\[\d*)?)?)?|[\xc2-\xf4][\x80-\xbf]{0,2})\Z"
)
"""The beginning of a sequence or character that the end of a stretch cuts."""
_EMOJI_JOINED = "[\u200d\ufe0e\ufe0f]"
HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
    rf"|(?:(?<=[\x20-\x7e])|(?<={_EMOJI_JOINED})){_EMOJI_JOINED}(?!\u20e3)"
)
"""What may stand nowhere, besides a joiner that joins nothing; a newline may."""


@dataclass(frozen=True)
class Leak:
    """Something that reached the terminal."""

    what: str
    near: str

    def __str__(self) -> str:
        return f"{self.what} in {self.near}"


def leaks(raw: bytes) -> list[Leak]:
    """Return what of the bytes is neither text nor a control sequence of the program's own."""
    text = OWN.sub(b"\n", _whole(raw)).decode("utf-8", "surrogateescape")
    return [
        Leak(repr(found[0]), repr(text[max(found.start() - 20, 0) : found.end() + 30]))
        for found in HIDDEN.finditer(text)
    ]


def _whole(raw: bytes) -> bytes:
    """Return a stretch of output without the halves of characters and sequences at its ends."""
    return _CUT.sub(b"", raw.lstrip(_CONTINUATION))


def leaked_bytes(found: Iterable[Leak]) -> int:
    """Return how many bytes those are: one control character each."""
    return sum(1 for _ in found)


def passed(payload: str, raw: bytes) -> list[Leak]:
    """Return the control characters of one payload that reached the terminal together with what follows them."""
    return [
        Leak(repr(piece), "a payload") for piece in _marks(payload) if piece.encode("utf-8", "surrogatepass") in raw
    ]


def _marks(payload: str) -> Iterator[str]:
    """Yield each control character with the four to eight characters behind it, where there are that many."""
    for found in re.finditer("[\x00-\x09\x0b-\x1f\x7f-\x9f]", payload):
        piece = payload[found.start() : found.start() + 9].partition("\n")[0]
        if len(piece) >= 5:
            yield piece


def hidden_in(text: str) -> list[str]:
    """Return what a text for people should not hold."""
    return [repr(text[max(found.start() - 20, 0) : found.end() + 20]) for found in HIDDEN.finditer(text)]
