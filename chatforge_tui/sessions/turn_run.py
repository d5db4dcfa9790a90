"""One turn on its way through the engine: its live state, its task, and what others may wait for."""

import asyncio

from chatforge_tui.domain.turn import Turn, TurnHead, TurnState
from chatforge_tui.errors import Unreachable
from chatforge_tui.sessions.retry import Attempts
from chatforge_tui.streaming.outcome import Outcome
from chatforge_tui.streaming.streaming_state import StreamingState


class TurnRun:
    """Owned by one worker. Its end is decided once, by whoever claims it first: the stream or who stops it."""

    __slots__ = (
        "adopted",
        "attempts",
        "began",
        "closing",
        "done",
        "ended",
        "is_begun",
        "is_claimed",
        "is_lost",
        "is_touched",
        "outcome",
        "state",
        "task",
        "unreached",
    )

    def __init__(
        self,
        state: StreamingState,
        attempts: Attempts,
        loop: asyncio.AbstractEventLoop,
        *,
        adopted: TurnHead | None = None,
    ) -> None:
        """Start unclaimed, nothing begun.

        Args:
            state: the turn's live state.
            attempts: the turn's, with nothing tried.
            loop: the engine's.
            adopted: the head that an interrupted or unsent turn had before this run took it up; None for a new turn.
        """
        self.state = state
        self.attempts = attempts
        self.adopted = adopted
        self.began: asyncio.Future[None] | None = loop.create_future()
        """Done when the prompt is durable; fails when it cannot be. None once it is over."""
        self.done: asyncio.Future[Turn] = loop.create_future()
        """Done when the turn has ended and its row is durable; fails when that could not be written (it is tried again)."""
        self.task: asyncio.Task[None] | None = None
        """Runs the request."""
        self.closing: asyncio.Task[None] | None = None
        """Ends the turn, when it was stopped."""
        self.is_begun = False
        """The prompt is durable: from here on stopping cancels the task."""
        self.is_claimed = False
        """The end is decided: nothing that arrives changes the turn any more."""
        self.is_touched = is_interrupted = adopted is not None and adopted.state is not TurnState.UNSENT
        """Something of an answer was received: nothing is sent again unasked."""
        self.is_lost = is_interrupted
        """The stream was lost after the agent had named its task: from here on the task is asked for."""
        self.unreached: Unreachable | None = None
        """During a pause: why the last try failed, when nothing of the request has left yet."""
        self.ended: Turn | None = None
        """The turn as it ended, once that is decided."""
        self.outcome: Outcome | None = None
        """What the protocol's own terminal marker said."""

    def begin(self) -> None:
        """Note that the prompt is durable, and let the sender go on."""
        self.is_begun = True
        if self.began is not None:
            self.began.set_result(None)
            self.began = None

    def fail(self, error: Exception) -> None:
        """Let everyone who still waits know that there is nothing to wait for."""
        for future in (self.began, self.done):
            if future is not None and not future.done():
                future.set_exception(error)
                future.exception()  # marks it as seen: that nobody waits for it is no mistake

    async def settled(self) -> None:
        """Return when nothing of this run is at work any more. Never raises on its account."""
        while (task := self.closing or self.task) is not None and not task.done():
            await asyncio.wait({task})
