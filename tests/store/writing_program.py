"""A program that writes to a store as fast as it can and says on stdout what has been acknowledged, until it is killed.

Run as `python -m tests.store.writing_program PATH SEED TURNS JOURNAL [BUILDING]` (`auto`, or the journal mode to force;
what stands in the name of the file that a new store is built in). Its lines: `open`, `session ID`, `prompt TURN`, `text TURN LENGTH`
(so many characters are durable), `end TURN LENGTH`. The text of a turn is `text_of(turn)`, as long as it gets.
"""

import asyncio
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged, PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.errors import StoreError
from chatforge_tui.store import opening, store_file, text_log
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import a_session, a_turn, counted

SESSIONS = 4
LOG_LIMIT = 10_000
"""Bytes: so short is the log of live text (the program: 4 MiB), that many kills hit its moving."""


def text_of(turn_id, length):
    """The first characters of what the turn's server sends: no piece of it looks like another."""
    numbers = (f"{turn_id[-6:]}:{number} " for number in range(length // 8 + 2))
    return "".join(numbers)[:length]


def say(*words):
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


async def converse(store, rng, turns):
    session = a_session()
    await store.create_session(session)
    say("session", session.session_id)
    for ordinal in range(turns):
        head = a_turn(session, ordinal, text=f"prompt {ordinal}")
        await store.begin_turn(head, counted(session, ordinal + 1, TurnState.QUEUED))
        say("prompt", head.turn_id)
        length = await answer(store, rng, head)
        final = replace(head, state=TurnState.COMPLETE, ended=1.0)
        parts = (TextPart(0, text_of(head.turn_id, length)),)
        await store.end_turn(Turn(final, parts), counted(session, ordinal + 1, TurnState.COMPLETE))
        say("end", head.turn_id, length)


async def answer(store, rng, head):
    length = 0
    store.record(head.turn_id, [HeadChanged(replace(head, state=TurnState.STREAMING)), PartAdded(TextPart(0, ""))])
    for _ in range(rng.randrange(5, 40)):
        more = rng.randrange(1, 300)
        whole = text_of(head.turn_id, length + more)
        store.grow(head.turn_id, TextAppended(0, whole[length:]))
        length += more
        await asyncio.sleep(0.001 * rng.random())
        if rng.random() < 0.3:
            await store.flush()
            say("text", head.turn_id, length)
    return length


async def main(path, seed, turns, journal, building=None):
    text_log.LIMIT = LOG_LIMIT
    if building is not None:
        store_file.uuid = SimpleNamespace(uuid4=lambda: UUID(building))
    if journal != "auto":
        opening.choose_journal = lambda **_: journal
    store = SqliteStore(path)
    await store.open()
    say("open")
    outcomes = await asyncio.gather(
        *(converse(store, random.Random(f"{seed}-{n}"), turns) for n in range(SESSIONS)), return_exceptions=True
    )
    await store.close()
    unexpected = [outcome for outcome in outcomes if outcome is not None and not isinstance(outcome, StoreError)]
    if unexpected:
        raise unexpected[0]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), *sys.argv[4:]))
