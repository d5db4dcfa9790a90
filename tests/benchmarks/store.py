"""Measures the store: how long starting, sending, streaming and reading take at different sizes.

Run as `python -m tests.benchmarks.store [SESSIONS] [TURNS]` (1,000 of 100 turns); writes to a temporary directory and
prints a table.
"""

import asyncio
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store import search_index
from chatforge_tui.store.connection import connect
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.store.values import a_session, a_turn, counted, ended

PARAGRAPH = "The rollback touched two manifests and finished in time; the error budget holds. " * 6


QUERIES = (
    *("rollback", "the", "manifests", "rollb", "5", "the rollback touched", "touched rollback prompt 3"),
    *("prompt 57 of 812", "prompt 57", "session 99", "zebra", "rollback zebra", "manif diff two", "中文"),
)
"""Words that are in every turn, in few, in one, in a title, in none; whole, begun, together."""


class Stopwatch:
    """Collects durations in milliseconds under a name."""

    def __init__(self):
        self.taken = {}

    async def time(self, name, awaitable):
        began = time.perf_counter()
        result = await awaitable
        self.taken.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return result

    def report(self):
        print(f"{'':44}{'n':>6}{'p50 ms':>10}{'p95 ms':>10}{'max ms':>10}")
        for name, values in self.taken.items():
            p95 = statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]
            print(f"{name:44}{len(values):6}{statistics.median(values):10.2f}{p95:10.2f}{max(values):10.2f}")


async def fill(store, sessions, turns):
    """Write finished turns, all in few transactions."""
    for position in range(sessions):
        session = a_session(position=position, title=f"session {position}")
        pending = [store.create_session(session)]
        for ordinal in range(turns):
            turn = ended(a_turn(session, ordinal, text=f"prompt {ordinal} of {position}"), PARAGRAPH * 4)
            pending.append(store.end_turn(turn, counted(session, turns, TurnState.COMPLETE)))
        await asyncio.gather(*pending)


async def stream(store, watch, sessions, flushes):
    """Let sessions stream at once: 30 deltas each between two commits."""
    heads = []
    for _ in range(sessions):
        session = a_session()
        await watch.time("create_session", store.create_session(session))
        head = a_turn(session)
        await watch.time("begin_turn (the prompt is durable)", store.begin_turn(head, session))
        store.record(head.turn_id, [PartAdded(TextPart(0, ""))])
        heads.append((session, head))
    for _ in range(flushes):
        for _, head in heads:
            for _ in range(30):
                store.grow(head.turn_id, TextAppended(0, "some words "))
        await watch.time(f"commit of {sessions} streaming sessions", store.flush())
    for session, head in heads:
        await watch.time("end_turn (16 KB)", store.end_turn(ended(head, PARAGRAPH * 33), session))


async def search(store, watch):
    """Look for words as a user does, once the full-text index has caught up."""
    for query in QUERIES * 5:
        await watch.time("search", store.search(query))


def index(path):
    """Take every turn into the full-text index, as the program does when it has nothing else to do."""
    with closing(connect(path)) as db:
        while search_index.take_in_some(db):
            pass


async def main(sessions, turns):
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix="chatforge-benchmark-") as directory:
        path = Path(directory) / "store.db"
        store = SqliteStore(path)
        await watch.time("open (makes the store)", store.open())
        await watch.time(f"write {sessions} sessions of {turns} turns", fill(store, sessions, turns))
        await store.close()
        await watch.time("index", asyncio.to_thread(index, path))
        await watch.time("open", store.open())
        for _ in range(5):
            heads = await watch.time(f"load_sessions ({sessions})", store.load_sessions())
        for head in heads[:20]:
            await watch.time(f"load_turns ({turns})", store.load_turns(head.session_id))
        await search(store, watch)
        await stream(store, watch, 50, 20)
        await watch.time("purge_session", store.purge_session(heads[0].session_id))
        await watch.time("close", store.close())
        size = path.stat().st_size / 1e6
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"SQLite {sqlite3.sqlite_version}, {size:.1f} MB on disk, {peak_mb:.0f} MB of memory at most")
    watch.report()


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*(numbers or [1000, 100])))
