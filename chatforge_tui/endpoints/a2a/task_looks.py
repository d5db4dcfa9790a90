"""Looks at a task from time to time, because no stream follows it: the agent has none, or a stream was lost."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from chatforge_tui.domain.events import (
    StillAlive,
    StreamEvent,
)
from chatforge_tui.domain.ids import TaskId
from chatforge_tui.endpoints.a2a.discovery import Route
from chatforge_tui.endpoints.a2a.refusals import lost
from chatforge_tui.endpoints.a2a.replies import Replies
from chatforge_tui.endpoints.a2a.turn_reader import TurnReader
from chatforge_tui.endpoints.a2a.wire import (
    Operation,
    TaskSeen,
    WireEvent,
)
from chatforge_tui.endpoints.http_settings import HttpSettings
from chatforge_tui.endpoints.http_url import host_port
from chatforge_tui.errors import StreamStalled

_POLL_S: Final = (0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds between two looks at a task that cannot be followed by a stream, from the last one that found something new; the
longest goes on."""
_LOOKS_SHARE: Final = 0.1
"""Of the time, at most, goes into looking: a task with a long history takes the agent long to tell."""


class TaskLooks:
    """Looks at one task on behalf of a turn."""

    def __init__(
        self, route: Route, task_id: TaskId, replies: Replies, reader: TurnReader, *, ask_s: float, limits: HttpSettings
    ) -> None:
        """Look at nothing yet.

        Args:
            route: the way to the agent.
            task_id: the task.
            replies: reads what the agent says.
            reader: the turn, which is told what is seen.
            ask_s: seconds, > 0, that one look may take.
            limits: how long a task may stay as it is.
        """
        self._route, self._task_id = route, task_id
        self._replies, self._reader = replies, reader
        self._ask_s, self._limits = ask_s, limits

    async def look(self) -> TaskSeen:
        """Ask for the task as it stands.

        Raises:
            StreamLost: the agent no longer knows it, or does not tell.
        """
        binding = self._route.binding
        reply = await self._replies.ask(
            binding, binding.about_task(Operation.GET, self._task_id), timeout_s=self._ask_s
        )
        if isinstance(reply, TaskSeen):
            return reply
        raise lost(reply)

    async def follow(self) -> AsyncGenerator[StreamEvent, None]:
        """Look again and again, until the task is over.

        Raises:
            StreamStalled: nothing has changed for too long.
            StreamLost: as `look`.
        """
        limit, now = self._limits.progress_s, asyncio.get_running_loop().time
        last: WireEvent | None = None
        unchanged, looks, took = 0.0, 0, 0.0
        while not self._reader.is_over:
            pause = max(_POLL_S[min(looks, len(_POLL_S) - 1)], took / _LOOKS_SHARE)
            await asyncio.sleep(pause)
            looks, unchanged, began = looks + 1, unchanged + pause, now()
            seen = await self.look()
            took = now() - began
            if seen != last:
                last, unchanged, looks = seen, 0.0, 0
            yield StillAlive()
            for event in self._reader.read(seen):
                yield event
            if unchanged >= limit and not self._reader.is_over:
                raise StreamStalled(
                    f"The task at {host_port(self._route.url)} has not changed for {limit:g} s.",
                    hint=f"Try again, or raise {self._limits.setting('progress_s')} if the agent needs longer.",
                )
