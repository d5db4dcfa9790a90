"""Puts sessions with finished turns into a home before the program starts."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from chatforge_tui.config.locations import Locations
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.benchmarks.answers import SECTION
from tests.benchmarks.store import index
from tests.store.values import a_session, a_turn, counted, ended

LAST_WORDS = "here-session-{}-ends"
"""What the last turn of each session says, with its number."""
AT_ONCE = 500
"""Turns that go to the store in one go."""


def seed(home: Path, sizes: list[int]) -> None:
    """Make sessions with so many turns each, the first of them in front."""
    asyncio.run(seed_sessions(home, sizes))
    index(Locations.find(home, {}).data_dir / "sessions.db")  # or it is what the program does while it is measured


async def seed_sessions(
    home: Path, sizes: list[int], endpoints: Sequence[str] = ("bench",), *, answer: str = ""
) -> None:
    """Make sessions with so many turns each, the first of them in front, on these endpoints in turn.

    Args:
        home: where their store is to be.
        sizes: turns of each session.
        endpoints: names, in turn.
        answer: what every turn but the last of a session says; "" = a few hundred characters.
    """
    path = Locations.find(home, {}).data_dir / "sessions.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(path)
    await store.open()
    for number, turns in enumerate(sizes):
        session = a_session(
            position=number,
            title=f"session {number}",
            is_active=number == 0,
            endpoint=EndpointRef(endpoints[number % len(endpoints)]),
        )
        await store.create_session(session)
        head = counted(session, turns, TurnState.COMPLETE)
        for first in range(0, turns, AT_ONCE):
            done = [
                _turn(session, ordinal, turns, number, answer) for ordinal in range(first, min(turns, first + AT_ONCE))
            ]
            await asyncio.gather(*(store.end_turn(turn, head) for turn in done))
    await store.close()


def _turn(session, ordinal, turns, number, answer):
    text = answer or SECTION.replace("{n}", str(ordinal))[:700]
    if ordinal == turns - 1:
        text = f"That was all.\n\n{LAST_WORDS.format(number)}"
    return ended(a_turn(session, ordinal, text=f"question {ordinal}"), text)
