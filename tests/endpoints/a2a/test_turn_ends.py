"""How a turn ends: states, questions, forms."""

import pytest

from chatforge_tui.domain.events import Canceled, Failed, Finished, WaitingForUser
from chatforge_tui.domain.part import QuestionKind
from tests.contracts.endpoint_run import text_of
from tests.endpoints.a2a.replaying import Agent


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("completed", Finished),
        ("failed", Failed),
        ("rejected", Failed),
        ("canceled", Canceled),
        ("cancelled", Canceled),
        ("input-required", WaitingForUser),
        ("auth-required", WaitingForUser),
    ],
)
@pytest.mark.parametrize("final", [True, False])
def test_a_terminal_or_waiting_state_ends_the_turn_once(state, kind, final):
    agent = Agent()
    agent.artifact("a", "text")
    agent.status(state, "words", final=final)
    agent.artifact("a", "late", append=True)
    agent.status("completed", final=True)
    assert isinstance(agent.events[-1], kind)
    assert sum(isinstance(event, Finished | Failed | Canceled | WaitingForUser) for event in agent.events) == 1
    assert text_of(agent.events) == "text"


@pytest.mark.parametrize("state", ["submitted", "working", "unknown", "something-new"])
def test_other_states_end_the_turn_only_when_they_are_final(state):
    agent = Agent()
    agent.artifact("a", "text")
    agent.status(state)
    assert not agent.reader.is_over
    agent.status(state, final=True)
    assert agent.events[-1] == Finished("")


def test_failed_and_rejected_carry_the_agents_words():
    for state, kind in (("failed", "agent-failed"), ("rejected", "agent-rejected")):
        agent = Agent()
        agent.status(state, "No disk left.")
        assert agent.events[-1].problem.kind == kind
        assert agent.events[-1].problem.message == "No disk left."
        silent = Agent()
        silent.status(state)
        assert "without saying why" in silent.events[-1].problem.message


def test_sign_in_is_asked_for_as_such():
    agent = Agent()
    agent.status("auth-required", "https://login.example/", final=True)
    assert agent.events[-1] == WaitingForUser(QuestionKind.AUTH, "https://login.example/")


def test_a_question_without_words_still_says_that_the_agent_waits():
    agent = Agent()
    agent.status("input-required", final=True)
    assert agent.events[-1].text == "The agent waits for your answer."


def test_a_form_spelled_out_in_the_text_is_a_form():
    agent = Agent()
    text = 'Please choose. UserInputMetaData: {"input_fields": [{"field_name": "repo"}]}'
    agent.status("input-required", text, final=True)
    assert agent.events[-1].text == "Please choose. "
    assert [field.name for field in agent.events[-1].form.fields] == ["repo"]


def test_the_older_form_is_a_form():
    agent = Agent()
    fields = {"input_fields": [{"field_name": "repo", "field_description": "Which one?"}]}
    old = {"is_task_complete": False, "require_user_input": True, "content": "I need a repository.", "metadata": fields}
    agent.artifact("r", {"kind": "data", "data": old}, name="partial_result")
    agent.status("input-required", final=True)
    assert agent.events[-1].text == "I need a repository."
    assert agent.events[-1].form.fields[0].description == "Which one?"


def test_a_form_of_an_agent_that_does_not_wait_is_said_in_words():
    agent = Agent()
    form = {"user_input": True, "input_title": "Repository?", "input_fields": [{"field_name": "repo"}]}
    agent.artifact("f", {"kind": "data", "data": form}, name="UserInputMetaData")
    agent.status("completed", final=True)
    assert text_of(agent.events) == "Repository?\n- repo"
    assert isinstance(agent.events[-1], Finished)
