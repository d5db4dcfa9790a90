"""Judging regular expressions from outside: one that is slow on purpose would hold the whole program up.

Pure text work, and cautious: what is not understood counts as slow. Nothing is matched here.
"""

import re

MOST_STEPS = 1_000_000
"""Ways to match that are tried at worst; about 0.05 s."""
_LONGEST_PATTERN = 500
"""Characters."""
_ESCAPE = re.compile(r"\\(?P<reference>[1-9])?.?", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_GROUP_HEAD = re.compile(r"\(\?(?:P<\w+>|<[=!]|[:=!>])")
_COUNT = r"\{(?P<least>\d*)(?:,(?P<most>\d*))?\}"
_REPEAT = re.compile(rf"(?:(?P<mark>[*+?])|{_COUNT})[?+]?")
_SEVERAL = "\0"
"""Stands for a group that can match in several ways."""
_GROUP = re.compile(rf"\((?P<inside>[^()]*)\)(?P<repeat>(?:[*+?]|{_COUNT})[?+]?)?")


def may_be_slow(pattern: str, length: int) -> bool:
    """Tell whether matching a text of `length` characters against the whole pattern could take long.

    The ways to match are counted from above: each repetition by how often it can repeat, each alternative once. A
    repetition of something that can itself match in several ways counts as slow, as do references back.
    """
    if len(pattern) > _LONGEST_PATTERN or any(found["reference"] for found in _ESCAPE.finditer(pattern)):
        return True
    plain = _GROUP_HEAD.sub("(", _CLASS.sub("a", _ESCAPE.sub("a", pattern.replace(_SEVERAL, "a"))))
    steps = 1
    while group := _GROUP.search(plain):
        ways, repeat = _ways(group["inside"], length), group["repeat"] or ""
        is_several = ways > 1 or _SEVERAL in group["inside"]
        if is_several and repeat[:1] not in {"", "?"}:
            return True
        steps *= ways
        plain = f"{plain[: group.start()]}{_SEVERAL if is_several else 'a'}{repeat}{plain[group.end() :]}"
    return "(" in plain or steps * _ways(plain, length) > MOST_STEPS


def _ways(plain: str, length: int) -> int:
    """Return in how many ways a pattern without groups can match a part of a text, at most."""
    ways = plain.count("|") + 1
    for found in _REPEAT.finditer(plain):
        ways *= _times(found, length)
    return ways


def _times(repeat: re.Match[str], length: int) -> int:
    """Return between how many numbers of repetitions a match can choose."""
    if repeat["mark"]:
        return 2 if repeat["mark"] == "?" else length + 1
    if repeat["most"] is None:
        return 1
    most = int(repeat["most"]) if repeat["most"] else length
    return max(min(most, length) - int(repeat["least"] or 0) + 1, 1)
