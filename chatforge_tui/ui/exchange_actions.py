"""What a user can do with sessions as files: export one or all, import a file of them. Nothing here blocks the screen.

Reading a session is the engine's, beside whatever runs in it; making and writing a file happens in a thread.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import ChatForgeError, StoreError, UnknownSession
from chatforge_tui.ui.folder_memory import FolderMemory
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.program import Program

if TYPE_CHECKING:  # the engine and what a file holds are imported in its thread, or when there is a file
    from chatforge_tui.domain.attachment import Attachment
    from chatforge_tui.domain.session import SessionHead
    from chatforge_tui.domain.turn import Turn
    from chatforge_tui.exchange.bundle_file import Batch, ImportReport
    from chatforge_tui.sessions.manager import SessionManager

ALL = "all"
"""The form of a file that holds every session."""
FORMS = ("md", "html", "json", ALL)
"""What can be written, the usual first."""

_FORM_OF_ENDING = {
    ".md": "md",
    ".markdown": "md",
    ".txt": "md",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".jsonl": ALL,
}

_OTHER_FORMS = frozenset({"pdf", "docx", "odt", "rtf", "epub", "csv", "xml", "yaml", "text"})
"""What people ask for and there is not: before a name it is a form, and no part of the name."""


class ExchangeActions:
    """Acts on the pane it is given, or on all sessions."""

    def __init__(self, program: Program, folders: FolderMemory) -> None:
        """Act on this program; `folders` knows where the last file went."""
        self._program, self._folders = program, folders

    def export(self, pane: Pane, argument: str = "") -> None:
        """Write a session, or all of them, into a file; ask for what was not said.

        Args:
            pane: the session.
            argument: "[md|html|json|all] [FILE]".
        """
        form, given = _read(argument)
        if given:
            wanted = "" if form else _unknown_form(given)
            if wanted or not (form := form or _form_of(given)):
                problem = f"There is no form “{wanted}”." if wanted else f"The form of “{given}” is not known."
                said = f"{problem} There are {', '.join(FORMS[:-1])} and {ALL}: /export {FORMS[0]} FILE."
                self._program.say(said, severity="warning")
                return
            self._export(pane, form, given)
            return
        # Lazy: dialogs cost 20 ms that a start need not pay.
        from chatforge_tui.ui.screens.export import ExportScreen  # noqa: PLC0415 - see above

        folder = self._folders.recall()
        if not folder.is_dir():
            folder = Path.home()
        places = {one: str(folder / _file_name(pane, one)) for one in FORMS}
        dialog = ExportScreen(places, first=form or FORMS[0])
        self._program.ask(dialog, lambda chosen: self._export(pane, *chosen))

    def take_in(self, given: str = "") -> None:
        """Take in the sessions of a file; ask for its path if it was not said."""
        if given:
            self._program.start(self._import(given))
            return
        # Lazy: as above.
        from chatforge_tui.ui.screens.ask_text import AskTextScreen  # noqa: PLC0415 - see above

        start = f"{self._folders.recall()}/"
        dialog = AskTextScreen(
            "Import sessions", start, placeholder="A file that an export of all sessions wrote", done="Enter imports it"
        )
        self._program.ask(dialog, lambda path: self._program.start(self._import(path)) if path else None)

    def _export(self, pane: Pane, form: str, given: str) -> None:
        async def export() -> None:
            path = await asyncio.to_thread(_place, given, _file_name(pane, form))
            await self._write(pane, form, path, replace=False)

        self._program.start(export())

    async def _write(self, pane: Pane, form: str, path: Path, *, replace: bool) -> None:
        from chatforge_tui.exchange.private_file import AlreadyThere  # noqa: PLC0415 - when there is a file

        try:
            said = await (self._write_all if form == ALL else self._write_one)(pane, form, path, replace=replace)
        except AlreadyThere:
            self._ask_to_replace(pane, form, path)
            return
        await asyncio.to_thread(self._folders.keep, path.parent)
        self._program.say(said)

    def _ask_to_replace(self, pane: Pane, form: str, path: Path) -> None:
        from chatforge_tui.safety.clean import clean_name  # noqa: PLC0415
        from chatforge_tui.ui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - lazy, as above

        what = (
            "This link exists already; it is replaced, what it leads to stays"
            if path.is_symlink()
            else ("This file exists already; what it holds is lost")
        )
        question = ConfirmScreen("Replace it?", f"{clean_name(str(path))}\n{what}.", yes="Replace", no="Keep it")
        again = self._write
        self._program.ask(
            question,
            lambda answer: self._program.start(again(pane, form, path, replace=True)) if answer else None,
        )

    async def _write_one(self, pane: Pane, form: str, path: Path, *, replace: bool) -> str:
        session_id = pane.session_id

        async def read(manager: "SessionManager") -> "tuple[SessionHead, tuple[Turn, ...]]":
            return manager.session(session_id), tuple(await manager.read_turns(session_id))

        head, turns = await self._program.engine.call(read)
        async with _private(path, replace=replace) as file:
            await asyncio.to_thread(_write_session, file, head, turns, form)
        return f"Exported to {path}."

    async def _write_all(self, pane: Pane, form: str, path: Path, *, replace: bool) -> str:
        del pane, form

        async def list_all(manager: "SessionManager") -> "tuple[SessionHead, ...]":
            return manager.sessions()

        from chatforge_tui.exchange import bundle_file  # noqa: PLC0415 - when there is a file

        count = left_out = lost = too_large = 0
        too_long: list[Turn] = []
        heads = await self._program.engine.call(list_all)
        async with _private(path, replace=replace) as file:
            await asyncio.to_thread(file.write, bundle_file.header_line(len(heads)))
            for head in heads:
                turns = await self._turns_of(head.session_id)
                if turns is None:
                    left_out += 1
                    continue
                await asyncio.to_thread(file.writelines, bundle_file.session_lines(head, turns, too_long))
                for one in bundle_file.attachments(head, turns):
                    if (content := await self._content_of(head.session_id, one)) is None:
                        lost += 1
                        continue
                    if (line := bundle_file.content_line(head, one, content)) is None:
                        too_large += 1
                        continue
                    await asyncio.to_thread(file.write, line)
                count += len(turns)
        said = f"{counted(len(heads) - left_out, 'session')} with {counted(count - len(too_long), 'turn')} exported to {path}."
        missing = left_out_words(sessions=left_out, lost=lost, turns=len(too_long), files=too_large)
        return f"{said} {missing or '/import reads it.'}"

    async def _content_of(self, session_id: SessionId, file: "Attachment") -> bytes | None:
        """Return the content of an attachment; None when it is lost."""
        try:
            return await self._program.engine.call(lambda manager: manager.files.read_content(session_id, file))
        except StoreError:
            return None

    async def _turns_of(self, session_id: SessionId) -> "list[Turn] | None":
        """Return a session's turns; None for one that cannot be read, or was deleted a moment ago."""
        try:
            return await self._program.engine.call(lambda manager: manager.read_turns(session_id))
        except (UnknownSession, StoreError):
            return None

    async def _import(self, given: str) -> None:
        from chatforge_tui.exchange.bundle_file import ImportReport  # noqa: PLC0415 - when there is a file

        report = ImportReport()
        path = await asyncio.to_thread(_place, given, "")
        file = await asyncio.to_thread(_opened, path)
        try:
            batches = await asyncio.to_thread(_batches, file, report)
            while batch := await asyncio.to_thread(next, batches, None):
                items = tuple(item for _, item in batch)
                report.note(batch, await self._program.engine.call(lambda manager, items=items: manager.take_in(items)))
        finally:
            await asyncio.to_thread(file.close)
        said = f"{report.sentence()} Ctrl+S lists them." if report.counts.get("added_sessions") else report.sentence()
        if report.skipped:
            said += f" {counted(len(report.skipped), 'line')} could not be taken; `chatforge import` names them."
        self._program.say(said, severity="warning" if report.skipped else "information")
        self._program.redraw()


@asynccontextmanager
async def _private(path: Path, *, replace: bool) -> AsyncGenerator[BinaryIO]:
    """Give a file as `private_file` does, with everything that waits for the disk done in a thread."""
    from chatforge_tui.exchange.private_file import private_file  # noqa: PLC0415 - when there is a file

    making = private_file(path, replace=replace)
    file = await asyncio.to_thread(making.__enter__)
    try:
        yield file
    except BaseException:
        await asyncio.to_thread(making.__exit__, *sys.exc_info())
        raise
    await asyncio.to_thread(making.__exit__, None, None, None)


def _write_session(file: BinaryIO, head: "SessionHead", turns: "tuple[Turn, ...]", form: str) -> None:
    from chatforge_tui.exchange.session_file import rendered  # noqa: PLC0415 - when there is a file

    file.write(rendered(head, turns, form).encode("utf-8", "replace"))


def _opened(path: Path) -> BinaryIO:
    """Open a file to read. What is no regular file is refused: a pipe would be waited for without end.

    Raises:
        ChatForgeError: it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise ChatForgeError(f"{path} is no file.", hint="Name one that an export of all sessions wrote.")
        return path.open("rb")
    except FileNotFoundError as error:
        raise ChatForgeError(f"There is no file {path}.") from error
    except OSError as error:
        raise ChatForgeError(f"{path} cannot be read: {error.strerror}.") from error


def _batches(file: BinaryIO, report: "ImportReport") -> "Iterator[Batch]":
    from chatforge_tui.exchange.bundle_file import read_batches  # noqa: PLC0415 - when there is a file

    return read_batches(file, report)


def _place(given: str, name: str) -> Path:
    """Return the path that was typed, absolute; in a directory it is a file of this name.

    Raises:
        ChatForgeError: it is no path, or names a user whom this machine does not know.
    """
    try:
        path = Path(given).expanduser().absolute()
        return path / name if name and (path.is_dir() or given.endswith("/")) else path
    except (RuntimeError, ValueError) as error:
        raise ChatForgeError(f"There is no such place: {given}.") from error


def _file_name(pane: Pane, form: str) -> str:
    # Lazy: when there is a file.
    from chatforge_tui.exchange import bundle_file, session_file  # noqa: PLC0415 - see above

    return bundle_file.file_name() if form == ALL else session_file.file_name(pane.head, form)


def _read(argument: str) -> tuple[str, str]:
    """Return form and file of "[md|html|json|all] [FILE]"; "" for what is not there."""
    first, _, rest = argument.strip().partition(" ")
    if form := first.lower() if first.lower() in FORMS else _FORM_OF_ENDING.get(f".{first.lower()}", ""):
        return form, rest.strip()
    return "", argument.strip()


def _unknown_form(given: str) -> str:
    """Return the form that "pdf FILE" or "FORM /a/path" asks for and that there is not; "" when all of it is a file's name."""
    first, _, rest = given.partition(" ")
    is_form = first.lower() in _OTHER_FORMS or (first.isalpha() and rest.lstrip().startswith(("/", "~", "./", "../")))
    return first if rest and is_form else ""


def _form_of(given: str) -> str:
    """Return the form that a file's name asks for: Markdown of a path without an ending, "" of a word that says none."""
    ending = "" if given in {".", "..", "~"} else Path(given).suffix.lower()
    is_path = "/" in given or given in {".", "..", "~"}
    return FORMS[0] if is_path and not ending else _FORM_OF_ENDING.get(ending, "")


def left_out_words(*, sessions: int, lost: int, turns: int, files: int) -> str:
    """Return what a bundle does not hold, in sentences; "" when it holds everything.

    Args:
        sessions: number of those that could not be read.
        lost: number of attached files whose content is lost.
        turns: number of turns that are longer than an import takes.
        files: number of attached files that are.
    """
    told = [
        (
            sessions,
            f"{counted(sessions, 'session')} could not be read and {_is(sessions)} not in it; see `chatforge store check`.",
        ),
        (lost, f"The content of {counted(lost, 'attached file')} is lost and not in it."),
        (turns, f"{counted(turns, 'turn')} {_is(turns)} longer than an import takes and not in it."),
        (files, f"{counted(files, 'attached file')} {_is(files)} larger than an import takes and not in it."),
    ]
    return " ".join(words for count, words in told if count)


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
