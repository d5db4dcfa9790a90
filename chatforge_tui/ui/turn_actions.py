"""What a user can do with turns: send, answer a form, stop, continue, try again. Commands only, no drawing."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chatforge_tui.domain.form import Form
from chatforge_tui.domain.ids import TurnId
from chatforge_tui.domain.turn import Prompt, TurnHead, TurnState
from chatforge_tui.errors import ChatForgeError
from chatforge_tui.ui.desk import Desk
from chatforge_tui.ui.form_answers import FormAnswers, form_prompt
from chatforge_tui.ui.outbox_actions import OutboxActions
from chatforge_tui.ui.pane import Pane

if TYPE_CHECKING:
    from chatforge_tui.sessions.manager import SessionManager

_GO_ON = "Continue where your last answer broke off."


class TurnActions:
    """Acts on the pane it is given."""

    def __init__(self, desk: Desk, *, queues: bool = False) -> None:
        """Act at this desk.

        Args:
            desk: whose panes they are.
            queues: a prompt that is sent while an answer runs waits until it is done.
        """
        self._desk = desk
        self.outbox = OutboxActions(desk)
        """What can be done with prompts that wait."""
        self._queues = queues

    def send(self, pane: Pane, text: str) -> None:
        """Send a prompt with its files; a running answer is replaced, unless it is to be waited for.

        What is refused comes back as a draft.
        """
        if self._queues and pane.is_live:
            self.queue(pane, text)
        else:
            self._desk.start(self._send(pane, self._with_files(pane, text), draft=text, is_draft=True))

    def queue(self, pane: Pane, text: str) -> None:
        """Send a prompt with its files after whatever runs or waits. What is refused comes back as a draft."""
        prompt = self._with_files(pane, text)
        self._desk.start(self._send(pane, prompt, draft=text, is_draft=True, after_others=True))

    def _with_files(self, pane: Pane, text: str) -> Prompt:
        """Return the prompt with what goes along with it, which goes once."""
        prompt = Prompt(text, attachments=pane.head.attachments)
        self._desk.book.put(replace(pane.head, attachments=()))
        return prompt

    def answer_form(self, pane: Pane, form: Form, answers: FormAnswers) -> None:
        """Send the answers of a form; what was typed stays in the form until they are accepted."""
        self._desk.start(self._send(pane, form_prompt(form, answers.values), draft=""))

    def abort(self, pane: Pane) -> None:
        """Stop the running answer; what came of it stays."""
        if not pane.is_live:
            self._desk.say("No answer is running here.")
            return

        self._desk.engine.post(lambda manager: manager.stop(pane.session_id))

    def abort_all(self) -> None:
        """Stop every running answer of every session."""

        async def abort() -> None:
            await self._desk.engine.call(lambda manager: manager.abort_all())

        self._desk.start(abort())

    def go_on(self, pane: Pane) -> None:
        """Get the rest of an answer that broke off: from its task if the agent has one, else by a prompt that asks."""
        if pane.state is TurnState.UNSENT:
            self.outbox.send(pane)
        elif pane.turn is None:
            self._desk.say("There is no answer to continue.")
        elif pane.is_live:
            self._desk.say("The answer is still running.")
        elif pane.state is TurnState.WAITING:
            self._desk.start(self._look_again(pane))
        elif _is_whole(pane.turn):
            self._desk.say("The answer is complete: there is nothing to continue.")
        else:
            self._desk.start(self._go_on(pane))

    def retry(self, pane: Pane) -> None:
        """Send the last prompt again as a new turn, answers of a form included."""
        if pane.state is TurnState.UNSENT:
            self.outbox.send(pane)
        elif pane.turn is None:
            self._desk.say("There is no prompt to send again.")
        elif pane.is_live:
            self._desk.say("The answer is still running. Stop it first.")
        else:
            self._desk.start(self._send(pane, pane.turn.prompt, draft=""))

    async def _go_on(self, pane: Pane) -> None:
        if not await self._desk.engine.call(lambda manager: manager.reattach(pane.session_id)):
            await self._send(pane, Prompt(_GO_ON), draft="")

    async def _look_again(self, pane: Pane) -> None:
        """Ask an agent that waits how its task stands: it may have gone on when its user signed in elsewhere."""
        turn = None
        if await self._desk.engine.call(lambda manager: manager.reattach(pane.session_id)):
            turn = await self._desk.engine.call(lambda manager: manager.finished(pane.session_id))
        if turn is None or turn.head.state is TurnState.WAITING:
            self._desk.say("The agent still waits for your answer.")

    async def _send(
        self, pane: Pane, prompt: Prompt, *, draft: str, is_draft: bool = False, after_others: bool = False
    ) -> None:
        def command(manager: "SessionManager") -> Awaitable[TurnId]:
            send = manager.queue if after_others else manager.send
            return send(pane.session_id, prompt)

        try:
            await self._desk.engine.call(command)
        except ChatForgeError:
            self._desk.restore_draft(pane, draft)
            if is_draft:  # its files are where they were
                later = (file for file in pane.head.attachments if file not in prompt.attachments)
                self._desk.book.put(replace(pane.head, attachments=(*prompt.attachments, *later)))
                self._desk.redraw()
            raise


def _is_whole(turn: TurnHead) -> bool:
    """Whether an answer has its end."""
    # Lazy: the transcript's words, loaded with the first turn.
    from chatforge_tui.ui.transcript.phrases import CUT_SHORT  # noqa: PLC0415 - see above

    return turn.state is TurnState.COMPLETE and turn.finish_reason not in CUT_SHORT
