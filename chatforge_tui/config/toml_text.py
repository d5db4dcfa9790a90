"""Where things stand in a TOML text: tomllib tells values, a person who made a mistake needs the line.

Pure text work on top of tomllib. It finds the line of a key or table; it does not judge values.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

KeyPath = tuple[str, ...]

_HEADER = re.compile(r"\s*\[(?P<array>\[)?(?P<keys>.+?)\](?(array)\])\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"""\s*(?P<keys>(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+|[ \t]*\.[ \t]*)+)\s*=""")
_MULTILINE = re.compile(r'"""|' + "'''")


def line_of(text: str, path: KeyPath) -> int | None:
    """Return the line (from 1) of a key or table; of the nearest thing around it when it has no line of its own."""
    lines: dict[KeyPath, int] = {}
    for number, found in _keys(text):
        lines.setdefault(found, number)
        for length in range(1, len(found)):
            lines.setdefault(found[:length], number)
    return next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), None)


def _keys(text: str) -> Iterator[tuple[int, KeyPath]]:
    """Yield (line, full path) of each table header and assignment that begins a line."""
    table: KeyPath = ()
    open_quotes = ""
    for number, line in enumerate(text.split("\n"), 1):
        inside = bool(open_quotes)
        open_quotes = _quotes_after(line, open_quotes)
        if inside:
            continue
        if header := _HEADER.match(line):
            table = _parsed(header["keys"])
            yield number, table
        elif assignment := _ASSIGNMENT.match(line):
            yield number, table + _parsed(assignment["keys"])


def _quotes_after(line: str, open_quotes: str) -> str:
    """Return which multi-line string is open at the end of the line, "" for none."""
    for quotes in _MULTILINE.findall(line):
        if not open_quotes:
            open_quotes = quotes
        elif quotes == open_quotes:
            open_quotes = ""
    return open_quotes


def _parsed(keys: str) -> KeyPath:
    """Return a dotted key as its parts, quotes resolved; () for what is none."""
    try:
        value: dict[str, Any] | int = tomllib.loads(f"{keys} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    parts: list[str] = []
    while not isinstance(value, int):
        [(part, value)] = value.items()
        parts.append(part)
    return tuple(parts)
