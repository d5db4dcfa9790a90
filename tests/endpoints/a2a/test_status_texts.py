"""What an agent says in status texts: notices, an answer that streams, the last word."""

import pytest

from chatforge_tui.domain.events import TextReplaced
from tests.contracts.endpoint_run import reasoning_of, text_of
from tests.endpoints.a2a.replaying import Agent, notices
from tests.streaming.values import after


@pytest.mark.parametrize("name", ["report", "final_result"])
def test_a_last_status_that_goes_on_with_the_answer_is_no_text_of_its_own(name):
    agent = Agent()
    agent.artifact("a", "Intro.", name="intro")
    agent.artifact("b", "It is", name=name)
    told = "Intro.It is" if name == "report" else "It is"
    agent.status("completed", f"{told} 42.")
    assert after(*agent.events[:-1]).readable_answer == f"{told} 42.".replace("Intro.", "Intro.\n\n")


def test_status_lines_are_notices_and_the_last_status_is_the_answer():
    agent = Agent()
    agent.status("working", "Looking it up…")
    agent.status("working", "Looking it up…")
    agent.status("working", "Nearly there.")
    agent.status("completed", "It is 42.", final=True)
    assert notices(agent) == ["Looking it up…", "Nearly there."]
    assert text_of(agent.events) == "It is 42."


def test_an_answer_streamed_in_status_texts_is_shown_as_it_comes():
    agent = Agent()
    seen = []
    for text in ("The", " answer", " is", " 42."):
        agent.status("working", text)
        seen.append(text_of(agent.events))
    agent.status("completed", final=True)
    assert seen == ["", "The answer", "The answer is", "The answer is 42."]
    assert text_of(agent.events) == "The answer is 42."


def test_a_status_text_that_grows_is_told_as_it_grows():
    agent = Agent()
    for text in ("The", "The answer", "The answer is 42."):
        agent.status("working", text, message_id="m")
    agent.status("completed", final=True)
    assert text_of(agent.events) == "The answer is 42."


@pytest.mark.parametrize("last", ["The answer is 42.", "The answer is 42. Enjoy!"])
def test_streamed_status_texts_and_the_same_last_status_are_said_once(last):
    agent = Agent()
    for text in ("The", " answer", " is 42."):
        agent.status("working", text)
    agent.status("completed", last, final=True)
    assert text_of(agent.events) == last


def test_streamed_status_texts_before_a_short_last_word_stay_the_answer():
    agent = Agent()
    for text in ("The", " answer", " is 42."):
        agent.status("working", text)
    agent.status("completed", "Done.", final=True)
    assert text_of(agent.events) == "The answer is 42."
    assert "Done." in notices(agent)


def test_streamed_status_texts_become_reasoning_when_another_answer_comes():
    agent = Agent()
    for text in ("Let me", " think", " about it."):
        agent.status("working", text)
    agent.artifact("a", "It is ")
    agent.artifact("a", "42.", append=True)
    agent.status("completed", final=True)
    assert text_of(agent.events) == "It is 42."
    assert reasoning_of(agent.events) == "Let me think about it."


def test_status_lines_alone_are_the_answer_line_by_line():
    agent = Agent()
    agent.status("working", "Step one is done.")
    agent.status("working", "Step two is done.")
    agent.status("completed", final=True)
    assert text_of(agent.events) == "Step one is done.\nStep two is done."


@pytest.mark.parametrize("last", ["The answer.", " The answer.\n", "answer"])
def test_a_last_status_that_repeats_the_artifact_is_not_said_again(last):
    agent = Agent()
    agent.artifact("a", "The answer.")
    agent.status("completed", last, final=True)
    assert text_of(agent.events) == "The answer."
    assert notices(agent) == []


def test_a_last_status_that_says_something_else_stands_beside_the_answer():
    agent = Agent()
    agent.artifact("a", "The answer.")
    agent.status("completed", "Took three steps.", final=True)
    assert text_of(agent.events) == "The answer."
    assert notices(agent) == ["Took three steps."]


def test_a_last_status_that_goes_on_completes_the_answer():
    agent = Agent()
    agent.artifact("a", "The answer ")
    agent.status("completed", "The answer is 42.", final=True)
    assert text_of(agent.events) == "The answer is 42."


def test_ten_thousand_status_tokens_are_read_in_linear_time():
    agent = Agent()
    for index in range(10_000):
        agent.status("working", f" {index}")
    agent.status("completed", final=True)
    assert text_of(agent.events) == "".join(f" {index}" for index in range(10_000))
    replaced = sum(len(event.text) for event in agent.events if isinstance(event, TextReplaced))
    assert replaced < 100


def test_an_artifact_that_says_the_streamed_status_texts_again_makes_no_reasoning_of_them():
    agent = Agent()
    for text in ("It ", "is ", "42. "):
        agent.status("working", text)
    agent.artifact("a", "It is 42. \n", name="agent_response")
    agent.status("completed", final=True)
    assert text_of(agent.events) == "It is 42. \n"
    assert reasoning_of(agent.events) == ""


def test_the_pieces_of_a_step_said_again_in_one_piece_are_said_once():
    agent = Agent()
    for text in ("I ", "look. ", "I look. ", "It ", "is 42.", "It is 42."):
        agent.status("working", text)
    assert text_of(agent.events) == "I look. It is 42."


@pytest.mark.parametrize("text", ["Rome is sunny.\n\nTake a hat.", "Rome is sunny today. " * 8])
def test_an_answer_in_one_status_text_is_said_once_though_an_artifact_repeats_it(text):
    agent = Agent()
    agent.status("working", text)
    assert text_of(agent.events) == text
    agent.artifact("a", text)
    agent.status("completed", final=True)
    assert (text_of(agent.events), reasoning_of(agent.events), notices(agent)) == (text, "", [])


def test_a_first_piece_that_ends_with_a_blank_is_no_line_beside_the_answer():
    agent = Agent()
    for text in ("The ", "answer ", "is 42."):
        agent.status("working", text)
    assert (text_of(agent.events), notices(agent)) == ("The answer is 42.", [])


def test_of_streamed_status_texts_that_end_with_the_answer_the_rest_is_reasoning():
    agent = Agent()
    for text in ("I look. ", "It is 42."):
        agent.status("working", text)
    agent.artifact("a", "It is 42.")
    assert text_of(agent.events) == "It is 42."
    assert reasoning_of(agent.events) == "I look. "
