"""What a user can do with the program itself: palette, help, themes, the board, copying, leaving. No engine work.

Dialogs are imported where they are shown: together they cost 20 ms, which a start need not pay.
"""

import asyncio
from collections.abc import Callable
from types import ModuleType

from chatforge_tui.config.card_hosts import Permission
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.repair import RepairReport
from chatforge_tui.domain.search import SearchHit
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.errors import OtherHost
from chatforge_tui.safety.clean import clean, clean_name
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.program import Program
from chatforge_tui.ui.session_actions import SessionActions
from chatforge_tui.ui.turn_actions import TurnActions

MOST_HITS = 100
"""Most hits of a search over all sessions; more words narrow it down."""
LOOK_S = 0.5
"""Seconds between two looks whether the user has time for a notice that nobody asked for."""
AGAIN_S = 2.0
"""Seconds within which a second press counts: Esc Esc, Ctrl+C Ctrl+C."""


class ProgramActions:
    """Acts on the program."""

    def __init__(
        self,
        program: Program,
        sessions: SessionActions,
        turns: TurnActions,
        *,
        stop_fetches: Callable[[Pane], bool],
        aborts_twice: bool,
    ) -> None:
        """Act on this program.

        Args:
            program: what to act on.
            sessions: what can be done with sessions.
            turns: what can be done with turns.
            stop_fetches: ends the fetches of a session's files; returns whether one ran.
            aborts_twice: Esc stops an answer only when it is pressed twice.
        """
        self._program, self._sessions, self._turns = program, sessions, turns
        self._stop_fetches = stop_fetches
        self._aborts_twice = aborts_twice
        self._pressed: dict[str, float] = {}
        """Action -> when it was last asked for, for those that need two presses."""

    def tell_of_repair(self, report: RepairReport) -> None:
        """Say what came back of a damaged store; as soon as nobody is typing or being asked something else."""
        program, lines = self._program, [clean(line) for line in report.in_words()]

        async def tell() -> None:
            program.main.trouble = program.main.trouble or f"The store was damaged. {lines[0]}"
            program.redraw()
            await asyncio.sleep(LOOK_S)
            while not program.is_at_rest or program.main.composer.text:  # noqa: ASYNC110 - a rare wait, of a user
                await asyncio.sleep(LOOK_S)
            program.ask(_dialogs().repair_notice(lines, program.copy_text), lambda _: done())

        def done() -> None:
            if program.main.trouble.startswith("The store was damaged."):
                program.main.trouble = ""
                program.redraw()

        program.start(tell())

    def show_help(self) -> None:
        """Show all keys and commands."""
        self._program.push(_dialogs().HelpScreen(self._program.keymap))

    def show_doctor(self) -> None:
        """Look for what does not work, and show it."""
        self._program.push(_dialogs().DoctorScreen(self._program.examine, self._program.copy_text))

    def show_palette(self) -> None:
        """Find an action or a session by name and do it, or go to it."""
        self._program.ask(_dialogs().palette(self._program.keymap, self._program.book), self._run_choice)

    def show_themes(self) -> None:
        """Choose a theme."""
        self._program.ask(_dialogs().theme_picker(*self._program.theme_names()), self._program.use_theme)

    def show_prompts(self, pane: Pane) -> None:
        """Choose an earlier prompt of the session and write it into the composer."""
        prompts = list(dict.fromkeys(reversed(pane.prompts)))

        def take(index: str) -> None:
            text = prompts[int(index)]
            self._program.main.composer.write(text)
            self._program.attach_again(pane, text)

        self._program.ask(_dialogs().prompt_picker(prompts), take)

    def show_endpoints(self) -> None:
        """Choose where a new session goes."""
        current = self._program.book.current
        first = current.head.endpoint if current is not None else self._program.default_endpoint
        dialog = _dialogs().NewSessionScreen(
            self._program.settings.endpoints, first=first, find_offers=self._program.find_offers
        )
        self._program.ask(dialog, self._sessions.open_on)

    def show_board(self) -> None:
        """Show all sessions."""
        program = self._program

        def act(action_id: str, session_id: SessionId) -> None:
            program.do_to(action_id, program.book.get(session_id))

        board = _dialogs().SessionsBoard(program.book, keymap=program.keymap, marks=program.marks, act=act)
        program.ask(board, self._sessions.go_to)

    def show_trash(self) -> None:
        """Show the deleted sessions: bring one back, or delete it for good."""
        program = self._program

        async def show() -> None:
            heads = await program.engine.call(lambda manager: manager.trash())
            if not heads:
                program.say("The trash is empty.")
                return

            def delete(head: SessionHead) -> None:
                title = clean_name(head.title) or "Untitled session"
                question = _dialogs().purge_question(title)
                program.ask(question, lambda answer: program.start(purge(head, title)) if answer else None)

            async def purge(head: SessionHead, title: str) -> None:
                await program.engine.call(lambda manager: manager.purge_session(head.session_id))
                program.book.forget_undo("delete", head.session_id)
                program.say(f"Deleted “{title}” for good.")
                screen.forget(head.session_id)

            screen = _dialogs().TrashScreen(heads, days=program.settings.trash_days, delete=delete)
            program.ask(screen, self._sessions.restore)

        program.start(show())

    def show_search(self) -> None:
        """Find words in all sessions and go to where they stand."""
        engine = self._program.engine

        async def find(query: str) -> list[SearchHit]:
            return await engine.call(lambda manager: manager.search(query, MOST_HITS))

        self._program.ask(_dialogs().SearchScreen(find), self._open_hit)

    def ask_card_host(self, pane: Pane) -> None:
        """Ask whether prompts may go to the server that the agent card names; when they may, send the last one again."""
        question = self._program.card_hosts.question(pane.head.endpoint.name)
        if question is None:
            self._program.say("No agent card of this endpoint names another server.")
            return

        def take(permission: Permission) -> None:
            if not self._program.card_hosts.answer(question, permission):
                self._program.say(
                    "The answer could not be kept: the state directory cannot be written.", severity="error"
                )
            elif permission is Permission.REFUSED:
                self._program.say("Nothing will be sent there.")
            elif pane.turn is not None and _stopped_at_card(pane):
                self._turns.retry(pane)

        self._program.ask(_dialogs().CardHostScreen(question), take)

    def offer_card_host(self, pane: Pane) -> None:
        """Ask by itself, once: when it was not answered yet, and nobody is typing or being asked something else."""
        question = self._program.card_hosts.question(pane.head.endpoint.name)
        program = self._program
        if question is None or question.answer is not None or not _stopped_at_card(pane):
            return
        if pane is program.book.current and program.is_at_rest and not program.main.composer.text:
            self.ask_card_host(pane)

    def _open_hit(self, hit: SearchHit) -> None:
        """Go to the session of a hit, and in it to the line."""
        if self._program.book.get(hit.session_id) is None:
            self._program.say("This session was deleted meanwhile.")
            return
        self._program.main.show_hit_when_loaded(hit)
        self._sessions.go_to(hit.session_id)

    def ask_title(self, pane: Pane) -> None:
        """Ask for a title and give it to the session."""
        question = _dialogs().title_question(pane.head.title)
        self._program.ask(question, lambda title: self._sessions.rename(pane, title))

    def show_links(self) -> None:
        """List the links in view; the one chosen is shown whole before it is opened."""
        links = self._program.main.links_in_view()
        if not links:
            self._program.say("There is no link in view.")
        elif len(links) == 1:
            self.ask_about_link(links[0].url)
        else:
            self._program.ask(_dialogs().link_picker(links), self.ask_about_link)

    def ask_about_link(self, url: str) -> None:
        """Show where a link really leads, and open or copy it if the user says so."""

        def take(answer: str) -> None:
            if answer == "open":
                self._program.open_link(url)
            else:
                self._program.copy_text(url, "address")

        self._program.ask(_dialogs().LinkQuestion(url), take)

    def step_back(self) -> None:
        """Esc: back from the transcript to the composer; there, stop what runs, an answer before a fetch."""
        if self._program.main.leave_reading():
            return
        pane = self._program.book.current
        if pane is None or not pane.is_live:
            if not self._program.main.go_back() and pane is not None:
                self._stop_fetches(pane)
        elif not self._aborts_twice or self._is_second_press("turn.abort"):
            self._turns.abort(pane)
        else:
            self._program.say("Press Esc again to stop the answer.")

    def interrupt(self) -> None:
        """Ctrl+C: copy the selection, else clear the prompt, else stop, else, twice, quit."""
        main, pane = self._program.main, self._program.book.current
        selected = main.composer.selected_text or main.get_selected_text()
        if selected:
            self._program.copy_text(selected, "selection")
            main.stop_selecting()
        elif main.composer.text:
            main.composer.write("")
        elif pane is not None and pane.is_live:
            self._turns.abort(pane)
        elif self._is_second_press("app.quit"):
            self.quit()
        else:
            self._program.say("Press Ctrl+C again to quit.")

    def ask_abort_all(self) -> None:
        """Stop every running answer, after asking."""
        if not self._running():
            self._program.say("Nothing is running.")
            return
        question = _dialogs().abort_all_question(self._running)
        self._program.ask(question, lambda answer: self._turns.abort_all() if answer else None)

    def quit(self) -> None:
        """Leave; ask first when answers are running."""
        if not self._running():
            self._program.leave()
            return
        question = _dialogs().leave_question(self._running)
        self._program.ask(question, lambda answer: self._program.leave() if answer else None)

    def _running(self) -> int:
        """Return how many answers run, in all sessions."""
        return len(self._program.book.live)

    def _is_second_press(self, action: str) -> bool:
        now = self._program.monotonic()
        is_second = now - self._pressed.get(action, -AGAIN_S) < AGAIN_S
        self._pressed[action] = -AGAIN_S if is_second else now
        return is_second

    def _run_choice(self, value: str) -> None:
        kind, _, name = value.partition(":")
        if kind == "do":
            self._program.do(name)
        else:
            self._sessions.go_to(SessionId(name))


def _stopped_at_card(pane: Pane) -> bool:
    """Whether the last turn failed because the card names another server."""
    problem = pane.turn.problem if pane.turn is not None else None
    return problem is not None and problem.kind == OtherHost.kind


def _dialogs() -> ModuleType:
    """Return the dialogs, imported when the first one is shown."""
    from chatforge_tui.ui import dialogs  # noqa: PLC0415 - lazy: 20 ms that a start need not pay

    return dialogs
