"""An endpoint that stands in for an adapter which is found at the first request."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from chatforge_tui.domain.events import Accepted, Finished, StreamEvent, TextDelta
from chatforge_tui.domain.ids import TaskId
from chatforge_tui.domain.request import TaskRef
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.endpoints.late_endpoint import LateEndpoint
from chatforge_tui.errors import Unauthorized, Unreachable
from tests.fakes.scripted_endpoint import ScriptedEndpoint, ScriptedEndpoints

TASK = TaskRef(TaskId("task-1"))


def late(endpoints: ScriptedEndpoints) -> LateEndpoint:
    async def make():
        return endpoints.connect(EndpointRef("fake"))

    return LateEndpoint(make, needs_history=False)


async def test_a_task_is_read_on_with_by_the_adapter_that_is_found():
    endpoints = ScriptedEndpoints()
    endpoints.can_resume = True
    endpoints.retell = lambda task: [Accepted("fake"), TextDelta("all"), Finished()]
    endpoint = late(endpoints)
    assert endpoint.can_resume
    assert [event async for event in endpoint.resume(TASK)] == [Accepted("fake"), TextDelta("all"), Finished()]
    assert [wire.task for wire in endpoints.rejoined] == [TASK]


async def test_closing_closes_what_was_being_read():
    endpoints = ScriptedEndpoints()
    events = late(endpoints).resume(TASK)
    endpoints.on_resume = lambda wire: wire.say(TextDelta("x"))
    assert await anext(events) == TextDelta("x")
    await events.aclose()
    assert endpoints.rejoined[0].closed


async def test_whether_a_task_can_be_read_on_with_is_known_with_the_adapter():
    endpoints = ScriptedEndpoints()
    endpoint = late(endpoints)
    await endpoint.cancel_task(TASK)
    assert not endpoint.can_resume


async def test_an_adapter_that_cannot_be_found_is_looked_for_again():
    found = []

    async def make():
        found.append(None)
        if len(found) == 1:
            message = "nobody there"
            raise Unreachable(message, retryable=True)
        return ScriptedEndpoints(lambda request: []).connect(EndpointRef("fake"))

    endpoint = LateEndpoint(make, needs_history=False)
    with pytest.raises(Unreachable):
        await anext(endpoint.resume(TASK))
    await endpoint.cancel_task(TASK)
    assert len(found) == 2


async def test_whether_somebody_watches_is_told_to_the_adapter_as_soon_as_there_is_one():
    endpoints = ScriptedEndpoints()
    endpoint = late(endpoints)
    endpoint.attend(is_watched=False)
    await endpoint.objection(())
    assert [made.is_watched for made in endpoints.made] == [False]
    endpoint.attend(is_watched=True)
    assert [made.is_watched for made in endpoints.made] == [True]


class ExpiringAdapter(ScriptedEndpoint):
    """Its credential is good for one request."""

    def __init__(self, owner: ScriptedEndpoints) -> None:
        super().__init__(owner)
        self._is_used = False

    def _use(self) -> None:
        was_used, self._is_used = self._is_used, True
        if was_used:
            message = "expired"
            raise Unauthorized(message, status=401)

    async def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        self._use()
        async with aclosing(super().resume(task)) as events:
            async for event in events:
                yield event

    async def cancel_task(self, task: TaskRef) -> None:
        self._use()
        await super().cancel_task(task)


async def test_a_task_is_read_on_with_and_stopped_with_a_credential_fetched_anew():
    endpoints = ScriptedEndpoints()
    endpoints.can_resume = True
    endpoints.retell = lambda task: [Accepted("fake"), Finished()]

    async def make():
        return ExpiringAdapter(endpoints)

    endpoint = LateEndpoint(make, needs_history=False)
    for _ in range(2):
        assert [event async for event in endpoint.resume(TASK)] == [Accepted("fake"), Finished()]
    await endpoint.cancel_task(TASK)
    assert endpoints.canceled == [TASK]
