"""What a session costs in memory, idle and streaming, measured; and that what is over is let go."""

import asyncio
import gc
import logging
import tracemalloc
from collections import Counter

from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead
from chatforge_tui.sessions import EngineSettings, SessionManager
from chatforge_tui.sessions.turn_run import TurnRun
from chatforge_tui.sessions.worker import SessionWorker
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.streaming.streaming_state import StreamingState
from tests.fakes.scripted_endpoint import ScriptedEndpoints, Wire
from tests.virtual_clock import LoopClock, run_virtually, settle

COUNT = 200


class ForgetfulStore(MemoryStore):
    """Keeps nothing, so that only the engine's memory is seen."""

    async def create_session(self, head):
        pass

    async def begin_turn(self, head, session):
        pass

    def record(self, turn_id, changes):
        pass

    def grow(self, turn_id, growth):
        pass

    async def end_turn(self, turn, session):
        pass


class SilentEndpoint:
    """Says nothing for ever, as cheaply as can be."""

    needs_history = False
    can_resume = False

    def __init__(self):
        self.more = asyncio.Event()

    async def stream(self, request):
        yield Accepted("fake")
        yield TextDelta("x")
        await self.more.wait()
        yield Finished()

    async def cancel_task(self, task):
        pass

    def attend(self, *, is_watched):
        pass

    async def aclose(self):
        pass


class SilentEndpoints:
    def __init__(self):
        self.made = []

    def connect(self, ref):
        self.made.append(SilentEndpoint())
        return self.made[-1]


def used() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_what_a_session_costs(capsys, caplog):
    caplog.set_level(logging.CRITICAL, logger="chatforge.sessions")  # pytest keeps every record, whoever set the level

    async def main() -> dict[str, float]:
        ref = EndpointRef("fake")
        endpoints = SilentEndpoints()
        manager = SessionManager(
            store=ForgetfulStore(), endpoints=endpoints, clock=LoopClock(), settings=EngineSettings(idle_close_s=5.0)
        )
        async with manager:
            warm = (await manager.create_session(ref, title="t")).session_id
            await manager.send(warm, Prompt("x"))
            await settle()
            await manager.abort(warm)
            before = used()
            heads = [(await manager.create_session(ref, title="t", activate=False)) for _ in range(COUNT)]
            idle = used()
            sessions = [head.session_id for head in heads]
            del heads
            prompt = Prompt("x")
            for session in sessions:
                await manager.send(session, prompt)
            await settle()
            streaming = used()
            for endpoint in endpoints.made:
                endpoint.more.set()
            for session in sessions:
                await manager.finished(session)
            await asyncio.sleep(10)
            endpoints.made.clear()
            after = used()
            assert len(manager._registry) == 0
            assert len(manager._workers) == 0
        return {
            "idle": (idle - before) / COUNT,
            "streaming": (streaming - idle) / COUNT,
            "after": (after - idle) / COUNT,
        }

    tracemalloc.start()
    try:
        bytes_per_session = run_virtually(main())
    finally:
        tracemalloc.stop()
    with capsys.disabled():
        print(
            f"\nmemory per session: idle {bytes_per_session['idle']:.0f} bytes (its head, id and title), "
            f"streaming {bytes_per_session['streaming']:.0f} bytes more (its task and its silent endpoint included), "
            f"{bytes_per_session['after']:.0f} bytes more after its turn"
        )
    assert bytes_per_session["idle"] < 400
    assert bytes_per_session["streaming"] < 4_300
    assert bytes_per_session["after"] < 500, "what is left is Python's own store of small tuples"


def test_five_hundred_sessions_that_came_and_went_leave_nothing():
    async def main() -> Counter[str]:
        endpoints = ScriptedEndpoints(lambda request: [Accepted("f"), TextDelta("x" * 1_000), Finished()])
        async with SessionManager(store=ForgetfulStore(), endpoints=endpoints, clock=LoopClock()) as manager:

            async def one() -> None:
                session = (await manager.create_session(EndpointRef("fake"))).session_id
                await manager.send(session, Prompt("x"))
                await settle(10)
                await manager.delete_session(session)
                endpoints.wires.clear()
                endpoints.made.clear()

            await one()
            before = alive()
            for _ in range(500):
                await one()
            assert len(asyncio.all_tasks()) == 1
            return alive() - before

    assert run_virtually(main()) == Counter()


def alive() -> "Counter[str]":
    """Count what the engine makes for each session, turn and request."""
    kinds = (SessionHead, TurnRun, SessionWorker, StreamingState, Turn, TurnHead, asyncio.Task, Wire)
    gc.collect()
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, kinds))
