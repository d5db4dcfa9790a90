"""The small readers: JSON that is almost right, forms, plans, status texts."""

import json

import pytest

from chatforge_tui.domain.form import FieldKind, FormField
from chatforge_tui.domain.ids import ContextId, TaskId
from chatforge_tui.domain.plan import StepStatus
from chatforge_tui.endpoints.a2a import wire_v10
from chatforge_tui.endpoints.a2a.binding import ForeignReply, HttpJson, JsonRpc
from chatforge_tui.endpoints.a2a.forms import answer_lines, form_as_text, read_form, split_form_text
from chatforge_tui.endpoints.a2a.inline_file import inline_file
from chatforge_tui.endpoints.a2a.json_text import compact
from chatforge_tui.endpoints.a2a.plans import plan_from_data
from chatforge_tui.endpoints.a2a.status_texts import StatusTexts, join_texts
from chatforge_tui.endpoints.a2a.wire import (
    TASK_NOT_CANCELABLE,
    TASK_NOT_FOUND,
    ArtifactSeen,
    DataPiece,
    FilePiece,
    MessageSeen,
    Operation,
    Outgoing,
    OutgoingFile,
    RpcFailure,
    StatusSeen,
    TaskState,
    TextPiece,
    UnknownSeen,
    WireArtifact,
    read_state,
)
from chatforge_tui.endpoints.loose_json import MalformedJson

V03 = JsonRpc("http://a.example/", is_v1=False)
V10 = JsonRpc("http://a.example/", is_v1=True, tenant="acme")
REST = HttpJson("http://a.example/rest", tenant="a/b")
OLD_REST = HttpJson("http://a.example/rest", is_v1=False)


def result(value: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": value})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "[1]",
        "7",
        '{"id":1}',
        '{"id":1,"result":7}',
        '{"id":1,"result":{"kind":7}}',
        "[" * 100_000,
        '{"a":' * 9_000,
    ],
)
@pytest.mark.parametrize("binding", [V03, V10], ids=["0.3", "1.0"])
def test_what_cannot_be_read_is_malformed_and_nothing_worse(binding, text):
    with pytest.raises(MalformedJson):
        binding.read(text)


def test_an_emoji_cut_in_two_by_the_agent_loses_one_character_not_the_event():
    text = result({"kind": "message", "role": "agent", "parts": [{"kind": "text", "text": "a@b"}]})
    seen = V03.read(text.replace("@", "\\ud83d"))
    assert isinstance(seen, MessageSeen)
    assert seen.message.text == "a\ufffdb"


def test_numbers_that_are_none_or_too_long_do_not_matter_in_fields_nobody_reads():
    text = result({"kind": "status-update", "taskId": "t", "status": {"state": "working"}, "metadata": {"n": 0}})
    for number in ("NaN", "-Infinity", "1e999", "0.1e-400"):
        assert isinstance(V03.read(text.replace('"n": 0', f'"n": {number}')), StatusSeen)


def test_a_reply_with_another_id_is_foreign_and_a_missing_one_is_forgiven():
    status = {"kind": "status-update", "taskId": "t", "status": {"state": "working"}}
    for envelope in ({"id": 2}, {"id": "x"}, {"id": [1]}):
        with pytest.raises(ForeignReply):
            V03.read(json.dumps({**envelope, "result": status}))
    for envelope in ({}, {"id": None}, {"id": 1}, {"id": "1"}, {"id": 1.0}):
        assert isinstance(V03.read(json.dumps({**envelope, "result": status})), StatusSeen)


def test_an_agent_that_announces_one_version_and_speaks_the_other_is_understood():
    old = result({"kind": "artifact-update", "taskId": "t", "artifact": {"artifactId": "a", "parts": []}})
    new = result({"artifactUpdate": {"taskId": "t", "artifact": {"artifactId": "a", "parts": []}}})
    documented = result({"taskArtifactUpdate": {"taskId": "t", "artifact": {"artifactId": "a"}}})
    for binding in (V03, V10):
        for text in (old, new, documented):
            assert isinstance(binding.read(text), ArtifactSeen)
        assert isinstance(binding.read(result({"kind": "hologram"})), UnknownSeen)


@pytest.mark.parametrize(
    ("error", "code", "of_protocol"),
    [
        ({"code": -32001, "message": "m"}, -32001, True),
        ({"code": -32001.0, "message": "m"}, -32001, True),
        ({"code": "E42", "message": "m"}, -32603, False),
        ({"message": "m"}, -32603, False),
        ({"code": 500, "message": "m"}, 500, False),
    ],
)
def test_errors_are_read_whatever_their_code_is(error, code, of_protocol):
    assert V03.read(json.dumps({"id": 1, "error": error})) == RpcFailure(code, "m", is_of_protocol=of_protocol)


def test_requests_take_the_form_of_their_dialect():
    outgoing = Outgoing("m-1", "hi", {"n": 1.5}, ContextId("c"), TaskId("t"))
    old = json.loads(V03.send(Operation.SEND, outgoing).body or b"")
    assert (old["method"], old["id"], old["params"]["configuration"]["blocking"]) == ("message/send", 1, True)
    assert old["params"]["message"] == {
        "kind": "message",
        "messageId": "m-1",
        "role": "user",
        "parts": [{"kind": "text", "text": "hi"}, {"kind": "data", "data": {"n": 1.5}}],
        "contextId": "c",
        "taskId": "t",
    }
    call = V10.send(Operation.STREAM, outgoing)
    new = json.loads(call.body or b"")
    assert call.headers["A2A-Version"] == "1.0"
    assert (new["method"], new["params"]["tenant"]) == ("SendStreamingMessage", "acme")
    assert new["params"]["message"]["parts"] == [{"text": "hi"}, {"data": {"n": 1.5}}]
    assert "A2A-Version" not in V03.send(Operation.STREAM, outgoing).headers


def test_http_json_has_a_path_for_each_operation():
    sent = REST.send(Operation.STREAM, Outgoing("m", "hi"))
    assert (sent.method, sent.url) == ("POST", "http://a.example/rest/a%2Fb/message:stream")
    told = {
        each: REST.about_task(each, TaskId("t/1")) for each in (Operation.GET, Operation.CANCEL, Operation.SUBSCRIBE)
    }
    assert [(call.method, call.url.removeprefix("http://a.example/rest/a%2Fb")) for call in told.values()] == [
        ("GET", "/tasks/t%2F1"),
        ("POST", "/tasks/t%2F1:cancel"),
        ("POST", "/tasks/t%2F1:subscribe"),
    ]


def test_version_03_has_paths_and_names_of_its_own_over_http():
    sent = OLD_REST.send(
        Operation.SEND, Outgoing("m", "hi", {"n": 1.5}, files=(OutgoingFile("f", "text/plain", b"abc"),))
    )
    assert (sent.url, "A2A-Version" in sent.headers) == ("http://a.example/rest/v1/message:send", False)
    assert json.loads(sent.body or b"") == {
        "request": {
            "messageId": "m",
            "role": "ROLE_USER",
            "content": [
                {"text": "hi"},
                {"data": {"data": {"n": 1.5}}},
                {"file": {"fileWithBytes": "WVdKag==", "mimeType": "text/plain", "name": "f"}},
            ],
        },
        "configuration": {"blocking": True},
    }
    assert (
        HttpJson("http://a.example/v1/", is_v1=False)
        .about_task(Operation.GET, TaskId("t"))
        .url.endswith("e/v1/tasks/t")
    )


@pytest.mark.parametrize(("content", "data"), [("YWJj", b"abc"), ("WVdKag==", b"abc"), ("", b""), ("aGkh", b"hi!")])
def test_a_file_of_version_03_over_http_is_read_encoded_once_or_twice(content, data):
    file = {"fileWithBytes": content, "mimeType": "text/plain", "name": "f"}
    seen = OLD_REST.read(json.dumps({"message": {"messageId": "m", "role": "ROLE_AGENT", "content": [{"file": file}]}}))
    assert isinstance(seen, MessageSeen)
    assert [piece.data for piece in seen.message.pieces] == [data]


def _filled(**members: object) -> str:
    """Return a message in version 1.0 whose part has every member, as servers write that leave none out."""
    part = {"text": "", "raw": "", "url": "", "data": None, "filename": "", "mediaType": "", "metadata": None}
    return result({"message": {"messageId": "m", "role": "ROLE_AGENT", "parts": [{**part, **members}]}})


@pytest.mark.parametrize(
    ("members", "piece"),
    [
        ({"url": "http://a/f"}, FilePiece("", url="http://a/f")),
        ({"raw": "aGk=", "filename": "f"}, FilePiece("f", data=b"hi")),
        ({"data": {"a": 1}}, DataPiece({"a": 1})),
        ({"text": "hi"}, TextPiece("hi")),
        ({}, TextPiece("")),
    ],
)
def test_a_part_with_empty_members_is_what_the_other_one_says(members, piece):
    assert V10.read(_filled(**members)).message.pieces == (piece,)


@pytest.mark.parametrize(
    ("members", "piece"),
    [
        ({"kind": "file", "file": {"bytes": "", "uri": "http://a/f"}}, FilePiece("", url="http://a/f")),
        ({"kind": "file", "file": {"bytes": "aGk=", "uri": "", "name": "f"}}, FilePiece("f", data=b"hi")),
        ({"kind": "file", "file": {"bytes": "", "uri": None, "name": "f"}}, FilePiece("f", data=b"")),
        ({"kind": "data", "data": {"a": 1}}, DataPiece({"a": 1})),
        ({"kind": "text"}, TextPiece("")),
    ],
)
def test_a_part_of_version_03_with_empty_members_is_what_the_other_one_says(members, piece):
    part = {"text": "", "file": None, "data": None, **members}
    said = result({"kind": "message", "messageId": "m", "role": "agent", "parts": [part]})
    assert V03.read(said).message.pieces == (piece,)


def test_an_error_of_version_03_over_http_is_a_sentence_of_which_some_are_known():
    said = "Task cannot be canceled - current state: TaskState.canceled"
    known, other = OLD_REST.read(f'{{"message": "{said}"}}'), OLD_REST.read('{"message": "unknown exception"}')
    assert known == RpcFailure(TASK_NOT_CANCELABLE, said)
    assert other == RpcFailure(-32603, "unknown exception", is_of_protocol=False)
    coded = OLD_REST.read('{"code": -32001, "message": "Unknown task: t"}')
    assert coded == RpcFailure(TASK_NOT_FOUND, "Unknown task: t")
    assert OLD_REST.read('{"code": 500, "message": "m"}') == RpcFailure(-32603, "m", is_of_protocol=False)


def test_a_text_that_happens_to_be_base64_is_not_decoded_once_more():
    def of_type(media_type):
        file = {"fileWithBytes": "dGVzdA==", "mimeType": media_type, "name": "f"}
        seen = OLD_REST.read(json.dumps({"msg": {"role": "ROLE_AGENT", "content": [{"file": file}]}}))
        return seen.message.pieces[0].data

    assert of_type("text/plain") == b"test"
    assert of_type("image/png") == b"\xb5\xeb-"


def test_version_03_over_http_is_read_in_snake_case_too():
    ids = {"task_id": "t", "context_id": "c"}
    free = {"data": {"data": {"some_id": 1, "inner": {"two_words": 2}}}}
    file = {"file": {"file_with_bytes": "dGVzdA==", "mime_type": "image/png", "name": "f"}}
    artifact = {"artifact_id": "a", "parts": [{"text": "hi"}, free, file], "metadata": {"a_b": 1}}
    update = {**ids, "artifact": artifact, "append": True, "last_chunk": True}
    seen = OLD_REST.read(json.dumps({"artifact_update": update}))
    assert seen == ArtifactSeen(
        TaskId("t"),
        ContextId("c"),
        WireArtifact(
            "a",
            "",
            "",
            (
                TextPiece("hi"),
                DataPiece({"some_id": 1, "inner": {"two_words": 2}}),
                FilePiece("f", "image/png", data=b"test"),
            ),
            {"a_b": 1},
        ),
        is_append=True,
        is_last=True,
    )
    asks = {"message_id": "m", "role": "ROLE_AGENT", "content": [{"text": "which?"}]}
    status = {"state": "TASK_STATE_INPUT_REQUIRED", "message": asks}
    waits = OLD_REST.read(json.dumps({"status_update": {**ids, "status": status, "final": True}}))
    assert isinstance(waits, StatusSeen)
    assert (waits.state, waits.message.text, waits.is_final) == (TaskState.INPUT_REQUIRED, "which?", True)
    for body in ("[1]", '{"task_id": ', '{"status_update": {"task_id": 7}}', '{"a_id":' * 9_000):
        with pytest.raises(MalformedJson):
            OLD_REST.read(body)


@pytest.mark.parametrize("binding", [OLD_REST, REST], ids=["0.3", "1.0"])
def test_a_problem_of_the_protocol_is_an_error_whatever_transports_it(binding):
    problem = {"type": "https://a2a-protocol.org/errors/task-not-found", "title": "Not found", "detail": "no t"}
    assert binding.read(json.dumps(problem)) == RpcFailure(TASK_NOT_FOUND, "no t")
    other = {"type": "https://a2a-protocol.org/errors/invalid-request", "title": "Invalid"}
    assert binding.read(json.dumps(other)) == RpcFailure(-32603, "Invalid")


def test_version_03_over_http_follows_a_task_with_get():
    call = OLD_REST.about_task(Operation.SUBSCRIBE, TaskId("t"))
    assert (call.method, call.url, call.body) == ("GET", "http://a.example/rest/v1/tasks/t:subscribe", None)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("working", TaskState.WORKING),
        ("TASK_STATE_INPUT_REQUIRED", TaskState.INPUT_REQUIRED),
        ("cancelled", TaskState.CANCELED),
        ("TASK_STATE_UNSPECIFIED", TaskState.UNKNOWN),
        (None, TaskState.UNKNOWN),
    ],
)
def test_states_are_read_in_both_spellings(word, state):
    assert read_state(word) is state


@pytest.mark.parametrize("encoded", ["Zm9vPz8_", "Zm9vPz8/", "Zm9v\nPz8/"])
def test_inline_files_are_read_in_both_alphabets(encoded):
    assert inline_file(encoded, name="n", media_type="").data == b"foo???"


def test_unpadded_base64_is_read_and_damaged_base64_is_told():
    assert inline_file("Zm8", name="n", media_type="").data == b"fo"
    for damaged in ("Zm9v@", "Z"):
        assert inline_file(damaged, name="n", media_type="").is_damaged


def test_numbers_that_a_server_made_floats_are_whole_again():
    assert compact({"a": [1.0, 1.5, {"b": -2.0}], "c": True}) == '{"a": [1, 1.5, {"b": -2}], "c": true}'


def test_a_form_with_every_kind_of_field():
    fields = [
        {
            "field_name": "a",
            "field_label": "A",
            "field_description": "d",
            "placeholder": "p",
            "pattern": "x+",
            "minLength": 2,
        },
        {"field_name": "b", "field_type": "integer", "min": 1.0, "max": 5.0, "default_value": 3.0},
        {"field_name": "c", "field_type": "boolean", "default_value": True},
        {"field_name": "d", "field_type": "text", "field_values": ["x", 2.0]},
        {"field_name": "e", "field_type": "select", "field_values": None},
        {"field_name": "f", "field_type": "starfield"},
        {"field_description": "no name"},
        "nonsense",
    ]
    form = read_form({"user_input": True, "input_title": "T", "input_description": "D", "input_fields": fields})
    assert form is not None
    assert (form.title, form.description) == ("T", "D")
    assert form.fields == (
        FormField("a", "A", "d", FieldKind.TEXT, placeholder="p", minimum=2.0, pattern="x+"),
        FormField("b", kind=FieldKind.NUMBER, default="3", minimum=1.0, maximum=5.0),
        FormField("c", kind=FieldKind.BOOLEAN, default="true"),
        FormField("d", kind=FieldKind.SELECT, options=("x", "2")),
        FormField("e", kind=FieldKind.TEXT),
        FormField("f", kind=FieldKind.TEXT),
    )
    assert form_as_text(form).splitlines()[:3] == ["T", "D", "- A: d"]


@pytest.mark.parametrize("value", [None, 7, [], {}, {"user_input": True}, {"input_fields": [{"field_name": "a"}]}])
def test_data_that_is_no_form_is_none(value):
    assert read_form(value) is None


def test_a_text_without_a_readable_form_stays_as_it_is():
    for text in ("Hello", "UserInputMetaData: {broken", 'UserInputMetaData: {"x": 1}'):
        assert split_form_text(text) == (text, None)


def test_answers_are_written_as_lines_that_agents_read():
    assert answer_lines({"repo": "a b", "count": 3.0, "draft": False}) == "repo: a b\ncount: 3\ndraft: false"


@pytest.mark.parametrize(
    "value",
    [
        {"steps": [{"title": "x", "status": "done"}]},
        {"todos": [{"content": "x", "status": "completed"}]},
        {"plan": [{"step": "x", "state": "finished"}]},
        [{"task": "x", "status": "success"}],
    ],
)
def test_plans_come_under_many_keys(value):
    plan = plan_from_data(value)
    assert plan is not None
    assert [(step.title, step.status) for step in plan.steps] == [("x", StepStatus.COMPLETED)]


@pytest.mark.parametrize(
    "value", [None, 3, [], [1], {"steps": []}, {"steps": [{"title": "x"}]}, {"steps": [{"status": "done"}]}]
)
def test_data_that_is_no_plan_is_none(value):
    assert plan_from_data(value) is None


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        ([], ""),
        (["one"], "one"),
        (["Hel", "lo"], "Hello"),
        (["Done.", "Next."], "Done.\nNext."),
        (["A", "AB", "ABC"], "ABC"),
        (["Done.", " more"], "Done. more"),
        (["ha", "ha"], "ha"),
    ],
)
def test_status_texts_are_joined_as_what_they_are(texts, joined):
    assert join_texts(texts) == joined


def test_a_repeated_message_is_no_new_status_text():
    status = StatusTexts()
    assert status.add("x", "m-1")
    assert not status.add("x", "m-1")
    assert status.add("x", "m-2")
    assert not status.is_stream


def test_a_server_is_asked_not_to_send_files_back_in_its_stream():
    file = OutgoingFile("x", "text/plain", b"x")
    plain, with_file = Outgoing("m", "hi"), Outgoing("m", "hi", files=(file,))
    assert "configuration" not in wire_v10.send_params(plain, tenant="", is_stream=True)
    assert wire_v10.send_params(with_file, tenant="", is_stream=True)["configuration"] == {"historyLength": 0}
    whole = wire_v10.send_params(with_file, tenant="", is_stream=False)["configuration"]
    assert whole == {"returnImmediately": False}, "the answer may stand in the history alone"
