"""What is in a folder, for whoever chooses a file in it. Blocks: call it in a thread."""

import os
from pathlib import Path

from msgspec import Struct

MOST = 5_000
"""Entries of one folder that are looked at."""


class FolderEntry(Struct, frozen=True):
    """One entry."""

    name: str
    """As the file system spells it."""
    is_folder: bool
    size: int = 0
    """Bytes; 0 for what is no regular file."""
    is_link: bool = False
    """It is a link to what the other facts are about."""


def list_folder(folder: Path) -> tuple[FolderEntry, ...]:
    """Return folders first, then files, by name; links are what they lead to. () for what cannot be looked into."""
    entries: list[FolderEntry] = []
    try:
        with os.scandir(folder) as found:
            for entry, _ in zip(found, range(MOST), strict=False):
                if (one := _entry(entry)) is not None:
                    entries.append(one)
    except (OSError, ValueError):
        return ()
    return tuple(sorted(entries, key=lambda one: (not one.is_folder, one.name.casefold())))


def _entry(entry: "os.DirEntry[str]") -> FolderEntry | None:
    """Return an entry that can be opened or attached; None for pipes, devices and what leads nowhere."""
    try:
        if entry.is_dir():
            return FolderEntry(entry.name, is_folder=True, is_link=entry.is_symlink())
        if entry.is_file():
            return FolderEntry(entry.name, False, entry.stat().st_size, entry.is_symlink())
    except OSError:
        pass
    return None
