from chatforge_tui.cli.event_table import EVENTS
from chatforge_tui.cli.send_events import EventLines, end_event, error_event, session_event, turn_event
from chatforge_tui.domain.changes import HeadChanged, PartAdded, PartReplaced, PlanRecorded, TextAppended
from chatforge_tui.domain.part import FilePart, ReasoningPart, TextPart, ToolPart, ToolState
from chatforge_tui.domain.turn import TurnProblem
from tests.cli.material import FIRST, HEAD, PLAN, SECOND, WAITING


def lines(*changes):
    return list(EventLines().of(changes))


def test_text_and_its_replacement():
    assert lines(
        PartAdded(TextPart(0, "")),
        TextAppended(0, "Hel"),
        TextAppended(0, "lo"),
        PartReplaced(TextPart(0, "Bye")),
        TextAppended(0, "!"),
    ) == [
        {"event": "text", "text": "Hel"},
        {"event": "text", "text": "lo"},
        {"event": "answer", "text": "Bye"},
        {"event": "text", "text": "!"},
    ]


def test_reasoning_is_told_once_however_it_comes():
    assert lines(PartAdded(ReasoningPart(0, "a")), TextAppended(0, "b"), PartReplaced(ReasoningPart(0, "ab", 1.5))) == [
        {"event": "reasoning", "text": "a"},
        {"event": "reasoning", "text": "b"},
    ]


def test_a_tool_a_plan_a_file_and_a_state():
    tool = ToolPart(0, "c1", "ls", ToolState.RUNNING)
    assert lines(
        HeadChanged(FIRST.head),
        HeadChanged(FIRST.head),
        PartAdded(tool),
        TextAppended(0, "{}", "input"),
        PartReplaced(ToolPart(0, "c1", "ls", ToolState.DONE, "{}", "x")),
        PlanRecorded(0, PLAN),
        PartAdded(FilePart(1, "a.txt", "text/plain", data=b"abc")),
    ) == [
        {"event": "state", "state": "complete"},
        {"event": "tool", "call_id": "c1", "name": "ls", "state": "running", "input": "", "output": ""},
        {"event": "tool", "call_id": "c1", "name": "ls", "state": "done", "input": "{}", "output": "x"},
        {
            "event": "plan",
            "steps": [
                {"title": "Find it", "status": "completed", "agent": "github"},
                {"title": PLAN.steps[1].title, "status": "pending", "agent": ""},
            ],
        },
        {"event": "file", "name": "a.txt", "media_type": "text/plain", "url": "", "bytes": 3},
    ]


def test_a_question_with_its_form():
    [question] = lines(PartAdded(WAITING.parts[1]))
    assert question["event"] == "question"
    assert question["kind"] == "input"
    assert [field["name"] for field in question["fields"]] == ["v", "why"]
    assert question["fields"][0]["required"] is True


def test_the_first_and_the_last_lines():
    assert session_event(HEAD)["session_id"] == HEAD.session_id
    assert turn_event(FIRST) == {
        "event": "turn",
        "turn_id": FIRST.head.turn_id,
        "request_id": FIRST.head.request_id,
    }
    assert end_event(SECOND)["event"] == "end"
    assert end_event(SECOND)["error"]["kind"] == "unauthorized"
    assert error_event(TurnProblem("config", "no", "do")) == {
        "event": "error",
        "kind": "config",
        "message": "no",
        "hint": "do",
    }


def test_every_event_has_the_keys_that_the_table_says():
    told = {name: ("event", *keys) for name, keys, _ in EVENTS}
    parts = [*FIRST.parts, WAITING.parts[1]]
    written = [
        session_event(HEAD),
        turn_event(FIRST),
        error_event(TurnProblem("config", "no")),
        *lines(
            HeadChanged(FIRST.head),
            PlanRecorded(0, PLAN),
            *map(PartAdded, parts),
            PartReplaced(TextPart(3, "other")),
        ),
    ]
    assert {line["event"] for line in written} | {"end"} == set(told)
    for line in written:
        assert tuple(line) == told[line["event"]]


def test_what_only_the_end_of_a_turn_brings_has_its_line_too():
    told = EventLines()
    question = WAITING.parts[1]
    assert [line["event"] for line in told.rest(WAITING) if line["event"] == "question"] == ["question"]
    assert list(told.of([PartAdded(question)]))
    assert [line for line in told.rest(WAITING) if line["event"] == "question"] == []
