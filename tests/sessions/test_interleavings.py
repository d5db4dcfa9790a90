"""Random interleavings of everything that can happen, see engine_machine; and proof that they would find a fault.

Each mutant is a fault of the kind that this engine must never have, several of them found in other programs. The
machine has to notice every one.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from chatforge_tui.domain.changes import TurnEnded
from chatforge_tui.domain.session import SessionPatch
from chatforge_tui.sessions.contained import Contained
from chatforge_tui.sessions.event_bus import EventBus
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.sessions.session_book import SessionBook
from chatforge_tui.sessions.turn_keeper import TurnKeeper
from chatforge_tui.sessions.worker import SessionWorker
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.streaming.answer_text import AnswerText
from chatforge_tui.streaming.cancellation import CancelReason
from chatforge_tui.streaming.registry import StreamingRegistry
from chatforge_tui.streaming.streaming_state import StreamingState
from tests.sessions.engine_machine import EngineMachine

pytestmark = pytest.mark.timeout(300)

TestInterleavings = EngineMachine.TestCase
TestInterleavings.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

Patch = pytest.MonkeyPatch
MUTANTS: list[Callable[[Patch], None]] = []


def mutant(apply: Callable[[Patch], None]) -> Callable[[Patch], None]:
    """Note a fault to be planted."""
    MUTANTS.append(apply)
    return apply


@mutant
def one_request_id_for_all_sessions(patch: Patch) -> None:
    """The fault of the design that this program follows: a send in one session makes every other request stale."""
    newest: list[Any] = []
    begin = StreamingRegistry.begin
    patch.setattr(StreamingRegistry, "begin", lambda self, state: (newest.append(state), begin(self, state))[1])
    patch.setattr(StreamingRegistry, "is_current", lambda self, session, request: newest[-1].head.request_id == request)


@mutant
def writes_to_the_tab_in_front(patch: Patch) -> None:
    take = SessionWorker._take

    def to_the_front(self: SessionWorker, run: Any, event: Any) -> bool:
        for head in self._context.book.open_ones():
            if head.is_active and (state := self._context.registry.get(head.session_id)) is not None:
                self._context.keeper.record(state, state.apply(event, 0.0))
                return True
        return take(self, run, event)

    patch.setattr(SessionWorker, "_take", to_the_front)


@mutant
def abort_stops_every_session(patch: Patch) -> None:
    async def abort(self: SessionManager, session_id: Any) -> bool:
        return bool(await self.abort_all())

    patch.setattr(SessionManager, "abort", abort)


@mutant
def a_deleted_session_comes_back(patch: Patch) -> None:
    """Writing a head creates it, and delete does not wait for the worker that still writes."""

    def put(self: SessionBook, head: Any) -> None:
        self._heads[head.session_id] = head

    async def settled(self: SessionWorker) -> None:
        return

    patch.setattr(SessionBook, "put", put)
    patch.setattr(SessionBook, "find", lambda self, session_id: self._heads.get(session_id) or _any_head(self))
    patch.setattr(SessionWorker, "settled", settled)


def _any_head(book: SessionBook) -> Any:
    return next(iter(book._heads.values()), None)


@mutant
def cancellation_is_swallowed(patch: Patch) -> None:
    open_stream = SessionWorker._open

    async def swallow(self: SessionWorker, run: Any) -> Any:
        async def events() -> Any:
            try:
                async for event in await open_stream(self, run):
                    yield event
            except asyncio.CancelledError:
                async for event in await open_stream(self, run):
                    yield event

        return events()

    patch.setattr(SessionWorker, "_open", swallow)


@mutant
def text_replaces_instead_of_being_appended(patch: Patch) -> None:
    patch.setattr(AnswerText, "extend", lambda self, text, extend=AnswerText.extend: _replacing(self, text, extend))


def _replacing(answer: AnswerText, text: str, extend: Any) -> Any:
    for part in answer._parts.texts():
        yield answer._parts.drop(part.index)
    answer._open = None
    yield from extend(answer, text)


@mutant
def abort_does_not_cancel_the_stream(patch: Patch) -> None:
    stop = SessionWorker.stop

    def only_note(self: SessionWorker, reason: CancelReason) -> Any:
        if reason is not CancelReason.USER or self.run is None or self.run.task is None:
            return stop(self, reason)
        task, self.run.task = self.run.task, None
        try:
            return stop(self, reason)
        finally:
            if self.run is not None:
                self.run.task = task

    patch.setattr(SessionWorker, "stop", only_note)


@mutant
def delete_leaves_the_stream_running(patch: Patch) -> None:
    stop = SessionWorker.stop
    patch.setattr(
        SessionWorker, "stop", lambda self, reason: None if reason is CancelReason.DELETED else stop(self, reason)
    )

    async def settled(self: SessionWorker) -> None:
        return

    patch.setattr(SessionWorker, "settled", settled)


@mutant
def release_does_not_compare(patch: Patch) -> None:
    def release(self: StreamingRegistry, state: StreamingState) -> bool:
        return self._live.pop(state.head.session_id, None) is not None

    patch.setattr(StreamingRegistry, "release", release)


@mutant
def the_terminal_event_is_dropped_when_much_happens(patch: Patch) -> None:
    publish = EventBus.publish
    count = iter(range(10**9))

    def lossy(self: EventBus, event: Any) -> None:
        if not (isinstance(event, TurnEnded) and next(count) % 3 == 2):
            publish(self, event)

    patch.setattr(EventBus, "publish", lossy)


@mutant
def late_bytes_count(patch: Patch) -> None:
    patch.setattr(StreamingRegistry, "is_current", lambda self, session, request: True)


@mutant
def a_new_prompt_runs_beside_the_old_one(patch: Patch) -> None:
    stop = SessionWorker.stop

    def ignore(self: SessionWorker, reason: CancelReason) -> Any:
        if reason is CancelReason.SUPERSEDED:
            self._run = None
            return None
        return stop(self, reason)

    patch.setattr(SessionWorker, "stop", ignore)


@mutant
def the_end_is_decided_twice(patch: Patch) -> None:
    def claim(self: SessionWorker, run: Any) -> bool:
        self._context.registry.release(run.state)
        return True

    patch.setattr(SessionWorker, "_claim", claim)


@mutant
def the_prompt_leaves_before_it_is_durable(patch: Patch) -> None:
    async def begin(self: TurnKeeper, run: Any) -> None:
        session = self._book.get(run.state.head.session_id)
        run.state.place(session.turns, None)

    patch.setattr(TurnKeeper, "begin", begin)


@mutant
def switching_tabs_stops_the_hidden_one(patch: Patch) -> None:
    """What a widget does that owns its stream."""
    activate = SessionManager.activate

    def stop_others(self: SessionManager, session_id: Any) -> None:
        for other, worker in self._workers._workers.items():
            if other != session_id:
                worker.stop(CancelReason.USER)
        activate(self, session_id)

    patch.setattr(SessionManager, "activate", stop_others)


@mutant
def the_end_of_a_turn_is_not_written(patch: Patch) -> None:
    async def end_turn(self: MemoryStore, turn: Any, session: Any) -> None:
        self._sessions[session.session_id] = session

    patch.setattr(MemoryStore, "end_turn", end_turn)


@mutant
def an_aborted_answer_is_thrown_away(patch: Patch) -> None:
    end = StreamingState.end

    def forget(self: StreamingState, outcome: Any, now: float) -> Any:
        if self.token.reason is not None:
            for part in self._parts.snapshot():
                self._parts.drop(part.index)
        return end(self, outcome, now)

    patch.setattr(StreamingState, "end", forget)


@mutant
def a_request_is_sent_again_after_its_first_bytes(patch: Patch) -> None:
    take = SessionWorker._take

    def forget(self: SessionWorker, run: Any, event: Any) -> bool:
        goes_on = take(self, run, event)
        run.is_touched = False
        return goes_on

    patch.setattr(SessionWorker, "_take", forget)


@mutant
def a_mistake_in_one_session_ends_the_others(patch: Patch) -> None:
    patch.setattr(Contained, "__exit__", lambda *_: False)


@mutant
def closing_a_tab_stops_its_stream(patch: Patch) -> None:
    close = SessionManager.close_session

    async def stop(self: SessionManager, session_id: Any) -> None:
        await self.abort(session_id)
        await close(self, session_id)

    patch.setattr(SessionManager, "close_session", stop)


@mutant
def a_patch_is_kept_in_memory_only(patch: Patch) -> None:
    def forget(self: MemoryStore, session_id: Any, change: SessionPatch, updated: float) -> None:
        return

    patch.setattr(MemoryStore, "update_session", forget)


@mutant
def what_is_told_again_is_doubled(patch: Patch) -> None:
    patch.setattr(StreamingState, "retell", lambda self: None)


@mutant
def a_lost_answer_is_asked_for_by_sending_the_prompt_again(patch: Patch) -> None:
    task_of = SessionWorker._task_of
    patch.setattr(SessionWorker, "_task_of", lambda self, run: None if run.is_lost else task_of(self, run))


@mutant
def what_a_program_left_is_not_taken_up(patch: Patch) -> None:
    patch.setattr(SessionManager, "_take_up", lambda self, lost: False)


@pytest.mark.parametrize("apply", MUTANTS, ids=lambda apply: apply.__name__)
def test_the_machine_notices(apply: Callable[[Patch], None], monkeypatch: Patch) -> None:
    apply(monkeypatch)
    hunt = settings(
        max_examples=300,
        stateful_step_count=40,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises((AssertionError, ExceptionGroup, RuntimeError, KeyError)):
        run_state_machine_as_test(EngineMachine, settings=hunt)
