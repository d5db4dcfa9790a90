"""What the engine tells becomes what the screen shows: sessions at the start, a batch a frame, transcripts, its end."""

import logging
from collections.abc import Sequence

from rich.text import Text

from chatforge_tui.domain.changes import (
    NOT_SAVED,
    EngineEvent,
    HeadChanged,
    SessionChanged,
    SessionRemoved,
    StoreRepaired,
    StoreTrouble,
    TextAppended,
    TurnBegan,
    TurnChanged,
    TurnEnded,
    TurnRemoved,
)
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.errors import ChatForgeError, OtherHost
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.desk_app import CRASH_CODE, DeskApp
from chatforge_tui.ui.early_keys import Stage
from chatforge_tui.ui.engine_messages import (
    EarlierTurnsLoaded,
    EngineBatch,
    EngineEnded,
    EngineReady,
    EngineRepairing,
    TurnsLoaded,
    TurnsUnread,
)
from chatforge_tui.ui.terminal_app import sentence

_log = logging.getLogger("chatforge.ui")


class EngineDesk(DeskApp, inherit_bindings=False):
    """The terminal program, but for what its widgets tell it."""

    def on_engine_repairing(self, event: EngineRepairing) -> None:
        """Show why it takes so long, and that it goes on."""
        self._main.salvaged = event.salvaged
        self._redraw_status()

    def on_engine_ready(self, event: EngineReady) -> None:
        """Show the tabs, the one that was in front last in front. What was typed meanwhile stays."""
        if not self.is_running:
            return
        self._book.fill(event.heads)
        self._main.trouble = event.refusal
        if event.refusal.startswith(NOT_SAVED):  # the status line has no room for the reason
            self.say(event.refusal, severity="error")
        self._show_first()

    def _show_first(self) -> None:
        """Bring the tab to the front that was there last, or a session that has none; else open a new one."""
        panes = self._book.open
        front = next((pane for pane in panes if pane.head.is_active), panes[0] if panes else None)
        if front is not None:
            self.bring_to_front(front.session_id)
        elif not self._main.trouble:
            self._sessions.open_on(self._default_endpoint)
        elif self._book.closed:  # no new one can be made
            self._sessions.go_to(self._book.closed[0].session_id)
        else:
            self._main.show_transcript(None)
            self._redraw_all()
            self.call_later(self._deliver_early, Stage.SESSION)

    def on_engine_batch(self, event: EngineBatch) -> None:
        """Take what happened since the last frame, draw once; nothing is drawn on a screen that is going down."""
        if not self.is_running:
            return
        front = self._book.current
        changes = [self._apply(one) for one in event.events]
        self._engine.acknowledge()
        if front is not self._book.current:
            self._show_front(front)
        elif any(changes):
            self._main.refresh_turns()
            self._offer_card_host(event.events)
        if all(_is_more_text(one) for one in event.events):
            return  # the numbers of what runs have a clock of their own
        if all(_is_in_transcript(one) for one in event.events):
            self._main.redraw_pane()
        else:
            self._redraw_all()

    def _offer_card_host(self, events_: Sequence[EngineEvent]) -> None:
        """Ask about the server that an agent card names, when the turn in front has just failed for it."""
        pane = self._book.current
        for one in events_:
            problem = one.turn.head.problem if isinstance(one, TurnEnded) else None
            if pane is not None and problem is not None and problem.kind == OtherHost.kind:
                self._program.offer_card_host(pane)

    def _apply(self, event: EngineEvent) -> bool:
        """Apply one event; return whether the pane in front changed."""
        match event:
            case StoreTrouble(message):
                self._main.trouble = message
                if not message and self._book.current is None:
                    self._show_first()
            case StoreRepaired(report):
                self._program.tell_of_repair(report)
            case SessionRemoved(session_id):
                self._sessions.note_removed(session_id)
            case SessionChanged(head):
                self._take_head(head)
            case TurnBegan() | TurnChanged() | TurnEnded() | TurnRemoved():
                return self._book.apply(event)
        return False

    def _take_head(self, head: SessionHead) -> None:
        """Take a session's head; when another program begins or ends to write in the one in front, it is read again.

        What waits to be sent is shown where it can be sent from, and only there.
        """
        pane = self._book.current
        held_by = pane.head.held_by if pane is not None and pane.session_id == head.session_id else None
        self._book.put(head)
        if held_by is not None and bool(held_by) is not bool(head.held_by):
            self._engine.show(head.session_id, is_loaded=False)

    def on_turns_loaded(self, event: TurnsLoaded) -> None:
        """Show the transcript that was asked for."""
        pane = self._book.get(event.session_id)
        if pane is None or not self.is_running:
            return
        shift = None if event.turns is None else pane.load(event.turns, is_whole=event.is_whole)
        if pane is self._book.current:
            if shift is not None and shift.turns:  # only its end was here
                self._main.show_earlier_turns(pane, shift)
            self._main.show_turns(pane)
            if event.turns is not None:
                self._redraw_all()

    def on_earlier_turns_loaded(self, event: EarlierTurnsLoaded) -> None:
        """Put more turns above those of a long session; nothing that is seen moves."""
        pane = self._book.get(event.session_id)
        if pane is None or not self.is_running:
            return
        shift = pane.prepend(event.turns, is_whole=event.is_whole)
        if shift is not None and pane is self._book.current:
            self._main.show_earlier_turns(pane, shift)

    def on_turns_unread(self, event: TurnsUnread) -> None:
        """Say that a session cannot be read, or all but the end of it, as long as it is in front."""
        pane = self._book.get(event.session_id)
        if pane is None or not self.is_running:
            return
        has_end = pane.transcript is not None and not pane.is_loaded
        what = "The earlier turns of this session" if has_end else "This session"
        pane.unreadable = f"{what} cannot be read. {event.error.hint or event.error}"
        if pane is self._book.current:
            self.say(sentence(event.error), severity="error")
            self._redraw_all()

    def on_engine_ended(self, event: EngineEnded) -> None:
        """Leave with a sentence when the engine could not start; say so, and stay, when it died later."""
        if event.error is None:
            return
        _log.error("the engine ended", exc_info=event.error)
        if self._book.current is None:
            self._leave_unstarted(event.error)
            return
        self._main.trouble = "The engine stopped by an error of its own. What came is saved; quit and start again."
        self._redraw_status()

    def _leave_unstarted(self, error: BaseException) -> None:
        """End a program whose engine never came up: what happened, what to do, and where more is written."""
        code = error.exit_code if isinstance(error, ChatForgeError) else CRASH_CODE
        own = f"ChatForge could not start by an error of its own ({type(error).__name__})."
        words = sentence(error) if isinstance(error, ChatForgeError) else own
        if code == CRASH_CODE:
            words += f" The log is in {self._log_dir}."
        self.exit(return_code=code, message=Text(clean(words)))


def _is_more_text(event: EngineEvent) -> bool:
    """Whether an event only goes on with what is there: the most frequent kind by far."""
    return isinstance(event, TurnChanged) and all(isinstance(change, TextAppended) for change in event.changes)


def _is_in_transcript(event: EngineEvent) -> bool:
    """Whether an event changes nothing that a tab shows."""
    return isinstance(event, TurnChanged) and not any(isinstance(change, HeadChanged) for change in event.changes)
