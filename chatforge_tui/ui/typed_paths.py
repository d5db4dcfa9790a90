"""Paths in what was pasted. Pure: what exists is asked of whoever knows.

A path from a file manager comes as it is, quoted for a shell, or as a `file:` URL; several come on lines of their own or,
quoted, on one line.
"""

import shlex
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

MOST_PATHS = 20
LONGEST = 4_096
"""Characters of one path; a longer line is none."""
_BEGINNINGS = ("/", "~/", "./", "../", "'/", '"/', "'~/", '"~/', "file://")


def pasted_paths(text: str, exists: Callable[[str], bool]) -> list[str]:
    """Return the paths of files when the text is nothing but such paths, each exactly as it is to be opened; else [].

    Args:
        text: what was pasted.
        exists: tells whether a path names something that may be attached.
    """
    lines = [line.strip() for line in text.strip().split("\n")]
    if not lines or len(lines) > MOST_PATHS or not all(map(_may_be, lines)):
        return []
    found: list[str] = []
    for line in lines:
        paths = _paths_of(line, exists)
        if not paths:
            return []
        found += paths
    return found if len(found) <= MOST_PATHS else []


def _may_be(line: str) -> bool:
    return line.startswith(_BEGINNINGS) and len(line) <= LONGEST and "\0" not in line


def _paths_of(line: str, exists: Callable[[str], bool]) -> list[str]:
    """Return what one line names: itself, or the words that a shell would see in it; [] when one of them is not there."""
    if line.startswith("file://"):
        path = _of_url(line)
        return [path] if path and exists(path) else []
    if exists(line):
        return [line]
    try:
        words = shlex.split(line)
    except ValueError:
        return []
    return words if words and all(word.startswith(("/", "~/", "./", "../")) and exists(word) for word in words) else []


def _of_url(url: str) -> str:
    """Return the path of a file URL of this machine; "" for any other."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = unquote(parts.path, errors="surrogateescape")
    return path if parts.netloc in {"", "localhost"} and "\0" not in path else ""
