"""Hostile texts at every other entry: tools, plans, forms, errors, headers, names; one turn each, raw bytes looked at."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from chatforge_tui.domain.part import FilePart
from chatforge_tui.domain.turn import Turn, TurnState
from tests.hostile.agent import page, wire
from tests.hostile.checker import hidden_in, leaked_bytes, leaks, passed
from tests.hostile.corpus import SINK, Case, collected, squashed
from tests.hostile.entries import AGENT, CHAT, COLLECTED, form, stream_body
from tests.hostile.stage import Act, Run, Stage, Tab, visible

pytestmark = pytest.mark.timeout(300)

SECRET = "sk-live-SECRET"
COLLECTED_CASES = [case for case in collected() if case.where in COLLECTED and not case.where.startswith("delta text")]
WIRE = [case for case in COLLECTED_CASES if case.where.startswith("SSE")]
UNSEEN = {
    "finish reason",
    "usage",
    "model in answer",
    "artifact name",
    "stream body",
    "data line",
    "content type",
    "event name",
    "tool call id",
}
"""Entries whose text is shown nowhere, or not by its words."""
LATIN = {"reason phrase", "location", "cookie", "Retry-After"}
"""Entries that are bytes of a head: with control characters in them they are no HTTP."""


def sink(entry: str) -> Case:
    return Case(f"sink-{entry.replace(' ', '-')}", entry, SINK.encode(), "no-control")


def alone(case: Case, endpoint: str) -> Act:
    """Return a stream that holds the case and nothing else."""
    case = replace(case, id=f"{endpoint}-{case.id}")
    if "html" in case.id:
        return Act(case.id, lambda: page(case.payload))
    if case.where == "SSE data line":
        return Act(case.id, lambda: wire(b"data: " + case.payload + b"\n\n"))
    return stream_body(case)


def tabs() -> list[Tab]:
    chat = [COLLECTED[case.where].build(case) for case in COLLECTED_CASES if COLLECTED[case.where].endpoint == "chat"]
    agent = [COLLECTED[case.where].build(case) for case in COLLECTED_CASES if COLLECTED[case.where].endpoint == "agent"]
    chat += [build(sink(entry)) for entry, build in CHAT.items()]
    agent += [build(sink(entry)) for entry, build in AGENT.items() if build is not form]
    chat += [alone(case, "chat") for case in WIRE]
    agent += [alone(case, "agent") for case in WIRE]
    return [Tab("secret", chat), Tab("agent", agent), Tab("agent", [form(sink("form"))])]


CONFIG = '[endpoints.secret]\nprotocol = "openai-chat"\nurl = "CHAT_URL"\nmodel = "m"\ntoken_env = "HOSTILE_KEY"\n'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home: Path = tmp_path_factory.mktemp("entries") / "home"
    return asyncio.run(Stage(home, environ={"HOSTILE_KEY": SECRET}).run(tabs(), config=CONFIG))


@pytest.fixture(scope="module")
def turns(run: Run) -> dict[str, Turn]:
    return asyncio.run(run.turns())


def test_the_program_survives_all_of_them(run: Run):
    assert run.code == 0
    assert len([case for case in run.seen if not case.startswith("tab ")]) == sum(len(tab.acts) for tab in tabs())


def test_not_one_byte_that_steers_reaches_the_terminal(run: Run):
    found = leaks(run.raw)
    assert (leaked_bytes(found), [str(leak) for leak in found[:5]]) == (0, [])
    assert passed(SINK, run.raw) == []
    for case in COLLECTED_CASES:
        assert passed(case.whole, run.raw) == []


@pytest.mark.parametrize("entry", sorted({*CHAT, *AGENT} - UNSEEN - LATIN))
def test_what_came_in_is_to_be_seen_and_readable(run: Run, entry: str):
    seen = visible(run, sink(entry).id)
    assert "]52;c;ZXZpbA==" in seen
    assert "[@click=app.quit]x[/nope]" in seen
    assert "<U+202E>gnp<U+200B>" in seen or "\\u001b" in seen


def test_escapes_in_json_arguments_are_cleaned_after_they_were_read(run: Run):
    assert "<U+202E>gnp<U+200B><U+E0041>" in visible(run, "sink-tool-arguments-in-JSON")


@pytest.mark.parametrize(
    ("case", "state"),
    [
        ("bigint-json", TurnState.FAILED),
        ("nan-json", TurnState.INTERRUPTED),
        ("wire-no-final", TurnState.INTERRUPTED),
        ("wire-json-wrong-type", TurnState.FAILED),
        ("wire-html-200", TurnState.FAILED),
        ("wire-id-mismatch", TurnState.FAILED),
        ("wire-after-done", TurnState.COMPLETE),
        ("wire-retry-huge", TurnState.INTERRUPTED),
        ("wire-nul-id", TurnState.INTERRUPTED),
        ("wire-partial-last-event", TurnState.INTERRUPTED),
    ],
)
def test_a_stream_that_is_none_ends_as_it_should_with_a_reason(turns: dict[str, Turn], case: str, state: TurnState):
    head = turns[f"chat-{case}"].head
    assert head.state is state
    if state is not TurnState.COMPLETE:
        assert head.problem is not None
        assert head.problem.message.strip()
        assert "\n" not in head.problem.message


def test_what_comes_after_the_end_is_not_taken(turns: dict[str, Turn]):
    assert "LATE" not in turns["chat-wire-after-done"].answer
    assert turns["chat-wire-no-final"].answer == "a"


@pytest.mark.parametrize("case", ["wire-id-mismatch", "wire-json-wrong-type", "bigint-json", "wire-html-200"])
def test_an_agent_that_speaks_something_else_fails_the_turn(turns: dict[str, Turn], case: str):
    assert turns[f"agent-{case}"].head.state is TurnState.FAILED


@pytest.mark.parametrize("case", ["net-redirect-downgrade", "net-redirect-file"])
def test_a_redirect_is_refused_and_named(turns: dict[str, Turn], run: Run, case: str):
    assert turns[case].head.state is TurnState.FAILED
    assert turns[case].answer == ""


def test_the_key_that_a_server_repeats_is_nowhere(run: Run):
    assert SECRET.encode() not in run.raw
    for path in run.home.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("case", [case for case in COLLECTED_CASES if case.where == "A2A file part uri"], ids=str)
def test_a_file_that_an_agent_names_is_not_fetched(turns: dict[str, Turn], case: Case):
    [file] = [part for part in turns[case.id].parts if isinstance(part, FilePart)]
    assert (file.url, file.data) == (case.text, None)


def test_no_link_leads_out_of_the_web(run: Run):
    assert not re.search(rb"\x1b\]8;[^;]*;(?!https?://|\x1b)", run.raw)


def test_a_plan_step_is_shown_letter_by_letter(run: Run):
    payload = next(case for case in COLLECTED_CASES if case.id == "markup-in-plan-step").text
    assert any(squashed(payload)[:20] in visible(run, case) for case in run.seen)


def test_the_store_keeps_what_came(turns: dict[str, Turn]):
    assert SINK in {part.text for part in turns["sink-reasoning"].parts if hasattr(part, "text")}
    assert turns["sink-failed-task"].head.problem is not None
    assert SINK in turns["sink-failed-task"].head.problem.message


def test_the_log_holds_none_of_it(run: Run):
    assert [line for line in run.log.splitlines() if hidden_in(line)] == []
