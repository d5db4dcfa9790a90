"""Two programs on one store: one writer a session, the other sees it live and can take it over."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.changes import SessionRemoved, TextAppended, TurnBegan, TurnChanged, TurnEnded, TurnRemoved
from chatforge_tui.domain.events import Accepted, Finished, TaskBound, TextDelta, WaitingForUser
from chatforge_tui.domain.ids import TaskId
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.session import EndpointRef, SessionPatch
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import SessionBusy, StoreUnavailable, Unreachable
from chatforge_tui.sessions import ALL, EngineSettings, SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.fakes.scripted_endpoint import ScriptedEndpoints

SHARES = EngineSettings(has_tabs=True, look_s=0.05, take_over_s=5.0, take_over_pause_s=0.02)
LIMIT_S = 8.0

OWNER = """
import asyncio, sys
from pathlib import Path
from chatforge_tui.domain.events import Accepted, TextDelta
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.sessions import EngineSettings, SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.fakes.scripted_endpoint import Pause, ScriptedEndpoints

def script(request):
    return [Accepted("fake"), TextDelta("half an answer"), Pause(600.0)]

async def main():
    settings = EngineSettings(has_tabs=True, look_s=0.05)
    store, endpoints = SqliteStore(Path(sys.argv[1])), ScriptedEndpoints(script)
    async with SessionManager(store=store, endpoints=endpoints, settings=settings) as manager:
        head = await manager.create_session(EndpointRef("fake"), title="Theirs")
        await manager.send(head.session_id, Prompt("go"))
        while not (await manager.turns(head.session_id))[-1].answer:
            await asyncio.sleep(0.01)
        await store.flush()
        print(head.session_id, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


class Program:
    """One engine on the shared store, and everything it told."""

    def __init__(self, path, settings=SHARES):
        self.endpoints = ScriptedEndpoints()
        self.store = SqliteStore(path)
        self.manager = SessionManager(store=self.store, endpoints=self.endpoints, settings=settings)
        self.watcher = self.manager.subscribe()
        self.watcher.focus(ALL)
        self.told = []

    async def until(self, is_true):
        """Wait for a condition, which is looked at again with every event."""
        async with asyncio.timeout(LIMIT_S):
            while not is_true():
                self.told += await self.watcher.batch()

    async def new(self, title=""):
        return (await self.manager.create_session(EndpointRef("fake"), title=title)).session_id

    def head(self, session_id):
        return next((head for head in self.manager.sessions() if head.session_id == session_id), None)

    async def wire(self, session_id):
        async with asyncio.timeout(LIMIT_S):
            return await self.endpoints.wire(session_id)

    def answer(self):
        """The text of the turn that was told of, played from events alone."""
        text = ""
        for event in self.told:
            match event:
                case TurnBegan(turn) | TurnEnded(turn):
                    text = turn.answer
                case TurnChanged(changes=changes):
                    for change in changes:
                        if isinstance(change, TextAppended):
                            text += change.text
                        elif hasattr(change, "part"):
                            text = change.part.text
        return text


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "store.db"


@pytest.fixture
async def two(path):
    async with AsyncExitStack() as stack:
        programs = Program(path), Program(path)
        for program in programs:
            await stack.enter_async_context(program.manager)
        yield programs


async def shown(one, other, title="Shared"):
    """A session of the first program with a tab in the second."""
    session_id = await one.new(title)
    await other.until(lambda: other.head(session_id) is not None)
    await other.manager.reopen_session(session_id)
    await other.manager.turns(session_id)
    await other.until(lambda: other.head(session_id).held_by)
    return session_id


async def test_a_new_session_a_rename_and_a_deletion_show_up_in_the_other_program(two):
    one, other = two
    session_id = await one.new("First name")
    await other.until(lambda: other.head(session_id) is not None)
    head = other.head(session_id)
    assert (head.title, head.is_open) == ("First name", False)
    assert head.held_by.startswith(f"pid {os.getpid()} ")
    for program, peer, name in ((one, other, "Here"), (other, one, "There")):
        program.manager.update_session(session_id, SessionPatch(title=name))
        await peer.until(lambda peer=peer, name=name: peer.head(session_id).title == name)
    await other.manager.delete_session(session_id)
    await one.until(lambda: one.head(session_id) is None)
    assert SessionRemoved(session_id) in one.told


async def test_what_one_program_streams_is_followed_in_the_other_to_the_last_letter(two):
    one, other = two
    session_id = await shown(one, other)
    await one.manager.send(session_id, Prompt("tell"))
    wire = await one.wire(session_id)
    wire.say(Accepted("fake"), TextDelta("Once "))
    await other.until(lambda: other.answer() == "Once ")
    wire.say(TextDelta("upon"))
    await other.until(lambda: other.answer() == "Once upon")
    assert [turn.answer for turn in await other.manager.turns(session_id)] == ["Once upon"]
    wire.say(TextDelta(" a time"), Finished())
    await other.until(lambda: any(isinstance(event, TurnEnded) for event in other.told))
    assert other.answer() == "Once upon a time"
    assert other.head(session_id).last_state is TurnState.COMPLETE
    assert len([event for event in other.told if isinstance(event, TurnBegan | TurnEnded)]) == 2


async def test_a_turn_that_could_not_leave_in_one_program_is_not_shown_as_running_in_the_other(path):
    one, other = Program(path, replace(SHARES, keeps_unsent=True)), Program(path)
    async with one.manager, other.manager:
        session_id = await shown(one, other)
        await one.manager.send(session_id, Prompt("first"))
        (await one.wire(session_id)).say(Accepted("fake"), Finished())
        await other.until(lambda: any(isinstance(event, TurnEnded) for event in other.told))
        await one.manager.send(session_id, Prompt("second"))
        await other.until(lambda: [event for event in other.told if isinstance(event, TurnBegan)][1:])
        wire = await one.endpoints.wire(session_id, 1)
        wire.say(Unreachable("refused"))
        await other.until(lambda: any(isinstance(event, TurnRemoved) for event in other.told))
        assert [turn.head.prompt.text for turn in await other.manager.turns(session_id)] == ["first"]
        await one.manager.take_back(session_id)
        await one.manager.send(session_id, Prompt("third"))
        (await one.endpoints.wire(session_id, 2)).say(Accepted("fake"), Finished())
        await other.until(lambda: [event for event in other.told if isinstance(event, TurnEnded)][1:])
        assert [turn.head.prompt.text for turn in await other.manager.turns(session_id)] == ["first", "third"]


async def test_nobody_sends_in_a_session_that_another_program_holds(two):
    one, other = two
    session_id = await shown(one, other)
    with pytest.raises(SessionBusy, match=rf"pid {os.getpid()} "):
        await other.manager.send(session_id, Prompt("mine"))
    with pytest.raises(SessionBusy):
        other.manager.update_session(session_id, SessionPatch(endpoint=EndpointRef("elsewhere")))
    assert await one.manager.turns(session_id) == ()
    assert not other.endpoints.wires


async def test_taking_over_ends_the_others_request_and_the_next_prompt_goes_from_here(two):
    one, other = two
    session_id = await shown(one, other)
    await one.manager.send(session_id, Prompt("tell"))
    wire = await one.wire(session_id)
    wire.say(Accepted("fake"), TaskBound(TaskId("task"), None), TextDelta("Once"))
    await other.until(lambda: other.answer() == "Once")
    await other.manager.take_over(session_id)
    assert other.head(session_id).held_by == ""
    [turn] = await other.manager.turns(session_id)
    assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "Once")
    assert turn.head.problem.kind == "handed-over"
    assert not one.endpoints.canceled
    await one.until(lambda: one.head(session_id).held_by)
    await other.manager.send(session_id, Prompt("go on"))
    (await other.wire(session_id)).say(Accepted("fake"), TextDelta("again"), Finished())
    await one.until(lambda: one.head(session_id).turns == 2)
    await one.until(lambda: one.answer() == "again")
    with pytest.raises(SessionBusy):
        await one.manager.send(session_id, Prompt("mine"))


async def test_a_session_that_cannot_be_handed_over_is_still_told_of_once(two):
    one, other = two
    session_id = await shown(one, other)
    tries = asyncio.Event()

    async def refuse(session_ids):
        tries.set()
        message = "The disk is full."
        raise StoreUnavailable(message)

    one.store.give_up_sessions = refuse
    await other.store.ask_for_session(session_id)
    async with asyncio.timeout(LIMIT_S):
        await tries.wait()
    assert session_id not in one.manager._others._followed, "its own turns would be told as another's, too"


@pytest.mark.parametrize("what_fails", ["load_turns", "give_up_sessions"])
async def test_a_session_is_handed_over_as_soon_as_the_store_can_again(two, monkeypatch, what_fails):
    one, other = two
    session_id = await shown(one, other)
    tries = asyncio.Event()

    async def refuse(*_, **__):
        tries.set()
        message = "The disk is full."
        raise StoreUnavailable(message)

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        with monkeypatch.context() as patches:
            patches.setattr(one.store, what_fails, refuse)
            group.create_task(other.manager.take_over(session_id))
            await tries.wait()
        tries.clear()
    assert other.head(session_id).held_by == ""
    await other.manager.send(session_id, Prompt("mine"))
    assert await other.wire(session_id)


async def test_a_session_is_handed_over_as_soon_as_the_end_of_its_turn_is_saved(two, monkeypatch):
    one, other = two
    session_id = await shown(one, other)
    await one.manager.send(session_id, Prompt("tell"))
    (await one.wire(session_id)).say(Accepted("fake"), TextDelta("Once"))
    await other.until(lambda: other.answer() == "Once")
    tries = asyncio.Event()

    async def refuse(*_):
        tries.set()
        message = "The disk is full."
        raise StoreUnavailable(message)

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        with monkeypatch.context() as patches:
            patches.setattr(one.store, "end_turn", refuse)
            group.create_task(other.manager.take_over(session_id))
            await tries.wait()
    [turn] = await other.manager.turns(session_id)
    assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "Once")


async def test_a_prompt_that_is_sent_while_a_session_is_handed_over_is_interrupted_and_the_session_goes_all_the_same(
    two,
):
    one, other = two
    session_id = await shown(one, other)
    load_turns = one.store.load_turns

    async def send_first(session_id, **wanted):
        one.store.load_turns = load_turns
        await one.manager.send(session_id, Prompt("just in time"))
        await one.wire(session_id)
        return await load_turns(session_id, **wanted)

    one.store.load_turns = send_first
    async with asyncio.timeout(LIMIT_S):
        await other.manager.take_over(session_id)
    [turn] = await other.manager.turns(session_id)
    assert (turn.head.state, turn.head.problem.kind) == (TurnState.INTERRUPTED, "handed-over")


async def test_a_tab_that_only_shows_becomes_a_writer_when_the_other_closes_its_own(two):
    one, other = two
    session_id = await shown(one, other)
    await one.manager.close_session(session_id)
    await other.until(lambda: not other.head(session_id).held_by)
    await other.manager.send(session_id, Prompt("mine"))
    (await other.wire(session_id)).say(Accepted("fake"), TextDelta("done"), Finished())
    assert (await other.manager.finished(session_id)).answer == "done"
    await one.until(lambda: one.head(session_id).held_by and one.head(session_id).turns == 1)


async def test_a_closed_tab_whose_stream_goes_on_is_given_up_when_it_has_ended(two):
    one, other = two
    session_id = await shown(one, other)
    await one.manager.send(session_id, Prompt("tell"))
    wire = await one.wire(session_id)
    wire.say(Accepted("fake"), TextDelta("Once"))
    await one.manager.close_session(session_id)
    await other.until(lambda: other.answer() == "Once")
    assert other.head(session_id).held_by
    wire.say(Finished())
    await other.until(lambda: not other.head(session_id).held_by)


async def test_a_program_without_tabs_neither_takes_nor_reopens_the_tab_that_another_closes(path):
    one, tabless = Program(path), Program(path, EngineSettings(look_s=0.05))
    async with one.manager:
        session_id, kept = await one.new("Closed soon"), await one.new("Kept")
        async with tabless.manager:
            await tabless.until(lambda: tabless.head(session_id).held_by)
            await one.manager.close_session(session_id)
            await tabless.until(lambda: not tabless.head(session_id).held_by)
            own = await tabless.manager.create_session(EndpointRef("fake"), has_tab=False)
            await tabless.manager.send(own.session_id, Prompt("mine"))
            (await tabless.wire(own.session_id)).say(Accepted("fake"), Finished())
            await tabless.manager.finished(own.session_id)
            await one.until(lambda: one.head(own.session_id) is not None and one.head(own.session_id).turns == 1)
            assert not one.head(session_id).held_by
    async with Program(path).manager as manager:
        assert [head.session_id for head in manager.sessions() if head.is_open] == [kept]


async def test_a_session_without_a_tab_is_never_seen_with_one(two):
    one, other = two
    head = await one.manager.create_session(EndpointRef("fake"), has_tab=False)
    [stored] = await other.store.load_sessions()
    assert (head.is_open, head.is_active, stored.session_id, stored.is_open) == (False, False, head.session_id, False)


async def test_the_first_program_has_the_tabs_and_a_second_has_none(path):
    async with Program(path).manager as manager:
        for title in ("a", "b"):
            await manager.create_session(EndpointRef("fake"), title=title)
    one, other = Program(path), Program(path)
    async with one.manager, other.manager:
        assert [head.is_open for head in one.manager.sessions()] == [True, True]
        assert [(head.is_open, bool(head.held_by)) for head in other.manager.sessions()] == [(False, True)] * 2
    async with Program(path).manager as manager:
        assert [head.title for head in manager.sessions() if head.is_open] == ["a", "b"]


async def test_a_killed_program_is_followed_and_its_session_taken_over_within_a_second(path):
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(path), stdout=asyncio.subprocess.PIPE
    )
    session_id = (await program.stdout.readline()).decode().strip()
    other = Program(path)
    async with other.manager:
        assert other.head(session_id).held_by.startswith(f"pid {program.pid} ")
        await other.manager.reopen_session(session_id)
        [turn] = await other.manager.turns(session_id)
        assert (turn.head.state, turn.answer) == (TurnState.STREAMING, "half an answer")
        program.send_signal(signal.SIGKILL)
        await program.wait()
        async with asyncio.timeout(1.0):
            await other.manager.take_over(session_id)
        [turn] = await other.manager.turns(session_id)
        assert (turn.head.state, turn.answer) == (TurnState.INTERRUPTED, "half an answer")
        await other.manager.send(session_id, Prompt("again"))
        assert await other.wire(session_id)


async def test_a_living_program_in_another_process_hands_its_session_over(path):
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(path), stdout=asyncio.subprocess.PIPE
    )
    try:
        session_id = (await program.stdout.readline()).decode().strip()
        other = Program(path)
        async with other.manager:
            await other.manager.reopen_session(session_id)
            with pytest.raises(SessionBusy, match=f"pid {program.pid} "):
                await other.manager.send(session_id, Prompt("mine"))
            await other.manager.take_over(session_id)
            [turn] = await other.manager.turns(session_id)
            assert (turn.head.state, turn.head.problem.kind) == (TurnState.INTERRUPTED, "handed-over")
    finally:
        program.kill()
        await program.wait()


async def test_a_waiting_session_that_is_taken_over_waits_on_and_its_agent_is_not_asked(path):
    one, other = Program(path, replace(SHARES, takes_up=True)), Program(path, replace(SHARES, takes_up=True))
    async with one.manager, other.manager:
        session_id = await shown(one, other)
        await one.manager.send(session_id, Prompt("sign me in"))
        asked = WaitingForUser(QuestionKind.AUTH, "Sign in.")
        (await one.wire(session_id)).say(Accepted("fake"), TaskBound(TaskId("task-1"), None), asked)
        before = await one.manager.finished(session_id)
        other.endpoints.can_resume = True
        await other.manager.take_over(session_id)
        for _ in range(50):  # looks at the store take turns with whatever the takeover has started
            [turn] = await other.store.load_turns(session_id)
        assert (turn, other.endpoints.rejoined) == (before, [])
