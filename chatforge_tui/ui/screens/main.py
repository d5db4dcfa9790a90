"""The main screen: lays out the one tab strip, transcript, plan dock, composer, status and hints, and draws panes in them.

Owns where the focus is; where the plan stands is in plan_place, what stands above the prompt in above_prompt. It decides nothing
about sessions: what the user does becomes a message or an action of the app, and what changed comes as a call of `show_pane` or
`redraw`.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from chatforge_tui.config.key_names import is_typed
from chatforge_tui.config.keymap import Keymap, Scope
from chatforge_tui.config.settings import UiSettings
from chatforge_tui.domain.search import SearchHit
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.safety.clean import clean_line
from chatforge_tui.ui.frame_screen import FrameScreen
from chatforge_tui.ui.hints import HintWriter
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.panes import PaneBook
from chatforge_tui.ui.screens.above_prompt import AbovePrompt
from chatforge_tui.ui.screens.plan_place import PlanPlace
from chatforge_tui.ui.turn_facts import agent_name, session_title
from chatforge_tui.ui.widgets.composer import Composer
from chatforge_tui.ui.widgets.empty_state import Lesson
from chatforge_tui.ui.widgets.hairline import Hairline
from chatforge_tui.ui.widgets.key_hints import KeyHints
from chatforge_tui.ui.widgets.plan_dock import PlanDock
from chatforge_tui.ui.widgets.status_line import StatusLine
from chatforge_tui.ui.widgets.tab_strip import Tab, TabKind, TabStrip
from chatforge_tui.ui.widgets.transcript_page import TranscriptPage

if TYPE_CHECKING:
    from chatforge_tui.ui.transcript.links import FoundLink
    from chatforge_tui.ui.transcript.place import Shift
    from chatforge_tui.ui.transcript.view import TranscriptView
    from chatforge_tui.ui.widgets.completion_list import CompletionList
    from chatforge_tui.ui.widgets.form_panel import FormPanel

SMALLEST = (40, 10)
"""Columns and rows below which there is only a sentence."""
MOST_PROMPT_LINES = 8
"""Lines to which the composer grows; less where that would leave the transcript less than half of the room."""
_OTHER_LINES = 5
"""Lines of tabs, hairlines, status and hints."""

_PAGES = {"view.page_down": 1, "view.page_up": -1}

_KINDS: dict[TurnState, TabKind] = {
    TurnState.WAITING: "waiting",
    TurnState.FAILED: "failed",
    TurnState.INTERRUPTED: "interrupted",
    TurnState.UNSENT: "interrupted",
}


class MainScreen(FrameScreen):
    """Draws the pane in front."""

    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = "#composer"

    class Ready(Message):
        """Everything is laid out: panes can be drawn."""

    def __init__(
        self,
        book: PaneBook,
        *,
        keymap: Keymap,
        settings: UiSettings,
        marks: MarkSet,
        now: Callable[[], float],
        lesson: Callable[[EndpointRef], Lesson],
        unverified: Collection[str] = frozenset(),
        goes_alone: bool = False,
    ) -> None:
        """Draw from a book.

        Args:
            book: all panes; only read.
            keymap: the keys in force.
            settings: how it shall look.
            marks: how states are drawn.
            now: returns Unix seconds.
            lesson: what a new session on an endpoint teaches.
            unverified: names of the endpoints whose certificate is not checked.
            goes_alone: a prompt that waits for its endpoint goes by itself when that answers.
        """
        super().__init__()
        self._book, self._keymap, self._settings, self._marks = book, keymap, settings, marks
        self._way_out: dict[str, str] = {}
        """What Esc does."""
        self._bind_actions()
        self._now = now
        self._lesson = lesson
        self._unverified = unverified
        self._writer = HintWriter(
            keymap,
            marks,
            is_still=settings.reduced_motion,
            queues=settings.enter == "queue",
            goes_alone=goes_alone,
            unverified=unverified,
        )
        self._plan = PlanPlace(self, setting=settings.plan_dock)
        self._above = AbovePrompt(self, marks, self._writer)
        self._example = -1
        self._hit: SearchHit | None = None
        """Where to go when the turns of its session are shown."""
        self.trouble = ""
        """A sentence about the program itself that stays on screen; "" when all is well."""
        self.salvaged: int | None = None
        """Rows that the repair of a damaged store has read before there is a session; None when none was needed."""
        self._focus_kept: Widget | None = None
        """Where the cursor was when the window became too small for it: hiding a widget takes it from there."""
        self.undo_hint = False
        self.new_lines = 0
        """Lines that arrived below what the reader sees."""

    def _bind_actions(self) -> None:
        """Bind the keys of every action that is not the composer's own or the board's.

        They go before what a focused widget would do with them, except those that type text, and Esc, which an open
        list closes itself with; the composer, which knows its lists, runs that itself.
        """
        for action in self._keymap.actions:
            if action.scope is Scope.BOARD or action.id in {"prompt.send", "prompt.newline"}:
                continue
            for key in action.keys:
                command = f"app.do('{action.id}')"
                is_first = not is_typed(key) and key != "escape" and action.scope is Scope.APP
                self._bindings.bind(key, command, action.label, show=False, priority=is_first)
                if key == "escape":
                    self._way_out[key] = command

    def compose(self) -> ComposeResult:
        """Lay everything out once."""
        yield TabStrip(self._marks, id="tabs")
        with Vertical(id="stage"), Horizontal(id="body"):  # a form stands below the body, and both above the prompt
            yield TranscriptPage(self._marks, keymap=self._keymap, id="page")
            yield PlanDock(self._marks, now=self._now, id="plan")
        yield Hairline(self._marks, id="rule")
        with Horizontal(id="prompt"):
            yield Static(f" {self._marks.prompt} ", id="prompt-mark", markup=False)
            yield Composer(
                send_keys=self._keymap.action("prompt.send").keys,
                newline_keys=self._keymap.action("prompt.newline").keys,
                way_out=self._way_out,
                id="composer",
            )
        yield StatusLine(self._marks.dot, id="status")
        yield KeyHints(self._marks.dot, id="hints")
        yield Static(
            Content("This window is too small: ChatForge needs 40 columns and 10 rows."), id="too-small", markup=False
        )

    def on_mount(self) -> None:
        """Draw what is there, and say that the engine's sessions can come."""
        self.redraw()
        self.post_message(self.Ready())

    @property
    def composer(self) -> Composer:
        """Where prompts are written."""
        return self.query_one("#composer", Composer)

    @property
    def page(self) -> TranscriptPage:
        """Where turns are shown, or a new session teaches."""
        return self.query_one("#page", TranscriptPage)

    @property
    def transcript(self) -> "TranscriptView":
        """What draws the turns."""
        return self.page.view

    @property
    def form(self) -> "FormPanel | None":
        """The form of the session in front, while it has one."""
        return self._above.form

    @property
    def offered(self) -> "CompletionList | None":
        """What could complete the path that is being written."""
        return self._above.offered

    def offer(self, paths: Sequence[str]) -> None:
        """Offer paths for what is being written; () for none."""
        self._above.offer(paths)

    def show_pane(self, pane: Pane | None) -> None:
        """Swap to another pane's transcript and draft; `redraw` follows."""
        self._example = -1
        self.new_lines = 0
        self.show_transcript(pane)
        composer = self.composer
        with composer.prevent(Composer.Changed):
            composer.show_draft(pane.draft if pane else "")
        composer.earlier.load(pane.prompts if pane else ())

    def show_transcript(self, pane: Pane | None) -> None:
        """Show the transcript that has been loaded for a pane, or the page of an empty session."""
        is_empty = pane is None or pane.is_empty
        self.page.show(None if pane is None else pane.transcript, is_empty=is_empty)
        if pane is not None and is_empty:
            self._teach(pane)
        elif pane is None and self.trouble:
            self.page.empty.tell(clean_line(self.trouble))

    def redraw(self) -> None:
        """Draw everything as the book says; cheap where nothing has changed."""
        pane, panes = self._book.current, self._book.open
        here = panes.index(pane) if pane in panes else None
        self.query_one("#tabs", TabStrip).show(len(panes), here, lambda index: self._tab(panes[index]))
        self.redraw_pane()

    def redraw_pane(self) -> None:
        """Draw plan, form, status and hints of the pane in front: once a batch, whatever the number of tabs."""
        pane = self._book.current
        if pane is not None and not self.page.shows(pane.transcript, is_empty=pane.is_empty):
            self.show_transcript(pane)
        self._plan.place(pane, self.size.width)
        self._above.place_form(pane)
        self._above.place_files(pane)
        self.redraw_status()

    def redraw_status(self) -> None:
        """Draw what changes by itself while something runs: times, rate, usage."""
        pane = self._book.current
        is_in_form = self.form is not None and not self.composer.has_focus
        trouble = self.trouble or (pane.unreadable if pane is not None else "")
        status = self._writer.status(
            pane,
            now=self._now(),
            trouble=trouble,
            new_lines=self.new_lines,
            salvaged=self.salvaged,
            in_form=is_in_form,
            is_reading=self.is_reading,
        )
        self.query_one("#status", StatusLine).show(status)
        if self.is_reading:
            hints = self._writer.reading_hints()
        else:
            hints = self._writer.hints(
                is_live=pane is not None and pane.is_live,
                has_undo=self.undo_hint,
                has_plan=bool(pane and pane.plans.current),
                has_turns=bool(pane and not pane.is_empty),
            )
        self.query_one("#hints", KeyHints).show(hints, self._writer.facts(pane))
        self.composer.placeholder = Content(
            self._writer.placeholder(pane, trouble=trouble)
        )  # a str would be read as markup

    def show_turns(self, pane: Pane) -> None:
        """Show what has just been loaded of the pane in front."""
        if not self.page.shows(pane.transcript, is_empty=pane.is_empty):
            self.show_transcript(pane)
        else:
            self.page.refresh_model()
        self.composer.earlier.load(pane.prompts)
        self._show_hit(pane)

    def show_earlier_turns(self, pane: Pane, shift: "Shift") -> None:
        """The pane in front has got turns above those that are seen."""
        self.page.take_earlier(pane.transcript, shift)
        self._show_hit(pane)

    def _show_hit(self, pane: Pane) -> None:
        """Go to where a search over all sessions found words, once all turns are there."""
        if self._hit is not None and pane.is_loaded:
            hit, self._hit = self._hit, None
            if hit.session_id == pane.session_id:
                self.page.show_hit(hit)

    def show_hit_when_loaded(self, hit: SearchHit) -> None:
        """Go to where words were found, once the turns of that session are shown next."""
        self._hit = hit

    def refresh_turns(self) -> None:
        """The pane in front has more to show: once a batch."""
        pane = self._book.current
        if pane is not None:
            self.page.refresh_model()
            self.composer.earlier.follow(pane.prompts)

    def tick(self) -> None:
        """Let the numbers of what runs go on."""
        self.redraw_status()
        self._plan.tick()

    def next_example(self) -> bool:
        """Put the next example into the prompt of an empty session; False where there is none to put."""
        pane = self._book.current
        if pane is None or not pane.is_empty:
            return False
        examples = self._lesson(pane.head.endpoint).examples
        shown = examples[self._example] if self._example >= 0 else ""
        if not examples or self.composer.text not in {"", shown}:
            return False
        self._example = (self._example + 1) % len(examples)
        self.composer.write(examples[self._example])
        return True

    def do(self, action_id: str) -> None:
        """Do an action of the key table that belongs to one of the widgets here."""
        own = {
            "prompt.send": self.composer.submit,
            "prompt.newline": self.composer.begin_line,
            "prompt.queue": self.composer.queue,
            "view.plan": self.toggle_plan,
            "view.read": self.toggle_reading,
        }.get(action_id)
        if own is not None:
            own()
        elif self.page.empty.display and action_id in _PAGES:
            self.page.empty.turn_pages(_PAGES[action_id])
        else:
            self.transcript.do(action_id)

    def toggle_reading(self) -> None:
        """Put the cursor into the transcript, or back into the composer."""
        if self.is_reading:
            self.set_focus(self.composer)
        elif not self.page.empty.display and self.page.display:
            self.set_focus(self.transcript)  # at once: the next key may be there already

    @property
    def is_reading(self) -> bool:
        """Whether the cursor is in the transcript."""
        return self.page.has_reader

    def leave_reading(self) -> bool:
        """Esc in the transcript: select nothing any more, or go back to the composer; False when the cursor is not there."""
        if not self.is_reading:
            return False
        if not self.transcript.stop_picking():
            self.set_focus(self.composer)
        return True

    def stop_selecting(self) -> None:
        """Select nothing any more."""
        if self.is_reading:
            self.transcript.stop_picking()
        self.clear_selection()

    def links_in_view(self) -> "list[FoundLink]":
        """Return the links that the reader has before them."""
        return [] if self.page.empty.display else self.transcript.links_in_view()

    def toggle_plan(self) -> None:
        """Show the plan if it is hidden, hide it if it is shown."""
        self._plan.toggle(self.size.width)
        self._plan.place(self._book.current, self.size.width)
        if self.focused is not None and not self.focused.display:
            self.composer.focus()

    def go_back(self) -> bool:
        """Return to the composer; False when the cursor is there already."""
        if self.composer.has_focus:
            return False
        self.composer.focus()
        return True

    def on_transcript_page_search_left(self) -> None:
        """The search is over."""
        self.composer.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Place the plan for the new size; below the smallest one there is a sentence."""
        width, height = event.size
        is_too_small, was_too_small = width < SMALLEST[0] or height < SMALLEST[1], self.has_class("-too-small")
        if is_too_small and not was_too_small:
            self._focus_kept = self.focused
        self.set_class(is_too_small, "-too-small")
        if was_too_small and not is_too_small:
            kept = self._focus_kept or self.composer
            self.call_after_refresh(
                lambda: self.set_focus(kept if kept.is_attached and kept.display else self.composer)
            )
        self.composer.styles.max_height = max(1, min(MOST_PROMPT_LINES, (height - _OTHER_LINES) // 2))
        self._plan.place(self._book.current, self.size.width)

    def _tab(self, pane: Pane) -> Tab:
        state = pane.state
        if pane.turn is not None and pane.turn.is_reconnecting:
            state = TurnState.INTERRUPTED
        kind: TabKind = "running" if state and state.is_live else _KINDS.get(state, "idle") if state else "idle"
        unread = pane.unread_count if pane is not self._book.current else 0
        is_unverified = pane.head.endpoint.name in self._unverified
        mark, is_held = self._marks.of_turn(state), bool(pane.head.held_by)
        return Tab(
            pane.session_id, mark, kind, session_title(pane), unread, is_unverified=is_unverified, is_held=is_held
        )

    def _teach(self, pane: Pane) -> None:
        keys = [(self._writer.key(action), words) for action, words in _FIRST_KEYS if self._writer.key(action)]
        self.page.empty.teach(agent_name(pane), self._lesson(pane.head.endpoint), keys)


_FIRST_KEYS = (
    ("prompt.send", "send; the answer streams here while other tabs go on"),
    ("session.new", "another session, at once"),
    ("session.new_on", "another session on another agent or model"),
    ("app.palette", "everything else, by name"),
    ("app.help", "all keys"),
)
