"""The program as a desk: its life from the first frame to the terminal as it was, and what its actions need of it.

Owns the engine's thread, the panes, the keys that come too early, the signals. What it is to its terminal is in terminal_app, what
the engine tells arrives in engine_desk, what the widgets tell in app. What the user can do is in session_actions and turn_actions.
"""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from chatforge_tui.config.card_hosts import CardHosts
from chatforge_tui.config.key_names import shown
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.config.locations import Locations
from chatforge_tui.config.settings import Settings
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.action_table import ActionTable
from chatforge_tui.ui.attach_actions import AttachActions
from chatforge_tui.ui.bridge import EngineThread
from chatforge_tui.ui.desk import Answer, FollowsSessions
from chatforge_tui.ui.draft_keeper import DraftKeeper
from chatforge_tui.ui.early_keys import EarlyKeys, Stage
from chatforge_tui.ui.end_signals import EndSignals
from chatforge_tui.ui.exchange_actions import ExchangeActions
from chatforge_tui.ui.file_actions import FileActions
from chatforge_tui.ui.folder_memory import FolderMemory
from chatforge_tui.ui.marks import ASCII_MARKS, UNICODE_MARKS
from chatforge_tui.ui.offers import Offer
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.panes import PaneBook
from chatforge_tui.ui.program_actions import ProgramActions
from chatforge_tui.ui.screens.main import MainScreen
from chatforge_tui.ui.session_actions import SessionActions
from chatforge_tui.ui.terminal_app import TerminalApp
from chatforge_tui.ui.terminal_driver import TerminalDriver
from chatforge_tui.ui.terminal_watch import TerminalWatch
from chatforge_tui.ui.turn_actions import TurnActions
from chatforge_tui.ui.turn_facts import session_title
from chatforge_tui.ui.widgets.empty_state import Lesson

if TYPE_CHECKING:  # each of them costs a start more than 10 ms
    from chatforge_tui.sessions.manager import SessionManager
    from chatforge_tui.ui.screens.dialog import Dialog

_log = logging.getLogger("chatforge.ui")

TICK_S = 0.2
"""Seconds between two pictures of the spinner while the session in front runs."""
ENGINE_STOP_S = 4.0
"""Seconds that the engine may take to end its streams and to close the store; its own limits are shorter."""
CRASH_CODE = 70
"""What the program exits with after an error of its own."""
DEFAULT_LESSON = Lesson(
    (
        "What can you do for me?",
        "Make a plan first, then carry it out step by step.",
        "Ask me what you need to know before you start.",
    )
)
"""Three prompts that any agent can answer."""


class DeskApp(TerminalApp, inherit_bindings=False):
    """The terminal program, but for what its widgets and its engine tell it."""

    TITLE = "ChatForge"
    CSS_PATH = "screens/main.tcss"  # here, for Textual does not load the styles of a default screen
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    expects_turns = False
    """Whether there may be a transcript to show first: what draws it is loaded while the store is opened."""

    def __init__(
        self,
        *,
        start_engine: "Callable[[], SessionManager]",
        settings: Settings,
        keymap: Keymap,
        locations: Locations,
        default_endpoint: EndpointRef,
        offers: Callable[[], Sequence[Offer]] = tuple,
        notices: Sequence[str] = (),
        lesson: Callable[[EndpointRef], Lesson] = lambda _: DEFAULT_LESSON,
    ) -> None:
        """Prepare; nothing starts before the first frame.

        Args:
            start_engine: makes the session manager; called in the engine's thread.
            settings: the configuration.
            keymap: the keys in force.
            locations: where the theme chosen last is remembered, and where the log is.
            default_endpoint: where a session goes when there is none to go by.
            offers: finds endpoints beyond the configured ones; called in a thread, when the dialog is opened.
            notices: sentences to tell at the start.
            lesson: what a new session on an endpoint teaches.
        """
        super().__init__(settings, locations, notices)
        self.keymap = keymap
        self.marks = ASCII_MARKS if settings.ui.ascii else UNICODE_MARKS
        self.monotonic = time.monotonic
        self._default_endpoint = default_endpoint
        self.find_offers = offers
        self._lesson = lesson
        self.card_hosts = CardHosts(locations.state_dir)
        self._log_dir = locations.log_dir
        self._book = PaneBook()
        self._engine = EngineThread(
            start_engine, deliver=self.post_message, may_paint=lambda: self._terminal.takes_output
        )
        self.examine: Callable[[int], str] = lambda _: ""
        """Returns the doctor's report in lines of so many columns; called in a thread."""
        self.terminal_modes: list[Any] | None = None
        """What the terminal is given back with, as termios has it; None = as it was when the screen came."""
        self._early = EarlyKeys(keymap.action("prompt.send").keys)
        self._search_keys = frozenset(keymap.action("view.search").keys)
        self._watch: TerminalWatch | None = None
        self._signals = EndSignals(self._end_by_signal)
        self._drafts = DraftKeeper(self._book, self._engine, later=self._save_later)
        self._draft_timer: Timer | None = None
        self._tick_timer: Timer | None = None
        self._has_shown = False
        """Whether a session was in front yet: what the composer holds before is for the first one, later for its own."""
        undo_keys = keymap.action("session.undo").keys
        self._sessions = SessionActions(self, undo_key=shown(undo_keys[0]) if undo_keys else "")
        self._turns = TurnActions(self, queues=settings.ui.enter == "queue")
        folders = FolderMemory(locations.state_dir)
        self._files, self._attaching = FileActions(self, folders), AttachActions(self, settings.files)
        self._program = ProgramActions(
            self,
            self._sessions,
            self._turns,
            stop_fetches=self._files.stop,
            aborts_twice=settings.ui.abort == "double",
        )
        self._exchange = ExchangeActions(self, folders)
        self._actions = ActionTable(
            self, self._sessions, self._turns, self._program, self._files, self._attaching, self._exchange
        )

    @property
    def book(self) -> PaneBook:
        """All panes."""
        return self._book

    @property
    def engine(self) -> EngineThread:
        """Where commands go."""
        return self._engine

    @property
    def default_endpoint(self) -> EndpointRef:
        """Where a session goes when there is none to go by."""
        return self._default_endpoint

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever lies over it."""
        return self._main

    def get_default_screen(self) -> Screen[None]:
        """Make the main screen the first one: its frame is drawn before anything else is waited for."""
        self._main = MainScreen(
            self._book,
            keymap=self.keymap,
            settings=self.settings.ui,
            marks=self.marks,
            now=time.time,
            lesson=self._lesson,
            unverified=frozenset(name for name, one in self.settings.endpoints.items() if not one.verify),
            goes_alone=self.settings.outbox == "auto",
        )
        return self._main

    def on_mount(self) -> None:
        """Start what belongs to the terminal and the process."""
        self._terminal = TerminalDriver(self._driver)
        self._tick_timer = self.set_interval(
            TICK_S if not self.settings.ui.reduced_motion else 1, self._tick, pause=True
        )
        self._signals.catch()
        self._terminal.give_back(self.terminal_modes)
        self._terminal.guard_resume()
        descriptor = self._terminal.input_descriptor
        if descriptor is not None:
            self._watch = TerminalWatch(
                descriptor, partial(self.note_hang_up, asyncio.get_running_loop(), copy_context())
            )
            self._watch.start()
        for notice in self._notices:
            self.say(notice)

    async def on_unmount(self) -> None:
        """Save what is unsaved, end the engine, give the terminal its title back."""
        if self._watch is not None:
            self._watch.stop()
        self._drafts.save_place(self._book.current)
        self._drafts.save()
        if not await self._engine.stop(ENGINE_STOP_S):
            _log.error("the engine did not stop within %s s", ENGINE_STOP_S)
        self._signals.release()
        self._terminal.restore_title()

    def _end_by_signal(self, number: int) -> None:
        if self._terminal.is_gone:
            self._terminal.abandon()
        self.exit(return_code=128 + number)

    def note_hang_up(self, loop: asyncio.AbstractEventLoop, context: Context) -> None:
        """Take from the watching thread that the terminal is gone.

        It must not wait for the loop: SIGHUP may have ended the program already, and then the loop waits for the thread.

        Args:
            loop: the program's.
            context: what its calls run in.
        """
        with suppress(RuntimeError):  # the loop is closed: the program has ended
            loop.call_soon_threadsafe(self._hang_up, context=context)

    def _hang_up(self) -> None:
        """The terminal is gone, and nobody sent a signal."""
        self._end_by_signal(signal.SIGHUP)

    def on_main_screen_ready(self) -> None:
        """Start the engine, now that the first frame is laid out and there is a place for what it says."""
        self._engine.start()
        if self.expects_turns:
            self.call_after_refresh(self._main.page.prepare)
        self._main.set_focus(self._main.composer)
        self._main.composer.take_paste = self._take_paste
        self._main.composer.take_key = self._attaching.take_key
        self.call_later(self._deliver_early, Stage.SCREEN)

    def _take_paste(self, text: str) -> bool:
        """Take a paste that is nothing but paths of files."""
        pane = self._book.current
        return pane is not None and self._attaching.take_paste(pane, text)

    async def on_event(self, event: events.Event) -> None:
        """Hold back what is typed before there is something to take it."""
        if self._early.holds(event):
            return
        is_search = isinstance(event, events.Key) and event.key in self._search_keys and not event.is_forwarded
        if is_search and self.is_at_rest and self._main.is_reading:
            self.do("view.search")  # before the transcript is handed the next keys, which are words to look for
        else:
            await super().on_event(event)

    async def _deliver_early(self, stage: Stage) -> None:
        """Hand on what was typed before its time."""
        for event in self._early.release(stage):
            await self.on_event(event)

    def hold_keys(self) -> None:
        """Keep what is typed from here on for what is being opened: a session, the line that searches."""
        self._early.open()

    def release_keys(self) -> None:
        """Hand on what was kept: it is open, or could not be opened."""
        self._early.opened()
        self.call_later(self._deliver_early, Stage.NOTHING)

    @property
    def is_at_rest(self) -> bool:
        """Whether no dialog lies over the main screen."""
        return self.screen is self._main

    def do(self, action_id: str) -> None:
        """Do an action of the key table, on the pane in front."""
        self.do_to(action_id, self._book.current)

    def action_do(self, action_id: str) -> None:
        """Do an action of the key table: what every key is bound to."""
        self.do(action_id)

    def do_to(self, action_id: str, pane: Pane | None) -> None:
        """Do an action of the key table, on this pane."""
        self._actions.do(action_id, pane)

    def bring_to_front(self, session_id: SessionId) -> None:
        """Show a session's pane and tell the engine."""
        old = self._book.current
        if self._book.bring_to_front(session_id) is not None and self.is_running:
            self._show_front(old)

    def redraw(self) -> None:
        """Draw tabs, status and hints again."""
        if self.is_running:
            self._redraw_all()

    def ask(self, dialog: "Dialog[Answer]", then: Callable[[Answer], None]) -> None:
        """Show a dialog and hand its answer on; nothing happens when it is left with Esc."""

        def take(answer: Answer | None) -> None:
            if answer is not None:
                then(answer)

        self.clear_notifications()  # what was said before would hide what is asked now
        self.push_screen(dialog, take)

    def attach_again(self, pane: Pane, text: str) -> None:
        """Have the files of an earlier prompt with this text go along once more."""
        self._attaching.again(pane, text)

    def push(self, screen: Screen[None]) -> None:
        """Show a screen that gives no answer."""
        self.push_screen(screen)

    def restore_draft(self, pane: Pane, text: str) -> None:
        """Put a text that was not accepted back into the composer of its pane, before what was written meanwhile."""
        if text:
            self._attaching.forget_mentions(pane)
            draft = f"{text}\n{pane.draft}" if pane.draft else text
            self._drafts.take(pane, draft)
            if pane is self._book.current:
                self._main.composer.show_draft(draft)

    def leave(self) -> None:
        """End the program; on_unmount saves and stops everything."""
        self.exit()

    def _save_later(self, seconds: float, save: Callable[[], None]) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
        self._draft_timer = self.set_timer(seconds, save)

    def _show_front(self, old: Pane | None) -> None:
        """Swap the screen from one pane to the one that is in front now."""
        pane = self._book.current
        if old is not pane:
            self._drafts.save_place(old)
            self._drafts.save()
        if pane is not None:
            if not self._has_shown and self._main.composer.text:  # typed while the engine was starting
                self._drafts.take(pane, f"{pane.draft}{self._main.composer.text}")
            self._has_shown = True
            session_id = pane.session_id
            self._book.put(replace(pane.head, unread=False))
            self._engine.post(lambda manager: manager.activate(session_id))
            self._engine.show(session_id, is_loaded=pane.has_all, in_steps=pane.transcript is None)
        self._main.show_pane(pane)
        self._redraw_all()
        if pane is not None and not old:
            self.call_later(self._deliver_early, Stage.SESSION)

    def _redraw_all(self) -> None:
        pane = self._book.current
        self._main.undo_hint = self._book.can_undo
        self._main.redraw()
        self._terminal.show_title(session_title(pane) if pane is not None else "")
        if isinstance(self.screen, FollowsSessions):
            self.screen.redraw()
        if self._tick_timer is not None:
            if pane is not None and pane.is_live:
                self._tick_timer.resume()
            else:
                self._tick_timer.pause()

    def _redraw_status(self) -> None:
        """Draw status and hints again; a screen that is going down has none any more."""
        if self.is_running:
            self._main.redraw_status()

    def _tick(self) -> None:
        """Let the numbers of the running answer go on; not while the terminal is still busy with the last ones."""
        if self.is_running and self._terminal.takes_output:
            self._main.tick()

    def _fatal_error(self) -> None:
        """Leave after an error of the program's own: a sentence on the screen, the whole story in the log."""
        _log.critical("ChatForge stops after an error of its own", exc_info=True)
        kind = type(sys.exception()).__name__
        self._return_code = CRASH_CODE
        self._exit_renderables.append(
            Text(
                f"ChatForge stopped after an error of its own ({kind}). Your sessions are saved. "
                f"The log is in {clean(str(self._log_dir))}."
            )
        )
        self._close_messages_no_wait()
