"""All sessions, open and closed, on one screen: jump, search, close, delete, rename, move, undo.

Owns the list and which key means what in it; what happens is done by the app through one function. The list follows
the engine: the app calls `redraw` when something changed.
"""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from chatforge_tui.config.keymap import Keymap, Scope
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.line_drawing import shorten
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.panes import PaneBook
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.turn_facts import session_title, state_word

_MARK_STYLES = {
    TurnState.WAITING: "$text-warning",
    TurnState.FAILED: "$text-error",
    TurnState.INTERRUPTED: "$text-warning",
    TurnState.UNSENT: "$text-warning",
}


class SessionsBoard(Dialog[SessionId]):
    """Gives the session to go to; Esc gives nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "act('session.new')", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "sessions_board.tcss"]

    def __init__(
        self, book: PaneBook, *, keymap: Keymap, marks: MarkSet, act: Callable[[str, SessionId], None]
    ) -> None:
        """Show every pane of the book.

        Args:
            book: all panes; only read.
            keymap: its BOARD scope is bound here.
            marks: how states are drawn.
            act: does an action ("session.close", ...) to a session.
        """
        super().__init__()
        self._book, self._marks, self._do = book, marks, act
        self._rows: list[Pane | None] = []
        """What each line stands for; None for a heading."""
        for action in keymap.in_scope(Scope.BOARD):
            for key in action.keys:
                # Before anything else: of keys in one burst the letters behind "/" are looked for. What acts on the session
                # under the cursor has to wait until the keys before it have moved that.
                is_first = action.id == "board.search"
                self._bindings.bind(key, f"board('{action.id}')", show=False, priority=is_first)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="dialog--box"):
            yield self.title_line("Sessions")
            yield OptionList(compact=True, markup=False)
            yield self.hint_line(
                "Enter open, 1-9 tab, / search, d delete, x close, r rename, u undo, t trash, < > move, Esc back"
            )

    def on_mount(self) -> None:
        """Show the list, on the session that needs its user first."""
        wanted = self._book.needing_attention() or self._book.current
        self.call_after_refresh(self.redraw, wanted.session_id if wanted else None)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the lines to the new width."""
        del event
        self.call_after_refresh(self.redraw)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to the session."""
        pane = self._rows[event.option_index]
        if pane is not None:
            self.dismiss(pane.session_id)

    @property
    def chosen(self) -> Pane | None:
        """The pane of the highlighted line."""
        place = self.query_one(OptionList).highlighted
        return self._rows[place] if place is not None and place < len(self._rows) else None

    def redraw(self, wanted: SessionId | None = None) -> None:
        """Draw everything anew; the highlight stays on its session, or goes to `wanted`, or to the same place."""
        listing = self.query_one(OptionList)
        chosen, place = self.chosen, listing.highlighted or 0
        wanted = wanted or (chosen.session_id if chosen else None)
        room = max(listing.scrollable_content_region.width - 3, 30)
        self._rows = []
        options: list[Option] = []
        self._add_group(options, "", self._book.open, room)
        self._add_group(options, "Closed", self._book.closed, room)
        listing.clear_options().add_options(options)
        here = next((row for row, pane in enumerate(self._rows) if pane and pane.session_id == wanted), None)
        listing.highlighted = here if here is not None else min(place, len(options) - 1) if options else None

    def _add_group(self, options: list[Option], heading: str, panes: list[Pane], room: int) -> None:
        if heading and panes:
            self._rows += [None, None]
            options += [Option("", disabled=True), Option(Content.styled(heading, "bold"), disabled=True)]
        for number, pane in enumerate(panes, 1):
            self._rows.append(pane)
            digit = str(number) if not heading and number <= 9 else " "
            options.append(Option(self._line(digit, pane, room)))

    def _line(self, digit: str, pane: Pane, room: int) -> Content:
        state = pane.state
        mark = Content.styled(
            self._marks.of_turn(state),
            _MARK_STYLES.get(state, "$text-muted")
            if state and not pane.is_live
            else "$primary"
            if pane.is_live
            else "$text-muted",
        )
        title = session_title(pane) + (f" {pane.unread_count}" if pane.unread_count else "")
        when = f"{datetime.fromtimestamp(pane.head.updated).astimezone():%d %b %H:%M}" if pane.head.updated else ""
        facts = f"{state_word(state):>13}  {shorten(clean_name(pane.head.endpoint.name), 18):<18}  {when:>12}"
        facts = facts if room >= 76 else f"{state_word(state):>13}"
        held = f"{self._marks.held} " if pane.head.held_by else ""
        space = room - 4 - len(held) - len(facts) - 2
        shown = shorten(title, space)
        gap = " " * (space - cell_len(shown) + 2)
        style = "bold" if pane.unread_count else ""
        return Content.assemble(
            Content.styled(f"{digit} ", "$text-muted"),
            mark,
            " ",
            Content.styled(held, "$text-warning"),
            Content.styled(shown, style),
            gap,
            Content.styled(facts, "$text-muted"),
        )

    def action_board(self, action_id: str) -> None:
        """Do what a key of the board means."""
        _, _, name = action_id.partition(".")
        chosen = self.chosen
        if name.startswith("goto."):
            self._goto(int(name.removeprefix("goto.")))
        elif name == "last":
            last = self._book.last_shown
            self.dismiss(last.session_id if last else None)
        elif name in {"search", "trash"}:
            self.action_act(f"session.{name}")
        elif name == "open":
            self.dismiss(chosen.session_id if chosen else None)
        elif chosen is not None:
            self._do(f"session.{name}", chosen.session_id)

    def action_act(self, action_id: str) -> None:
        """Leave the board and do an action of the app."""
        current = self._book.current
        self.dismiss(None)
        if current is not None:
            self._do(action_id, current.session_id)

    def _goto(self, number: int) -> None:
        panes = self._book.open
        if number <= len(panes):
            self.dismiss(panes[number - 1].session_id)
