"""Cleaning text from outside before a terminal shows it.

Owns the rule which code points a terminal may see. It filters code points, not escape sequences: a sequence can be
split over two deltas, left unterminated or written in 8-bit C1, a code point cannot hide. Nothing is dropped without
a visible sign. It must not be applied to what is stored: the store keeps text as it was received.

    ESC, other C0        control pictures: U+241B and its neighbours
    DEL, C1, bidi, invisible, tag characters, lone surrogates, noncharacters
                         markers such as <U+202E>
    CR LF, lone CR       LF, U+240D
    tab, LF              kept (one-line forms below show them, too)
    joiners, VS15, VS16  kept where they belong: inside emoji, and joiners between letters of scripts that need them

Every function is idempotent. A cleaned text may be cut anywhere and joined with any other cleaned text.
"""

import re
from functools import lru_cache

_C0 = "\x00-\x08\x0b-\x1f"
_JOINERS = frozenset("\u200c\u200d")
_SELECTORS = frozenset("\ufe0e\ufe0f")
_KEEPABLE = _JOINERS | _SELECTORS
_DIRECTION_MARKS = "\u200e\u200f\u061c"
_INVISIBLE_BMP = (
    "\x7f-\x9f"  # DEL and C1: an 8-bit CSI or OSC begins here
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, fillers, Mongolian selectors
    "\u200b-\u200d\u2028-\u202e\u2060-\u206f"  # zero width, separators, embeddings and isolates, invisible operators
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"  # fillers, variation selectors, BOM, interlinear marks
    "\ud800-\udfff"  # surrogates: what is left of broken UTF-16
)
_INVISIBLE_ASTRAL = (
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # format controls of single scripts
    "\U000e0000-\U000e0fff"  # tags and selectors: text inside text
)
_EMOJI = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_KEYCAP_BASES = frozenset("0123456789#*")
_KEYCAP = "\u20e3"
_JOINING_LETTER = re.compile(
    "[\u0620-\u06ff\u0710-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17b3\u17b6-\u17df\u1820-\u18aa]"
)
"""Letters and marks of scripts whose spelling needs joiners: Arabic, Syriac, N'Ko, Indic, Burmese, Khmer, Mongolian."""

_PLAIN_ASCII = bytes(code for code in range(0x80) if code in (0x09, 0x0A) or 0x20 <= code < 0x7F)
_ASTRAL_LEADS = (b"\xf0", b"\xf3")
"""First UTF-8 bytes of the suspects beyond U+FFFF."""


def _run_of(characters: str) -> re.Pattern[str]:
    """Match a run of these. `[x][x]*`, not `[x]+`: the scan for its beginning is three times as fast."""
    return re.compile(f"[{characters}][{characters}]*")


_BMP_SUSPECT = re.compile(f"[{_C0}{_INVISIBLE_BMP}]")
_ANY_SUSPECT = re.compile(f"[{_C0}{_INVISIBLE_BMP}{_INVISIBLE_ASTRAL}]")
_SUSPECT_RUN = _run_of(_C0 + _INVISIBLE_BMP + _INVISIBLE_ASTRAL)
_NAME_SUSPECT_RUN = _run_of(_C0 + "\t\n" + _DIRECTION_MARKS + _INVISIBLE_BMP + _INVISIBLE_ASTRAL)


def clean(text: str) -> str:
    """Return `text` as a terminal may show it, over several lines. Text without anything to hide comes back itself."""
    text = _with_plain_newlines(text)
    return _SUSPECT_RUN.sub(_mark_run, text) if _is_suspect(text) else text


def clean_line(text: str) -> str:
    """Return `text` on one line: as `clean`, newlines shown as U+23CE and tabs as a space."""
    return clean(text).replace("\n", "⏎").replace("\t", " ")


def clean_name(text: str) -> str:
    """Return a name, title, URL or tool argument on one line, so that it cannot look like another.

    As `clean_line`, and direction marks and joiners become markers, tabs U+2409. Only whole emoji keep theirs.
    """
    if text.isascii() and text.isprintable():
        return text
    return _NAME_SUSPECT_RUN.sub(_mark_name_run, _with_plain_newlines(text))


def count_hidden(text: str) -> int:
    """Return how many code points of `text` the cleaning makes visible: for the sentence after a paste."""
    text = _with_plain_newlines(text)
    if not _is_suspect(text):
        return 0
    return sum(len(found[0]) - _kept_length(found) for found in _SUSPECT_RUN.finditer(text))


def can_be_cut(text: str, at: int) -> bool:
    """Tell whether both halves of a text, cut before its character `at`, cleaned and joined are the whole text cleaned."""
    return 0 < at < len(text) and not _ANY_SUSPECT.match(text, at - 1) and not _ANY_SUSPECT.match(text, at)


def _with_plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n") if "\r" in text else text


def _is_suspect(text: str) -> bool:
    """Tell quickly whether anything may have to be changed: 1 to 4 ms a MB (bytes.translate beats every regex)."""
    foreign = text.encode("utf-8", "surrogatepass").translate(None, _PLAIN_ASCII)
    if not foreign:
        return False
    pattern = _ANY_SUSPECT if any(lead in foreign for lead in _ASTRAL_LEADS) else _BMP_SUSPECT
    if len(foreign) < len(text):
        text = foreign.decode("utf-8", "surrogatepass")
    return pattern.search(text) is not None


def _mark_run(found: re.Match[str]) -> str:
    run, kept = found[0], _kept_length(found)
    return run[:kept] + "".join(map(_visible, run[kept:]))


def _mark_name_run(found: re.Match[str]) -> str:
    run, kept = found[0], _kept_in_emoji(found)
    return run[:kept] + "".join(map(_visible, run[kept:]))


def _kept_length(found: re.Match[str]) -> int:
    """Return how many leading code points of a suspect run stay as they are."""
    if found[0][0] not in _KEEPABLE:
        return 0
    return _kept_in_emoji(found) or _kept_in_word(found)


def _kept_in_emoji(found: re.Match[str]) -> int:
    """Return how many leading code points of a suspect run belong to the emoji around it: 0, 1 or 2."""
    run, before, after = found[0], _before(found), _after(found)
    if run == "\ufe0f" and after == _KEYCAP and before in _KEYCAP_BASES:
        return 1
    if not _EMOJI.match(before):
        return 0
    kept = 1 if run[0] in _SELECTORS else 0
    if run[kept:] == "\u200d" and _EMOJI.match(after):
        kept += 1
    return kept


def _kept_in_word(found: re.Match[str]) -> int:
    """Return 1 for a single joiner between two letters of a script that needs joiners, else 0."""
    if found[0] not in _JOINERS:
        return 0
    return 1 if _JOINING_LETTER.match(_before(found)) and _JOINING_LETTER.match(_after(found)) else 0


def _before(found: re.Match[str]) -> str:
    """Return the code point before a run, "" at the beginning."""
    return found.string[max(found.start() - 1, 0) : found.start()]


def _after(found: re.Match[str]) -> str:
    """Return the code point after a run, "" at the end."""
    return found.string[found.end() : found.end() + 1]


@lru_cache(maxsize=8192)
def _visible(character: str) -> str:
    """Return what stands for one code point that must not reach the terminal."""
    if character == "\n":
        return "⏎"
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else f"<U+{code:04X}>"
