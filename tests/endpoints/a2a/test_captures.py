"""Every stream recorded from official servers, read at any chunking."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.domain.events import (
    Canceled,
    Failed,
    FileOffered,
    Finished,
    Noticed,
    PlanUpdated,
    StreamEvent,
    TaskBound,
    TextDelta,
    ToolEnded,
    ToolStarted,
    WaitingForUser,
)
from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.domain.ids import TaskId
from chatforge_tui.domain.part import NoticeLevel, QuestionKind
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.domain.turn import TurnProblem
from chatforge_tui.endpoints.a2a.card import choose, read_card
from chatforge_tui.endpoints.a2a.turn_reader import TurnReader
from chatforge_tui.endpoints.a2a.wire import RpcFailure, TaskSeen
from tests.contracts.endpoint_run import text_of
from tests.endpoints.a2a.replaying import DATA, binding_of, capture, read_stream

SERVERS = ("v03", "v10", "v10compat03")
STATUS = NoticeLevel.STATUS

FULL: list[StreamEvent] = [
    Noticed(STATUS, "Thinking…"),
    PlanUpdated(Plan((PlanStep("Look up", StepStatus.IN_PROGRESS, "Jira"),))),
    ToolStarted("notice-tool-1", "🔧 Supervisor: Calling Agent Jira..."),
    TextDelta("Hel"),
    TextDelta("lo "),
    TextDelta("wörld\n"),
    TextDelta("line two"),
    FileOffered("report.txt", "text/plain", data=b"file body"),
    FileOffered("x.pdf", "application/pdf", url="https://example.test/x.pdf"),
    ToolEnded("notice-tool-1"),
    Finished("completed"),
]
FORM = Form((FormField("repo", "", "Repository", FieldKind.SELECT, ("a", "b"), required=True),), "Which repo?")
EXPECTED: dict[str, list[StreamEvent]] = {
    "stream-full": FULL,
    "failed": [
        Noticed(STATUS, "about to fail"),
        Failed(TurnProblem("agent-failed", "Agent execution failed: boom")),
    ],
    "input-required": [Noticed(STATUS, "Checking"), WaitingForUser(QuestionKind.INPUT, "Which repo?", FORM)],
    "input-answered": [TextDelta("using repo: a"), Finished("completed")],
    "message-only": [TextDelta("hello, direct message"), Finished("")],
}
STREAMS = [f"a2a-{server}-{what}" for server in SERVERS for what in EXPECTED] + ["a2a-v10-rest-stream"]


def expected(name: str) -> list[StreamEvent]:
    return FULL if "rest" in name else EXPECTED[name.split("-", 2)[2]]


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
def test_a_recorded_stream_says_what_the_server_meant_at_any_chunk_size(name, size):
    body = capture(name)
    events, failures = read_stream(binding_of(name), (body[at : at + size] for at in range(0, len(body), size)))
    assert isinstance(events[0], TaskBound)
    assert events[1:] == expected(name)
    assert failures == []


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 6_000), max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_recorded_stream_says_the_same_however_it_is_cut(name, cuts):
    body = capture(name)
    places = [0, *sorted({cut for cut in cuts if cut < len(body)}), len(body)]
    chunks = [body[begin:end] for begin, end in pairwise(places)]
    assert read_stream(binding_of(name), chunks)[0][1:] == expected(name)


@pytest.mark.parametrize("name", STREAMS)
def test_the_ids_that_the_server_gave_are_told(name):
    reader = TurnReader()
    events, _ = read_stream(binding_of(name), [capture(name)], reader)
    body = capture(name).decode()
    assert events[0] == TaskBound(reader.task_id, reader.context_id)
    assert str(reader.context_id) in body
    assert (reader.task_id is None) == ("message-only" in name)


@pytest.mark.parametrize("server", SERVERS)
def test_a_cancel_seen_by_the_stream_ends_it(server):
    name = f"a2a-{server}-cancel-during-stream"
    events, _ = read_stream(binding_of(name), [capture(name)])
    assert text_of(events) == "tick 0\ntick 1\ntick 2\n"
    # 0.3.26 never tells the stream: the client has to close it
    assert isinstance(events[-1], Canceled) == (server != "v03")


@pytest.mark.parametrize("server", SERVERS)
def test_an_agent_that_raises_keeps_its_text_and_is_no_success(server):
    name = f"a2a-{server}-executor-raises"
    events, failures = read_stream(binding_of(name), [capture(name)])
    assert not any(isinstance(event, Finished | Failed) for event in events)
    assert failures == ([] if server == "v03" else [RpcFailure(-32603, "kaboom")])


@pytest.mark.parametrize("path", sorted(DATA.glob("*-error-*.sse")), ids=lambda path: path.stem)
def test_every_recorded_error_is_an_error_with_its_code(path):
    body = path.read_bytes().strip().removeprefix(b"data: ")
    reply = binding_of(path.stem).read(body)
    assert isinstance(reply, RpcFailure)
    assert reply.is_of_protocol
    assert f'"code":{reply.code},'.encode() in body.replace(b" ", b"")
    assert reply.message


def test_an_http_json_error_is_known_by_its_reason():
    assert binding_of("rest").read(capture("a2a-v10-rest-error")) == RpcFailure(-32001, "Task not found")


@pytest.mark.parametrize("server", SERVERS)
def test_a_task_fetched_after_its_end_gives_the_same_answer_as_the_stream_did(server):
    for what in ("send-blocking", "get-completed"):
        name = f"a2a-{server}-{what}"
        task = binding_of(name).read(capture(name))
        assert isinstance(task, TaskSeen)
        events = TurnReader().read(task)
        assert text_of(events) == "Hello wörld\nline two"
        kept = [event for event in events if isinstance(event, FileOffered | PlanUpdated)]
        assert kept == [event for event in FULL if isinstance(event, FileOffered | PlanUpdated)]
        assert events[-1] == Finished("completed")


@pytest.mark.parametrize("name", ["a2a-v10-get-canceled", "a2a-v03-get-canceled", "a2a-v03-cancel-response"])
def test_a_canceled_task_keeps_its_text(name):
    events = TurnReader().read(binding_of(name).read(capture(name)))
    assert text_of(events) == "tick 0\ntick 1\ntick 2\n"
    assert isinstance(events[-1], Canceled)


@pytest.mark.parametrize("server", SERVERS)
def test_a_dropped_stream_has_no_end_and_a_running_task_is_still_running(server):
    name = f"a2a-{server}-dropped"
    events, _ = read_stream(binding_of(name), [capture(name)])
    assert not isinstance(events[-1], Finished | Failed | Canceled | WaitingForUser)
    reader = TurnReader()
    later = reader.read(binding_of(name).read(capture(f"a2a-{server}-get-after-drop")))
    assert not reader.is_over
    assert text_of(later).startswith(text_of(events))


def test_version_1_goes_on_from_the_task_as_it_stands():
    reader = TurnReader(task_id=TaskId("2d72f4c7-ad1d-4518-ab57-df5d9bb10d3a"))
    events, _ = read_stream(binding_of("a2a-v10-subscribe"), [capture("a2a-v10-subscribe")], reader)
    assert text_of(events) == "".join(f"tick {index}\n" for index in range(12))


@pytest.mark.parametrize(
    ("name", "version", "url", "is_v1"),
    [
        ("a2a-v03-agent-card", "auto", "http://127.0.0.1:18503/", False),
        ("a2a-v03-agent-json-legacy", "auto", "http://127.0.0.1:18503/", False),
        ("a2a-v10-agent-card", "auto", "http://127.0.0.1:18510/", True),
        ("a2a-v10compat03-agent-card", "auto", "http://127.0.0.1:18511/", True),
        ("a2a-v10compat03-agent-card", "0.3", "http://127.0.0.1:18511/", False),
    ],
)
def test_recorded_cards_lead_to_json_rpc_of_the_newest_version_or_the_one_asked_for(name, version, url, is_v1):
    card = read_card(capture(name))
    assert card is not None
    assert (card.name, card.streams) == ("cap", True)
    interface = choose(card, version)
    assert interface is not None
    assert (interface.url, interface.is_v1, interface.transport) == (url, is_v1, "JSONRPC")
