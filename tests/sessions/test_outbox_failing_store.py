"""Random commands at random moments on a store that is slow and fails: no prompt is lost, none is sent twice, all go in the end."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import ChatForgeError, StoreUnavailable, Unreachable
from chatforge_tui.sessions import EngineSettings
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import Pause, ScriptedEndpoints
from tests.sessions.conftest import Engine, engine_on
from tests.virtual_clock import run_virtually

STEPS = 40
SEEDS = 40
"""Runs of each test."""
WHAT = [*["send"] * 4, *["queue"] * 4, "abort", *["go"] * 2, *["back"] * 2, "reopen", "delete", "restore"]
WEATHER = ["up", "down", "fail", *["heal"] * 2, *["wait"] * 3]


class FailingStore(MemoryStore):
    """A store that does one thing after another, each in its own time, and of which some fail."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice, self.share = dice, 0.0
        self.turnstile = asyncio.Lock()

    async def pass_on(self, work: Awaitable[object]):
        try:
            async with self.turnstile:
                await asyncio.sleep(self.dice.choice([0, 0, 0.01, 0.3]))
                if self.dice.random() < self.share:
                    message = "The disk fails."
                    raise StoreUnavailable(message)
                work, done = None, work
                return await done
        finally:
            if work is not None:
                work.close()

    async def begin_turn(self, head, session):
        await self.pass_on(super().begin_turn(head, session))

    async def end_turn(self, turn, session):
        await self.pass_on(super().end_turn(turn, session))

    async def adopt_turn(self, head, *, was):
        return await self.pass_on(super().adopt_turn(head, was=was))

    async def drop_turn(self, head):
        return await self.pass_on(super().drop_turn(head))

    async def unsent_turns(self):
        return await self.pass_on(super().unsent_turns())

    async def trash_session(self, session_id, when):
        await self.pass_on(super().trash_session(session_id, when))


class Chaos:
    """One run: an engine, an agent that comes and goes, and what became of each prompt."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.is_up = False
        self.given: list[str] = []
        self.refused: set[str] = set()
        self.taken_back: set[str] = set()
        self.endpoints = ScriptedEndpoints(self.script)
        self.store = FailingStore(dice)

    def script(self, request):
        if self.is_up:
            return [Accepted("fake"), Pause(self.dice.choice([0.0, 0.1, 2.0])), TextDelta("yes"), Finished("stop")]
        return [Pause(self.dice.choice([0.0, 0.05])), Unreachable("refused", retryable=self.dice.random() < 0.8)]

    async def do(self, engine: Engine, what: str, session_id, text: str) -> None:
        manager, into_draft = engine.manager, self.dice.random() < 0.5
        commands: dict[str, Callable[[], Awaitable[object]]] = {
            "send": lambda: manager.send(session_id, Prompt(text)),
            "queue": lambda: manager.queue(session_id, Prompt(text)),
            "abort": lambda: manager.abort(session_id),
            "go": lambda: manager.send_unsent(session_id),
            "back": lambda: manager.take_back(session_id, into_draft=into_draft),
            "delete": lambda: manager.delete_session(session_id),
            "restore": lambda: manager.restore_session(session_id),
            "reopen": lambda: manager.close_session(session_id),
        }
        try:
            came = await commands[what]()
            if what == "reopen":
                await manager.reopen_session(session_id)
        except ChatForgeError:
            self.refused.add(text)
        else:
            if isinstance(came, Prompt):
                self.taken_back.add(came.text)

    async def weather(self, what: str) -> None:
        self.is_up = {"up": True, "down": False}.get(what, self.is_up)
        self.store.share = {"fail": 0.3, "heal": 0.0}.get(what, self.store.share)
        if what == "wait":
            await asyncio.sleep(self.dice.choice([0.0, 0.01, 0.2, 3.0, 10.0]))

    async def run(self, engine: Engine, sessions) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(STEPS):
                what = self.dice.choice([*WHAT, *WEATHER])
                if what in WEATHER:
                    await self.weather(what)
                    continue
                text = ""
                if what in {"send", "queue"}:
                    text = f"p{len(self.given)}"
                    self.given.append(text)
                group.create_task(self.do(engine, what, self.dice.choice(sessions), text))
                if self.dice.random() < 0.5:
                    await asyncio.sleep(0)

    async def clear_up(self, engine: Engine, sessions) -> None:
        """Let store and agent work again, and send what waits."""
        self.store.share, self.is_up = 0.0, True
        await asyncio.sleep(100.0)
        for session_id in sessions:
            await self.do(engine, "restore", session_id, "")
        for _ in range(4):
            for session_id in sessions:
                await engine.manager.send_unsent(session_id)
            await asyncio.sleep(60.0)

    async def judge(self, engine: Engine, sessions) -> None:
        kept: list[str] = []
        for session_id in sessions:
            stored = await self.store.load_turns(session_id)
            assert list(await engine.manager.turns(session_id)) == stored
            head = engine.manager.session(session_id)
            assert (head.turns, head.unsent) == (len(stored), 0)
            assert not any(turn.head.state is TurnState.UNSENT for turn in stored)
            ordinals = [turn.head.ordinal for turn in stored]
            assert len(set(ordinals)) == len(ordinals), "two turns have one place"
            kept += [turn.head.prompt.text for turn in stored]
        assert sorted([*kept, *self.taken_back]) == sorted(set(self.given) - self.refused)
        wires = [wire for wire in self.endpoints.wires if any(isinstance(one, Accepted) for one in wire.said)]
        heard = [wire.request.prompt.text for wire in wires]
        assert len(set(heard)) == len(heard), "a prompt was heard twice"
        assert not self.taken_back & set(heard)


@pytest.mark.parametrize("goes", [False, True], ids=["ask", "auto"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_happens_every_prompt_goes_once(seed, goes):
    dice = random.Random(seed)

    async def main():
        chaos = Chaos(dice)
        settings = EngineSettings(keeps_unsent=True, sends_unsent=goes)
        async with engine_on(chaos.endpoints, chaos.store, settings) as engine:
            sessions = [await engine.new() for _ in range(2)]
            await chaos.run(engine, sessions)
            await chaos.clear_up(engine, sessions)
            await chaos.judge(engine, sessions)

    run_virtually(main())
