"""How fast the agent speaks. Owns every wait of the agent's answers; nothing else in this package delays an answer."""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable

from msgspec import Struct

_WORD = re.compile(r"\s*\S+\s*?(?=\s|$)|\s+")
"""A word with the space before it: what a model's tokenizer roughly makes of a text. Loses no character."""


class Pace(Struct, frozen=True):
    """The agent's tempo."""

    words_per_second: float = 60.0
    """How fast text streams: about 100 tokens of a model, faster than anyone reads and slow enough to watch."""
    step_s: float = 0.7
    """How long a step of work that is only shown takes, in seconds."""
    stall_s: float = 600.0
    """How long a stall that was asked for lasts, in seconds: longer than every limit of the client."""
    waits: bool = True
    """False in tests: the same moves, at once."""

    async def step(self, share: float = 1.0) -> None:
        """Wait for `share` of a step."""
        await self._sleep(self.step_s * share)

    async def stall(self) -> None:
        """Wait for as long as a stall lasts."""
        await self._sleep(self.stall_s)

    def words(self, text: str) -> AsyncGenerator[str, None]:
        """Yield the text word by word at the agent's tempo; joined, the pieces are the text."""
        return self.timed(_WORD.findall(text), self.words_per_second)

    async def timed(self, pieces: Iterable[str], per_second: float) -> AsyncGenerator[str, None]:
        """Yield the pieces at a rate, on a fixed schedule: what is late (a busy machine) comes joined, never dropped.

        Args:
            pieces: what to yield, in order; empty ones are skipped.
            per_second: pieces a second, > 0.
        """
        clock = asyncio.get_running_loop().time
        begin = clock()
        late: list[str] = []
        for number, piece in enumerate(pieces):
            late.append(piece)
            ahead = begin + (number + 1) / per_second - clock()
            if self.waits and ahead <= 0:
                continue
            yield "".join(late)
            late.clear()
            await self._sleep(ahead)
        if late:
            yield "".join(late)

    async def _sleep(self, seconds: float) -> None:
        """Wait, or only let others run when this pace does not wait."""
        await asyncio.sleep(seconds if self.waits else 0)
