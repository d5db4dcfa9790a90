"""The design note's own test of concurrent streaming, in its eight steps: the real screen, a real A2A server, a disk.

1 two sessions  2 both stream  3 each shows its own  4 both complete  5 plans per session  6 one is deleted while both
stream  7 nothing of it is left  8 the other did not notice.
"""

import asyncio

import pytest

from chatforge_tui.domain.plan import StepStatus
from chatforge_tui.domain.turn import TurnState
from tests.acceptance.real_program import real_program
from tests.cli.program import Program as CommandLine
from tests.servers.a2a_process import run_a2a_server

pytestmark = pytest.mark.timeout(300)  # the first run makes the servers' environments


@pytest.fixture(scope="module", params=["0.3", "1.0"])
def server(request, tmp_path_factory):
    with run_a2a_server(request.param, tmp_path_factory.mktemp("a2a") / "server.log") as running:
        yield running


@pytest.fixture
def command_line(server, tmp_path):
    made = CommandLine(tmp_path / "home")
    made.configure(f'default_endpoint = "agents"\n[endpoints.agents]\nprotocol = "a2a"\nurl = "{server.url}"\n')
    return made


def titles(plan):
    return [step.title for step in plan.steps]


async def test_two_sessions_stream_side_by_side_and_deleting_one_is_not_felt_in_the_other(
    server, command_line, tmp_path
):
    enough, never = tmp_path / "enough", tmp_path / "never"
    async with real_program(command_line.home) as program:
        # 1, 2: two sessions, both streaming
        first = await program.send(f"plan apples, stream until {enough}")
        second = await program.open()
        await program.send(f"plan pears, stream until {enough}")
        await program.until(lambda: first.state is second.state is TurnState.STREAMING)

        # 3: each pane shows its own, whichever is in front
        await program.sees("Look up pears")
        assert "apples" not in "\n".join(program.text.splitlines()[1:])
        await program.show(first.session_id)
        await program.sees("Look up apples")
        assert "pears" not in "\n".join(program.text.splitlines()[1:])
        assert first.state is second.state is TurnState.STREAMING

        # 4: both complete
        enough.touch()
        await program.until(lambda: first.state is second.state is TurnState.COMPLETE)

        # 5: each has its own plan, live and as history
        for pane, name in ((first, "apples"), (second, "pears")):
            await program.show(pane.session_id)
            plan = pane.plans.current.plan
            assert titles(plan) == [f"Look up {name}", f"Write {name}"]
            assert {step.status for step in plan.steps} == {StepStatus.COMPLETED}
            [turn] = await program.app.engine.call(lambda manager, pane=pane: manager.turns(pane.session_id))
            assert {name in title for plan in turn.plans for title in titles(plan)} == {True}
            assert len(turn.plans) == 3
        done = {pane.session_id: pane.turn.task_id for pane in (first, second)}

        # 6: both stream again; one is deleted
        enough.unlink()
        for pane, end in ((first, never), (second, enough)):
            await program.show(pane.session_id)
            await program.send(f"plan again, stream until {end}")
        await program.until(lambda: first.state is second.state is TurnState.STREAMING)
        doomed = first.turn.task_id
        await program.show(first.session_id)
        await program.pilot.press("ctrl+delete")
        await program.until(lambda: program.app.book.get(first.session_id) is None)

        # 7: no tab, no worker, no live state; the agent was told, once, and stopped
        assert [pane.session_id for pane in program.app.book.open] == [second.session_id]
        assert program.front is second
        await program.until(lambda: server.log("cancel", task=doomed))
        await program.until(lambda: server.log("end", task=doomed))

        async def left(manager):
            return (
                [head.session_id for head in manager.sessions()],
                manager._registry.get(first.session_id),
                manager._workers.find(first.session_id),
            )

        await program.until(lambda: second.state is TurnState.STREAMING)
        assert await program.app.engine.call(left) == ([second.session_id], None, None)
        assert [task for task in await program.app.engine.call(tasks) if first.session_id in task] == []

        # 8: the other goes on to its end, and is what the server sent
        enough.touch()
        await program.until(lambda: second.state is TurnState.COMPLETE)
        last = second.turn.task_id

    assert len(server.log("cancel")) == len(server.log("cancel", task=doomed)) == 1
    [kept] = (await command_line.run_beside("sessions", "--json")).json
    shown = (await command_line.run_beside("show", second.session_id, "--json")).json
    assert kept["id"] == second.session_id
    assert [(turn["task_id"], turn["state"]) for turn in shown["turns"]] == [
        (done[second.session_id], "complete"),
        (last, "complete"),
    ]
    for turn in shown["turns"]:
        assert turn["answer"] == server.answer(turn["task_id"]) == server.chunks(turn["task_id"]) != ""
    [trashed] = (await command_line.run_beside("sessions", "--trash", "--json")).json
    assert trashed["id"] == first.session_id


async def tasks(_):
    """Return the engine's tasks, as they describe themselves."""
    return [repr(task) for task in asyncio.all_tasks()]
