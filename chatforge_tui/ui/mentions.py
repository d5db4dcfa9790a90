"""`@path` in a prompt: where one stands, what it names, what could complete it. Pure: it reads text and listings.

A mention begins after white space or at the beginning, and ends at white space: `@notes.md`, `@src/`. A path with blanks
stands in double quotes: `@"my notes.md"`. Whether it means a file, what is there decides; an `@` that names none is text.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.folder_listing import FolderEntry

MOST_MENTIONS = 20
MOST_OFFERED = 6
_MENTION = re.compile(r'(?<!\S)@(?:"(?P<quoted>[^"\n]+)"(?!\S)|(?P<plain>[^\s"]+))')
_BEGUN = re.compile(r'(?<!\S)@(?:"(?P<quoted>[^"\n]*)|(?P<plain>[^\s"]*))\Z')
_TRAILING = ".,;:!?)"
"""What may follow a path without being part of it."""


class BegunMention(Struct, frozen=True):
    """A mention that is being written: it reaches to the cursor."""

    start: int
    """Column of its `@`."""
    path: str
    """What is written of the path."""

    @property
    def folder(self) -> str:
        """The part of the path before the last slash, that included; "" without one."""
        return self.path[: self.path.rfind("/") + 1]

    @property
    def name(self) -> str:
        """The part of the path after the last slash."""
        return self.path[self.path.rfind("/") + 1 :]


def mentions(text: str) -> list[str]:
    """Return the paths that a prompt mentions, each once, as they may be meant: with trailing punctuation, then without."""
    found: list[str] = []
    for match in _MENTION.finditer(text):
        path = match["quoted"] or match["plain"]
        found.append(path)
        if match["plain"] and path != path.rstrip(_TRAILING):
            found.append(path.rstrip(_TRAILING))
    return [path for path in dict.fromkeys(found) if path][:MOST_MENTIONS]


def begun_mention(line: str) -> BegunMention | None:
    """Return the mention at the end of a line that is cut off at the cursor; None when there is none."""
    match = _BEGUN.search(line)
    return None if match is None else BegunMention(match.start(), match["quoted"] or match["plain"] or "")


def written(path: str) -> str:
    """Return how a path is mentioned: in quotes where it must be. A folder stays open, so that the writing can go on."""
    if not re.search(r"\s", path):
        return f"@{path}"
    return f'@"{path}' if path.endswith("/") else f'@"{path}"'


def offers(begun: BegunMention, entries: Iterable[FolderEntry]) -> list[str]:
    """Return the paths that could complete a mention, the likeliest first; folders end with a slash.

    Names that cannot stand in a prompt as they are (control characters, quotes) are left out; the list of files has them.
    """
    word = begun.name.casefold()
    fitting = [
        entry
        for entry in entries
        if word in entry.name.casefold()
        and (begun.name.startswith(".") or not entry.name.startswith("."))
        and '"' not in entry.name
        and clean_name(entry.name) == entry.name
    ]
    fitting.sort(key=lambda entry: not entry.name.casefold().startswith(word))
    paths = (f"{begun.folder}{entry.name}{'/' if entry.is_folder else ''}" for entry in fitting[:MOST_OFFERED])
    return [path for path in paths if path != begun.path]
