"""Lets only so many sessions ask for their lost tasks at the same time. Knows no session."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from chatforge_tui.domain.events import StreamEvent


async def through(
    gate: asyncio.Semaphore, events: AsyncGenerator[StreamEvent, None]
) -> AsyncGenerator[StreamEvent, None]:
    """Yield the events; the gate is held until the first one, for following an answer is no effort."""
    async with aclosing(events):
        await gate.acquire()
        is_held = True
        try:
            async for event in events:
                if is_held:
                    is_held = False
                    gate.release()
                yield event
        finally:
            if is_held:
                gate.release()
