"""What an agent is told of a turn that was stopped here: best effort, and nobody waits long for it."""

import asyncio

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.request import TaskRef
from chatforge_tui.errors import EndpointError
from chatforge_tui.sessions import session_log
from chatforge_tui.sessions.cleanup import wait_for
from chatforge_tui.sessions.contained import safely
from chatforge_tui.sessions.ports import Endpoint
from chatforge_tui.sessions.turn_run import TurnRun
from chatforge_tui.sessions.worker_context import WorkerContext


class AgentNews:
    """News for one session's agent, each in a task of its own. Made for the first."""

    __slots__ = ("_context", "_on_their_way", "_session_id")

    def __init__(self, session_id: SessionId, context: WorkerContext) -> None:
        """Start with nothing to tell."""
        self._session_id = session_id
        self._context = context
        self._on_their_way: set[asyncio.Task[None]] = set()

    async def tell_to_stop(self, run: TurnRun, endpoint: Endpoint, task: TaskRef) -> str:
        """Start telling the agent to stop its task.

        Returns:
            What went wrong, if that is known at once: the turn's end does not wait longer.
        """
        failures: list[str] = []
        news = self._context.start(safely(self._session_id, run, self._cancel, endpoint, task, failures))
        self._on_their_way.add(news)
        news.add_done_callback(self._on_their_way.discard)
        await wait_for((news,), self._context.settings.tell_notice_s)
        return failures[0] if failures else ""

    async def settled(self) -> None:
        """Return when the agent knows, or has not answered in time."""
        await wait_for(self._on_their_way, self._context.settings.tell_agent_s)

    async def _cancel(self, endpoint: Endpoint, task: TaskRef, failures: list[str]) -> None:
        try:
            async with asyncio.timeout(self._context.settings.tell_agent_s):
                await endpoint.cancel_task(task)
        except (EndpointError, TimeoutError) as error:
            failures.append(not_told(error))
            session_log.note(f"agent was not told to stop: {error}", self._session_id)


def not_told(error: Exception) -> str:
    """Return in one sentence that the agent does not know, and why."""
    return f"The agent could not be told to stop: {str(error) or 'it did not answer'}"
