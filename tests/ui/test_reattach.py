"""What a person sees and can do when a stream is lost."""

from chatforge_tui.domain.events import Accepted, Finished, TaskBound, TextDelta, WaitingForUser
from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StreamLost
from chatforge_tui.store.memory_store import MemoryStore
from tests.ui.program import Program, running

BOUND = TaskBound(TaskId("task-1"), ContextId("context-1"))


async def with_text(program: Program, *events):
    """Send a prompt, let its answer begin, and lose its stream."""
    pane = await program.send("hello")
    wire = await program.wire(pane)
    await program.say(wire, Accepted("fake", "counter"), *events, TextDelta("one "))
    await program.sees("one")
    return pane, wire


async def test_the_countdown_is_shown_and_escape_ends_it(home):
    async with running(home) as program:
        program.endpoints.can_resume = True
        pane, wire = await with_text(program, BOUND)
        await program.say(wire, StreamLost("broken"))
        await program.sees("Reconnecting")
        await program.until(lambda: pane.turn.is_reconnecting)
        await program.pilot.press("escape")
        await program.until(lambda: pane.state is TurnState.ABORTED)
        assert "Reconnecting" not in program.text
        assert [task.task_id for task in program.endpoints.canceled] == ["task-1"]


async def test_an_answer_that_is_read_on_with_goes_on_where_it_was(home):
    async with running(home) as program:
        program.endpoints.can_resume = True
        program.endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one two"), Finished()]
        pane, wire = await with_text(program, BOUND)
        await program.say(wire, StreamLost("broken"))
        await program.until(lambda: pane.state is TurnState.COMPLETE)
        await program.sees("one two")
        assert program.text.count("one two") == 1


async def test_continue_asks_for_the_task_and_sends_nothing(home):
    store = MemoryStore()
    async with running(home, store=store) as program:
        await with_text(program, BOUND)
    async with running(home, store=store) as program:
        program.endpoints.can_resume = True
        await program.sees("closed before the answer was complete")
        program.endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one two"), Finished()]
        pane = program.front
        await program.type("/continue")
        await program.pilot.press("enter")
        await program.until(lambda: pane.state is TurnState.COMPLETE)
        await program.sees("one two")
        assert program.text.count("one two") == 1
        assert pane.prompts == ["hello"]
        assert program.endpoints.wires == []


async def test_continue_looks_whether_an_agent_that_waits_has_gone_on(home):
    asked = WaitingForUser(QuestionKind.AUTH, "Sign in at login.example")
    async with running(home) as program:
        program.endpoints.can_resume = True
        pane, wire = await with_text(program, BOUND)
        await program.say(wire, asked)
        await program.until(lambda: pane.state is TurnState.WAITING)
        await program.sees("/continue looks on when you have signed in")
        program.endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one "), asked]
        await program.type("/continue")
        await program.pilot.press("enter")
        await program.sees("The agent still waits for your answer.")
        program.endpoints.retell = lambda task: [Accepted("fake"), BOUND, TextDelta("one two"), Finished()]
        await program.type("/continue")
        await program.pilot.press("enter")
        await program.until(lambda: pane.state is TurnState.COMPLETE)
        await program.until(lambda: program.text.index("Sign in") < program.text.rfind("two"))
        assert pane.prompts == ["hello"]


async def test_continue_without_a_task_is_a_prompt_of_its_own(home):
    async with running(home) as program:
        pane, wire = await with_text(program)
        await program.say(wire, StreamLost("broken"))
        await program.until(lambda: pane.state is TurnState.INTERRUPTED)
        assert len(program.endpoints.wires) == 1
        await program.type("/continue")
        await program.pilot.press("enter")
        await program.until(lambda: len(program.endpoints.wires) == 2)
        assert program.endpoints.wires[-1].request.prompt.text.startswith("Continue")


async def test_a_complete_answer_is_not_continued_one_cut_at_a_limit_is(home):
    async with running(home, script=lambda _: [Accepted("fake"), TextDelta("all"), Finished(reason)]) as program:
        reason = "stop"
        pane = await program.send("go")
        await program.until(lambda: pane.state is TurnState.COMPLETE)
        await program.type("/continue")
        await program.pilot.press("enter")
        await program.sees("The answer is complete: there is nothing to continue.")
        assert len(program.endpoints.wires) == 1
        reason = "length"
        pane = await program.send("go")
        await program.until(lambda: pane.state is TurnState.COMPLETE)
        await program.type("/continue")
        await program.pilot.press("enter")
        await program.until(lambda: len(program.endpoints.wires) == 3)


async def test_continue_while_an_answer_runs_sends_nothing(home):
    async with running(home) as program:
        await with_text(program)
        await program.type("/continue")
        await program.pilot.press("enter")
        await program.sees("The answer is still running.")
        assert len(program.endpoints.wires) == 1
