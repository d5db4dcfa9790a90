"""What a user can do with files beside the prompt: attach them, look what goes, take them back. Nothing is sent here.

Files are read in a thread. From then on the store has them: what was shown is what goes, whatever becomes of the file.
"""

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chatforge_tui.config.settings import FileSettings
from chatforge_tui.domain.attachment import Attachment, size_words
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import ChatForgeError
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.program import Program

if TYPE_CHECKING:
    from chatforge_tui.exchange.local_file import SizeLimits
    from chatforge_tui.ui.path_completion import PathCompletion


class AttachActions:
    """Acts on the pane it is given."""

    def __init__(self, program: Program, settings: FileSettings) -> None:
        """Act on this program, within these limits. Relative paths begin where the program was started."""
        self._program, self._settings = program, settings
        self._folder = _working_folder()
        self._last_folder = self._folder
        """Where the last file was chosen."""
        self._pasted: list[Attachment] = []
        """What came of the last paste."""
        self._seen: dict[SessionId, set[str]] = {}
        """Paths mentioned in the prompts at hand that were attached, or could not be: none is attached twice."""
        self._recalled: dict[SessionId, tuple[Attachment, ...]] = {}
        """Files that go along only because of the earlier prompt that stands in the composer."""
        self._recalling = asyncio.Lock()
        """One after another: a key that repeats must not leave a prompt with the files of another."""
        self._completion: PathCompletion | None = None
        """Made with the first @ of this run."""

    def attach(self, pane: Pane, argument: str = "") -> None:
        """Attach a file; without a path, choose it."""
        if argument:
            self.take(pane, [argument])
            return
        # Lazy: dialogs cost 20 ms that a start need not pay.
        from chatforge_tui.ui.screens.attach_file import AttachFileScreen  # noqa: PLC0415 - see above

        def take(path: str) -> None:
            self._last_folder = Path(path).parent
            self.take(pane, [path])

        self._program.ask(AttachFileScreen(self._last_folder), take)

    def take(self, pane: Pane, paths: Sequence[str]) -> None:
        """Attach files by the paths that were typed."""
        if pane.head.held_by:
            self._program.say("This session is open in another ChatForge; nothing can be attached here.")
            return
        self._program.start(self._take(pane, paths))

    def again(self, pane: Pane, text: str) -> None:
        """Attach what went along with an earlier prompt of the session, as it was then: the store has it."""
        self._program.start(self._again(pane, text))

    async def _again(self, pane: Pane, text: str) -> None:
        files = pane.prompt_files.get(text)
        if not files or pane.head.held_by:
            return
        from chatforge_tui.ui.mentions import mentions  # noqa: PLC0415 - lazy, as above

        seen = self._seen.setdefault(pane.session_id, set())
        seen |= set(mentions(text))
        session_id = pane.session_id
        await self._program.engine.call(lambda manager: manager.files.attach(session_id, files))
        fresh = (file for file in files if file not in pane.head.attachments)
        self._program.book.put(replace(pane.head, attachments=(*pane.head.attachments, *fresh)))
        self._program.redraw()
        await self.judge(pane)

    def recall(self, pane: Pane, text: str) -> None:
        """Have the files of an earlier prompt with this text go along, in the place of those of the one recalled before.

        "" is what was being written, though a prompt of the session may have had files and no words.
        """
        names = [clean_name(file.name) for file in _recalled_files(pane, text)]
        if names or self._recalled.get(pane.session_id):
            pane.reading += names  # until they stand there an Enter sends nothing
            self._program.start(self._recall(pane, text, names))

    async def _recall(self, pane: Pane, text: str, names: Sequence[str]) -> None:
        try:
            await self._exchange_files(pane, text)
        finally:
            for name in names:
                pane.reading.remove(name)
            self._program.redraw()

    async def _exchange_files(self, pane: Pane, text: str) -> None:
        async with self._recalling:
            before, files = self._recalled.pop(pane.session_id, ()), _recalled_files(pane, text)
            for file in before:
                if file not in files and file in pane.head.attachments:
                    await self._detach(pane, file)
            own = [file for file in pane.head.attachments if file not in before]
            self._recalled[pane.session_id] = tuple(file for file in files if file not in own)
            if files:
                await self._again(pane, text)

    def forget_recalled(self, pane: Pane) -> None:
        """The prompt that was recalled is sent: from here on its files are like any other's."""
        self._recalled.pop(pane.session_id, None)

    def detach(self, pane: Pane) -> None:
        """Take a file back that has not been sent; choose which when there are several."""
        files = pane.head.attachments
        if not files:
            self._program.say("No file goes along with the next prompt.")
        elif len(files) == 1:
            self._program.start(self._detach(pane, files[0]))
        else:
            # Lazy: as above.
            from chatforge_tui.ui.screens.picker import Choice, PickerScreen  # noqa: PLC0415 - see above

            choices = [
                Choice(str(at), clean_name(file.name), f"{clean_name(file.media_type)}  {size_words(file.size)}")
                for at, file in enumerate(files)
            ]
            dialog = PickerScreen(
                "Take which file back?",
                choices,
                placeholder="Search the files that go along",
                nothing="No file is called “{}”.",
                start=str(len(files) - 1),
            )
            self._program.ask(dialog, lambda chosen: self._program.start(self._detach(pane, files[int(chosen)])))

    def take_paste(self, pane: Pane, text: str) -> bool:
        """Attach what a paste names when it is nothing but paths of files; return whether it was."""
        if text[:1] not in "/~.'\"f" or pane.head.held_by:
            return False
        from chatforge_tui.ui.typed_paths import pasted_paths  # noqa: PLC0415 - 5 ms, for what looks like a path

        paths = pasted_paths(text, self.is_file)
        if paths:
            self._pasted.clear()
            self._program.start(self._take(pane, paths, self._pasted))
        return bool(paths)

    def follow_cursor(self) -> None:
        """Offer what completes the path at the cursor of the composer, if one stands there."""
        composer, pane = self._program.main.composer, self._program.book.current
        if pane is not None:
            self._know(pane, composer.text)
        if self._completion is None:
            if "@" not in composer.document.get_line(composer.cursor_location[0]):
                return
            from chatforge_tui.ui.path_completion import PathCompletion  # noqa: PLC0415 - lazy: for who writes an @

            self._completion = PathCompletion(self._program, self._folder, self._take_mention)
        self._completion.follow()

    def take_key(self, key: str) -> bool:
        """Do what a key means while paths are offered; return whether it means anything here."""
        return self._completion is not None and self._completion.take_key(key)

    def take_mentions(self, pane: Pane, text: str) -> bool:
        """Attach the files that a prompt mentions and that do not stand above it yet; return whether there are any.

        The prompt waits then: what goes is shown before it goes.
        """
        if "@" not in text or pane.head.held_by:
            self._seen.pop(pane.session_id, None)
            return False
        from chatforge_tui.ui.mentions import mentions  # noqa: PLC0415 - lazy, as above

        self._know(pane, text)
        seen = self._seen.setdefault(pane.session_id, set())
        fresh = [path for path in mentions(text) if path not in seen and self.is_file(path)]
        if not fresh:
            del self._seen[pane.session_id]
            return False
        seen |= set(fresh)
        self.take(pane, fresh)
        return True

    def forget_mentions(self, pane: Pane) -> None:
        """Another prompt stands in the composer of a pane, with its files: it has been there before."""
        self._seen.pop(pane.session_id, None)

    def _know(self, pane: Pane, text: str) -> None:
        """Note which mentions of a prompt that was kept have their files above it: those are not read again."""
        if not pane.head.attachments or pane.session_id in self._seen:
            return
        from chatforge_tui.ui.mentions import mentions  # noqa: PLC0415 - lazy, as above

        kept = {file.name for file in pane.head.attachments}
        self._seen[pane.session_id] = {path for path in mentions(text) if os.path.basename(path) in kept}  # noqa: PTH119 - a text

    def _take_mention(self, path: str) -> None:
        """Attach a file whose mention was completed."""
        pane = self._program.book.current
        if pane is not None:
            self._seen.setdefault(pane.session_id, set()).add(path)
            self.take(pane, [path])

    def give_back(self, pane: Pane) -> None:
        """Take the files of the last paste back: it is text now."""
        files, self._pasted = self._pasted, []
        for file in files:
            if file in pane.head.attachments:
                self._program.start(self._detach(pane, file))

    def is_file(self, path: str) -> bool:
        """Tell whether a path names a file, or a link that may lead to one. Looks only; nothing is opened."""
        from chatforge_tui.exchange.local_file import typed_path  # noqa: PLC0415 - as above

        if path.endswith("/"):
            return False
        try:
            mode = typed_path(path, self._folder).lstat().st_mode
        except (OSError, ValueError, ChatForgeError):
            return False
        return stat.S_ISREG(mode) or stat.S_ISLNK(mode)

    async def _take(self, pane: Pane, paths: Sequence[str], taken: list[Attachment] | None = None) -> None:
        """Read files one after another; each that cannot be attached is told, and the others are.

        Args:
            pane: beside whose prompt.
            paths: as typed.
            taken: receives what was attached.
        """
        from chatforge_tui.exchange.local_file import LinkNamed, read_file, typed_path  # noqa: PLC0415 - as above

        for text in paths:
            name = clean_name(os.path.basename(text))  # noqa: PTH119 - a text, not yet a path
            pane.reading.append(name)
            self._program.redraw()
            try:
                path = typed_path(text, self._folder)
                file, content = await asyncio.to_thread(read_file, path, self._limits)
                await self._add(pane, file, content)
                if taken is not None:
                    taken.append(file)
            except LinkNamed as link:
                self._ask_about_link(pane, text, link.target)
            except ChatForgeError as error:
                self._program.say(f"{error} {error.hint}".rstrip(), severity="warning")
            finally:
                pane.reading.remove(name)
        self._program.redraw()
        await self.judge(pane)

    async def _add(self, pane: Pane, file: Attachment, content: bytes) -> None:
        from chatforge_tui.exchange.local_file import check_total  # noqa: PLC0415 - as above

        check_total((*pane.head.attachments, file), self._limits)
        self._seen.setdefault(pane.session_id, set())
        session_id = pane.session_id
        await self._program.engine.call(
            lambda manager: manager.files.attach(session_id, [file], {file.sha256: content})
        )
        if file not in pane.head.attachments:
            self._program.book.put(replace(pane.head, attachments=(*pane.head.attachments, file)))

    def _ask_about_link(self, pane: Pane, text: str, target: Path) -> None:
        """Show which file a link leads to, and attach that one if the user wants it."""
        from chatforge_tui.ui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - lazy, as above

        words = f"{clean_name(text)} is a link. The file that would go is\n{clean_name(str(target))}"
        question = ConfirmScreen("Attach what the link leads to?", words, yes="Attach it", no="Leave it")
        self._program.ask(question, lambda answer: self.take(pane, [str(target)]) if answer else None)

    async def _detach(self, pane: Pane, file: Attachment) -> None:
        session_id = pane.session_id
        await self._program.engine.call(lambda manager: manager.files.detach(session_id, file))
        rest = tuple(one for one in pane.head.attachments if one != file)
        self._program.book.put(replace(pane.head, attachments=rest))
        self._program.redraw()
        await self.judge(pane)

    async def judge(self, pane: Pane) -> None:
        """Ask the agent what it has against the files; what it says stands beside them."""
        session_id, pane.objection = pane.session_id, ""
        if pane.head.attachments:
            pane.objection = await self._program.engine.call(lambda manager: manager.files.objection(session_id))
        self._program.redraw()

    @property
    def _limits(self) -> "SizeLimits":
        from chatforge_tui.exchange.local_file import MEBIBYTE, SizeLimits  # noqa: PLC0415 - as above

        return SizeLimits(self._settings.attachment_limit * MEBIBYTE, self._settings.total_limit * MEBIBYTE)


def _recalled_files(pane: Pane, text: str) -> Sequence[Attachment]:
    return pane.prompt_files.get(text, ()) if text else ()


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was deleted under us
        return Path.home()
