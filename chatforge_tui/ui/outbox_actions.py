"""What a user can do with prompts that wait to be sent: send, edit, drop. Commands only, no drawing."""

from chatforge_tui.ui.desk import Desk
from chatforge_tui.ui.pane import Pane

_NOTHING = "No prompt waits here."
_GONE = "It is on its way already."


class OutboxActions:
    """Acts on the pane it is given."""

    def __init__(self, desk: Desk) -> None:
        """Act at this desk."""
        self._desk = desk

    def send(self, pane: Pane) -> None:
        """Send what waits in the session, one prompt after another."""

        async def send() -> None:
            if not await self._desk.engine.call(lambda manager: manager.send_unsent(pane.session_id)):
                self._desk.say(_NOTHING)

        if self._has_prompts(pane):
            self._desk.start(send())

    def edit(self, pane: Pane) -> None:
        """Take the last waiting prompt back into the composer, where nothing may stand then."""

        async def edit() -> None:
            command = self._desk.engine.call(lambda manager: manager.take_back(pane.session_id, into_draft=True))
            prompt = await command
            if prompt is None:
                self._desk.say(_GONE)
            else:
                self._desk.restore_draft(pane, prompt.text)

        if not self._has_prompts(pane):
            return
        if pane.draft.strip():
            self._desk.say("Something else stands in the prompt: send or clear it first.")
            return
        self._desk.start(edit())

    def drop(self, pane: Pane) -> None:
        """Remove the last waiting prompt."""

        async def drop() -> None:
            prompt = await self._desk.engine.call(lambda manager: manager.take_back(pane.session_id))
            self._desk.say(_GONE if prompt is None else "Removed; nothing of it was sent.")

        if self._has_prompts(pane):
            self._desk.start(drop())

    def _has_prompts(self, pane: Pane) -> bool:
        if not pane.has_unsent:
            self._desk.say(_NOTHING)
        return pane.has_unsent
