"""Random interleavings of prompts, networks, queues and restarts: no prompt is lost, none reaches its agent twice."""

import asyncio
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from chatforge_tui.domain.events import Accepted, Finished, TextDelta, WaitingForUser
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import FIRST_UNSENT, Prompt, TurnState
from chatforge_tui.errors import HttpRejected, Unreachable
from chatforge_tui.sessions import EngineSettings, SessionManager
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import Pause, ScriptedEndpoints
from tests.virtual_clock import LoopClock, VirtualLoop, settle

ENDPOINTS = ("east", "west")
SESSIONS = 3


@dataclass
class Agents:
    """What the agents do, by the name of their endpoint."""

    up: set[str]
    mood: str = "answers"


class OutboxMachine(RuleBasedStateMachine):
    """Drives a SessionManager whose endpoints come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.store, self.endpoints = MemoryStore(), ScriptedEndpoints()
        self.agents = Agents(set())
        self.endpoints.script = self.script
        self.sessions: list[SessionId] = []
        self.given: list[str] = []
        """Every prompt that the engine has taken."""
        self.taken_back: list[str] = []
        self.heard: list[str] = []
        """Every prompt that an agent has heard, as often as it has."""
        self.commands: list[asyncio.Task[object]] = []
        self.prompts = 0

    def script(self, request):
        head = self.manager.session(request.session_id)
        assert request.turn_id in self.store._turns[request.session_id], "a prompt left before it was durable"
        if head.endpoint.name not in self.agents.up:
            return [Pause(0.1), Unreachable("refused", retryable=True)]
        self.heard.append(request.prompt.text)
        if self.agents.mood == "refuses":
            return [Pause(0.1), HttpRejected("no", status=400)]
        if self.agents.mood == "asks":
            return [Accepted("fake"), Pause(0.1), WaitingForUser(QuestionKind.INPUT, "Which?", None)]
        return [Pause(0.1), Accepted("fake"), TextDelta(request.prompt.text), Pause(0.1), Finished("stop")]

    def run(self, work):
        return self.loop.run_until_complete(work)

    @initialize(goes=st.booleans())
    def start(self, goes: bool) -> None:
        self.settings = EngineSettings(keeps_unsent=True, sends_unsent=goes, takes_up=True)
        self.begin_program()
        for number in range(SESSIONS):
            head = self.run(self.manager.create_session(EndpointRef(ENDPOINTS[number % 2])))
            self.sessions.append(head.session_id)

    def begin_program(self) -> None:
        self.manager = SessionManager(
            store=self.store, endpoints=self.endpoints, clock=LoopClock(), settings=self.settings
        )
        self.run(self.manager.__aenter__())

    def teardown(self) -> None:
        try:
            if self.sessions:
                self.rest()
                self.run(self.manager.__aexit__(None, None, None))
        finally:
            self.loop.close()

    def prompt(self) -> Prompt:
        self.prompts += 1
        self.given.append(f"p{self.prompts}")
        return Prompt(self.given[-1])

    def command(self, work, steps: int) -> None:
        self.commands.append(self.loop.create_task(work))
        self.run(settle(steps))

    @rule(number=st.integers(0, SESSIONS - 1), steps=st.integers(0, 20), queued=st.booleans())
    def send(self, number: int, steps: int, queued: bool) -> None:
        send = self.manager.queue if queued else self.manager.send
        self.command(send(self.sessions[number], self.prompt()), steps)

    @rule(number=st.integers(0, SESSIONS - 1), steps=st.integers(0, 20))
    def send_unsent(self, number: int, steps: int) -> None:
        self.command(self.manager.send_unsent(self.sessions[number]), steps)

    @rule(number=st.integers(0, SESSIONS - 1), steps=st.integers(0, 20), into_draft=st.booleans())
    def take_back(self, number: int, steps: int, into_draft: bool) -> None:
        async def take() -> None:
            taken = await self.manager.take_back(self.sessions[number], into_draft=into_draft)
            if taken is not None:
                self.taken_back.append(taken.text)

        self.command(take(), steps)

    @rule(number=st.integers(0, SESSIONS - 1), steps=st.integers(0, 20))
    def abort(self, number: int, steps: int) -> None:
        self.command(self.manager.abort(self.sessions[number]), steps)

    @rule(number=st.integers(0, SESSIONS - 1))
    def delete_and_restore(self, number: int) -> None:
        self.settle_commands()
        self.run(self.manager.delete_session(self.sessions[number]))
        self.run(asyncio.sleep(20.0))
        self.run(self.manager.restore_session(self.sessions[number]))

    @rule(up=st.sets(st.sampled_from(ENDPOINTS)), mood=st.sampled_from(["answers", "answers", "refuses", "asks"]))
    def weather(self, up: set[str], mood: str) -> None:
        self.agents.up, self.agents.mood = up, mood

    @rule(seconds=st.sampled_from([0.05, 0.15, 0.6, 3.0, 20.0, 200.0]))
    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @rule()
    def restart(self) -> None:
        self.settle_commands()
        self.run(self.manager.__aexit__(None, None, None))
        self.begin_program()

    def settle_commands(self) -> None:
        self.run(asyncio.sleep(5.0))
        for task in self.commands:
            assert task.done(), "a command never came back"
            task.result()
        self.commands.clear()

    @rule()
    def rest(self) -> None:
        """Let everything come to rest; then every prompt is somewhere, and was heard at most once."""
        self.settle_commands()
        self.run(asyncio.sleep(30.0))
        assert len(self.heard) == len(set(self.heard)), "a prompt was heard twice"
        kept: list[str] = []
        for session_id in self.sessions:
            stored = self.run(self.store.load_turns(session_id))
            assert list(self.run(self.manager.turns(session_id))) == stored
            waiting = [turn for turn in stored if turn.head.state is TurnState.UNSENT]
            assert stored[len(stored) - len(waiting) :] == waiting, "what waits does not stand at the end"
            assert [turn.head.ordinal >= FIRST_UNSENT for turn in stored] == [turn in waiting for turn in stored]
            assert not any(turn.head.prompt.text in self.heard for turn in waiting), "what was heard waits"
            head = self.manager.session(session_id)
            assert (head.turns, head.unsent) == (len(stored), len(waiting))
            sent = stored[: len(stored) - len(waiting)]
            assert _shown(head.last_state) == _shown(sent[-1].head.state if sent else None)
            kept += [turn.head.prompt.text for turn in stored]
        assert sorted(kept + self.taken_back) == sorted(self.given), "a prompt is lost, or there twice"

    @rule()
    def fair_weather(self) -> None:
        """All agents answer: what is let go has gone soon."""
        self.rest()
        self.agents.up, self.agents.mood = set(ENDPOINTS), "answers"
        for session_id in self.sessions:
            self.run(self.manager.send_unsent(session_id))
        self.run(asyncio.sleep(70.0))
        self.rest()
        assert not any(self.manager.session(session_id).unsent for session_id in self.sessions)


def _shown(state: TurnState | None) -> TurnState | None:
    """Return a state as a session's head has it: how far a live turn is, only its own head says."""
    return TurnState.QUEUED if state is not None and state.is_live else state


OutboxMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestOutbox = OutboxMachine.TestCase
