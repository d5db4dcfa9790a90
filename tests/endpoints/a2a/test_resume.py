"""Reading on with a task whose stream was lost."""

import pytest

from chatforge_tui.domain.events import Finished, TextBegun, TextDelta
from chatforge_tui.errors import StreamLost
from tests.contracts.endpoint_run import text_of
from tests.endpoints.a2a.scripted_agent import (
    NEW_CARD,
    OLD_CARD,
    chunk,
    event,
    method,
    refusal,
    reply,
    resumed,
    status,
    task,
)
from tests.servers.raw_server import stream
from tests.streaming.values import after


async def test_version_1_reads_on_from_the_snapshot(serving, server):
    serving.card(NEW_CARD)
    server.plays = [
        stream(event({"task": task("working", "one ", "two ")}), event(chunk("three")), event(status("completed")))
    ]
    found = await resumed(serving.connect())
    assert text_of(found.events) == "one two three"
    assert method(server.requests[0]) == "SubscribeToTask"


async def test_version_1_asks_for_a_task_that_is_over_by_now(serving, server):
    serving.card(NEW_CARD)
    server.plays = [refusal(-32004), reply(task("completed", "all of it"))]
    found = await resumed(serving.connect())
    assert (text_of(found.events), found.events[-1]) == ("all of it", Finished("completed"))


@pytest.mark.parametrize("card", [OLD_CARD, NEW_CARD])
async def test_a_task_that_the_agent_forgot_is_lost(serving, server, card):
    serving.card(card)
    server.plays = [refusal(-32001)]
    found = await resumed(serving.connect())
    assert isinstance(found.error, StreamLost)
    assert "no longer knows" in str(found.error)


async def test_a_first_chunk_that_the_snapshot_has_is_not_told_twice_though_the_snapshot_has_two_artifacts(
    serving, server
):
    serving.card(NEW_CARD)

    def parts(*texts: str) -> list[dict[str, object]]:
        return [{"text": text} for text in texts]

    def artifact(name: str, *texts: str) -> dict[str, object]:
        return {"artifactId": name, "name": name, "parts": parts(*texts)}

    def snapshot(state: str, *more: str) -> dict[str, object]:
        artifacts = [artifact("a", "Intro."), artifact("b", "One ", *more)]
        return {"id": "t-1", "contextId": "c-1", "status": {"state": state}, "artifacts": artifacts}

    def appended(text: str) -> dict[str, object]:
        return {"artifactUpdate": {"taskId": "t-1", "artifact": artifact("b", text), "append": True}}

    end = {"statusUpdate": {"taskId": "t-1", "status": {"state": "TASK_STATE_COMPLETED"}}}
    working, now = snapshot("TASK_STATE_WORKING"), snapshot("TASK_STATE_WORKING", "two")
    server.plays = [
        stream(event({"task": working}), event(appended("One ")), event(appended("two")), event(end)),
        reply(working),
        reply(now),
        reply(now),
    ]
    found = await resumed(serving.connect())
    told = [each for each in found.events if isinstance(each, TextBegun | TextDelta)]
    assert told == [TextDelta("Intro."), TextBegun(), TextDelta("One "), TextDelta("two")]
    assert after(*found.events[:-1]).readable_answer == "Intro.\n\nOne two"
