"""The answer is neither doubled nor lost, whatever habits an agent has."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatforge_tui.domain.events import (
    FileOffered,
    Finished,
    ReasoningDelta,
    TaskBound,
    TextDelta,
    TextInserted,
    TextReplaced,
)
from chatforge_tui.domain.part import NoticeLevel
from chatforge_tui.endpoints.a2a.answer_text import AnswerText
from chatforge_tui.endpoints.a2a.turn_reader import TurnReader
from tests.contracts.endpoint_run import text_of
from tests.endpoints.a2a.replaying import Agent, an_artifact, notices
from tests.streaming.values import after


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
