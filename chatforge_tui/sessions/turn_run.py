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
        "_done",
        "_result",
        "adopted",
        "attempts",
        "began",
        "closing",
        "ended",
        "has_news",
        "is_begun",
        "is_claimed",
        "is_lost",
        "is_touched",
        "outcome",
        "predecessor",
        "state",
        "state_before",
        "task",
        "unreached",
    )

    def __init__(
        self,
        state: StreamingState,
        loop: asyncio.AbstractEventLoop,
        *,
        adopted: TurnHead | None = None,
        predecessor: "TurnRun | None" = None,
    ) -> None:
        """Start unclaimed, nothing begun.

        Args:
            state: the turn's live state.
            loop: the engine's.
            adopted: the head that an interrupted or unsent turn had before this run took it up; None for a new turn.
            predecessor: a stopped run of the session, whose end comes first.
        """
        self.state = state
        self.adopted = adopted
        self.predecessor = predecessor
        self.state_before: TurnState | None = None
        """Of the session's last turn before this one."""
        self.attempts: Attempts | None = None
        """Of a try that failed; made then."""
        self.began: asyncio.Future[None] | None = loop.create_future()
        """Done when the prompt is durable; fails when it cannot be. None once it is over."""
        self._done: asyncio.Future[None] | None = None
        """Done when there is a result; made for the first who waits."""
        self._result: Turn | Exception | None = None
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
        self.has_news = False
        """Something of an answer came in this run."""
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

    def note_news(self) -> None:
        """Note that something of an answer came: the pauses between tries begin anew."""
        self.has_news = True
        if self.attempts is not None:
            self.attempts.begin_anew()

    @property
    def is_over(self) -> bool:
        """Whether `finished` does not wait any more."""
        return self._result is not None

    async def finished(self) -> Turn:
        """Return the turn when it has ended and its row is durable.

        Raises:
            Exception: what `fail` was told: the row could not be written (it is tried again), or there is none.
        """
        if self._result is None:
            self._done = self._done or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._done)
        assert self._result is not None  # noqa: S101 - what is done has a result
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def finish(self, turn: Turn) -> None:
        """Note that the turn has ended and its row is durable, and let everyone go on who waits for that."""
        self._conclude(turn)

    def fail(self, error: Exception) -> None:
        """Let everyone who still waits know that there is nothing to wait for."""
        if self.began is not None and not self.began.done():
            self.began.set_exception(error)
            self.began.exception()  # marks it as seen: that nobody waits for it is no mistake
        self._conclude(error)

    def _conclude(self, result: Turn | Exception) -> None:
        if self._result is None:
            self._result = result
            if self._done is not None:
                self._done.set_result(None)

    async def settled(self) -> None:
        """Return when nothing of this run is at work any more. Never raises on its account."""
        while (task := self.closing or self.task) is not None and not task.done():
            await asyncio.wait({task})
