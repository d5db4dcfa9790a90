"""The answer is neither doubled nor lost, whatever habits an agent has; and a turn ends where it ends."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatforge_tui.domain.events import (
    Canceled,
    Failed,
    FileOffered,
    Finished,
    Noticed,
    PlanUpdated,
    ReasoningDelta,
    TaskBound,
    TextDelta,
    TextInserted,
    TextReplaced,
    ToolEnded,
    ToolInputDelta,
    ToolOutputDelta,
    ToolStarted,
    WaitingForUser,
)
from chatforge_tui.domain.part import NoticeLevel, QuestionKind
from chatforge_tui.endpoints.a2a.answer_text import AnswerText
from chatforge_tui.endpoints.a2a.turn_reader import TurnReader
from tests.contracts.endpoint_run import reasoning_of, text_of
from tests.endpoints.a2a.replaying import Agent, an_artifact
from tests.streaming.values import after


def notices(agent: Agent, level: NoticeLevel = NoticeLevel.STATUS) -> list[str]:
    return [event.text for event in agent.events if isinstance(event, Noticed) and event.level is level]


def test_chunks_are_appended_as_they_are_and_a_new_first_chunk_replaces_them():
    agent = Agent()
    agent.artifact("a", " one\n")
    agent.artifact("a", "", "two ", append=True)
    assert text_of(agent.events) == " one\ntwo "
    agent.artifact("a", "anew")
    assert text_of(agent.events) == "anew"
    assert agent.events[-1] == TextReplaced("anew")


def test_a_chunk_appended_to_an_artifact_never_seen_begins_it():
    agent = Agent()
    agent.artifact("a", "late", append=True)
    agent.artifact("a", " join", append=True)
    assert agent.events[1:] == [TextDelta("late"), TextDelta(" join")]


def test_a_last_chunk_twice_and_a_chunk_after_it_lose_nothing():
    agent = Agent()
    agent.artifact("a", "x", append=True, lastChunk=True)
    agent.artifact("a", "y", append=True, lastChunk=True)
    assert text_of(agent.events) == "xy"


def test_chunks_of_two_artifacts_that_take_turns_are_not_mixed():
    agent = Agent()
    for artifact, text in (("a", "A1"), ("b", "B1"), ("a", "A2"), ("b", "B2")):
        agent.artifact(artifact, text, name=artifact, append=text.endswith("2"))
    assert text_of(agent.events) == "A1A2B1B2"


def test_a_new_artifact_for_each_chunk_is_one_answer_even_when_chunks_repeat():
    agent = Agent()
    for index, text in enumerate(("ha", "ha", " ", "haha ", "!")):
        agent.artifact(f"chunk-{index}", text, name="current_result", lastChunk=True)
    assert text_of(agent.events) == "haha haha !"


def test_artifacts_without_ids_are_told_apart():
    agent = Agent()
    agent.artifact("", "one ")
    agent.artifact("", "two ")
    agent.artifact("", "more", append=True)
    assert text_of(agent.events) == "one two more"


@pytest.mark.parametrize("name", ["final_result", "partial_result", "complete_result"])
def test_a_result_replaces_what_was_streamed(name):
    agent = Agent()
    agent.artifact("a", "draft")
    agent.artifact("a", " text", append=True)
    agent.artifact("r", "The final text.", name=name)
    assert text_of(agent.events) == "The final text."
    agent.artifact("a", " too late", append=True)
    assert text_of(agent.events) == "The final text."


def test_a_result_that_says_the_same_again_changes_nothing():
    agent = Agent()
    agent.artifact("a", "The whole")
    agent.artifact("a", " answer.", append=True)
    assert agent.artifact("r", "The whole answer.", name="final_result") == []


def test_an_empty_result_does_not_wipe_the_answer():
    agent = Agent()
    agent.artifact("a", "The answer.")
    agent.artifact("r", " \n", name="final_result")
    agent.status("completed", final=True)
    assert text_of(agent.events).strip() == "The answer."


def test_a_result_streamed_in_chunks_is_whole_in_the_end():
    agent = Agent()
    agent.artifact("a", "draft")
    agent.artifact("r", "The ", name="final_result")
    agent.artifact("r", "end.", name="", append=True)
    assert text_of(agent.events) == "The end."


def test_the_result_of_a_sub_agent_replaces_only_what_that_sub_agent_said():
    agent = Agent()
    jira = {"sourceAgent": "jira", "agentType": "sub-agent"}
    agent.artifact("m", "Supervisor. ")
    agent.artifact("s", "jira draft", append=True, metadata=jira)
    agent.artifact("c", "Jira result. ", name="complete_result", metadata=jira)
    assert text_of(agent.events) == "Supervisor. Jira result. "
    agent.artifact("f", "All in all.", name="final_result")
    assert text_of(agent.events) == "All in all."


@pytest.mark.parametrize("name", ["answer", "streaming_result"])
def test_the_whole_text_again_under_another_artifact_is_not_doubled(name):
    agent = Agent()
    agent.artifact("a", "Hello ")
    agent.artifact("a", "world", append=True)
    agent.artifact("full", "Hello world, and goodbye.\n", name=name)
    agent.status("completed", final=True)
    assert text_of(agent.events) == "Hello world, and goodbye.\n"


def test_two_artifacts_with_different_texts_are_both_the_answer():
    agent = Agent()
    agent.artifact("a", "Intro. ", name="intro")
    agent.artifact("b", "", name="report")
    agent.artifact("b", "Re", name="", append=True)
    agent.artifact("b", "port.", append=True)
    assert text_of(agent.events) == "Intro. Report."
    assert after(*agent.events).readable_answer == "Intro. \n\nReport."


def test_an_artifact_whose_text_comes_after_that_of_later_ones_runs_into_none_of_them():
    agent = Agent()
    for name, text in (("intro", "Intro."), ("report", ""), ("end", "End.")):
        agent.artifact(name, text, name=name)
    for text in ("Re", "port."):
        agent.artifact("report", text, append=True)
    assert after(*agent.events).readable_answer == "Intro.\n\nReport.\n\nEnd."
    assert sum(isinstance(event, TextReplaced) for event in agent.events) == 1


@pytest.mark.parametrize("name", ["report", "final_result"])
def test_a_last_status_that_goes_on_with_the_answer_is_no_text_of_its_own(name):
    agent = Agent()
    agent.artifact("a", "Intro.", name="intro")
    agent.artifact("b", "It is", name=name)
    told = "Intro.It is" if name == "report" else "It is"
    agent.status("completed", f"{told} 42.")
    assert after(*agent.events[:-1]).readable_answer == f"{told} 42.".replace("Intro.", "Intro.\n\n")


def test_a_snapshot_and_a_replaced_answer_tell_where_another_artifact_begins():
    agent = Agent()
    agent.task("working", artifacts=[an_artifact("a", "Intro.", name="intro"), an_artifact("b", "Rep", name="report")])
    agent.task(
        "working", artifacts=[an_artifact("a", "Intro.", name="intro"), an_artifact("b", "Report", name="report")]
    )
    assert after(*agent.events).readable_answer == "Intro.\n\nReport"
    agent.artifact("a", "Anew.", name="intro")
    assert after(*agent.events).readable_answer == "Anew.\n\nReport"
    agent.artifact("c", "End.", name="end")
    agent.task("working", artifacts=[an_artifact("a", "Anew.", name="intro"), an_artifact("c", "End.", name="end")])
    assert after(*agent.events).readable_answer == "Anew.\n\nEnd."


def test_files_are_offered_once_and_named():
    agent = Agent()
    inline = {"kind": "file", "file": {"bytes": "Zm9v", "mimeType": "text/plain", "name": "a.txt"}}
    linked = {"kind": "file", "file": {"uri": "https://files.example/dir/b.pdf"}}
    broken = {"kind": "file", "file": {"bytes": "@@@", "name": "c.bin"}}
    agent.artifact("f", inline, linked, broken, name="")
    agent.task("working", artifacts=[an_artifact("f", inline, linked, name="")])
    offered = [event for event in agent.events if isinstance(event, FileOffered)]
    assert offered == [
        FileOffered("a.txt", "text/plain", data=b"foo"),
        FileOffered("b.pdf", url="https://files.example/dir/b.pdf"),
    ]
    assert notices(agent, NoticeLevel.WARNING) == ["The agent sent the file 'c.bin', but its content is damaged."]


def test_data_beside_a_text_is_a_notice_and_data_alone_is_the_answer():
    part = {"kind": "data", "data": {"count": 3.0, "ok": True}}
    beside = Agent()
    beside.artifact("d", part, name="stats")
    beside.artifact("a", "Three.")
    beside.status("completed", final=True)
    assert text_of(beside.events) == "Three."
    assert notices(beside, NoticeLevel.INFO) == ['stats: {"count": 3, "ok": true}']
    alone = Agent()
    alone.artifact("d", part, name="stats")
    alone.status("completed", final=True)
    assert text_of(alone.events) == '```json\n{\n  "count": 3,\n  "ok": true\n}\n```'
    assert notices(alone, NoticeLevel.INFO) == []


def test_large_data_is_offered_as_a_file():
    agent = Agent()
    agent.artifact("a", "See the file.")
    agent.artifact("d", {"kind": "data", "data": {"rows": ["x" * 100] * 100}}, name="table")
    offered = [event for event in agent.events if isinstance(event, FileOffered)]
    assert [event.name for event in offered] == ["table.json"]
    assert offered[0].data is not None
    assert offered[0].data.count(b"x" * 100) == 100


def test_data_held_back_is_told_when_the_turn_fails_or_its_stream_breaks():
    for end in (lambda agent: agent.status("failed"), lambda agent: agent.events.extend(agent.reader.flush())):
        agent = Agent()
        agent.artifact("d", {"kind": "data", "data": {"n": 1}}, name="stats")
        end(agent)
        assert notices(agent, NoticeLevel.INFO) == ['stats: {"n": 1}']


def test_a_structured_result_gives_its_content_as_text():
    agent = Agent()
    agent.artifact("a", "draft")
    reply = {"is_task_complete": True, "require_user_input": False, "content": "Structured answer."}
    agent.artifact("r", {"kind": "data", "data": reply}, name="final_result")
    agent.status("completed", final=True)
    assert text_of(agent.events) == "Structured answer."


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


def test_a_message_without_a_task_is_the_whole_answer():
    agent = Agent()
    agent.message("Hello.", contextId="c-1")
    assert agent.events == [TaskBound(None, agent.reader.context_id), TextDelta("Hello."), Finished("")]


def test_a_message_amid_a_task_is_part_of_the_answer_and_no_end():
    agent = Agent()
    agent.task()
    agent.message("First. ", taskId="t-1")
    agent.message("Second.")
    assert not agent.reader.is_over
    agent.status("completed", final=True)
    assert text_of(agent.events) == "First. Second."


def test_a_message_of_the_user_is_no_answer():
    agent = Agent()
    agent.message("My own words", role="user")
    assert text_of(agent.events) == ""
    assert not agent.reader.is_over


def test_a_snapshot_replaces_every_artifact():
    agent = Agent()
    agent.artifact("a", "tick 0\n")
    agent.task("working", artifacts=[an_artifact("a", "tick 0\n", "tick 1\n"), an_artifact("b", "more", name="b")])
    assert text_of(agent.events) == "tick 0\ntick 1\nmore"
    assert not any(isinstance(event, TextReplaced) for event in agent.events)
    agent.artifact("a", "tick 2\n", append=True)
    assert text_of(agent.events) == "tick 0\ntick 1\ntick 2\nmore"


def test_a_snapshot_with_streamed_text_and_result_holds_the_result_alone():
    agent = Agent()
    agent.task("completed", artifacts=[an_artifact("a", "dra", "ft"), an_artifact("r", "End.", name="final_result")])
    assert text_of(agent.events) == "End."
    assert agent.events[-1] == Finished("completed")


def test_a_task_with_nothing_but_a_history_is_answered_by_what_the_agent_said_last():
    def said(role: str, text: str) -> dict[str, object]:
        return {"kind": "message", "role": role, "messageId": text, "parts": [{"kind": "text", "text": text}]}

    agent = Agent()
    history = [
        said("user", "Q1"),
        said("agent", "Old answer"),
        said("user", "Q2"),
        said("agent", "The "),
        said("agent", "end"),
    ]
    agent.task("completed", history=history)
    assert text_of(agent.events) == "The end"


def test_what_an_earlier_turn_of_the_task_told_is_not_told_again():
    first = Agent()
    first.artifact("a", "First half. ")
    first.status("input-required", "Go on?", final=True)
    second = Agent(TurnReader(earlier=first.reader.remember()))
    second.task("working", artifacts=[an_artifact("a", "First half. ", "Second half.")])
    second.artifact("a", " End.", append=True)
    second.status("completed", final=True)
    assert text_of(second.events) == "Second half. End."
    third = Agent(TurnReader(earlier=first.reader.remember()))
    third.artifact("a", "Rewritten.")
    assert text_of(third.events) == "Rewritten."


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


@pytest.mark.parametrize(
    "ids", [{"taskId": "other"}, {"contextId": "other"}, {"taskId": "other", "contextId": "other"}]
)
def test_events_of_another_task_or_context_change_nothing(ids):
    agent = Agent()
    agent.task()
    foreign = {"kind": "artifact-update", "taskId": "t-1", "contextId": "c-1", "artifact": an_artifact("x", "foreign")}
    assert agent.say(foreign | ids) == []
    end = {
        "kind": "status-update",
        "taskId": "t-1",
        "contextId": "c-1",
        "status": {"state": "completed"},
        "final": True,
    }
    assert agent.say(end | ids) == []
    assert agent.reader.foreign == 2
    agent.artifact("a", "ours")
    agent.status("completed", final=True)
    assert text_of(agent.events) == "ours"


def test_unknown_events_and_parts_are_said_and_the_stream_goes_on():
    agent = Agent()
    agent.say({"kind": "telemetry-update", "taskId": "t-1"})
    agent.say({"kind": "telemetry-update", "taskId": "t-1"})
    agent.artifact("a", "text", {"kind": "hologram"}, futureField={"x": 1})
    agent.status("completed", final=True)
    said = notices(agent, NoticeLevel.INFO)
    assert len(said) == 2
    assert "telemetry-update" in said[0]
    assert "hologram" in said[1]
    assert text_of(agent.events) == "text"


CHUNKS = st.lists(st.text(max_size=8), min_size=1, max_size=12)


@given(CHUNKS, st.booleans(), st.booleans())
@example(chunks=[" "], with_result=True, with_snapshot=False)
@settings(max_examples=150, deadline=None)
def test_any_streamed_text_is_the_answer_to_the_character(chunks, with_result, with_snapshot):
    agent = Agent()
    whole = "".join(chunks)
    for index, chunk in enumerate(chunks):
        agent.artifact("a", chunk, append=index > 0)
    if with_snapshot:
        agent.task("working", artifacts=[an_artifact("a", *chunks)])
    if with_result:
        agent.artifact("r", whole, name="final_result")
    agent.status("completed", final=True)
    assert text_of(agent.events) == whole
    assert not any(isinstance(event, TextDelta | ReasoningDelta) and not event.text for event in agent.events)


def test_a_blank_result_adds_nothing_to_text_that_comes_after_it_and_is_the_answer_alone():
    agent = Agent()
    agent.artifact("r", " ", name="partial_result")
    assert text_of(agent.events) == " "
    agent.artifact("a", "text", append=False)
    assert text_of(agent.events) == "text"
    agent.artifact("r", "better", name="partial_result", append=True)
    assert text_of(agent.events) == " better"


@pytest.mark.parametrize("append", [True, False])
def test_a_stream_of_many_chunks_or_artifacts_compares_no_whole_texts(monkeypatch, append):
    compared = []
    sync = AnswerText.sync
    monkeypatch.setattr(AnswerText, "sync", lambda self: compared.append(1) or sync(self))
    agent = Agent()
    for index in range(500):
        agent.artifact("a" if append else f"a-{index}", f"{index} ", append=append)
    assert text_of(agent.events) == "".join(f"{index} " for index in range(500))
    assert len(compared) < 5


def interleaved(agent: Agent, rounds: int) -> str:
    """Let two artifacts stream at once; return the answer that they make."""
    for index in range(rounds):
        for name in ("report", "log"):
            agent.artifact(name, f"{name} {index}\n", name=name, append=index > 0)
    return "".join(f"{name} {index}\n" for name in ("report", "log") for index in range(rounds))


def test_two_artifacts_that_stream_at_once_are_told_as_they_come_and_once():
    agent = Agent()
    answer = interleaved(agent, 2_000)
    assert text_of(agent.events) == answer
    told = [event for event in agent.events if isinstance(event, TextDelta | TextInserted | TextReplaced)]
    assert sum(len(event.text) for event in told) == len(answer)
    agent.status("completed", answer, final=True)
    assert text_of(agent.events) == answer


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", " ", "yz\n"]), st.booleans()), max_size=40))
def test_artifacts_in_any_order_are_told_as_what_they_are(steps):
    agent, texts = Agent(), {}
    for name, end, appends in steps:
        text = name + end  # none begins as another, which would restate it
        texts[name] = texts.get(name, "") + text if appends else text
        agent.artifact(name, text, name="part", append=appends)
        assert text_of(agent.events) == "".join(texts.values())


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


def test_of_streamed_status_texts_that_end_with_the_answer_the_rest_is_reasoning():
    agent = Agent()
    for text in ("I look. ", "It is 42."):
        agent.status("working", text)
    agent.artifact("a", "It is 42.")
    assert text_of(agent.events) == "It is 42."
    assert reasoning_of(agent.events) == "I look. "


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
    agent.status_of("working", "I look. ", call)
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
