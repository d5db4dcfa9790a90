"""What a user can do with sessions: open, go to, close, delete, undo, rename, move. Commands only, no drawing."""

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import EndpointRef, SessionHead, SessionPatch
from chatforge_tui.errors import ChatForgeError, UnknownSession
from chatforge_tui.ui.desk import Desk
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.turn_facts import session_title

if TYPE_CHECKING:  # the engine is imported in its own thread, behind the first frame
    from chatforge_tui.sessions.manager import SessionManager

MOST_TITLE = 200
"""Most characters of a title that a user gives."""


class _Deletion:
    """A session on its way to the trash.

    It is over when the engine's events say so. The answer to the call may overtake them, and what is brought back
    before they come would be taken away again by older news.
    """

    def __init__(self, note: str) -> None:
        self.note = note
        """What is said when it is there; "" for nothing."""
        self.over = asyncio.Event()


class SessionActions:
    """Acts on the session it is given, or on the one in front."""

    def __init__(self, desk: Desk, *, undo_key: str) -> None:
        """Act at this desk; `undo_key` is named where something can be undone ("" when it has no key)."""
        self._desk = desk
        self._undo_key = undo_key
        self._deleting: dict[SessionId, _Deletion] = {}
        """Sessions on their way to the trash."""
        self._told: dict[SessionId, str] = {}
        """Sessions that were deleted in this run and not brought back -> what was said of it."""

    def new(self) -> None:
        """Open a session at once, on the endpoint of the one in front."""
        current = self._desk.book.current
        self.open_on(current.head.endpoint if current else self._desk.default_endpoint)

    def open_on(self, endpoint: EndpointRef) -> None:
        """Open a session on an endpoint and show it. What is typed meanwhile is for its prompt."""

        async def create() -> None:
            try:
                self._show(await self._desk.engine.call(lambda manager: manager.create_session(endpoint)))
            finally:
                self._desk.release_keys()

        self._desk.hold_keys()
        self._desk.start(create())

    def go_to(self, session_id: SessionId) -> None:
        """Show a session; one without a tab gets one."""
        pane = self._desk.book.get(session_id)
        if pane is not None and pane.head.is_open:
            self._desk.bring_to_front(session_id)
        elif pane is not None:
            self._desk.start(self._reopen(session_id))

    def go_to_number(self, number: int) -> None:
        """Show the tab with this number, 1 being the leftmost."""
        panes = self._desk.book.open
        if number <= len(panes):
            self._desk.bring_to_front(panes[number - 1].session_id)

    def go_beside(self, step: int) -> None:
        """Show the tab `step` places to the right."""
        current = self._desk.book.current
        pane = self._desk.book.beside(current.session_id, step) if current else None
        if pane is not None:
            self._desk.bring_to_front(pane.session_id)

    def go_last(self) -> None:
        """Show the tab that was in front before."""
        pane = self._desk.book.last_shown
        if pane is not None:
            self._desk.bring_to_front(pane.session_id)

    def go_to_attention(self) -> None:
        """Show the next session that waits, failed, or has news."""
        pane = self._desk.book.needing_attention()
        if pane is None:
            self._desk.say("No session needs you.")
        else:
            self._desk.bring_to_front(pane.session_id)

    def close(self, pane: Pane) -> None:
        """Take the tab away; the session, and its stream, go on. A session that was never used goes to the trash."""
        if pane.is_empty and not pane.draft.strip():
            self._drop_empty(pane)
            return
        self._desk.start(self._close(pane))

    def delete(self, pane: Pane) -> None:
        """Stop the session and put it into the trash."""
        self._desk.start(self._delete(pane, note=f"Deleted “{session_title(pane)}”."))

    def undo(self) -> None:
        """Bring back what was closed or deleted last."""
        last = self._desk.book.take_undo()
        if last is None:
            self._desk.say("There is nothing to undo.")
            return
        kind, session_id = last
        self._desk.start(self._reopen(session_id) if kind == "close" else self._restore(session_id))

    def restore(self, session_id: SessionId) -> None:
        """Bring a session back from the trash and show it."""
        self._desk.start(self._restore(session_id))

    def rename(self, pane: Pane, title: str) -> None:
        """Give a title that nothing but the user changes any more; an empty one changes nothing."""
        title = " ".join(title.split())[:MOST_TITLE]
        if title:
            self._patch(pane, SessionPatch(title=title, title_is_manual=True))

    def take_over(self, pane: Pane) -> None:
        """Become the writer of a session that another program has open; what runs in it there is interrupted."""
        if not pane.head.held_by:
            self._desk.say("No other ChatForge has this session open.")
            return

        async def take() -> None:
            await self._desk.engine.call(lambda manager: manager.take_over(pane.session_id))
            self._desk.say("This session is yours to write in.")

        self._desk.start(take())

    def use_model(self, pane: Pane, model: str) -> None:
        """Send the next prompts of a session to this model of its endpoint."""
        if not model:
            self._desk.say("Name the model after /model.", severity="warning")
            return
        if pane.head.held_by:
            self._desk.say(f"This session is open in {pane.head.held_by}. Take it over first.", severity="warning")
            return
        endpoint = replace(pane.head.endpoint, model=model)
        self._patch(pane, SessionPatch(endpoint=endpoint), note=f"The next prompt goes to {model}.")

    def move(self, pane: Pane, step: int) -> None:
        """Move a tab `step` places to the right (negative: left), as far as there are tabs."""
        panes = self._desk.book.open
        if pane not in panes:
            return
        target = panes.index(pane) + step

        async def move() -> None:
            await self._desk.engine.call(lambda manager: manager.move_session(pane.session_id, target))

        if 0 <= target < len(panes):
            self._desk.start(move())

    def _patch(self, pane: Pane, patch: SessionPatch, note: str = "") -> None:
        """Change a session, show it changed once the engine has done it, and say `note`."""

        async def change(manager: "SessionManager") -> None:
            manager.update_session(pane.session_id, patch)

        async def run() -> None:
            await self._desk.engine.call(change)
            self._desk.book.put(patch.apply_to(pane.head))
            self._desk.redraw()
            if note:
                self._desk.say(note)

        self._desk.start(run())

    def _show(self, head: SessionHead) -> None:
        self._desk.book.put(head)
        self._desk.bring_to_front(head.session_id)

    def _drop_empty(self, pane: Pane) -> None:
        if len(self._desk.book.open) > 1:
            self._desk.start(self._delete(pane, note=""))
        else:
            self._desk.say("This is the only tab.")

    async def _close(self, pane: Pane) -> None:
        self._leave(pane)
        await self._desk.engine.call(lambda manager: manager.close_session(pane.session_id))
        self._desk.book.note_undo("close", pane.session_id)
        self._desk.book.put(replace(pane.head, is_open=False))
        self._keep_one_open(pane)

    async def _delete(self, pane: Pane, *, note: str) -> None:
        session_id = pane.session_id
        if session_id in self._deleting:
            return
        self._leave(pane)
        self._deleting[session_id] = deletion = _Deletion(note)
        self._desk.book.note_undo("delete", session_id)
        try:
            await self._desk.engine.call(lambda manager: manager.delete_session(session_id))
        except ChatForgeError:
            if self._deleting.pop(session_id, None) is not None:
                self._desk.book.forget_undo("delete", session_id)
            deletion.over.set()
            raise

    def note_removed(self, session_id: SessionId) -> None:
        """A session is gone, deleted here or by another program: so is its tab, and its neighbour is in front."""
        pane = self._desk.book.get(session_id)
        if pane is None:
            return
        self._leave(pane)
        self._desk.book.remove(session_id)
        if (deletion := self._deleting.pop(session_id, None)) is not None:
            deletion.over.set()
            if deletion.note:
                self._told[session_id] = f"{deletion.note} {self._undo_key} undo" if self._undo_key else deletion.note
                self._desk.say(self._told[session_id])
        elif pane.head.is_open:
            self._desk.say(f"“{session_title(pane)}” was deleted in another ChatForge.")
        else:
            return
        self._keep_one_open(pane)

    def _leave(self, pane: Pane) -> None:
        """Show the neighbour of a tab that is about to go."""
        heir = self._desk.book.heir(pane.session_id)
        if pane is self._desk.book.current and heir is not None:
            self._desk.bring_to_front(heir.session_id)

    def _keep_one_open(self, gone: Pane) -> None:
        """Open a fresh session when the last tab went."""
        if self._desk.book.open:
            self._desk.redraw()
        else:
            self.open_on(gone.head.endpoint)

    async def _reopen(self, session_id: SessionId) -> None:
        await self._desk.engine.call(lambda manager: manager.reopen_session(session_id))
        pane = self._desk.book.get(session_id)
        if pane is None:
            raise UnknownSession("This session was deleted meanwhile.")
        self._show(replace(pane.head, is_open=True))

    async def _restore(self, session_id: SessionId) -> None:
        if (deletion := self._deleting.get(session_id)) is not None:
            await deletion.over.wait()
        if self._desk.book.get(session_id) is not None:  # it could not be deleted
            self._desk.bring_to_front(session_id)
            return
        self._desk.unsay(self._told.pop(session_id, ""))
        self._show(await self._desk.engine.call(lambda manager: manager.restore_session(session_id)))
