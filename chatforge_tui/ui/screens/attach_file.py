"""Choosing a file by the keyboard: the entries of one folder, narrowed down by typing; Enter goes in, or takes the file."""

import asyncio
from pathlib import Path
from typing import ClassVar

from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from chatforge_tui.domain.attachment import size_words
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.folder_listing import FolderEntry, list_folder
from chatforge_tui.ui.line_drawing import shorten
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.widgets.entry import Entry

MOST_SHOWN = 200
"""Most entries in the list at once; typing narrows it down."""
_UP = FolderEntry("..", is_folder=True)


class AttachFileScreen(Dialog[str]):
    """Gives the path of the chosen file; Esc gives nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("backspace", "rub_out", show=False, priority=True),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "picker.tcss"]

    def __init__(self, folder: Path) -> None:
        """Begin in this folder."""
        super().__init__()
        self._folder = folder
        self._entries: tuple[FolderEntry, ...] | None = None
        """None while they are being looked for."""
        self._shown: list[FolderEntry] = []

    def compose(self) -> ComposeResult:
        """Lay out folder, entry and list."""
        with Vertical(classes="dialog--box"):
            yield self.title_line("Attach a file")
            yield Static(Content(""), id="folder", markup=False)
            entry = Entry(placeholder="A name, or a path", compact=True)
            entry.cursor_blink = False
            yield entry
            listing = OptionList(compact=True, markup=False)
            listing.can_focus = False
            yield listing
            yield self.hint_line("Enter opens a folder or attaches a file, Backspace goes up, Esc back")

    def on_mount(self) -> None:
        """Look into the first folder."""
        self._go(self._folder)

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self.call_after_refresh(self._draw)

    def on_input_changed(self) -> None:
        """Narrow down."""
        self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what was typed as a path if it is one, else the highlighted entry."""
        typed = event.value.strip()
        if typed.startswith(("/", "~/", "./", "../")) and not self._shown:
            self.dismiss(typed)
            return
        place = self.query_one(OptionList).highlighted
        if place is not None and place < len(self._shown):
            self._choose(self._shown[place])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose by mouse."""
        if event.option_index < len(self._shown):
            self._choose(self._shown[event.option_index])

    def action_move(self, step: int) -> None:
        """Move the highlight."""
        listing = self.query_one(OptionList)
        if self._shown:
            listing.highlighted = max(0, min((listing.highlighted or 0) + step, len(self._shown) - 1))

    def action_rub_out(self) -> None:
        """Delete a character; where there is none, go up."""
        entry = self.query_one(Input)
        if entry.value:
            entry.action_delete_left()
        else:
            self._go(self._folder.parent)

    def _choose(self, entry: FolderEntry) -> None:
        if not entry.is_folder:
            self.dismiss(str(self._folder / entry.name))
            return
        self.query_one(Input).value = ""
        self._go(self._folder.parent if entry is _UP else self._folder / entry.name)

    def _go(self, folder: Path) -> None:
        """Look into a folder, beside the screen: a slow disk holds nothing up."""
        self._folder, self._entries = folder, None
        self._draw()
        self.run_worker(self._look(folder), exclusive=True, exit_on_error=False)

    async def _look(self, folder: Path) -> None:
        entries = await asyncio.to_thread(list_folder, folder)
        if folder == self._folder and self.is_mounted:
            self._entries = entries
            self._draw()

    def _draw(self) -> None:
        listing = self.query_one(OptionList)
        room = max(listing.scrollable_content_region.width - 3, 20)
        where = clean_name(str(self._folder))
        self.query_one("#folder", Static).update(Content.styled(where[-room:], "$text-muted"))
        query = self.query_one(Input).value.strip()
        self._shown = self._matching(query)[:MOST_SHOWN]
        options = [Option(_line(entry, room)) for entry in self._shown]
        if not options:
            words = "Looking …" if self._entries is None else "Enter takes this path." if query[:1] in "/~." else ""
            options = [
                Option(Content.styled(words or f"Nothing here is called “{query}”.", "$text-muted"), disabled=True)
            ]
        listing.clear_options().add_options(options)
        listing.highlighted = (0 if query or len(self._shown) == 1 else 1) if self._shown else None

    def _matching(self, query: str) -> list[FolderEntry]:
        """Return the entries whose names contain the query; those that begin with it first; hidden ones by their dot."""
        entries = self._entries or ()
        if not query:
            above = [_UP] if self._folder != self._folder.parent else []
            return [*above, *(one for one in entries if not one.name.startswith("."))] if entries or above else []
        word = query.casefold()
        found = [one for one in entries if word in one.name.casefold()]
        found = [one for one in found if query.startswith(".") or not one.name.startswith(".")]
        return sorted(found, key=lambda one: not one.name.casefold().startswith(word))


def _line(entry: FolderEntry, room: int) -> Content:
    """Return one line: the name, and for a file its size at the right."""
    size = "" if entry.is_folder else f"{'link  ' if entry.is_link else ''}{size_words(entry.size)}"
    name = shorten(clean_name(entry.name), room - len(size) - 2)
    if entry.is_folder:
        return Content.assemble(Content.styled(f"{name}/", "bold"))
    gap = " " * max(room - Content(name).cell_length - len(size), 1)
    return Content.assemble(name, gap, Content.styled(size, "$text-muted"))
