"""Every dialog the program shows, made with its words. Imported when the first one is shown: it costs 20 ms."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatforge_tui.config.key_names import shown
from chatforge_tui.config.keymap import Action, Keymap, Scope
from chatforge_tui.safety.clean import clean_line
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.panes import PaneBook
from chatforge_tui.ui.screens.ask_text import AskTextScreen
from chatforge_tui.ui.screens.card_host import CardHostScreen
from chatforge_tui.ui.screens.confirm import ConfirmScreen, RunningQuestion
from chatforge_tui.ui.screens.doctor import DoctorScreen
from chatforge_tui.ui.screens.help import HelpScreen
from chatforge_tui.ui.screens.link import LinkQuestion
from chatforge_tui.ui.screens.new_session import NewSessionScreen
from chatforge_tui.ui.screens.notice import NoticeScreen
from chatforge_tui.ui.screens.picker import Choice, PickerScreen
from chatforge_tui.ui.screens.search import SearchScreen
from chatforge_tui.ui.screens.sessions_board import SessionsBoard
from chatforge_tui.ui.screens.trash import TrashScreen
from chatforge_tui.ui.turn_facts import session_title, state_word

if TYPE_CHECKING:
    from chatforge_tui.ui.transcript.links import FoundLink

__all__ = [
    "CardHostScreen",
    "DoctorScreen",
    "HelpScreen",
    "LinkQuestion",
    "NewSessionScreen",
    "SearchScreen",
    "SessionsBoard",
    "TrashScreen",
    "abort_all_question",
    "leave_question",
    "link_picker",
    "palette",
    "prompt_picker",
    "purge_question",
    "repair_notice",
    "theme_picker",
    "title_question",
]


def palette(keymap: Keymap, book: PaneBook) -> PickerScreen:
    """Return the list of everything that can be done ("do:ID") and every session ("go:ID")."""
    panes = [*book.open, *book.closed]
    return PickerScreen(
        "Commands and sessions",
        [*_action_choices(keymap), *(_session_choice(pane) for pane in panes)],
        placeholder="What do you want to do?",
        nothing="Nothing is called “{}”: no command and no session.",
    )


def theme_picker(current: str, names: Sequence[str]) -> PickerScreen:
    """Return the list of themes."""
    return PickerScreen(
        "Theme",
        [Choice(name, name, "in use" if name == current else "") for name in names],
        placeholder="Search themes",
        nothing="No theme is called “{}”.",
        start=current,
    )


def prompt_picker(prompts: Sequence[str]) -> PickerScreen:
    """Return the list of earlier prompts; gives an index into `prompts`."""
    return PickerScreen(
        "Earlier prompts",
        [Choice(str(index), clean_line(prompt)) for index, prompt in enumerate(prompts)],
        placeholder="Search what you sent in this session",
        nothing="Nothing that you sent in this session contains “{}”.",
    )


def link_picker(links: "Sequence[FoundLink]") -> PickerScreen:
    """Return the list of links, each with where it really leads; gives the address."""
    return PickerScreen(
        "Links in view",
        [Choice(link.url, link.label or link.url, link.url if link.label != link.url else "") for link in links],
        placeholder="Search words or addresses",
        nothing="No link in view contains “{}”.",
    )


def title_question(title: str) -> AskTextScreen:
    """Return the question for a session's new title."""
    return AskTextScreen("Rename the session", title)


def leave_question(count: Callable[[], int]) -> ConfirmScreen:
    """Return the question whether to leave while answers run; `count` returns how many do."""

    def words(running: int) -> tuple[str, str]:
        if not running:
            return "No answer is running any more. What came is saved.", "Leave"
        what = "it" if running == 1 else "them"
        return (
            f"{_answers_are(running)} still running. Leaving stops {what}; the text so far is kept.",
            "Stop and leave",
        )

    return RunningQuestion("Leave ChatForge?", count, words, no="Stay")


def abort_all_question(count: Callable[[], int]) -> ConfirmScreen:
    """Return the question whether to stop every answer; it goes when none runs any more. `count` returns how many do."""

    def words(running: int) -> tuple[str, str] | None:
        text = f"{_answers_are(running)} running, in all sessions. The text so far is kept."
        return (text, "Stop all") if running else None

    return RunningQuestion("Stop everything?", count, words, no="Back")


def purge_question(title: str) -> ConfirmScreen:
    """Return the question whether to delete a session (cleaned title) for good."""
    text = f"Every word of “{title}” goes, from the backups, too. This cannot be undone."
    return ConfirmScreen("Delete for good?", text, yes="Delete for good", no="Keep it")


def repair_notice(lines: Sequence[str], copy: Callable[[str, str], None]) -> NoticeScreen:
    """Return what is said after the repair of a damaged store: these sentences (cleaned)."""
    return NoticeScreen("The store was damaged and has been repaired", lines, copy)


def _answers_are(number: int) -> str:
    return "One answer is" if number == 1 else f"{number} answers are"


def _action_choices(keymap: Keymap) -> list[Choice]:
    """Return every action but those of the session list, whose keys mean something only there; numbered ones last."""
    actions = [action for action in keymap.actions if action.scope is not Scope.BOARD]
    return [_action_choice(action) for action in sorted(actions, key=lambda action: action.id[-1].isdecimal())]


def _action_choice(action: Action) -> Choice:
    key = shown(action.keys[0]) if action.keys else ""
    return Choice(f"do:{action.id}", action.description.rstrip("."), action.group, key, name=action.label)


def _session_choice(pane: Pane) -> Choice:
    about = state_word(pane.state) if pane.head.is_open else "closed session"
    return Choice(f"go:{pane.session_id}", f"Go to {session_title(pane)}", about)
