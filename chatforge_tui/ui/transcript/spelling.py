"""The ways a searched word may be written, on the screen and in Markdown, as one regular expression."""

import re
import unicodedata

_WRITTEN_AS_ONE = {"ffi": "ﬃ", "ffl": "ﬄ", "ss": "ß", "ff": "ﬀ", "fi": "ﬁ", "fl": "ﬂ", "st": "[ﬆﬅ]"}
"""Letters that may stand as one character. What is one letter in two cases, `re.IGNORECASE` knows."""
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def pattern_of(word: str) -> str:
    """Return what matches a word, or one that looks the same."""
    text = unicodedata.normalize("NFC", word)
    for one, letters in (("ß", "ss"), ("ẞ", "ss"), ("ﬃ", "ffi"), ("ﬄ", "ffl"), ("ﬀ", "ff"), ("ﬁ", "fi"), ("ﬂ", "fl")):
        text = text.replace(one, letters)
    parts: list[str] = []
    begin = 0
    while begin < len(text):
        length = next((size for size in (3, 2) if text[begin : begin + size].lower() in _WRITTEN_AS_ONE), 1)
        letters = text[begin : begin + length]
        begin += length
        spelled = "".join(map(_character, letters))
        one = _WRITTEN_AS_ONE.get(letters.lower())
        parts.append(f"(?:{spelled}|{one})" if one else spelled)
    return "".join(parts)


def _character(character: str) -> str:
    """Return what matches one character: composed or not, escaped in Markdown or not."""
    if character in _ESCAPABLE:
        escaped = rf"\\?{re.escape(character)}"
        return f"(?:{escaped}|{_ENTITIES[character]})" if character in _ENTITIES else escaped
    apart = unicodedata.normalize("NFD", character)
    return re.escape(character) if apart == character else f"(?:{re.escape(character)}|{re.escape(apart)})"
