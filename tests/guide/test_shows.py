"""What the agent shows, as moves."""

import pytest

from chatforge_tui.domain.plan import StepStatus
from chatforge_tui.guide.agent import GuideAgent, Incoming
from chatforge_tui.guide.form_answers import read_answers
from chatforge_tui.guide.moves import (
    Ask,
    CutLine,
    Fail,
    Hush,
    Move,
    Say,
    SendFile,
    ShowPlan,
    Think,
    ToolBegan,
    ToolEnded,
)
from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.sample_markdown import SAMPLE_MARKDOWN
from chatforge_tui.guide.shows import MAX_LINES
from tests.guide.material import REFERENCE

AGENT = GuideAgent(REFERENCE, Pace(waits=False))


async def moves_for(text: str) -> list[Move]:
    return [move async for move in AGENT.answer(Incoming(text))]


def said(moves: list[Move]) -> str:
    return "".join(move.text for move in moves if isinstance(move, Say))


async def test_the_agent_says_what_it_is() -> None:
    for greeting in ("hello", "help", "who are you?", "what can you do", ""):
        assert "not a model" in said(await moves_for(greeting))


async def test_a_plan_goes_from_its_first_step_to_its_last() -> None:
    moves = await moves_for("show me a plan")
    plans = [move.plan for move in moves if isinstance(move, ShowPlan)]

    assert [plan.done for plan in plans] == list(range(len(plans)))
    assert len({tuple(step.title for step in plan.steps) for plan in plans}) == 1
    assert all(step.status is StepStatus.COMPLETED for step in plans[-1].steps)
    for plan in plans[:-1]:
        assert plan.steps[plan.done].status is StepStatus.IN_PROGRESS
    assert len([m for m in moves if isinstance(m, ToolBegan)]) == len(plans) - 2
    assert "| key table |" in said(moves)


async def test_tool_calls_end_in_the_order_in_which_they_began_and_the_last_fails() -> None:
    moves = await moves_for("use tools")
    began = [move.call_id for move in moves if isinstance(move, ToolBegan)]
    ended = [move for move in moves if isinstance(move, ToolEnded)]

    assert [move.call_id for move in ended] == began
    assert [move.failed for move in ended] == [False, False, True]


async def test_reasoning_comes_before_the_answer_and_tells_how_the_search_went() -> None:
    moves = await moves_for("think about how do I close a tab")
    thoughts = [number for number, move in enumerate(moves) if isinstance(move, Think)]
    words = [number for number, move in enumerate(moves) if isinstance(move, Say)]

    assert thoughts
    assert max(thoughts) < min(words)
    assert "Closing, deleting, undoing" in "".join(m.text for m in moves if isinstance(m, Think))


@pytest.mark.parametrize("count", [1, 9, 10, 500])
async def test_the_lines_asked_for_are_the_lines_streamed(count: int) -> None:
    lines = [line for line in said(await moves_for(f"stream {count} lines")).splitlines() if line.strip()]

    assert len(lines) == count
    width = len(str(count))
    assert [line.split(":")[0] for line in lines] == [f"Line {n:0{width}} of {count}" for n in range(1, count + 1)]


async def test_more_lines_than_allowed_are_cut_and_it_says_so() -> None:
    text = said(await moves_for("stream 99999999 lines at 2000 per second"))

    assert f"I stop at {MAX_LINES} lines." in text
    assert text.count("Line ") == MAX_LINES


async def test_long_markdown_is_streamed_whole() -> None:
    assert said(await moves_for("long markdown")) == SAMPLE_MARKDOWN


async def test_echo_says_the_text_to_the_byte() -> None:
    assert said(await moves_for("echo  a \u2028 b\r\n\tc \n")) == " a \u2028 b\r\n\tc \n"


async def test_a_failure_comes_in_the_middle_of_an_answer_and_is_the_last_move() -> None:
    moves = await moves_for("fail with no disk")

    assert isinstance(moves[0], Say)
    assert moves[-1] == Fail("Agent execution failed: no disk")
    assert [move for move in moves if isinstance(move, Fail)] == [moves[-1]]


@pytest.mark.parametrize(("text", "keepalives"), [("stall", True), ("stall silently", False)])
async def test_a_stall_says_so_and_falls_silent(text: str, keepalives: bool) -> None:
    moves = await moves_for(text)
    silence = moves.index(Hush(keepalives))

    assert "I stand still" in said(moves[:silence])


async def test_the_line_is_cut_between_two_halves_of_a_sentence() -> None:
    moves = await moves_for("cut the line")
    cut = moves.index(CutLine())

    assert said(moves[:cut])
    assert said(moves[cut:])


async def test_the_file_holds_the_key_table() -> None:
    (file,) = [move for move in await moves_for("send a file") if isinstance(move, SendFile)]
    rows = file.data.decode().splitlines()

    assert rows[0] == "action,keys,what it does"
    assert len(rows) == len(REFERENCE.keys) + 1
    assert any(row.startswith("session.new,Ctrl+N,") for row in rows)


async def test_the_form_has_a_field_of_each_common_kind_and_its_answers_are_used() -> None:
    ask = (await moves_for("ask me something"))[-1]
    assert isinstance(ask, Ask)
    assert [field.kind.value for field in ask.form.fields] == ["text", "select", "number", "boolean"]

    reply = Incoming("name: Grace\npart: exit codes\nentries: 1\ndetails: no", form=ask.form)
    moves = [move async for move in AGENT.answer(reply)]

    assert "1 of 2 from the exit codes, for Grace" in said(moves)


async def test_an_answer_that_lacks_a_field_is_asked_for_again() -> None:
    ask = (await moves_for("ask me something"))[-1]
    assert isinstance(ask, Ask)

    moves = [move async for move in AGENT.answer(Incoming("part: nonsense\nentries: 900", form=ask.form))]

    again = moves[-1]
    assert isinstance(again, Ask)
    assert again.form == ask.form
    for field in ("name", "part", "entries"):
        assert f"`{field}`" in again.text


async def test_a_form_can_be_declined() -> None:
    ask = (await moves_for("ask me something"))[-1]
    assert isinstance(ask, Ask)

    moves = [move async for move in AGENT.answer(Incoming("skip", form=ask.form))]

    assert not any(isinstance(move, Ask) for move in moves)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("name: Ada\npart: exit codes\nentries: 3\ndetails: true", ()),
        ("- **Name**: Ada\n- Part: EXIT CODES\n- Entries: 3\n- With details: yes", ()),
        ('{"name": "Ada", "part": "exit codes", "entries": 3, "details": true}', ()),
        ("", ({"name": "Ada", "part": "exit codes", "entries": 3, "details": True},)),
        (
            "",
            (
                {
                    "resume": {
                        "decisions": [
                            {
                                "type": "response",
                                "args": {"name": "Ada", "part": "exit codes", "entries": "3", "details": "on"},
                            }
                        ]
                    }
                },
            ),
        ),
    ],
)
async def test_answers_are_read_however_they_are_sent(text: str, data: tuple[object, ...]) -> None:
    ask = (await moves_for("ask me something"))[-1]
    assert isinstance(ask, Ask)

    answers = read_answers(ask.form, text, data)

    assert answers.problems == ()
    assert answers.values == {"name": "Ada", "part": "exit codes", "entries": 3.0, "details": True}
