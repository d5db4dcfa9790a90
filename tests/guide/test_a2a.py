"""The agent over A2A: operations, codes, and shapes beside what official servers were seen to send."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatforge_tui.guide.server import GuideAddress
from tests.guide.material import A2aClient, artifacts, final_text, prompt, states, streamed_text

CAPTURES = Path(__file__).parent.parent / "data" / "a2a"
OPTIONAL = {"timestamp", "message", "metadata", "description", "append", "lastChunk", "artifacts", "history"}
"""Keys that an official server leaves out or puts in as the moment has it."""

BEYOND = {".task.status.timestamp", ".status.timestamp", ".artifactUpdate.artifact.description"}
"""Keys of the specification that no captured event happens to hold."""


def captured(name: str) -> list[dict[str, Any]]:
    """Return the results that an official server streamed."""
    lines = (CAPTURES / f"{name}.sse").read_text(encoding="utf-8").splitlines()
    return [json.loads(line[6:])["result"] for line in lines if line.startswith("data: ")]


def keys(value: Any, path: str = "") -> set[str]:
    """Return the paths of all keys, but for what lies in data parts and metadata: that is each agent's own."""
    if isinstance(value, list):
        return {found for item in value for found in keys(item, f"{path}[]")}
    if not isinstance(value, dict):
        return set()
    own = {f"{path}.{key}" for key in value}
    inner = ((f"{path}.{key}", item) for key, item in value.items() if key not in ("data", "metadata"))
    return own | {found for place, item in inner for found in keys(item, place)}


def required(paths: set[str]) -> set[str]:
    return {path for path in paths if not OPTIONAL & set(path.replace("[]", "").split("."))}


@pytest.mark.parametrize("name", ["stream-full", "input-required", "failed"])
@pytest.mark.parametrize(("version", "capture"), [("1.0", "a2a-v10"), ("0.3", "a2a-v03")])
def test_events_have_the_shapes_of_an_official_server(
    quick: GuideAddress, version: str, capture: str, name: str
) -> None:
    text = {"stream-full": "send a file", "input-required": "ask me something", "failed": "fail"}[name]
    with A2aClient(quick, version) as client:
        ours = client.say(text)
    theirs = [event for known in ("stream-full", name) for event in captured(f"{capture}-{known}")]
    allowed = {path for event in theirs for path in keys(event)} | {
        path for event in captured(f"{capture}-failed") for path in keys(event)
    }

    for event in ours:
        assert keys(event) <= allowed | BEYOND
    kinds = {frozenset(required(keys(event))) for event in ours}
    assert {frozenset(required(keys(event))) for event in captured(f"{capture}-failed")} <= kinds


def test_a_stream_introduces_its_task_speaks_gives_the_whole_and_completes(client: A2aClient) -> None:
    events = client.say("how do I open a new tab")

    assert "task" in events[0]
    assert states(events) == ["submitted", "working", "completed"]
    assert streamed_text(events) == final_text(events)
    assert "**Ctrl+N**" in final_text(events)
    assert events[-1]["statusUpdate"]["metadata"]["trace_id"] == events[0]["task"]["id"]


def test_the_old_version_marks_the_last_event_as_final_and_no_other(old_client: A2aClient) -> None:
    events = old_client.say("echo a b c")

    assert events[0]["kind"] == "task"
    finals = [event["final"] for event in events if event["kind"] == "status-update"]
    assert finals == [False, True]
    assert events[-1]["status"]["state"] == "completed"


def test_a_plan_is_whole_in_every_update_and_tools_are_told_of_between(client: A2aClient) -> None:
    events = client.say("show me a plan")
    first = artifacts(events, "execution_plan_update")
    later = artifacts(events, "execution_plan_status_update")
    began = artifacts(events, "tool_notification_start")
    ended = artifacts(events, "tool_notification_end")

    assert len(first) == 1
    plans = [update["artifact"]["parts"][0]["data"]["steps"] for update in first + later]
    assert len({tuple(step["step_id"] for step in plan) for plan in plans}) == 1
    assert {step["status"] for step in plans[-1]} == {"completed"}
    assert len({update["artifact"]["artifactId"] for update in first + later}) == 1
    assert len(began) == len(ended) == len(plans) - 2
    for update in began + ended:
        assert update["artifact"]["metadata"]["agentType"] == "notification"
    assert [u["artifact"]["metadata"]["sourceAgent"] for u in began] == [
        u["artifact"]["metadata"]["sourceAgent"] for u in ended
    ]


def test_reasoning_is_narrated_as_working_status_line_by_line(client: A2aClient) -> None:
    events = client.say("think about tabs")
    messages = [event["statusUpdate"]["status"].get("message") for event in events if "statusUpdate" in event]
    lines = [message["parts"][0] for message in messages if message]

    assert len(lines) > 2
    assert all(line["metadata"] == {"adk_thought": True} for line in lines)
    assert all("\n" not in line["text"] for line in lines)
    assert not any(line["text"] in final_text(events) for line in lines)


def test_a_question_is_answered_in_the_task_that_asked(client: A2aClient) -> None:
    asked = client.say("ask me something")
    task = asked[0]["task"]
    (form,) = artifacts(asked, "UserInputMetaData")
    fields = form["artifact"]["parts"][0]["data"]["input_fields"]

    assert states(asked)[-1] == "input_required"
    assert [field["field_type"] for field in fields] == ["text", "select", "number", "boolean"]
    assert (fields[2]["min"], fields[2]["max"]) == (1, 50)

    answered = client.say(
        "name: Ada\npart: key table\nentries: 2\ndetails: yes", taskId=task["id"], contextId=task["contextId"]
    )

    assert not any("task" in event for event in answered)
    assert states(answered)[-1] == "completed"
    assert "for Ada" in final_text(answered)
    history = client.result("GetTask", {"id": task["id"]})["history"]
    assert [message["role"] for message in history] == ["ROLE_USER", "ROLE_AGENT", "ROLE_USER"]


def test_a_form_may_be_answered_as_data(client: A2aClient) -> None:
    task = client.say("ask me something")[0]["task"]
    values = {"name": "Ada", "part": "exit codes", "entries": 1, "details": False}
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"data": values}], "taskId": task["id"]}

    assert "1 of 2" in final_text(list(client.events("SendStreamingMessage", {"message": message})))


def test_a_failure_ends_the_task_as_failed_with_its_reason(client: A2aClient) -> None:
    events = client.say("fail with the disk is full")

    assert states(events)[-1] == "failed"
    message = events[-1]["statusUpdate"]["status"]["message"]["parts"][0]["text"]
    assert message == "Agent execution failed: the disk is full"
    assert not artifacts(events, "final_result")


def test_a_file_comes_inline(client: A2aClient) -> None:
    (update,) = artifacts(client.say("send a file"), "chatforge-keys.csv")
    (part,) = update["artifact"]["parts"]

    assert part["mediaType"] == "text/csv"
    assert part["filename"] == "chatforge-keys.csv"
    assert part["raw"]


def test_sending_without_a_stream_waits_for_the_end(client: A2aClient) -> None:
    task = client.result("SendMessage", prompt("echo all at once"))["task"]

    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    streamed = next(a for a in task["artifacts"] if a["name"] == "streaming_result")
    assert streamed["parts"] == [{"text": "all at once"}], "the pieces of a text are one part in a snapshot"


def test_the_old_version_answers_a_send_with_the_task_itself(old_client: A2aClient) -> None:
    task = old_client.result("message/send", prompt("echo x", "0.3"))

    assert task["kind"] == "task"
    assert task["status"]["state"] == "completed"


def test_an_answer_wanted_at_once_is_the_task_as_it_is(patient: GuideAddress) -> None:
    with A2aClient(patient) as client:
        wanted = prompt("stall") | {"configuration": {"returnImmediately": True}}
        task = client.result("SendMessage", wanted)["task"]

        assert task["status"]["state"] == "TASK_STATE_SUBMITTED"
        assert client.result("CancelTask", {"id": task["id"]})["status"]["state"] == "TASK_STATE_CANCELED"


def test_cancelling_ends_the_open_stream_as_canceled_and_a_second_time_is_refused(patient: GuideAddress) -> None:
    with A2aClient(patient) as client, A2aClient(patient) as other:
        events = client.events("SendStreamingMessage", prompt("stall"))
        task_id = next(events)["task"]["id"]

        canceled = other.result("CancelTask", {"id": task_id})

        assert canceled["status"]["state"] == "TASK_STATE_CANCELED"
        assert states(list(events))[-1] == "canceled"
        assert other.code("CancelTask", {"id": task_id}) == -32002
        assert other.result("GetTask", {"id": task_id})["status"]["state"] == "TASK_STATE_CANCELED"


def test_closing_the_socket_does_not_cancel_the_task(patient: GuideAddress) -> None:
    with A2aClient(patient) as client, A2aClient(patient) as other:
        events = client.events("SendStreamingMessage", prompt("stall"))
        task_id = next(events)["task"]["id"]
        events.close()
        client.http.close()

        assert other.result("GetTask", {"id": task_id})["status"]["state"] in (
            "TASK_STATE_SUBMITTED",
            "TASK_STATE_WORKING",
        )
        other.call("CancelTask", {"id": task_id})


def test_who_attaches_later_gets_a_snapshot_and_then_the_rest_without_a_gap(patient: GuideAddress) -> None:
    with A2aClient(patient) as client, A2aClient(patient) as other:
        events = client.events("SendStreamingMessage", prompt("stream 40 lines at 200 per second"))
        task_id = next(events)["task"]["id"]
        first = [next(events) for _ in range(4)]

        later = other.events("SubscribeToTask", {"id": task_id})
        snapshot = next(later)["task"]
        rest = list(later)
        whole = first + list(events)

    before = "".join(part["text"] for a in snapshot.get("artifacts", []) for part in a["parts"])
    assert before
    assert before + streamed_text(rest) == streamed_text(whole) == final_text(whole)
    assert states(rest)[-1] == "completed"


def test_a_line_that_is_cut_leaves_a_task_that_completes(patient: GuideAddress) -> None:
    with A2aClient(patient) as client, A2aClient(patient) as other:
        events: list[dict[str, Any]] = []
        with pytest.raises(Exception, match=r"incomplete chunked read|peer closed"):
            events.extend(client.events("SendStreamingMessage", prompt("cut the line")))
        task_id = events[0]["task"]["id"]
        while other.result("GetTask", {"id": task_id})["status"]["state"] == "TASK_STATE_WORKING":
            pass

        task = other.result("GetTask", {"id": task_id})

    final = next(a for a in task["artifacts"] if a["name"] == "final_result")
    assert final["parts"][0]["text"].startswith(streamed_text(events))
    assert len(final["parts"][0]["text"]) > len(streamed_text(events))
    assert states(events)[-1] == "working"


def test_tasks_are_listed_by_context_and_state_page_by_page(client: A2aClient) -> None:
    for number in range(3):
        client.say(f"echo {number}", contextId="mine")
    client.say("fail", contextId="mine")
    client.say("echo x", contextId="other")

    first = client.result("ListTasks", {"contextId": "mine", "status": "TASK_STATE_COMPLETED", "pageSize": 2})
    rest = {"contextId": "mine", "status": "TASK_STATE_COMPLETED", "pageSize": 2, "pageToken": first["nextPageToken"]}
    second = client.result("ListTasks", rest)

    assert first["totalSize"] == second["totalSize"] == 3
    assert len({task["id"] for task in first["tasks"] + second["tasks"]}) == 3
    assert second["nextPageToken"] == ""
    assert not any("artifacts" in task for task in first["tasks"])


def test_history_is_as_long_as_asked_for(client: A2aClient) -> None:
    task_id = client.say("ask me something")[0]["task"]["id"]
    client.say("skip", taskId=task_id)

    assert "history" not in client.result("GetTask", {"id": task_id, "historyLength": 0})
    assert len(client.result("GetTask", {"id": task_id, "historyLength": 1})["history"]) == 1
    assert len(client.result("GetTask", {"id": task_id, "historyLength": 99})["history"]) == 3


def test_a_context_that_the_client_chose_is_kept(client: A2aClient) -> None:
    assert client.say("echo x", contextId="chosen")[0]["task"]["contextId"] == "chosen"


MESSAGE = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "x"}]}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("Foo", {}, -32601),
        ("message/send", {"message": MESSAGE}, -32601),
        ("GetTask", {"id": "nope"}, -32001),
        ("GetTask", {}, -32602),
        ("GetTask", {"id": 5}, -32602),
        ("GetTask", None, -32602),
        ("CancelTask", {"id": "nope"}, -32001),
        ("SubscribeToTask", {"id": "nope"}, -32001),
        ("SendMessage", {"message": {"role": "ROLE_USER"}}, -32602),
        ("SendMessage", {"message": MESSAGE | {"parts": []}}, -32602),
        ("SendMessage", {"message": MESSAGE | {"parts": [{}]}}, -32602),
        ("SendMessage", {"message": MESSAGE | {"messageId": ""}}, -32602),
        ("SendMessage", {"message": MESSAGE | {"role": "ROLE_AGENT"}}, -32602),
        ("SendMessage", {"message": MESSAGE | {"taskId": "nope"}}, -32001),
        ("SendMessage", {"message": MESSAGE | {"parts": [{"raw": "e?==", "filename": "x"}]}}, -32602),
        ("SendMessage", {"message": MESSAGE | {"parts": [{"raw": "?"}]}}, -32602),
        ("SendMessage", {"message": MESSAGE, "configuration": {"historyLength": -1}}, -32602),
        ("SendMessage", {"message": MESSAGE, "configuration": {"taskPushNotificationConfig": {"url": "x"}}}, -32003),
        ("SendStreamingMessage", {"message": 5}, -32602),
        ("CreateTaskPushNotificationConfig", {}, -32003),
        ("GetExtendedAgentCard", {}, -32007),
        ("ListTasks", {"pageSize": 0}, -32602),
        ("ListTasks", {"pageToken": "-1"}, -32602),
        ("ListTasks", {"status": "TASK_STATE_DANCING"}, -32602),
    ],
)
def test_a_mistake_gets_its_code(client: A2aClient, method: str, params: object, code: int) -> None:
    error = client.call(method, params)["error"]

    assert error["code"] == code
    assert error["message"]
    assert "Traceback" not in json.dumps(error)


def test_errors_carry_their_reason_as_an_official_server_puts_it(client: A2aClient) -> None:
    theirs = json.loads((CAPTURES / "a2a-v10-error-task-not-found.sse").read_text())["error"]

    assert client.call("GetTask", {"id": "nope"})["error"] == theirs


def test_a_task_that_is_over_takes_no_message_and_no_follower(client: A2aClient, old_client: A2aClient) -> None:
    task = client.say("echo x")[0]["task"]

    assert client.code("SendMessage", prompt("again", taskId=task["id"])) == -32004
    assert client.code("SubscribeToTask", {"id": task["id"]}) == -32004
    assert old_client.code("message/stream", prompt("again", "0.3", taskId=task["id"])) == -32602


def test_a_task_of_another_context_takes_no_message(client: A2aClient) -> None:
    task = client.say("ask me something")[0]["task"]

    assert client.code("SendMessage", prompt("x", taskId=task["id"], contextId="other")) == -32602


def test_a_task_at_work_takes_no_message(patient: GuideAddress) -> None:
    with A2aClient(patient) as client, A2aClient(patient) as other:
        events = client.events("SendStreamingMessage", prompt("stall"))
        task_id = next(events)["task"]["id"]

        assert other.code("SendMessage", prompt("more", taskId=task_id)) == -32004
        other.call("CancelTask", {"id": task_id})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{not json", -32700),
        (b"\xff\xfe", -32700),
        (b"", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"5", -32600),
        (b'{"id":1,"method":"GetTask"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"GetTask"}', -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"GetTask"}]', -32600),
    ],
)
def test_what_is_no_request_gets_its_code(client: A2aClient, body: bytes, code: int) -> None:
    answer = client.http.post("/", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == code
    assert answer.json()["id"] is None


def test_a_version_that_is_not_spoken_is_refused_and_one_that_is_missing_means_the_old(client: A2aClient) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": MESSAGE}}

    newer = client.http.post("/", json=body, headers={"A2A-Version": "9.9"}).json()
    missing = client.http.post("/", json=body, headers={"A2A-Version": ""}).json()
    patch = client.http.post("/", json=body, headers={"A2A-Version": "1.0.1"}).json()

    assert newer["error"]["code"] == missing["error"]["code"] == -32009
    assert newer["error"]["data"][0]["reason"] == "VERSION_NOT_SUPPORTED"
    assert "result" in patch


def test_line_ends_of_other_scripts_reach_the_client_escaped_and_whole(client: A2aClient) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendStreamingMessage", "params": prompt("echo a\u2028b\u2029c\x85d")}
    with client.http.stream("POST", "/", json=body) as answer:
        raw = answer.read().decode()

    assert not {"\u2028", "\u2029", "\x85"} & set(raw)
    results = [json.loads(line[6:])["result"] for line in raw.split("\r\n") if line.startswith("data: ")]
    assert final_text(results) == "a\u2028b\u2029c\x85d"


def test_the_card_says_how_to_reach_both_versions(quick: GuideAddress, client: A2aClient) -> None:
    for path in ("/.well-known/agent-card.json", "/.well-known/agent.json"):
        card = client.http.get(path).json()
        assert [face["protocolVersion"] for face in card["supportedInterfaces"]] == ["1.0", "0.3"]
        assert {face["url"] for face in card["supportedInterfaces"]} == {card["url"]} == {f"{quick.url}/"}
        assert card["capabilities"]["streaming"] is True
        assert "not a model" in card["description"]
        assert card["version"] == "1.2.3"
    official = json.loads((CAPTURES / "a2a-v10compat03-agent-card.sse").read_text())
    assert set(official) <= set(card)
