"""What the agent answers to what people ask."""

import re
import tomllib

import pytest

from chatforge_tui.config.keymap import ACTIONS, Keymap
from chatforge_tui.config.settings import EndpointSettings, UiSettings
from chatforge_tui.guide.abilities import abilities_list
from chatforge_tui.guide.articles import ARTICLES
from chatforge_tui.guide.knowledge import Knowledge
from chatforge_tui.guide.passages import passages_of
from chatforge_tui.guide.reference import ProgramReference, key_entries
from chatforge_tui.guide.retrieval import Passage, PassageIndex, terms_of
from tests.guide.material import REFERENCE

KNOWLEDGE = Knowledge(REFERENCE, abilities_list())

QUESTIONS = {
    "how do I open a new tab": "New",
    "How can I start another conversation?": "New",
    "what does Esc do": "Stop",
    "what does ctrl+t do?": "Plan",
    "Ctrl-N?": "New",
    "what is F8": "Next",
    "what's ctrl+pgdn for": "Next",
    "what does Control + S do": "Sessions",
    "where is the config file": "Where everything is kept",
    "where are my conversations stored": "Where everything is kept",
    "change the theme": "Changing the theme",
    "dark mode": "Changing the theme",
    "how to use my own model": "Talking to your own model",
    "can I connect ollama": "Talking to your own model",
    "how do I close a tab": "Close",
    "undo delete": "Undo",
    "how can I send a newline": "Writing and sending a prompt",
    "how to quit": "Quit",
    "exit codes": "Exit codes",
    "rename a session": "Rename",
    "does it send telemetry": "What leaves this machine",
    "my agent returns 401": "An endpoint says unauthorized",
    "connection refused": "An endpoint cannot be reached",
    "export a conversation to markdown": "Export",
    "headless usage in a script": "Without the screen",
    "what happens after a crash": "After a crash or a restart",
    "how do I remap keys": "Changing keys",
    "which protocols are supported": "Which protocols are spoken",
    "colors look wrong": "Odd characters on the screen",
    "boxes instead of symbols": "Odd characters on the screen",
    "how do I stop the response": "Stopping an answer",
    "what does the diamond mean": "When an agent asks you something",
    "certificate error": "A certificate is not trusted",
    "it hangs": "An answer does not come or stands still",
    "keys don't work in tmux": "Keys that do not arrive",
    "api key": "Tokens and API keys",
    "list sessions from the shell": "chatforge sessions command",
    "are you ChatGPT": "The built-in agent",
    "how do I see the plan": "Plan",
    "fold tool output": "Reasoning and tool calls",
    "double press of esc": "ui.abort",
    "429 too many requests": "Rate limits",
    "how do I talk to an a2a agent": "Talking to an A2A agent",
}


@pytest.mark.parametrize(("question", "title"), QUESTIONS.items())
def test_a_question_finds_the_passage_that_answers_it(question: str, title: str) -> None:
    found = KNOWLEDGE.search(question)

    assert found, "nothing was found"
    assert found[0].passage.title == title, [match.passage.title for match in found]


@pytest.mark.parametrize(
    "question",
    ["what is the capital of France", "weather tomorrow", "write me a poem", "42", "", "???", "¿dónde está?", "日本語"],
)
def test_a_question_about_something_else_is_answered_with_what_can_be_asked(question: str) -> None:
    assert KNOWLEDGE.search(question) == []
    answer = KNOWLEDGE.answer(question)
    assert "My reference says nothing about that" in answer
    assert "`show me a plan`" in answer


def test_a_misspelt_word_is_taken_for_the_nearest_known_one() -> None:
    assert KNOWLEDGE.search("certifcate not trusted")[0].passage.title == "A certificate is not trusted"


def test_an_answer_names_its_source_and_the_keys_in_force() -> None:
    answer = KNOWLEDGE.answer("how do I open a new tab")

    assert "**Ctrl+N**" in answer
    assert "*From the key table.*" in answer


def test_an_answer_about_files_names_the_real_paths() -> None:
    assert "/home/ada/.config/chatforge/config.toml" in KNOWLEDGE.answer("where is the config file")


def test_keys_that_the_user_changed_are_the_ones_answered() -> None:
    changed = ProgramReference("1", keys=key_entries(Keymap.resolve({"session.new": "f7"})))

    answer = Knowledge(changed, "").answer("how do I open a new tab")

    assert "**F7**" in answer
    assert "Ctrl+N" not in answer


def test_every_name_in_an_article_is_one_that_the_program_has() -> None:
    actions = {entry.action for entry in REFERENCE.keys}
    places = {entry.name for entry in REFERENCE.places}
    lists = {"abilities", "protocols", "commands", "places"}

    names = {name for article in ARTICLES for name in re.findall(r"\{([^}\s]+(?: [^}]+)?)\}", article.body)}
    unknown = {n for n in names if n not in actions | lists and n.removeprefix("place:") not in places}

    assert names & actions
    assert unknown == set()


def test_every_setting_that_an_article_shows_is_one_that_the_program_reads() -> None:
    shown = [block.split("```")[0] for a in ARTICLES for block in a.body.split("```toml\n")[1:]]
    tables = [tomllib.loads(text) for text in shown]

    assert tables
    for table in tables:
        assert set(table) <= {"default_endpoint", "endpoints", "keys", "ui"}
        assert set(table.get("keys", {})) <= {action.id for action in ACTIONS}
        assert set(table.get("ui", {})) <= set(UiSettings.__struct_fields__)
        for endpoint in table.get("endpoints", {}).values():
            assert set(endpoint) <= set(EndpointSettings.__struct_fields__)


def test_no_passage_keeps_an_unfilled_name() -> None:
    for passage in passages_of(REFERENCE, abilities_list()):
        assert "{session" not in passage.body
        assert "{place" not in passage.body


def test_a_paragraph_is_one_line_and_code_keeps_its_lines() -> None:
    answer = KNOWLEDGE.answer("how do I use my own model")

    assert '\n[endpoints.local]\nprotocol = "openai-chat"\n' in answer
    prose = [line for line in answer.split("```")[2].splitlines() if line]
    assert prose[0].startswith("Or without a file:")
    assert prose[0].endswith("offers those that answer.")


def test_a_reference_that_holds_nothing_still_answers() -> None:
    empty = Knowledge(ProgramReference("0"), "")

    assert empty.search("how do I stop an answer")
    assert [part.name for part in empty.parts()] == ["articles"]
    assert empty.facts() == []


def test_rare_words_weigh_more_than_common_ones() -> None:
    index = PassageIndex(
        [Passage(f"common {n}", "tab tab tab", "x") for n in range(20)] + [Passage("rare", "tab zebra", "x")]
    )

    assert index.search("tab zebra")[0].passage.title == "rare"


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Ctrl + Page Down", ["ctrl+pagedown"]),
        ("ctrl-n", ["ctrl+n"]),
        ("Escape", ["esc"]),
        ("what does ? do", ["?"]),
        ("closing sessions", ["clos", "session"]),
        ("config.toml", ["config.toml", "config", "toml"]),
    ],
)
def test_words_are_reduced_to_what_is_searched(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms
