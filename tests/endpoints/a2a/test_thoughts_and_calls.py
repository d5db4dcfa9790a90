"""What an agent thinks and calls: reasoning, tool calls, plans."""

from chatforge_tui.domain.events import (
    Noticed,
    PlanUpdated,
    TaskBound,
    TextDelta,
    ToolEnded,
    ToolInputDelta,
    ToolOutputDelta,
    ToolStarted,
    WaitingForUser,
)
from chatforge_tui.domain.part import NoticeLevel, QuestionKind
from tests.contracts.endpoint_run import reasoning_of, text_of
from tests.endpoints.a2a.replaying import Agent, notices


def test_a_plan_replaces_the_one_before_even_when_it_is_appended():
    agent = Agent()
    step = {"step_id": "1", "title": "Look", "agent": "Jira", "order": 1.0}
    other = {"step_id": "0", "title": "Begin", "agent": "", "status": "Completed", "order": 0.0}
    for status in ("pending", "in-progress", "completed"):
        data = {"kind": "data", "data": {"steps": [{**step, "status": status}, other]}}
        agent.artifact("p", data, name="execution_plan_status_update", append=status == "completed")
    plans = [event.plan for event in agent.events if isinstance(event, PlanUpdated)]
    assert [plan.done for plan in plans] == [1, 1, 2]
    assert [step.title for step in plans[0].steps] == ["Begin", "Look"]
    assert text_of(agent.events) == ""


def test_a_plan_streamed_as_text_is_taken_line_by_line_until_a_complete_one_comes():
    agent = Agent()
    for index, chunk in enumerate(("⟦⏳ [Ji", "ra] Look\n⏳ Wri", "te⟧")):
        agent.artifact("p", chunk, name="execution_plan_streaming", append=index > 0)
    plans = [[step.title for step in event.plan.steps] for event in agent.events if isinstance(event, PlanUpdated)]
    assert plans == [["Look"], ["Look", "Write"]]
    agent.artifact("u", "✅ [Jira] Look", name="execution_plan_update")
    agent.artifact("p", "\n⏳ Ignored\n", name="execution_plan_streaming", append=True)
    plans = [[step.title for step in event.plan.steps] for event in agent.events if isinstance(event, PlanUpdated)]
    assert plans[-1] == ["Look"]


def test_tool_calls_are_paired_by_agent_and_tool_and_closed_with_the_turn():
    agent = Agent()

    def notice(edge: str, source: str, tool: str, text: str) -> None:
        word = "started" if edge == "start" else "completed"
        metadata = {"sourceAgent": source, "agentType": "notification"}
        described = {"metadata": metadata, "description": f"Tool call {word}: {tool}"}
        agent.artifact(f"{edge}-{source}-{tool}", text, name=f"tool_notification_{edge}", **described)

    notice("start", "jira", "search", "🔧 searching\n")
    notice("start", "jira", "create", "🔧 creating\n")
    notice("end", "jira", "create", "❌ no rights\n")
    notice("end", "jira", "search", "✅ found\n")
    notice("end", "github", "clone", "✅ cloned\n")
    notice("start", "argo", "sync", "🔧 syncing\n")
    agent.status("completed", final=True)
    tools = [event for event in agent.events if isinstance(event, ToolStarted | ToolEnded)]
    assert tools == [
        ToolStarted("notice-start-jira-search", "search"),
        ToolStarted("notice-start-jira-create", "create"),
        ToolEnded("notice-start-jira-create", failed=True),
        ToolEnded("notice-start-jira-search"),
        ToolStarted("notice-end-github-clone", "clone"),
        ToolEnded("notice-end-github-clone"),
        ToolStarted("notice-start-argo-sync", "sync"),
        ToolEnded("notice-start-argo-sync"),
    ]
    assert text_of(agent.events) == ""


def _thought(text: str) -> dict[str, object]:
    return {"kind": "text", "text": text, "metadata": {"adk_thought": True}}


def _data(kind: str, **members: object) -> dict[str, object]:
    return {"kind": "data", "data": members, "metadata": {"adk_type": kind}}


def test_what_a_model_thought_is_reasoning_and_told_once_however_often_it_comes():
    agent = Agent()
    for text in ("Let me ", "think about it. "):
        agent.status_of("working", _thought(text))
    agent.status_of("working", _thought("Let me think about it. "), "It is 42.")
    agent.artifact("a", _thought("Let me think about it. "), "It is 42.")
    agent.status("completed", final=True)
    assert reasoning_of(agent.events) == "Let me think about it. "
    assert text_of(agent.events) == "It is 42."


def test_a_thought_that_comes_in_an_artifact_only_is_reasoning():
    agent = Agent()
    agent.artifact("a", {"kind": "text", "text": "Hm.", "metadata": {"type": "thinking"}}, "42.")
    assert (reasoning_of(agent.events), text_of(agent.events)) == ("Hm.", "42.")


def test_calls_that_a_model_makes_are_tool_calls_and_told_once():
    agent = Agent()
    call = _data("function_call", id="c-1", name="weather", args={"city": "Rome"})
    agent.status_of("working", "I look it up.", call)
    agent.status_of("working", _data("function_response", id="c-1", name="weather", response={"result": "sunny"}))
    agent.status_of("working", _data("function_response", id="c-2", name="map", response={"error": "none"}))
    agent.artifact("a", "Sunny.", call)
    assert [event for event in agent.events if not isinstance(event, Noticed | TaskBound)] == [
        ToolStarted("c-1", "weather"),
        ToolInputDelta("c-1", '{"city": "Rome"}'),
        ToolOutputDelta("c-1", "sunny"),
        ToolEnded("c-1"),
        ToolStarted("c-2", "map"),
        ToolOutputDelta("c-2", '{"error": "none"}'),
        ToolEnded("c-2", failed=True),
        TextDelta("Sunny."),
    ]
    assert notices(agent, NoticeLevel.INFO) == []


def test_a_question_that_is_a_call_says_which_and_the_call_ends_with_the_turn():
    agent = Agent()
    call = _data("function_call", id="c-1", name="approve", args={"what": "pay"})
    agent.status_of("working", call)
    asked = agent.status_of("input-required", call)
    assert asked == [
        ToolEnded("c-1"),
        WaitingForUser(QuestionKind.INPUT, 'The agent waits for your answer to approve {"what": "pay"}'),
    ]
