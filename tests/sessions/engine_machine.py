"""A model of the engine, and random interleavings of everything that can happen to up to four sessions.

The model knows what each prompt's agent was made to say and what may have ended it; the engine may be anywhere between
two steps of its loop when the next thing happens. Invariants that hold always are checked after every rule, the others
when everything has come to rest. The invariants' numbers are those of the design (I1 to I11).
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chatforge_tui.domain.changes import SessionChanged, SessionRemoved, TurnBegan, TurnChanged, TurnEnded
from chatforge_tui.domain.events import Accepted, Finished, StreamEvent, TaskBound, TextDelta
from chatforge_tui.domain.fold import fold
from chatforge_tui.domain.ids import SessionId, TaskId, TurnId
from chatforge_tui.domain.request import PromptRequest
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnState
from chatforge_tui.errors import StreamLost, UnknownSession, Unreachable
from chatforge_tui.sessions import ALL, EngineSettings, SessionManager
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import ScriptedEndpoints, Wire
from tests.virtual_clock import LoopClock, VirtualLoop, settle

MOST_SESSIONS = 4
QUIET_S = 30.0
"""Longer than all pauses between tries together, shorter than an idle connection is kept."""


class SlowMemoryStore(MemoryStore):
    """A store whose answers take a few steps of the loop, so that things can happen meanwhile."""

    async def begin_turn(self, head: TurnHead, session: SessionHead) -> None:
        await settle(2)
        await super().begin_turn(head, session)
        await settle(2)

    async def end_turn(self, turn: Turn, session: SessionHead) -> None:
        await super().end_turn(turn, session)
        await settle(3)

    async def load_turns(
        self, session_id: SessionId, *, since: int = 0, before: int | None = None, but: TurnId | None = None
    ) -> list[Turn]:
        turns = await super().load_turns(session_id, since=since, before=before, but=but)
        await settle(2)
        return turns

    async def trash_session(self, session_id: SessionId, when: float) -> None:
        await settle(2)
        await super().trash_session(session_id, when)


@dataclass(eq=False)
class ModelTurn:
    """What is known about a prompt without looking at the engine."""

    prompt: str
    fed: str = ""
    """What its agent was made to say while nothing had ended it."""
    causes: set[TurnState] = field(default_factory=set)
    """How it may have ended. Empty: it must be live."""
    seen: str = ""
    """The longest answer observed."""
    frozen: Turn | None = None
    """Once it has ended: the turn as it must stay for ever."""
    refusals: int = 0
    task: TaskId | None = None
    """Once its agent has named one: a lost stream is read on with."""


@dataclass(eq=False)
class ModelSession:
    """What is known about a session without looking at the engine."""

    session_id: SessionId
    turns: list[ModelTurn] = field(default_factory=list)
    is_deleted: bool = False

    @property
    def live(self) -> ModelTurn | None:
        return self.turns[-1] if self.turns and not self.turns[-1].causes else None


class EngineMachine(RuleBasedStateMachine):
    """Drives a real SessionManager on a virtual loop."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.store = SlowMemoryStore()
        self.endpoints = ScriptedEndpoints()
        self.endpoints.on_open = self.note_opened
        self.endpoints.can_resume = True
        self.endpoints.on_resume = self.retell
        self.lost: set[Wire] = set()
        """Streams that broke: nothing of them counts any more."""
        self.violations: list[str] = []
        self.sessions: list[ModelSession] = []
        self.commands: list[asyncio.Task[Any]] = []
        self.mirror: dict[TurnId, Turn] = {}
        """What a watcher makes of the events alone."""
        self.mirror_heads: dict[SessionId, SessionHead] = {}
        self.ended: set[TurnId] = set()
        self.words = 0

    @initialize()
    def start(self) -> None:
        self.begin_program()
        self.new(active=True)
        self.new(active=False)

    def begin_program(self) -> None:
        settings = EngineSettings(takes_up=True, rejoin_pauses_s=(1.0,) * 20)
        self.manager = SessionManager(store=self.store, endpoints=self.endpoints, clock=LoopClock(), settings=settings)
        self.run(self.manager.__aenter__())
        self.watcher = self.manager.subscribe()
        self.watcher.focus(ALL)

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def activate(self, session_id: SessionId) -> None:
        self.manager.activate(session_id)

    def note_opened(self, request: PromptRequest) -> None:
        """A request leaves: its prompt must be in the store, and it must not have been answered before (I10)."""
        stored = self.store._turns.get(request.session_id, {})
        if request.turn_id not in stored:
            self.violations.append("a prompt left before it was durable")
        earlier = [wire for wire in self.endpoints.wires[:-1] if wire.request.turn_id == request.turn_id]
        if any(wire.said for wire in earlier):
            self.violations.append("a prompt was sent again after something of its answer had arrived")

    def retell(self, wire: Wire) -> None:
        """An agent is asked for a task: it tells all of it."""
        turns = [turn for session in self.sessions for turn in session.turns]
        turn = next(turn for turn in turns if wire.task is not None and turn.task == wire.task.task_id)
        wire.say(Accepted("fake"), TaskBound(turn.task, None), *([TextDelta(turn.fed)] if turn.fed else []))

    def wires_of(self, session: ModelSession) -> list[Wire]:
        """Return everything that was asked in a session, oldest first."""
        tasks = {turn.task for turn in session.turns if turn.task}
        rejoined = [wire for wire in self.endpoints.rejoined if wire.task and wire.task.task_id in tasks]
        return [*self.endpoints.of(session.session_id), *rejoined]

    def word(self) -> str:
        """Return text that occurs nowhere else."""
        self.words += 1
        return f"w{self.words} "

    def alive(self) -> list[ModelSession]:
        return [session for session in self.sessions if not session.is_deleted]

    def pick(self, number: int) -> ModelSession | None:
        alive = self.alive()
        return alive[number % len(alive)] if alive else None

    def pick_live(self, number: int) -> tuple[ModelTurn, Wire] | None:
        """Return a turn that is live and open, with its request."""
        pairs = [(session.live, self.live_wire(session)) for session in self.alive()]
        both = [(turn, wire) for turn, wire in pairs if turn is not None and wire is not None]
        return both[number % len(both)] if both else None

    def live_wire(self, session: ModelSession) -> Wire | None:
        """Return the open request of the session's live turn."""
        turn = session.live
        wires = [wire for wire in self.wires_of(session) if turn and _asks_for(wire, turn)]
        return None if not wires or wires[-1].closed or wires[-1] in self.lost else wires[-1]

    def command(self, work: Any, steps: int) -> None:
        self.commands.append(self.loop.create_task(work))
        self.run(settle(steps))
        self.check_always()

    @precondition(lambda self: len(self.alive()) < MOST_SESSIONS)
    @rule(active=st.booleans())
    def new(self, active: bool) -> None:
        head = self.run(self.manager.create_session(EndpointRef("fake"), activate=active))
        self.sessions.append(ModelSession(head.session_id))
        self.check_always()

    @rule(number=st.integers(0, 3), steps=st.integers(0, 12), stubborn=st.booleans())
    def send(self, number: int, steps: int, stubborn: bool) -> None:
        if (session := self.pick(number)) is None:
            return
        if session.turns:
            session.turns[-1].causes.add(TurnState.ABORTED)
        prompt = self.word()
        session.turns.append(ModelTurn(prompt))
        self.endpoints.stubborn = stubborn
        self.command(self.manager.send(session.session_id, Prompt(prompt)), steps)

    @rule(number=st.integers(0, 3), steps=st.integers(0, 12), count=st.integers(1, 5))
    def delta(self, number: int, steps: int, count: int) -> None:
        if (live := self.pick_live(number)) is None:
            return
        turn, wire = live
        if not turn.fed:
            turn.task = TaskId(turn.prompt) if int(turn.prompt[1:]) % 2 else None
            wire.say(Accepted("fake"), *([TaskBound(turn.task, None)] if turn.task else []))
        for _ in range(count):
            word = self.word()
            turn.fed += word
            wire.say(TextDelta(word))
        self.run(settle(steps))
        self.check_always()

    @rule(steps=st.integers(5, 20))
    def everyone_talks(self, steps: int) -> None:
        """A delta in every session that is live; a prompt first in every one that is not."""
        for number, session in enumerate(self.alive()):
            if session.live is None:
                self.send(number, 20, stubborn=False)
        for number in range(MOST_SESSIONS):
            self.delta(number, 0, 1)
        self.run(settle(steps))
        self.check_always()

    @rule(number=st.integers(0, 1_000), finish=st.booleans(), steps=st.integers(0, 6))
    def late(self, number: int, finish: bool, steps: int) -> None:
        """Bytes of a request that is over."""
        dead = [wire for wire in self.endpoints.wires if not self.is_live(wire)]
        if dead:
            event: StreamEvent = Finished("late") if finish else TextDelta("LATE ")
            dead[number % len(dead)].say(event)
            self.run(settle(steps))
            self.check_always()

    def is_live(self, wire: Wire) -> bool:
        return any(self.live_wire(session) is wire for session in self.alive())

    def end_by(self, number: int, state: TurnState, steps: int, *what: Any) -> None:
        if (live := self.pick_live(number)) is None:
            return
        turn, wire = live
        turn.causes.add(state)
        if what:
            wire.say(*what)
        else:
            wire.cut()
        self.run(settle(steps))
        self.check_always()

    @rule(number=st.integers(0, 3), steps=st.integers(0, 12))
    def finish(self, number: int, steps: int) -> None:
        self.end_by(number, TurnState.COMPLETE, steps, Finished("stop"))

    @rule(number=st.integers(0, 3), steps=st.integers(0, 12), what=st.sampled_from(["cut", "reset", "crash"]))
    def misfortune(self, number: int, steps: int, what: str) -> None:
        if (live := self.pick_live(number)) is None:
            return
        if what == "reset" and not live[0].fed:
            self.delta(number, 0, 1)
        if what != "crash" and live[0].task is not None:
            self.drop(number, steps, goes_on=False)
            return
        match what:
            case "cut":
                self.end_by(number, TurnState.INTERRUPTED, steps)
            case "reset":
                self.end_by(number, TurnState.INTERRUPTED, steps, StreamLost("reset", retryable=True))
            case _:
                self.end_by(number, TurnState.FAILED, steps, RuntimeError("a mistake in an adapter"))

    @rule(number=st.integers(0, 3), steps=st.integers(0, 12), goes_on=st.booleans())
    def drop(self, number: int, steps: int, goes_on: bool) -> None:
        """The network breaks; an agent with a task goes on, and tells all of it when it is asked."""
        live = self.pick_live(number)
        if live is None or live[0].task is None:
            return
        turn, wire = live
        wire.say(StreamLost("broken"))
        self.lost.add(wire)
        if goes_on:
            turn.fed += self.word()
        self.run(settle(steps))
        self.check_always()

    @rule(finish=st.booleans())
    def restart(self, finish: bool) -> None:
        """The program ends, and another one begins on the same store: tasks are taken up, the rest is interrupted."""
        self.rest()
        self.run(self.manager.__aexit__(None, None, None))
        self.check_always()
        for session in self.alive():
            if (turn := session.live) is None:
                continue
            if turn.task is None:
                turn.causes.add(TurnState.INTERRUPTED)
            else:
                turn.fed += self.word()
        self.ended.clear()
        self.begin_program()
        for head in self.manager.sessions():
            self.mirror_heads[head.session_id] = head
            if not head.is_open:
                self.run(self.activate(head.session_id))
        for session in self.alive():
            for turn in self.run(self.manager.turns(session.session_id)):
                self.mirror[turn.head.turn_id] = turn
        self.rest()

    @rule(number=st.integers(0, 3))
    def refuse(self, number: int) -> None:
        """Nothing could be sent: it is tried again, twice at most."""
        live = self.pick_live(number)
        if live is None or live[0].fed:
            return
        turn, wire = live
        turn.refusals += 1
        if turn.refusals > 2:
            turn.causes.add(TurnState.FAILED)
        wire.say(Unreachable("refused", retryable=True))
        self.rest()

    @rule(number=st.integers(0, 3), steps=st.integers(0, 12))
    def abort(self, number: int, steps: int) -> None:
        if (session := self.pick(number)) is None:
            return
        if session.turns:
            session.turns[-1].causes.add(TurnState.ABORTED)
        self.command(self.manager.abort(session.session_id), steps)

    @rule(number=st.integers(0, 3), steps=st.integers(0, 12))
    def delete(self, number: int, steps: int) -> None:
        if (session := self.pick(number)) is None:
            return
        session.is_deleted = True
        if session.turns:
            session.turns[-1].causes.add(TurnState.ABORTED)
        self.command(self.manager.delete_session(session.session_id), steps)

    @rule(number=st.integers(0, 1_000))
    def restore(self, number: int) -> None:
        self.rest()
        gone = [session for session in self.sessions if session.is_deleted]
        if gone and len(self.alive()) < MOST_SESSIONS:
            session = gone[number % len(gone)]
            self.run(self.manager.restore_session(session.session_id))
            session.is_deleted = False
            self.rest()

    @rule(number=st.integers(0, 3))
    def switch(self, number: int) -> None:
        if (session := self.pick(number)) is None:
            return
        self.run(self.activate(session.session_id))
        self.check_always()

    @rule(number=st.integers(0, 3), reopen=st.booleans())
    def close_tab(self, number: int, reopen: bool) -> None:
        if (session := self.pick(number)) is None:
            return
        self.run(self.manager.close_session(session.session_id))
        if reopen:
            self.run(self.manager.reopen_session(session.session_id, 0))
        self.check_always()

    @rule(number=st.integers(0, 30))
    def steps(self, number: int) -> None:
        self.run(settle(number))
        self.check_always()

    @rule()
    def rest(self) -> None:
        """Let everything come to rest, then compare engine, store, watcher and model."""
        self.run(asyncio.sleep(QUIET_S))
        self.check_always()
        for task in self.commands:
            assert task.done(), "a command never came back"
            assert task.exception() is None or isinstance(task.exception(), UnknownSession), task.exception()
        self.commands.clear()
        for session in self.sessions:
            self.check_session(session)
        heads = {head.session_id for head in self.manager.sessions()}
        assert heads == {session.session_id for session in self.alive()}, "I5: wrong sessions"
        positions = [head.position for head in self.manager.sessions() if head.is_open]
        assert positions == list(range(len(positions)))
        assert sum(head.is_active for head in self.manager.sessions()) <= 1
        live = {session.session_id for session in self.alive() if session.live}
        assert set(self.manager._registry._live) == live, "I3: live requests and registry differ"

    def check_session(self, session: ModelSession) -> None:
        stored = self.run(self.store.load_turns(session.session_id))
        if session.is_deleted:
            # Prompts that were not yet durable when the session was deleted were refused.
            del session.turns[len(stored) :]
        known = session.turns
        assert [turn.head.prompt.text for turn in stored] == [turn.prompt for turn in known], "prompts differ"
        if not session.is_deleted:
            shown = self.run(self.manager.turns(session.session_id))
            assert list(shown) == stored, "I8: memory and store differ"
            head = next(head for head in self.run(self.store.load_sessions()) if head.session_id == session.session_id)
            mine = self.manager.session(session.session_id)
            if session.live is None:
                assert head == mine, "heads in store and memory differ"
            assert self.mirror_heads[session.session_id] == mine, "a watcher's head differs"
        for model, turn in zip(known, stored, strict=True):
            assert self.mirror.get(turn.head.turn_id) == turn, "a watcher's turn differs"
            self.check_turn(model, turn)
        wires = [wire for wire in self.wires_of(session) if not wire.closed]
        expected = [self.live_wire(session)] if session.live and not session.is_deleted else []
        assert [wire for wire in wires if not wire.was_stubborn] == [wire for wire in expected if wire], "open streams"
        if session.live and not session.is_deleted:
            assert expected[0] is not None, "I3: a live turn without a stream"

    def check_turn(self, model: ModelTurn, turn: Turn) -> None:
        assert model.fed.startswith(turn.answer), "I1: not what the agent said"
        assert turn.answer.startswith(model.seen), "text that was received is gone"
        model.seen = turn.answer
        if model.frozen is not None:
            assert turn == model.frozen, "I4: an ended turn changed"
            return
        if not model.causes:
            assert turn.head.state.is_live, f"I2: ended as {turn.head.state} without a cause"
            assert turn.answer == model.fed, "I1: text is missing"
            return
        assert turn.head.state in model.causes, f"{turn.head.state} instead of {model.causes}"
        if turn.head.state is TurnState.COMPLETE:
            assert turn.answer == model.fed, "I1: complete without its whole text"
        model.frozen = turn

    def check_always(self) -> None:
        """Play the events of the last step into the mirror, as a screen would."""
        assert not self.violations, self.violations
        for event in self.watcher.drain():
            match event:
                case TurnBegan(turn):
                    self.mirror[turn.head.turn_id] = turn
                case TurnChanged(_, turn_id, _, changes):
                    assert turn_id not in self.ended, "I6: something came after the end"
                    self.mirror[turn_id] = fold(self.mirror[turn_id], changes)
                case TurnEnded(turn):
                    assert turn.head.turn_id not in self.ended, "I6: ended twice"
                    self.ended.add(turn.head.turn_id)
                    self.mirror[turn.head.turn_id] = turn
                case SessionChanged(head):
                    self.mirror_heads[head.session_id] = head
                case SessionRemoved(session_id):
                    self.mirror_heads.pop(session_id, None)
        for turn in self.mirror.values():
            wires = [w for w in self.endpoints.wires if w.request and w.request.turn_id == turn.head.turn_id]
            again = [w for w in self.endpoints.rejoined if w.task and w.task.task_id == turn.head.task_id]
            said = [_text(wires), *(_text([wire]) for wire in again)]
            assert any(text.startswith(turn.answer) for text in said), "I1: text of another request"

    def teardown(self) -> None:
        """End the program: nothing is left running, and the store holds what was shown (I11, I8)."""
        try:
            if hasattr(self, "manager"):
                self.rest()
                self.run(self.manager.__aexit__(None, None, None))
                assert not asyncio.all_tasks(self.loop), "I11: something still runs"
                assert not self.endpoints.open_wires, "I11: a stream is still open"
                for session in self.sessions:
                    for turn in self.run(self.store.load_turns(session.session_id)):
                        assert not turn.head.state.is_live
        finally:
            self.clear_away()

    def clear_away(self) -> None:
        """End whatever a faulty engine has left running, so that the next example starts with nothing."""
        for wire in (*self.endpoints.wires, *self.endpoints.rejoined):
            wire.stubborn = False
        for _ in range(100):
            if not (tasks := asyncio.all_tasks(self.loop)):
                break
            for task in tasks:
                task.cancel()
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=60))
            for task in tasks:
                if task.done() and not task.cancelled():
                    task.exception()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


def _asks_for(wire: Wire, turn: ModelTurn) -> bool:
    """Whether a stream is about this turn."""
    if wire.request is not None:
        return wire.request.prompt.text == turn.prompt
    return wire.task is not None and wire.task.task_id == turn.task


def _text(wires: list[Wire]) -> str:
    return "".join(event.text for wire in wires for event in wire.said if isinstance(event, TextDelta))
