"""What is a request to show something, and what is a question."""

import pytest

from chatforge_tui.guide.abilities import ABILITIES, abilities_list, requested


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("show me a plan", "show me a plan"),
        ("Show me the execution plan, please!", "show me a plan"),
        ("please make a plan", "show me a plan"),
        ("plan", "show me a plan"),
        ("ask me something", "ask me something"),
        ("Ask me a question.", "ask me something"),
        ("show me a form", "ask me something"),
        ("use tools", "use tools"),
        ("call a tool", "use tools"),
        ("think", "think about how do I close a tab"),
        ("think about tabs", "think about how do I close a tab"),
        ("long markdown", "show markdown"),
        ("show markdown", "show markdown"),
        ("show me some markdown", "show markdown"),
        ("stream 500 lines", "stream 500 lines"),
        ("Stream 1,000 lines at 200 per second", "stream 500 lines"),
        ("print 3 lines", "stream 500 lines"),
        ("send a file", "send a file"),
        ("send me a file", "send a file"),
        ("fail", "fail"),
        ("fail with disk full", "fail"),
        ("stall", "stall"),
        ("stall silently", "stall"),
        ("cut the line", "cut the line"),
        ("drop the connection", "cut the line"),
        ("echo hello", "echo TEXT"),
        ("echo", "echo TEXT"),
        ("ECHO\nshow me a plan", "echo TEXT"),
    ],
)
def test_a_request_is_understood(text: str, example: str) -> None:
    found = requested(text)

    assert found is not None
    assert found[0].example == example


@pytest.mark.parametrize(
    "text",
    [
        "how do I see the plan",
        "what is a plan?",
        "why did my answer fail",
        "does it stall",
        "which tools can it use",
        "how many lines can it stream",
        "where does a file go that an agent sends",
        "echoes",
        "I think it is broken",
        "",
    ],
)
def test_a_question_about_an_ability_is_no_request_for_it(text: str) -> None:
    assert requested(text) is None


def test_every_ability_is_listed_and_its_own_example_asks_for_it() -> None:
    listed = abilities_list()
    for ability in ABILITIES:
        found = requested(ability.example)
        assert found is not None
        assert found[0] is ability
        assert f"`{ability.example}`" in listed


def test_echo_keeps_the_text_to_the_byte() -> None:
    found = requested("echo  two  blanks \n\n ")

    assert found is not None
    assert found[1]["text"] == " two  blanks \n\n "


@pytest.mark.timeout(5)
def test_a_long_prompt_is_judged_at_once() -> None:
    assert requested("please " * 20_000 + "x") is None
    assert requested("show me a " * 20_000) is None
