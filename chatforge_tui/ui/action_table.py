"""What each action of the key table does: the one place where ids meet functions.

tests/ui/test_key_table.py holds it against config.keymap: an action that is missing here fails the build.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from chatforge_tui.config.keymap import ACTIONS, Scope
from chatforge_tui.ui.attach_actions import AttachActions
from chatforge_tui.ui.exchange_actions import ExchangeActions
from chatforge_tui.ui.file_actions import FileActions
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.program import Program
from chatforge_tui.ui.program_actions import ProgramActions
from chatforge_tui.ui.session_actions import SessionActions
from chatforge_tui.ui.turn_actions import TurnActions

MAIN_SCREEN_ACTIONS = (
    "prompt.send",
    "prompt.newline",
    "prompt.queue",
    "view.plan",
    "view.fold",
    "view.follow",
    "view.page_up",
    "view.page_down",
    "view.turn_prev",
    "view.turn_next",
    "view.read",
    *(action.id for action in ACTIONS if action.scope is Scope.TRANSCRIPT),
)
"""What one of the main screen's widgets does."""


class Shell(Program, Protocol):
    """The app, as the table sees it."""

    def toggle_mouse(self) -> None:
        """Give the mouse to the terminal, or take it back."""
        ...

    def repaint(self) -> None:
        """Draw the whole screen anew."""
        ...

    def action_suspend_process(self) -> None:
        """Go back to the shell."""
        ...


class ActionTable:
    """Does actions by id."""

    def __init__(
        self,
        shell: Shell,
        sessions: SessionActions,
        turns: TurnActions,
        program: ProgramActions,
        files: FileActions,
        attach: AttachActions,
        exchange: ExchangeActions,
    ) -> None:
        """Do them with these."""
        self._plain = _plain_actions(shell, sessions, program) | {"session.import": exchange.take_in}
        self._on_pane = _pane_actions(sessions, turns, program, files) | {
            "session.export": exchange.export,
            "prompt.attach": attach.attach,
            "prompt.detach": attach.detach,
        }

    @property
    def ids(self) -> frozenset[str]:
        """Every action that can be done."""
        return frozenset(self._plain) | frozenset(self._on_pane)

    def do(self, action_id: str, pane: Pane | None) -> None:
        """Do an action; one on a session needs a pane, and does nothing while there is none."""
        plain = self._plain.get(action_id)
        if plain is not None:
            plain()
        elif pane is not None:
            self._on_pane[action_id](pane)


def _plain_actions(shell: Shell, sessions: SessionActions, program: ProgramActions) -> dict[str, Callable[[], None]]:
    """Return the actions that need no pane, or find theirs themselves."""
    table: dict[str, Callable[[], None]] = {
        "session.new": sessions.new,
        "session.new_on": program.show_endpoints,
        "session.next": partial(sessions.go_beside, 1),
        "session.prev": partial(sessions.go_beside, -1),
        "session.last": sessions.go_last,
        "session.next_attention": sessions.go_to_attention,
        "session.board": program.show_board,
        "session.search": program.show_search,
        "session.trash": program.show_trash,
        "session.undo": sessions.undo,
        "turn.abort_all": program.ask_abort_all,
        "turn.abort": program.step_back,
        "app.interrupt": program.interrupt,
        "view.links": program.show_links,
        "view.mouse": shell.toggle_mouse,
        "app.palette": program.show_palette,
        "app.help": program.show_help,
        "app.doctor": program.show_doctor,
        "app.redraw": shell.repaint,
        "app.theme": program.show_themes,
        "app.suspend": shell.action_suspend_process,
        "app.quit": program.quit,
    }
    for number in range(1, 10):
        table[f"session.goto.{number}"] = partial(sessions.go_to_number, number)
    for action_id in MAIN_SCREEN_ACTIONS:
        table[action_id] = lambda action_id=action_id: shell.main.do(action_id)
    table["view.search"] = partial(_search, shell)
    return table


def _search(shell: Shell) -> None:
    """Open the line that searches; what is typed meanwhile is for it."""
    shell.hold_keys()
    shell.main.page.open_search(shell.release_keys)


def _pane_actions(
    sessions: SessionActions,
    turns: TurnActions,
    program: ProgramActions,
    files: FileActions,
) -> dict[str, Callable[[Pane], None]]:
    """Return the actions on a session: the one in front, or the chosen one of the board."""
    return {
        "session.close": sessions.close,
        "session.delete": sessions.delete,
        "session.rename": program.ask_title,
        "session.take_over": sessions.take_over,
        "session.move_left": lambda pane: sessions.move(pane, -1),
        "session.move_right": lambda pane: sessions.move(pane, 1),
        "prompt.history": program.show_prompts,
        "turn.continue": turns.go_on,
        "turn.retry": turns.retry,
        "outbox.send": turns.outbox.send,
        "outbox.edit": turns.outbox.edit,
        "outbox.drop": turns.outbox.drop,
        "file.save": files.save,
        "endpoint.trust": program.ask_card_host,
    }
