"""Against the official servers: a2a-sdk 0.3.26, 1.3.0, 1.3.0 spoken to in version 0.3, and both over HTTP+JSON."""

import asyncio
import hashlib
import os
from contextlib import ExitStack, aclosing
from dataclasses import dataclass

import pytest

from chatforge_tui.domain.events import (
    Accepted,
    Canceled,
    Failed,
    FileOffered,
    Finished,
    PlanUpdated,
    TaskBound,
    TextDelta,
    ToolEnded,
    ToolStarted,
    WaitingForUser,
)
from chatforge_tui.domain.ids import new_request_id, new_session_id, new_turn_id
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.plan import StepStatus
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.endpoints.a2a.endpoint import A2aEndpoint, A2aSettings
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.errors import EndpointError, StreamLost, Unauthorized
from chatforge_tui.safety.secret import Secret
from tests.contracts.endpoint_run import Run, a_request, a_request_with, run, text_of
from tests.servers.a2a_process import A2aServer, run_a2a_server
from tests.streaming.values import after

# the environments of the two SDKs are made at first use
pytestmark = pytest.mark.timeout(300)

WAYS = {
    "0.3": ("0.3", (), "auto", "a2a 0.3"),
    "1.0": ("1.0", (), "auto", "a2a 1.0"),
    "1.0 in version 0.3": ("compat", (), "0.3", "a2a 0.3"),
    "0.3 over HTTP+JSON": ("0.3", ("--rest-only",), "auto", "a2a 0.3 (HTTP+JSON)"),
    "1.0 over HTTP+JSON": ("1.0", ("--rest-only",), "auto", "a2a 1.0 (HTTP+JSON)"),
}


@dataclass
class Way:
    """A server, and how it is spoken to."""

    server: A2aServer
    version: str
    protocol: str
    is_older: bool
    """The server is a2a-sdk 0.3."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Return a function that gives the server of a way, started at most once."""
    with ExitStack() as stack:
        running: dict[tuple[str, tuple[str, ...]], A2aServer] = {}

        def server_of(kind: str, options: tuple[str, ...]) -> A2aServer:
            if (kind, options) not in running:
                log = tmp_path_factory.mktemp("a2a") / "server.jsonl"
                running[kind, options] = stack.enter_context(run_a2a_server(kind, log, *options))
            return running[kind, options]

        yield server_of


@pytest.fixture(params=WAYS)
def way(request, servers) -> Way:
    kind, options, version, protocol = WAYS[request.param]
    return Way(servers(kind, options), version, protocol, kind == "0.3")


@pytest.fixture
async def connect():
    made = []

    def make(way: Way) -> A2aEndpoint:
        http = HttpSettings(origin=way.server.url)
        settings = A2aSettings(way.server.url, version=way.version)  # type: ignore[arg-type]
        made.append(A2aEndpoint(settings=settings, channel=HttpChannel(http)))
        return made[-1]

    yield make
    for endpoint in made:
        await endpoint.aclose()


def bound(found: Run) -> TaskBound:
    return next(event for event in found.events if isinstance(event, TaskBound))


def a_reply(text: str, to: TaskBound, form: dict[str, str | bool | float] | None = None) -> PromptRequest:
    prompt = Prompt(text, form)
    ids = (new_session_id(), new_turn_id(), new_request_id())
    return PromptRequest(*ids, prompt, to.context_id, to.task_id)


async def logged(server: A2aServer, event: str, **fields):
    return await asyncio.to_thread(server.wait_for, event, **fields)


@pytest.mark.parametrize("prompt", ["stream 300 tokens", "stream 120 tokens with a final", "new ids"])
async def test_a_streamed_answer_is_what_the_server_sent_to_the_character(way, connect, prompt):
    found = await run(connect(way), a_request(prompt))
    task_id = bound(found).task_id
    await logged(way.server, "end", task=task_id)
    assert found.text == way.server.answer(task_id)
    assert "\u2028" in found.text
    assert "👩\u200d💻" in found.text
    assert found.events[0] == Accepted(way.protocol, "Test agent")
    assert found.events[-1] == Finished("completed")


async def test_text_comes_while_the_agent_still_works(way, connect):
    task_id = None
    async with aclosing(connect(way).stream(a_request("stream 40 tokens at 20/s"))) as events:
        async for event in events:
            if isinstance(event, TaskBound):
                task_id = event.task_id
            if isinstance(event, TextDelta):
                break
    assert 1 <= len(way.server.log("chunk", task=task_id)) < 40
    assert way.server.log("end", task=task_id) == []


@pytest.mark.parametrize("prompt", ["plan", "text plan"])
async def test_a_plan_is_told_as_it_goes(way, connect, prompt):
    found = await run(connect(way), a_request(prompt))
    plans = [event.plan for event in found.of(PlanUpdated)]
    assert [[step.status for step in plan.steps] for plan in plans] == [
        [StepStatus.IN_PROGRESS, StepStatus.PENDING],
        [StepStatus.COMPLETED, StepStatus.IN_PROGRESS],
        [StepStatus.COMPLETED, StepStatus.COMPLETED],
    ]
    assert next((step.title, step.agent) for step in plans[0].steps) == ("Look up", "Jira")
    assert found.text == "Planned."


async def test_tool_calls_are_told_and_paired(way, connect):
    found = await run(connect(way), a_request("tools"))
    told = [event for event in found.events if isinstance(event, ToolStarted | ToolEnded)]
    assert [event.call_id for event in told] == [
        "notice-start-jira",
        "notice-start-github",
        "notice-start-jira",
        "notice-start-github",
    ]
    assert [event.name for event in told[:2]] == ["jira_search", "github_search"]
    assert found.text == "Both answered."


async def test_files_are_offered(way, connect):
    found = await run(connect(way), a_request("files"))
    assert found.of(FileOffered) == [
        FileOffered("report.txt", "text/plain", data=b"file body"),
        FileOffered("x.pdf", "application/pdf", url="https://files.example/x.pdf"),
    ]
    assert found.text == "Two files."


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("message only", "A message, and no task."),
        ("status only", "The answer comes as status texts."),
        ("status answer", "It is 42."),
        ("twice", "Said twice."),
        ("data", '```json\n{\n  "temperature": 21,\n  "sky": "clear"\n}\n```'),
    ],
)
async def test_the_answer_is_found_wherever_the_agent_puts_it(way, connect, prompt, answer):
    found = await run(connect(way), a_request(prompt))
    # protobuf's maps have no order
    expected = sorted(answer.replace(",", "").split()), sorted(found.text.replace(",", "").split())
    assert expected[0] == expected[1] if prompt == "data" else found.text == answer
    assert isinstance(found.events[-1], Finished)


async def test_the_texts_of_two_artifacts_stay_apart_streamed_and_looked_up(way, connect):
    endpoint = connect(way)
    found = await run(endpoint, a_request("two artifacts"))
    assert found.text == way.server.answer(bound(found).task_id) == "The endStart"
    again = [event async for event in endpoint.resume(TaskRef(bound(found).task_id))]
    for events in (found.events, again):
        assert after(*events).readable_answer == "The end\n\nStart"


async def test_a_form_is_asked_for_and_its_answers_arrive_as_lines_and_as_data(way, connect):
    endpoint = connect(way)
    asked = await run(endpoint, a_request("form"))
    question = asked.events[-1]
    assert isinstance(question, WaitingForUser)
    assert (question.kind, question.text) == (QuestionKind.INPUT, "Which repository?")
    assert [field.name for field in question.form.fields] == ["repo", "count", "draft"]
    reply = a_reply("…", bound(asked), {"repo": "a", "count": 2.0, "draft": False})
    answered = await run(endpoint, reply)
    assert isinstance(answered.events[-1], Finished)
    assert answered.text.startswith("Thank you: repo: a\ncount: 2\ndraft: false | ")
    received = way.server.log("request", task=bound(asked).task_id)[-1]
    assert received["values"] == [{"repo": "a", "count": 2.0, "draft": False}]
    assert received["message_id"] == reply.turn_id


async def test_a_question_is_answered_in_its_task_and_nothing_is_told_twice(way, connect):
    endpoint = connect(way)
    asked = await run(endpoint, a_request("ask"))
    assert asked.text == "First half. "
    answered = await run(endpoint, a_reply("yes", bound(asked)))
    assert answered.text == "Thank you: yes | []"
    assert bound(answered).task_id == bound(asked).task_id


async def test_sign_in_is_asked_for(way, connect):
    found = await run(connect(way), a_request("auth"))
    assert found.events[-1] == WaitingForUser(QuestionKind.AUTH, "Sign in at https://login.example/")


async def test_the_agents_own_failures_carry_its_words(way, connect):
    failed = await run(connect(way), a_request("fail"))
    assert failed.text == "Half an answer."
    assert failed.events[-1].problem.message == "Agent execution failed: boom"
    rejected = await run(connect(way), a_request("reject"))
    assert rejected.events[-1].problem.kind == "agent-rejected"


async def test_an_agent_that_raises_is_no_success(way, connect):
    found = await run(connect(way), a_request("raise"))
    assert found.text == "Half"
    if way.is_older:
        assert isinstance(found.error, StreamLost)
    else:
        assert isinstance(found.events[-1], Failed)
        words = "unknown exception" if "HTTP+JSON" in way.protocol else "kaboom"
        assert words in found.events[-1].problem.message


async def test_the_next_message_goes_on_in_the_same_context(way, connect):
    endpoint = connect(way)
    first = await run(endpoint, a_request("one"))
    ids = (new_session_id(), new_turn_id(), new_request_id())
    second = await run(endpoint, PromptRequest(*ids, Prompt("two"), bound(first).context_id))
    assert (first.text, second.text) == ("You said: one (turn 1)", "You said: two (turn 2)")
    assert bound(second).context_id == bound(first).context_id
    assert bound(second).task_id != bound(first).task_id


async def test_a_cancel_amid_the_stream_reaches_the_agent_once(way, connect):
    endpoint = connect(way)
    events, task = [], None
    async with aclosing(endpoint.stream(a_request("slow"))) as stream:
        async for event in stream:
            events.append(event)
            if isinstance(event, TaskBound):
                task = TaskRef(event.task_id, event.context_id)
            if text_of(events).count("\n") >= 3:
                break
        await endpoint.cancel_task(task)
    await endpoint.cancel_task(task)
    await logged(way.server, "cancel", task=task.task_id)
    await logged(way.server, "end", task=task.task_id)
    assert len(way.server.log("cancel", task=task.task_id)) == 1
    assert way.server.chunks(task.task_id).startswith(text_of(events))


async def test_a_task_whose_stream_was_dropped_is_read_on_with_to_the_character(way, connect):
    endpoint = connect(way)
    events = []
    async with aclosing(endpoint.stream(a_request("stream 60 tokens at 40/s"))) as stream:
        async for event in stream:
            events.append(event)
            if len(text_of(events)) > 40:
                break
    task = TaskRef(*next((e.task_id, e.context_id) for e in events if isinstance(e, TaskBound)))
    async with aclosing(endpoint.resume(task)) as stream:
        later = [event async for event in stream]
    assert text_of(later) == way.server.answer(task.task_id)
    assert text_of(later).startswith(text_of(events))
    assert isinstance(later[-1], Finished)
    assert len(way.server.log("request", task=task.task_id)) == 1


async def test_a_finished_a_canceled_and_a_forgotten_task_can_be_asked_for(way, connect):
    endpoint = connect(way)
    found = await run(endpoint, a_request("stream 5 tokens"))
    done = [event async for event in endpoint.resume(TaskRef(bound(found).task_id))]
    assert (text_of(done), done[-1]) == (found.text, Finished("completed"))
    with pytest.raises(StreamLost, match="no longer knows"):
        _ = [event async for event in endpoint.resume(TaskRef("no-such-task"))]
    asked = await run(endpoint, a_request("ask"))
    waiting = [event async for event in endpoint.resume(TaskRef(bound(asked).task_id))]
    assert isinstance(waiting[-1], WaitingForUser)
    await endpoint.cancel_task(TaskRef(bound(asked).task_id))
    canceled = [event async for event in endpoint.resume(TaskRef(bound(asked).task_id))]
    assert isinstance(canceled[-1], Canceled)


async def test_another_program_reads_on_without_what_the_turns_before_had_told(way, connect):
    endpoint = connect(way)
    asked = await run(endpoint, a_request("ask"))
    answered = await run(endpoint, a_reply("yes", bound(asked)))
    assert (asked.text, answered.text) == ("First half. ", "Thank you: yes | []")
    task = TaskRef(bound(asked).task_id, bound(asked).context_id, asked.text)
    later = [event async for event in connect(way).resume(task)]
    assert (text_of(later), later[-1]) == (answered.text, Finished("completed"))


@pytest.mark.parametrize("kind", ["0.3", "1.0"])
async def test_a_server_that_dies_amid_its_answer_leaves_the_text(kind, tmp_path):
    with run_a2a_server(kind, tmp_path / "log") as server:
        endpoint = A2aEndpoint(settings=A2aSettings(server.url), channel=HttpChannel())
        found = await run(endpoint, a_request("die after 4 tokens"))
        await endpoint.aclose()
    assert found.text.startswith("Hello0")
    assert found.terminal is None
    assert isinstance(found.error, EndpointError)
    assert found.error.state == "interrupted"


@pytest.mark.parametrize("kind", ["0.3", "1.0"])
async def test_a_server_that_does_not_stream_answers_all_the_same(kind, tmp_path):
    with run_a2a_server(kind, tmp_path / "log", "--no-stream") as server:
        endpoint = A2aEndpoint(settings=A2aSettings(server.url), channel=HttpChannel())
        found = await run(endpoint, a_request("stream 30 tokens with a final"))
        message = await run(endpoint, a_request("message only"))
        asked = await run(endpoint, a_request("form"))
        answered = await run(endpoint, a_reply("…", bound(asked), {"repo": "b"}))
        await endpoint.aclose()
        assert found.text == server.answer(bound(found).task_id)
    assert message.text == "A message, and no task."
    assert isinstance(asked.events[-1], WaitingForUser)
    assert answered.text == "Thank you: repo: b | [{'repo': 'b'}]"


@pytest.mark.parametrize("kind", ["0.3", "1.0"])
async def test_the_token_reaches_the_agent_and_a_missing_one_is_told(kind, tmp_path):
    with run_a2a_server(kind, tmp_path / "log", "--token", "s3cret", "--prefix", "/agents/x") as server:
        headers = {"Authorization": Secret("Bearer s3cret")}
        with_token = A2aEndpoint(
            settings=A2aSettings(server.url), channel=HttpChannel(HttpSettings(origin=server.url, headers=headers))
        )
        assert (await run(with_token, a_request("hi"))).text == "You said: hi (turn 1)"
        without = A2aEndpoint(settings=A2aSettings(server.url), channel=HttpChannel())
        assert isinstance((await run(without, a_request("hi"))).error, Unauthorized)
        await with_token.aclose()
        await without.aclose()


@pytest.mark.parametrize(("kind", "forced"), [("0.3", "1.0"), ("1.0", "0.3")])
async def test_a_wrongly_forced_version_is_corrected_by_the_agents_own_words(kind, forced, servers):
    server = servers(kind, ())
    endpoint = A2aEndpoint(settings=A2aSettings(server.url, version=forced), channel=HttpChannel())
    found = await run(endpoint, a_request("hello"))
    await endpoint.aclose()
    assert found.events[-1] == Finished("completed")
    assert found.events[0].protocol == f"a2a {kind}"
    requests = [entry for entry in server.log("request") if entry["text"] == "hello"]
    assert len(requests) == 1


async def test_the_server_receives_files_byte_for_byte_and_says_first_which_types_it_takes(way, connect):
    photo, report = os.urandom(7_000_000), b"%PDF-1.7\n" + os.urandom(1_000)
    files = (
        ("phöto “1”.png", "image/png", photo),
        ("report.pdf", "application/pdf", report),
        ("none", "text/plain", b""),
    )
    request = a_request_with(*files, text="what is this?")
    endpoint = connect(way)
    said = await endpoint.objection(request.prompt.attachments)
    assert said == "Test agent says that it takes text/plain, image/*, not application/pdf."
    assert await endpoint.objection(request.prompt.attachments[:1]) == ""
    found = await run(endpoint, request)
    assert isinstance(found.terminal, Finished)
    seen = await logged(way.server, "request", task=bound(found).task_id)
    assert seen["text"] == "what is this?"
    assert seen["files"] == [
        {"name": name, "type": kind, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, kind, data in files
    ]
