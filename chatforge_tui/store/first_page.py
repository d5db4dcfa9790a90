"""Gives a damaged copy of a store the beginning of another one: without it SQLite reads nothing of all the rest.

The first page holds the file's header and where each table begins. Stores that the same steps made have their tables
in the same places, so a backup's first page fits, or that of a fresh store.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

_HEADER = 100
"""Bytes; see sqlite.org/fileformat.html 1.3 for what is where in them."""
_PAGES = slice(28, 32)
_FREE_PAGES = slice(32, 40)
_LONGEST_PAGE = 32_768
"""Bytes; pages of 65,536, whose size is written otherwise, no store has."""


def lend(copy: Path, donors: Sequence[Path]) -> Iterator[None]:
    """Change the copy's beginning, from one step to the next, in every way that may help: the header, then the page.

    Args:
        copy: of a database; only its first page changes.
        donors: databases of the same kind, the likeliest first.
    """
    with copy.open("rb") as file:
        own = file.read(_LONGEST_PAGE)
    for donor in donors:
        with donor.open("rb") as file:
            page = bytearray(file.read(_LONGEST_PAGE))
        size = int.from_bytes(page[16:18], "big")
        if not 512 <= size <= min(len(page), len(own)):
            continue
        page[_PAGES] = (copy.stat().st_size // size).to_bytes(4, "big")
        page[_FREE_PAGES] = bytes(8)
        for beginning in (bytes(page[:_HEADER]) + own[_HEADER:size], bytes(page[:size])):
            with copy.open("r+b") as file:
                file.write(beginning)
            yield


def begin(copy: Path, fresh: Path) -> None:
    """Make a database with no row of its own for a write-ahead log to be read upon, when that is all that is left.

    SQLite deletes the log of an empty file. Upon a fresh store each page that the log has is found, each that it refers
    to and has not is damage, and nothing else is there to be taken for what was lost.

    Args:
        copy: where; the log is, or will be, beside it.
        fresh: a store without rows, made by the same steps as the lost one.
    """
    content = bytearray(fresh.read_bytes())
    content[_PAGES] = bytes(4)  # unknown: SQLite goes by the log
    content[_FREE_PAGES] = bytes(8)
    copy.write_bytes(content)
