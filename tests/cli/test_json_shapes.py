import json

import pytest

from chatforge_tui.exchange.json_shapes import dumps, session_line, timestamp, transcript
from tests.cli.material import ANSWER, FIRST, HEAD, OSC, SECOND, WAITING


def test_a_session_is_shown_exactly_as_documented():
    shape = transcript(HEAD, (FIRST, SECOND))
    assert shape == {
        "session": {
            "id": HEAD.session_id,
            "title": HEAD.title,
            "endpoint": HEAD.endpoint.name,
            "open": True,
            "position": 0,
            "context_id": "ctx-1",
        },
        "turns": [
            {
                "turn_id": FIRST.head.turn_id,
                "state": "complete",
                "prompt": "Roll back",
                "attachments": [],
                "answer": ANSWER,
                "request_id": FIRST.head.request_id,
                "task_id": "task-1",
                "reasoning": "Let me think\nhard",
                "plans": [
                    {"steps": [{"title": "Find it", "status": "pending", "agent": ""}]},
                    {
                        "steps": [
                            {"title": "Find it", "status": "completed", "agent": "github"},
                            {"title": f"Apply {OSC}", "status": "pending", "agent": ""},
                        ]
                    },
                ],
                "tools": [
                    {
                        "name": f"argocd{OSC}",
                        "state": "done",
                        "input": '{"app": "pay"}',
                        "output": "```\ndone\n```",
                    }
                ],
                "error": None,
                "usage": {"input_tokens": 10, "output_tokens": 20, "reasoning_tokens": 5},
                "started": "2023-11-14T22:13:20.000Z",
                "ended": "2023-11-14T22:13:22.500Z",
            },
            {
                "turn_id": SECOND.head.turn_id,
                "state": "failed",
                "prompt": f"more {OSC}",
                "attachments": [],
                "answer": "",
                "request_id": SECOND.head.request_id,
                "task_id": None,
                "reasoning": "",
                "plans": [],
                "tools": [],
                "error": {"kind": "unauthorized", "message": f"the server said {OSC} no", "hint": "Set the token."},
                "usage": None,
                "started": "2023-11-14T22:14:10.000Z",
                "ended": "2023-11-14T22:14:11.000Z",
            },
        ],
    }


def test_a_line_of_the_list_is_exactly_as_documented():
    assert session_line(HEAD) == {
        "id": HEAD.session_id,
        "title": HEAD.title,
        "endpoint": HEAD.endpoint.name,
        "open": True,
        "position": 0,
        "state": "failed",
        "turns": 2,
        "unsent": 0,
        "updated": "2023-11-14T22:15:00.250Z",
    }


@pytest.mark.parametrize("text", [OSC, "\x7f", "\x9b", "\u202e", "\ud83d", "größe", '"\\', "\\u007f"])
def test_json_is_safe_on_a_terminal_and_loses_nothing(text):
    written = dumps({"text": text})
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written) == {"text": text}


def test_a_time_that_has_not_come_is_null():
    assert timestamp(None) is None
    assert timestamp(0.0) is None


def test_a_turn_that_waits_shows_its_question_and_no_other_turn_does():
    shown = transcript(HEAD, (FIRST, WAITING))["turns"]
    assert "question" not in shown[0]
    assert shown[1]["question"]["kind"] == "input"
    assert [field["name"] for field in shown[1]["question"]["fields"]] == ["v", "why"]
