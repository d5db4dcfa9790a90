"""What a user can do with the files that an agent sent: save one. Nothing is fetched and nothing written by itself.

A file that came by its address is fetched after the user has seen its real host, and on to no other without being asked.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.part import FilePart
from chatforge_tui.errors import FileElsewhere
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.safety.urls import SafeLink, judge_link, origin_of
from chatforge_tui.ui.file_source import FileSource
from chatforge_tui.ui.folder_memory import FolderMemory
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.program import Program

if TYPE_CHECKING:
    from chatforge_tui.ui.screens.picker import PickerScreen


class FileActions:
    """Acts on the pane it is given."""

    def __init__(self, program: Program, folders: FolderMemory) -> None:
        """Act on this program; `folders` knows where the last file went."""
        self._program, self._folders = program, folders
        self._fetching: list[SessionId] = []
        """The session of each fetch that runs."""

    def save(self, pane: Pane, argument: str = "") -> None:
        """Ask where a file of this session shall go, and save it there.

        Args:
            pane: whose answers are looked through.
            argument: "[N] [FOLDER]": the number of the file, 1 = the session's first; without one the newest file,
                or a list when there are several.
        """
        files = files_of(pane)
        number, folder = _read(argument)
        if not files:
            self._program.say("No answer of this session holds a file.")
        elif number is None and len(files) > 1:
            self._program.ask(_picker(files), lambda choice: self.ask(pane, files[int(choice)], folder))
        elif number is not None and not 1 <= number <= len(files):
            self._program.say(f"There is no file {number}; this session has {len(files)}.", severity="warning")
        else:
            self.ask(pane, files[-1 if number is None else number - 1], folder)

    def ask(self, pane: Pane, file: FilePart, folder: str = "") -> None:
        """Show what it is, where it comes from and what it will be called; ask for the folder."""
        # Lazy: dialogs cost 20 ms that a start need not pay.
        from chatforge_tui.ui.screens.save_file import SaveFileScreen  # noqa: PLC0415 - see above

        link = None if file.data is not None else judge_link(file.url)
        if file.data is None and link is None:
            words = f"Only http and https addresses are fetched, and this file's is none: {clean_name(file.url)[:300]}"
            self._program.say(words, severity="warning")
            return
        source = None if link is None else FileSource(link, self._takes_credential(pane, link))
        first = folder or self._program.settings.files.folder or str(self._folders.recall())
        dialog = SaveFileScreen(file, folder=first, source=source)
        named = file
        if source is not None:  # from here on it is the judged address that counts
            named = replace(file, name=file.name or source.name, url=source.link.url)
        self._program.ask(dialog, lambda chosen: self._save(pane, chosen, named))

    def _takes_credential(self, pane: Pane, link: SafeLink) -> bool:
        """Whether the endpoint's credential goes along, if it has one: to its own origin only."""
        name = pane.head.endpoint.name
        endpoint = self._program.settings.endpoints.get(name)
        return origin_of(endpoint.url if endpoint else name) == link.origin

    def _save(self, pane: Pane, chosen: str, file: FilePart) -> None:
        try:
            folder = Path(chosen).expanduser().absolute()
        except RuntimeError:  # "~somebody", whom this machine does not know
            self._program.say(f"There is no folder {chosen}.", severity="warning")
            return
        if file.data is not None:
            self._program.start(self._write(folder, file.name, file.data))
        else:
            self._program.start(self._fetch(pane, folder, file, file.url))

    async def _fetch(self, pane: Pane, folder: Path, file: FilePart, url: str) -> None:
        """Fetch a file and save it. On to another server it goes only when the user has seen which."""
        session_id, limit = pane.session_id, self._program.settings.files.download_limit * 2**20
        name = clean_name(file.name) or "the file"
        self._program.say(f"Fetching {name} ... Esc, or /stop, ends it.")
        self._fetching.append(session_id)
        try:
            content = await self._program.engine.call(lambda manager: manager.files.fetch_file(session_id, url, limit))
        except FileElsewhere as elsewhere:
            self._ask_about_redirect(pane, folder, file, elsewhere)
            return
        finally:
            self._fetching.remove(session_id)
        if content is None:
            self._program.say(f"Stopped: nothing of {name} was saved.")
        else:
            await self._write(folder, file.name, content)

    def stop(self, pane: Pane) -> bool:
        """End the fetches of this session; return whether one ran."""
        if pane.session_id not in self._fetching:
            return False
        self._program.engine.post(lambda manager: manager.files.stop_fetching(pane.session_id))
        return True

    def _ask_about_redirect(self, pane: Pane, folder: Path, file: FilePart, elsewhere: FileElsewhere) -> None:
        from chatforge_tui.ui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - lazy, as above

        words = f"{clean_name(str(elsewhere))} Nothing was sent there yet, and no credential will be."
        question = ConfirmScreen("Fetch it from another server?", words, yes="Fetch it there", no="Leave it")
        again = self._fetch
        self._program.ask(
            question,
            lambda answer: self._program.start(again(pane, folder, file, elsewhere.target)) if answer else None,
        )

    async def _write(self, folder: Path, name: str, content: bytes) -> None:
        # Lazy: 5 ms, most of it for the cryptography behind `secrets`.
        from chatforge_tui.ui.saved_file import save_new  # noqa: PLC0415 - see above

        path = await asyncio.to_thread(save_new, folder, name, content)
        await asyncio.to_thread(self._folders.keep, folder)
        self._program.say(f"Saved as {path}.")


def files_of(pane: Pane) -> list[FilePart]:
    """Return the files of all answers that have been loaded or have ended, oldest first."""
    model = pane.transcript
    if model is None:
        return []
    turns = (model.turn(at) for at in range(model.turns))
    return [part for turn in turns for part in turn.parts if isinstance(part, FilePart)]


def _read(argument: str) -> tuple[int | None, str]:
    """Return number and folder of "[N] [FOLDER]"."""
    first, _, rest = argument.strip().partition(" ")
    if first.isascii() and first.isdecimal() and len(first) < 6:
        return int(first), rest.strip()
    return None, argument.strip()


def _picker(files: list[FilePart]) -> "PickerScreen":
    """Return the list of files, the newest first; gives an index into `files`."""
    # Lazy: as above; the transcript's words come with all of Markdown, 60 ms.
    from chatforge_tui.ui.screens.picker import Choice, PickerScreen  # noqa: PLC0415 - see above
    from chatforge_tui.ui.transcript.phrases import size_of  # noqa: PLC0415 - see above

    choices = [
        Choice(str(at), clean_name(file.name) or "file", size_of(file.data) or "an address")
        for at, file in reversed(list(enumerate(files)))
    ]
    return PickerScreen(
        "Save which file?", choices, placeholder="Search the files of this session", nothing="No file is called “{}”."
    )
