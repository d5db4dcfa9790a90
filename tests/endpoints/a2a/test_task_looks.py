"""A task that no stream follows is looked at."""

import asyncio

from chatforge_tui.domain.events import Finished, StillAlive
from chatforge_tui.endpoints.a2a import task_looks
from chatforge_tui.endpoints.http import HttpSettings
from chatforge_tui.errors import StreamLost, StreamStalled
from tests.contracts.endpoint_run import run, text_of
from tests.endpoints.a2a.scripted_agent import OLD_CARD, method, refusal, reply, resumed, task


async def test_an_agent_that_does_not_stream_is_polled_until_its_task_is_over(serving, server, quick_polls):
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    server.plays = [
        reply(task("working")),
        reply(task("working", "half")),
        reply(task("working", "half")),
        reply(task("completed", "half", " and all")),
    ]
    found = await run(serving.connect())
    assert found.text == "half and all"
    assert found.events[-1] == Finished("completed")
    assert found.of(StillAlive)
    assert [method(each) for each in server.requests] == ["message/send", "tasks/get", "tasks/get", "tasks/get"]


async def test_a_task_that_goes_on_is_looked_at_as_often_as_at_first(serving, server, monkeypatch):
    monkeypatch.setattr(task_looks, "_POLL_S", (0.001, 0.002, 0.003))
    monkeypatch.setattr(task_looks, "_LOOKS_SHARE", 1e9)
    pauses, sleep = [], asyncio.sleep

    async def noted_sleep(delay):
        pauses.append(delay)
        await sleep(delay)

    monkeypatch.setattr(task_looks.asyncio, "sleep", noted_sleep)
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    idle = reply(task("working"))
    server.plays = [idle, idle, idle, idle, reply(task("working", "some")), reply(task("completed", "some"))]
    found = await run(serving.connect())
    assert found.text == "some"
    assert [pause for pause in pauses if pause] == [0.001, 0.001, 0.002, 0.003, 0.001]


async def test_a_look_that_takes_long_is_not_followed_by_the_next_at_once(serving, server, monkeypatch):
    monkeypatch.setattr(task_looks, "_POLL_S", (0.0,))
    pauses, sleep = [], asyncio.sleep
    monkeypatch.setattr(task_looks.asyncio, "sleep", lambda delay: sleep(pauses.append(delay) or 0))
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    server.plays = [reply(task("working")), reply(task("working")), reply(task("completed", "all"))]
    await run(serving.connect())
    assert pauses[-1] > 0


async def test_a_task_that_never_changes_is_stalled(serving, server, monkeypatch):
    monkeypatch.setattr(task_looks, "_POLL_S", (0.01,))
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    server.plays = [reply(task("working"))] * 40
    found = await run(serving.connect(http=HttpSettings(progress_s=0.1)))
    assert isinstance(found.error, StreamStalled)


async def test_a_task_that_is_forgotten_while_it_is_polled_is_lost(serving, server, quick_polls):
    serving.card({**OLD_CARD, "capabilities": {"streaming": False}})
    server.plays = [reply(task("working")), refusal(-32001)]
    found = await run(serving.connect())
    assert isinstance(found.error, StreamLost)


async def test_version_03_is_looked_at_until_the_task_is_over(serving, server, quick_polls):
    server.plays = [
        reply(task("working", "one ")),
        reply(task("working", "one ", "two ")),
        reply(task("completed", "one ", "two ", "three ")),
    ]
    found = await resumed(serving.connect())
    assert text_of(found.events) == "one two three "
    assert found.events[-1] == Finished("completed")
    assert {method(each) for each in server.requests} == {"tasks/get"}
