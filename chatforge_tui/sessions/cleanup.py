"""Ending what was started: waiting for tasks that were cancelled, and the order in which the engine shuts down.

`asyncio.wait` never raises what its tasks raise, so a cancellation of the waiting task itself is never mistaken for one
of the task it waits for.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from chatforge_tui.streaming.cancellation import CancelReason

if TYPE_CHECKING:
    from chatforge_tui.sessions.worker import SessionWorker

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
"""Starts a task in the engine's task group. What it runs must not raise."""


async def reap(task: "asyncio.Task[None]", grace_s: float) -> bool:
    """Wait for a cancelled task's end.

    Args:
        task: cancelled before.
        grace_s: seconds, >= 0, to wait at most.

    Returns:
        Whether it has ended. A task that has not swallows its cancellation or closes slowly.
    """
    return not await wait_for((task,), grace_s)


async def wait_for(futures: "Iterable[asyncio.Future[Any]]", within_s: float) -> "set[asyncio.Future[Any]]":
    """Wait for all of them, `within_s` seconds at most; return those that are not done. Cancels nothing."""
    pending = {future for future in futures if not future.done()}
    if pending:
        _, pending = await asyncio.wait(pending, timeout=within_s)
    return pending


async def shut_down(workers: "Sequence[SessionWorker]", start: Start, within_s: float) -> None:
    """Stop all workers at the same time, and give them `within_s` seconds in all for their last writes and sockets."""
    for worker in workers:
        worker.stop(CancelReason.SHUTDOWN)
    await wait_for([start(_end(worker)) for worker in workers], within_s)


async def _end(worker: "SessionWorker") -> None:
    await worker.settled()
    await worker.close()
