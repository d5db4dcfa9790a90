"""Completing `@path` in the composer: looks into folders in a thread, offers what fits, and writes what is chosen."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from chatforge_tui.errors import ChatForgeError
from chatforge_tui.ui.folder_listing import FolderEntry, list_folder
from chatforge_tui.ui.mentions import BegunMention, begun_mention, offers, written
from chatforge_tui.ui.program import Program


class PathCompletion:
    """Follows the cursor of the one composer."""

    def __init__(self, program: Program, folder: Path, take: Callable[[str], None]) -> None:
        """Complete paths.

        Args:
            program: whose composer it is.
            folder: what relative paths begin at.
            take: called with the path of a file that was chosen.
        """
        self._program, self._folder, self._take = program, folder, take
        self._begun: BegunMention | None = None
        self._looked: tuple[int, str] | None = None
        """Where the mention begins, and the folder whose entries are here."""
        self._entries: tuple[FolderEntry, ...] = ()
        self._closed_at: int | None = None
        """Where the mention begins that Esc was pressed in."""

    def follow(self) -> None:
        """Offer what fits what stands before the cursor now."""
        composer = self._program.main.composer
        row, column = composer.cursor_location
        begun = begun_mention(composer.document.get_line(row)[:column]) if composer.selection.is_empty else None
        self._begun = begun
        if begun is None or begun.start == self._closed_at:
            self._closed_at = None if begun is None else self._closed_at
            self._looked = None
            self._program.main.offer(())
        elif self._looked == (begun.start, begun.folder):
            self._program.main.offer(offers(begun, self._entries))
        else:
            self._program.start(self._look(begun))

    def take_key(self, key: str) -> bool:
        """Do what a key means while something is offered; return whether it means anything here."""
        listing = self._program.main.offered
        if listing is None or not listing.offers or self._begun is None:
            return False
        match key:
            case "down" | "up":
                return listing.move(1 if key == "down" else -1)
            case "tab":
                self._write(listing.offers[listing.chosen or 0])
            case "enter" if listing.chosen is not None:
                self._write(listing.offers[listing.chosen])
            case "escape":
                self._closed_at = self._begun.start
                self._program.main.offer(())
            case _:
                return False
        return True

    async def _look(self, begun: BegunMention) -> None:
        """Look into the folder of a mention, unless it has become another meanwhile."""
        from chatforge_tui.exchange.local_file import typed_path  # noqa: PLC0415 - 5 ms, for who writes an @

        try:
            folder = typed_path(begun.folder, self._folder) if begun.folder else self._folder
        except ChatForgeError:
            return
        entries = await asyncio.to_thread(list_folder, folder)
        now = self._begun
        if now is not None and (now.start, now.folder) == (begun.start, begun.folder):
            self._looked, self._entries = (begun.start, begun.folder), entries
            self._program.main.offer(offers(now, entries))

    def _write(self, path: str) -> None:
        """Put a path in the place of what was begun; a file goes along."""
        composer, begun = self._program.main.composer, self._begun
        if begun is None:
            return
        row, column = composer.cursor_location
        is_folder = path.endswith("/")
        result = composer.replace(written(path) + ("" if is_folder else " "), (row, begun.start), (row, column))
        composer.move_cursor(result.end_location)
        if not is_folder:
            self._take(path)
