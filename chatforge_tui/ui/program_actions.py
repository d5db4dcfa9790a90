"""What a user can do with the program itself: palette, help, themes, the board, copying, leaving. No engine work."""

from collections.abc import Callable
from typing import Protocol

from textual.screen import Screen

from chatforge_tui.config.key_names import shown
from chatforge_tui.config.keymap import Keymap, Scope
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.safety.clean import clean_line
from chatforge_tui.ui.desk import Desk
from chatforge_tui.ui.panes import Pane
from chatforge_tui.ui.screens.confirm import ConfirmScreen
from chatforge_tui.ui.screens.help import HelpScreen
from chatforge_tui.ui.screens.main import MainScreen
from chatforge_tui.ui.screens.picker import Choice, PickerScreen
from chatforge_tui.ui.turn_facts import session_title, state_word

AGAIN_S = 2.0
"""Seconds within which a second press counts: Esc Esc, Ctrl+C Ctrl+C."""


class Program(Desk, Protocol):
    """The app, as these actions see it."""

    @property
    def main(self) -> MainScreen:
        """The main screen."""
        ...

    @property
    def keymap(self) -> Keymap:
        """The keys in force."""
        ...

    @property
    def monotonic(self) -> Callable[[], float]:
        """A clock in seconds that never goes back."""
        ...

    def do(self, action_id: str) -> None:
        """Do an action of the key table."""
        ...

    def push(self, screen: Screen[None]) -> None:
        """Show a screen that gives no answer."""
        ...

    def copy_text(self, text: str, what: str) -> None:
        """Put text into the clipboard and say so."""
        ...

    def theme_names(self) -> tuple[str, str, list[str]]:
        """Return the theme in use, the default one, and all."""
        ...

    def use_theme(self, name: str) -> None:
        """Switch to a theme and remember it."""
        ...

    def leave(self) -> None:
        """End the program."""
        ...


class ProgramActions:
    """Acts on the program."""

    def __init__(self, program: Program, *, aborts_twice: bool) -> None:
        """Act on this program; `aborts_twice` = Esc stops an answer only when it is pressed twice."""
        self._program = program
        self._aborts_twice = aborts_twice
        self._pressed: dict[str, float] = {}
        """Action -> when it was last asked for, for those that need two presses."""

    def show_help(self) -> None:
        """Show all keys and commands."""
        self._program.push(HelpScreen(self._program.keymap))

    def show_palette(self) -> None:
        """Find an action or a session by name and do it, or go to it."""
        picker = PickerScreen(
            "Commands and sessions",
            [*self._action_choices(), *self._session_choices()],
            placeholder="What do you want to do?",
            nothing="Nothing is called “{}”: no command and no session.",
        )
        self._program.ask(picker, self._run_choice)

    def show_themes(self) -> None:
        """Choose a theme."""
        current, _, names = self._program.theme_names()
        picker = PickerScreen(
            "Theme",
            [Choice(name, name, "in use" if name == current else "") for name in names],
            placeholder="Search themes",
            nothing="No theme is called “{}”.",
            start=current,
        )
        self._program.ask(picker, self._program.use_theme)

    def show_prompts(self, pane: Pane) -> None:
        """Choose an earlier prompt of the session and write it into the composer."""
        prompts = list(dict.fromkeys(reversed(pane.prompts)))
        picker = PickerScreen(
            "Earlier prompts",
            [Choice(str(index), clean_line(prompt)) for index, prompt in enumerate(prompts)],
            placeholder="Search what you sent in this session",
            nothing="Nothing that you sent in this session contains “{}”.",
        )
        self._program.ask(picker, lambda index: self._program.main.composer.write(prompts[int(index)]))

    def step_back(self, abort: Callable[[Pane], None]) -> None:
        """Esc: stop what runs, else go back to the composer."""
        pane = self._program.book.current
        if pane is None or not pane.is_live:
            self._program.main.go_back()
        elif not self._aborts_twice or self._is_second_press("turn.abort"):
            abort(pane)
        else:
            self._program.say("Press Esc again to stop the answer.")

    def interrupt(self, abort: Callable[[Pane], None]) -> None:
        """Ctrl+C: copy the selection, else clear the prompt, else stop, else, twice, quit."""
        main, pane = self._program.main, self._program.book.current
        selected = main.composer.selected_text or main.get_selected_text()
        if selected:
            self._program.copy_text(selected, "selection")
            main.clear_selection()
        elif main.composer.text:
            main.composer.write("")
        elif pane is not None and pane.is_live:
            abort(pane)
        elif self._is_second_press("app.quit"):
            self.quit()
        else:
            self._program.say("Press Ctrl+C again to quit.")

    def ask_abort_all(self) -> None:
        """Stop every running answer, after asking."""
        running = len(self._program.book.live)
        if not running:
            self._program.say("Nothing is running.")
            return

        async def abort() -> None:
            await self._program.engine.call(lambda manager: manager.abort_all())

        dialog = ConfirmScreen(
            "Stop everything?",
            f"{_answers_are(running)} running, in all sessions. The text so far is kept.",
            yes="Stop all",
            no="Back",
        )
        self._program.ask(dialog, lambda answer: self._program.start(abort()) if answer else None)

    def quit(self) -> None:
        """Leave; ask first when answers are running."""
        running = len(self._program.book.live)
        if not running:
            self._program.leave()
            return
        dialog = ConfirmScreen(
            "Leave ChatForge?",
            f"{_answers_are(running)} still running. Leaving stops {'it' if running == 1 else 'them'}; the text so far is kept.",
            yes="Stop and leave",
            no="Stay",
        )
        self._program.ask(dialog, lambda answer: self._program.leave() if answer else None)

    def _is_second_press(self, action: str) -> bool:
        now = self._program.monotonic()
        is_second = now - self._pressed.get(action, -AGAIN_S) < AGAIN_S
        self._pressed[action] = 0.0 if is_second else now
        return is_second

    def _action_choices(self) -> list[Choice]:
        """Return every action but the keys of the session list, which mean something only there."""
        actions = [action for action in self._program.keymap.actions if action.scope is not Scope.BOARD]
        actions.sort(
            key=lambda action: action.id[-1].isdecimal()
        )  # the nine numbered ones are in nobody's way at the end
        return [
            Choice(
                f"do:{action.id}",
                action.description.rstrip("."),
                action.group,
                shown(action.keys[0]) if action.keys else "",
            )
            for action in actions
        ]

    def _session_choices(self) -> list[Choice]:
        panes = [*self._program.book.open, *self._program.book.closed]
        return [Choice(f"go:{pane.session_id}", f"Go to {session_title(pane)}", self._about(pane)) for pane in panes]

    @staticmethod
    def _about(pane: Pane) -> str:
        return "closed session" if not pane.head.is_open else state_word(pane.state)

    def _run_choice(self, value: str) -> None:
        kind, _, name = value.partition(":")
        if kind == "do":
            self._program.do(name)
        else:
            self._program.bring_to_front(SessionId(name))


def _answers_are(number: int) -> str:
    return "One answer is" if number == 1 else f"{number} answers are"
