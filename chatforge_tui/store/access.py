"""The store as it comes and goes: opened, repaired, read where it cannot be written, opened once more when it can.

Whoever wants something of it meanwhile waits, is answered with what there is, or is told why not.
"""

from __future__ import annotations

from asyncio import Event
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import StoreCorrupt, StoreTooNew, StoreUnavailable
from chatforge_tui.store import codec, search_index
from chatforge_tui.store.caretaker import Caretaker
from chatforge_tui.store.door import Door
from chatforge_tui.store.operations import Operation
from chatforge_tui.store.store_file import stray_log
from chatforge_tui.store.withheld import Withheld, refusal
from chatforge_tui.store.workplace import Workplace
from chatforge_tui.store.writer import Writer, WriterSettings

if TYPE_CHECKING:
    from chatforge_tui.domain.repair import RepairReport

T = TypeVar("T")


class Access:
    """The way to one store, whatever state that is in."""

    def __init__(
        self,
        path: Path,
        door: Door,
        settings: WriterSettings,
        *,
        backup_after_s: float,
        on_trouble: Callable[[str], None],
    ) -> None:
        """Name the file; `open` touches it.

        Args:
            path: of the database.
            door: opens it.
            settings: how long things may wait.
            backup_after_s: seconds after opening until a backup is made, if one is due.
            on_trouble: called on the event loop with one sentence when writing fails, with "" when it works again.
        """
        self.refusal = ""
        """Why nothing can be changed, in one or two sentences, once the store is open; "" when it can."""
        self.is_newer = False
        """Whether a newer ChatForge wrote the store, once it is open: then it can only be read."""
        self.writer = Writer(door.open, settings, self._do_chore)
        self._path = path
        self._door = door
        self._on_trouble = on_trouble
        self._caretaker = Caretaker(path, backup_after_s)
        self._withheld = Withheld()
        self._is_settled = Event()
        """Set unless the store is being opened once more: who wants something of it waits."""
        self._is_settled.set()

    async def open(self, *, takes_tabs: bool) -> None:
        """Open or create the store; `takes_tabs`: hold the sessions with a tab that no living program holds.

        Raises:
            StoreUnavailable: no rights, no space, an I/O error. Not where it goes on.
            StoreCorrupt: the file is damaged, empty, or not ours. Not where it goes on.
            StoreTooNew: a newer ChatForge wrote it. Not where it goes on.
        """
        if self._door.read_only and not self._path.exists() and stray_log(self._path) is None:
            return
        self._door.takes_tabs = takes_tabs
        await self._start()

    async def recover(self) -> bool:
        """Open a store once more that could not be written; return whether it can be now."""
        if not self.refusal or self.is_newer:
            return False
        await self._start_again()
        return not self.refusal

    async def mend(self, damage: StoreCorrupt, look: Callable[[Workplace], list[T]]) -> list[T]:
        """Repair a store that opened but is damaged, and return what is found in it then.

        Nothing, and that it cannot be used, where that does not help.

        Raises:
            StoreCorrupt: it is not to go on.
        """
        if not self._door.goes_on:
            raise damage
        self._door.damage = damage
        await self._start_again()
        try:
            return await self.look(look)
        except StoreCorrupt as still:
            await self.writer.stop()
            self.refusal = refusal(still, is_read=False)
            return []

    async def close(self) -> None:
        """Write what waits, close the file, end the thread. Idempotent.

        Raises:
            StoreUnavailable: something could not be written, and is lost with this program.
        """
        self._caretaker.stop()
        await self.writer.stop()

    @property
    def can_write(self) -> bool:
        """Whether anything of the store is to be changed here, and can be."""
        return not self._door.read_only and not self.refusal

    @property
    def repair(self) -> RepairReport | None:
        """What the repair of a damaged store brought back, when this program had to make one."""
        return self._door.repair

    @property
    def salvaged(self) -> int | None:
        """How many rows the repair that is being made has read so far; None when none is being made."""
        return self._door.salvaged

    async def look(self, look: Callable[[Workplace], list[T]]) -> list[T]:
        """Return what is found in the store; nothing where there is none to look at."""
        await self._is_settled.wait()
        if self._is_absent:
            return []
        found: list[T] = await self.writer.submit(look)
        return found

    async def write(self, operation: Operation) -> Any:  # noqa: ANN401 - the answer depends on the operation
        """Have an operation done, and return its answer once it is durable.

        Raises:
            StoreUnavailable: nothing can be changed.
            ChatForgeError: as Writer.submit says.
        """
        await self._is_settled.wait()
        if self.refusal:
            raise StoreUnavailable(self.refusal)
        if self._door.read_only:
            message = "The store is open for reading only."
            raise StoreUnavailable(message)
        return await self.writer.submit(operation)

    def patch(self, session_id: SessionId, columns: dict[str, codec.Value], *, urgent: bool) -> None:
        """Change a session: on disk within 250 ms, at once where that is urgent, or as soon as the store can be written."""
        if self.refusal and not self.is_newer:
            self._withheld.add(session_id, columns)
        if self.can_write:
            self._hand_over_patch(session_id, columns, urgent=urgent)

    @property
    def _is_absent(self) -> bool:
        """Whether there is nothing to read: the store was never made, or cannot be opened."""
        return not self.writer.is_open and (bool(self.refusal) or (self._door.read_only and not self._path.exists()))

    async def _start_again(self) -> None:
        """Close the store and open it once more."""
        self._is_settled.clear()
        try:
            await self.close()
            await self._start()
        finally:
            self._is_settled.set()

    async def _start(self) -> None:
        """Start the thread, and take note of what came of it."""
        try:
            await self.writer.start(self._on_trouble)
        except (StoreUnavailable, StoreCorrupt, StoreTooNew) as error:
            if not self._door.goes_on:
                raise
            self.refusal = refusal(error, is_read=False)
            return
        if self._door.read_only or self._door.obstacle is not None:
            self.is_newer = await self.writer.submit(lambda at: at.is_newer)
        self.refusal = "" if self._door.obstacle is None else refusal(self._door.obstacle, is_read=True)
        if self.can_write:
            for session_id, columns in self._withheld.take().items():
                self._hand_over_patch(session_id, columns)
            self._caretaker.start(self.writer.tell)

    def _hand_over_patch(self, session_id: SessionId, columns: dict[str, codec.Value], *, urgent: bool = False) -> None:
        self.writer.hand_over(lambda pending: pending.add_patch(session_id, columns), urgent=urgent)

    def _do_chore(self, at: Workplace) -> bool:
        """Take turns into the full-text index; called in the writer thread."""
        return not self._door.read_only and self._door.obstacle is None and search_index.take_in_some(at.db)
