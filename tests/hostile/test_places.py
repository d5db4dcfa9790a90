"""Hostile texts that do not come in an answer: configuration, titles, cards, stored rows, pastes, searches; and going out."""

import asyncio
import base64
import json
import re
import subprocess
from pathlib import Path

import pytest

from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    PlanPart,
    QuestionKind,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
    ToolState,
)
from chatforge_tui.domain.plan import Plan, PlanStep
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnProblem, TurnState
from chatforge_tui.endpoints.a2a.card import place
from chatforge_tui.errors import ProtocolMismatch
from chatforge_tui.safety.clean import clean_name
from tests.cli.program import Program
from tests.hostile.agent import A2aScene, says
from tests.hostile.checker import hidden_in, leaked_bytes, leaks, passed
from tests.hostile.corpus import SINK, Case, collected, squashed
from tests.hostile.stage import Act, Run, Show, Stage, Tab, visible

pytestmark = pytest.mark.timeout(300)

CASES = {case.id: case for case in collected()}
TITLES = [case for case in CASES.values() if case.where == "session title"]
PROFILES = {case.id: case.text.replace("://", ":") for case in CASES.values() if case.where == "profile name in config"}
"""Case -> name; one that looks like a URL is refused, see below."""
CARDS: dict[str, dict[str, object]] = {
    "name": {"name": CASES["osc52-in-agent-card-name"].text},
    "markup": {"name": CASES["markup-in-agent-card-name"].text},
    "skill": {"skills": [{"id": "x", "name": CASES["osc52-in-agent-card-skill-name"].text, "description": SINK}]},
    "provider": {"provider": {"organization": CASES["osc52-in-agent-card-provider"].text, "url": SINK}},
    "sink": {"name": SINK, "description": SINK, "version": SINK, "documentationUrl": SINK, "iconUrl": SINK},
    "host": {"url": CASES["homoglyph-host"].text},
    "loopback": {"url": CASES["net-card-url-loopback"].text},
    "userinfo": {"url": CASES["net-card-url-userinfo"].text},
    "urlsink": {"url": f"https://evil.example/{SINK}"},
    "transport": {"preferredTransport": SINK, "protocolVersion": SINK},
    "address": {"url": "http://192.0.2.7:8080/x"},
    "interfaces": {
        "url": CASES["net-card-additional-iface"].text,
        "additionalInterfaces": [{"url": CASES["net-card-additional-iface"].text, "transport": "JSONRPC"}],
    },
}
ORDINARY = "An ordinary answer."
COPIED = CASES["copy-out"]


def toml(text: str) -> str:
    """Return a basic string of TOML."""
    return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08X}" for c in text) + '"'


def config() -> str:
    tables = [f'[endpoints.{toml(name)}]\nprotocol = "openai-chat"\nurl = "CHAT_URL"\n' for name in PROFILES.values()]
    sink = f'[endpoints.modelled]\nprotocol = "openai-chat"\nurl = "CHAT_URL"\nmodel = {toml(SINK)}\n'
    return "".join([*tables, sink])


def stored_turn(session: int) -> Turn:
    """Return a turn that another tool could have written: every text of it hostile."""
    head = TurnHead(
        TurnId(f"01a00000-0000-7000-8000-0000000f{session:04}"),
        SessionId(f"01a00000-0000-7000-8000-{session:012}"),
        0,
        Prompt(f"{SINK}\nprompt"),
        RequestId(f"01a00000-0000-7000-8000-0000000e{session:04}"),
        TurnState.FAILED,
        started=1_700_000_000.0,
        ended=1_700_000_001.0,
        agent=SINK,
        protocol=SINK,
        finish_reason=SINK,
        problem=TurnProblem(SINK, SINK, SINK),
    )
    parts = (
        ReasoningPart(0, SINK, 1.0),
        ToolPart(1, SINK, SINK, ToolState.DONE, SINK, SINK),
        PlanPart(2, Plan((PlanStep(SINK, agent=SINK),))),
        FilePart(3, SINK, media_type=SINK, url=SINK),
        NoticePart(4, NoticeLevel.WARNING, SINK),
        QuestionPart(5, QuestionKind.INPUT, SINK),
        TextPart(6, CASES["osc52-in-stored-row-written-by-another-tool"].text),
    )
    return Turn(head, parts, (Plan((PlanStep(SINK, agent=SINK),)),))


def tabs() -> list[Tab]:
    made = [Tab("chat", [Act("copied", lambda: says(COPIED.text), "")])]
    made += [Tab("chat", title=case.text) for case in TITLES]
    made += [Tab(f"card-{name}", [Act(f"card-{name}", A2aScene(end=ORDINARY))]) for name in CARDS]
    made += [Tab(name, [Act(case, lambda: says(ORDINARY))]) for case, name in PROFILES.items()]
    made += [Tab("modelled", [Act("modelled", lambda: says(ORDINARY))], title=SINK)]
    made += [Tab("chat", title=CASES["net-export-title"].text, turns=[stored_turn(len(made))])]
    return made


async def walk(show: Show) -> None:
    """Look at every screen that shows names, titles and prompts; paste, search, copy, rename."""
    terminal = show.terminal
    show.terminal.press("ctrl+o")
    await terminal.until_quiet()
    await show.look("stored", "ctrl+o", leave=["ctrl+o"])
    await show.look_into("board", "ctrl+s")
    await show.look_into("palette", "ctrl+p")
    await show.look_into("history", "ctrl+r")
    await show.look_into("rename", "f2")
    await show.look_into("new session", "alt+n")
    await show.look_into("help", "f1")
    for name, keys in {"search": "ctrl+f", "palette search": "ctrl+p", "model": "alt+n"}.items():
        terminal.press(keys)
        await terminal.until_quiet()
        terminal.paste(SINK.replace("\r", "") + CASES["markup-in-search-query"].text)
        await show.look(f"pasted {name}", leave=["escape"])
    for case in (CASES["paste-markup"], CASES["paste-esc"], CASES["rlo"], CASES["tag-chars"]):
        terminal.paste(case.text)
        await show.look(case.id, leave=["ctrl+c"])
    terminal.send(b"\x1b[200~" + b"\x1b]52;c;ZXZpbA==\x07\x00\x1b[31m" + b"x" * 200_000 + b"\x1b[201~")
    await terminal.wait_for("x" * 60)
    await show.look("long paste", leave=["ctrl+c"])
    terminal.press("f2")
    await terminal.wait_for("Rename the session")
    await terminal.until_quiet()
    terminal.press("ctrl+u")
    await terminal.until_quiet()
    terminal.paste("renamed \x1b]2;OWNED\x07\u202e")
    terminal.press("enter")
    await terminal.wait_for("renamed ␛]2;O")
    await show.look("renamed", leave=["escape"])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home: Path = tmp_path_factory.mktemp("places") / "home"
    return asyncio.run(Stage(home).run(tabs(), cards=CARDS, config=config(), then=walk))


def test_the_program_survives_all_of_them(run: Run):
    assert run.code == 0


def test_not_one_byte_that_steers_reaches_the_terminal(run: Run):
    found = leaks(run.raw)
    assert (leaked_bytes(found), [str(leak) for leak in found[:5]]) == (0, [])
    for text in (SINK, *(case.whole for case in CASES.values() if len(case.payload) < 10_000)):
        assert passed(text, run.raw) == []


@pytest.mark.parametrize("case", TITLES, ids=lambda case: case.id)
def test_titles_are_shown_cleaned_in_one_line(run: Run, case: Case):
    assert squashed(clean_name(case.text))[:8] in visible(run, f"tab {1 + TITLES.index(case)}")


@pytest.mark.parametrize("name", ["board", "palette", "history", "pasted search", "pasted palette search", "stored"])
def test_every_screen_shows_what_is_hidden(run: Run, name: str):
    assert "␛]52;c;" in visible(run, name) or "␛]2;PWNED" in visible(run, name)


@pytest.mark.parametrize("name", ["name", "sink"])
def test_the_name_on_a_card_is_shown_cleaned(run: Run, name: str):
    assert "A␛]52;c;ZXZpbA==␇<U+009B>2J" in visible(run, f"card-{name}")


def test_markup_in_names_is_text(run: Run):
    assert "[@click=app.quit]x[/]" in visible(run, "card-markup")
    assert "[@click=app.quit]x[/]" in visible(run, "markup-in-profile-name-in-config")


@pytest.mark.parametrize(("card", "words"), [("address", "http://192.0.2.7:8080"), ("userinfo", "usernameinit")])
def test_a_card_that_sends_elsewhere_is_refused_with_the_real_address(run: Run, card: str, words: str):
    turn = asyncio.run(run.turns())[f"card-{card}"]
    assert turn.head.state is TurnState.FAILED
    assert words in visible(run, f"card-{card}")


@pytest.mark.parametrize("card", ["loopback", "host", "interfaces"])
def test_what_a_card_says_of_this_machine_or_of_a_host_that_is_none_leads_back_to_where_it_came_from(
    run: Run, card: str
):
    head = asyncio.run(run.turns())[f"card-{card}"].head
    if head.state is TurnState.FAILED:  # somewhere names of `.example` and the like are known
        assert head.problem is not None
        assert "another server" in head.problem.message
    else:
        assert ORDINARY in asyncio.run(run.turns())[f"card-{card}"].answer


def test_a_host_is_named_as_it_is_looked_up():
    with pytest.raises(ProtocolMismatch, match=re.escape("xn--ypal-43d9g.com")):
        place(CASES["homoglyph-host"].text, "https://agent.example", follow=False, exists=True, setting="x")


def test_markup_that_is_pasted_is_text(run: Run):
    assert "[@click=app.quit]x" in visible(run, "paste-markup")


def test_a_paste_that_ends_itself_sends_nothing(run: Run):
    assert "rm-rf~" in visible(run, "paste-esc")
    prompts = list(asyncio.run(run.turns()))
    assert not any("rm -rf" in prompt or prompt == "ls" for prompt in prompts)


@pytest.mark.parametrize("case", ["rlo", "tag-chars"])
def test_what_is_invisible_in_a_paste_is_marked_and_counted(run: Run, case: str):
    assert "<U+" in visible(run, case)
    assert "hiddenorcontrolcharacter" in visible(run, case)


def test_a_title_that_was_typed_in_is_cleaned(run: Run):
    assert "renamed␛]2;O" in visible(run, "renamed")


def test_what_is_copied_is_clean(tmp_path: Path):
    async def copy(show: Show) -> None:
        show.terminal.press("tab")
        await show.terminal.until_quiet()
        show.terminal.press("y")
        await show.terminal.wait_for("clipboard")

    run = asyncio.run(
        Stage(tmp_path / "home").run([Tab("chat", [Act("copied", lambda: says(COPIED.text))])], then=copy)
    )
    [sent] = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", run.raw)
    assert base64.b64decode(sent).decode() == "a␛]52;c;ZXZpbA==␇<U+202E>b"
    assert leaks(re.sub(rb"\x1b\]52;c;[A-Za-z0-9+/=]*\x07", b"", run.raw)) == []


def test_enter_and_escape_in_one_breath_close_one_dialog(tmp_path: Path):
    async def press(show: Show) -> None:
        for opening in ("f2", "ctrl+p", "ctrl+s", "ctrl+r"):
            for keys in (("enter", "escape"), ("enter", "enter"), ("escape", "escape")):
                show.terminal.press(opening)
                await show.terminal.until_quiet(0.2)
                show.terminal.press(*keys)
                await show.terminal.until_quiet(0.2)
                show.terminal.press("escape")

    run = asyncio.run(Stage(tmp_path / "home").run([Tab("chat", [Act("one", lambda: says("x"))])], then=press))
    assert run.code == 0


class TestCommands:
    """What the other commands write to a terminal, and into files."""

    @pytest.fixture
    def program(self, run: Run) -> Program:
        return Program(run.home)

    @pytest.fixture
    def sessions(self, program: Program):
        return program.run("sessions", "--json").json

    def test_no_command_steers_the_terminal(self, program: Program, sessions):
        stored = next(
            session["id"]
            for session in sessions
            if session["title"] == CASES["net-export-title"].text or ("x" in session["title"] and session["turns"])
        )
        outputs = {
            words: program.run_in_terminal(*words)
            for words in (
                ("sessions",),
                ("sessions", "--json"),
                ("show", stored),
                ("show", stored, "--json"),
                ("export", stored, "--format", "md", "-o", "-"),
                ("export", stored, "--format", "html", "-o", "-"),
                ("export", stored, "--format", "json", "-o", "-"),
                ("endpoints",),
                ("show", f"no such {SINK}".replace("\x00", "")),
                ("send", "--endpoint", f"none{SINK}".replace("\x00", ""), "hi"),
            )
        }
        for words, (_, raw) in outputs.items():
            text = raw.replace(b"\r\n", b"\n").decode()
            assert hidden_in(text.replace("\t", " ")) == [], words
        assert "␛]52" in outputs["show", stored][1].decode()

    def test_exports_for_people_hold_no_controls_and_lie_where_they_should(
        self, program: Program, tmp_path: Path, sessions
    ):
        stored = next(
            session["id"]
            for session in sessions
            if session["turns"] and session["endpoint"] == "chat" and "copied" not in json.dumps(session)
        )
        for form in ("md", "html"):
            done = program.run("export", stored, "--format", form, cwd=tmp_path)
            assert done.code == 0, done.err
        written = [path for path in tmp_path.rglob("*") if path.is_file() and program.home not in path.parents]
        assert len(written) == 2
        for path in written:
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.(md|html)", path.name)
            assert hidden_in(path.read_text("utf-8").replace("\t", " ")) == []


def test_a_password_in_the_configured_url_is_told_nowhere(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    url = CASES["net-url-userinfo-log"].text
    (home / "config.toml").write_text(f'[endpoints.x]\nprotocol = "a2a"\nurl = "{url}"\n')
    program = Program(home)
    for words in ((), ("send", "hi"), ("endpoints",)):
        code, raw = program.run_in_terminal(*words)
        assert code
        assert b"SECRET" not in raw
    code, raw = Program(tmp_path / "other").run_in_terminal("send", "--endpoint", url, "hi")
    assert b"SECRET" not in raw
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or path.name == "config.toml" or b"SECRET" not in path.read_bytes()


def test_a_profile_that_is_named_like_a_url_is_refused_with_its_name_letter_by_letter(tmp_path: Path):
    program = Program(tmp_path / "home")
    name = CASES["markup-in-profile-name-in-config"].text + "\x1b]0;OWNED\x07"
    program.configure(f'[endpoints.{toml(name)}]\nprotocol = "a2a"\nurl = "http://127.0.0.1:9"\n')
    code, raw = program.run_in_terminal()
    assert code == 2
    assert "[@click=app.quit]x[/] [/oops] [link=https://evil.example]y[/]␛]0;OWNED␇" in raw.decode()


def test_no_browser_was_started(run: Run):
    assert subprocess.run(["ls", str(run.home)], capture_output=True, text=True, check=True).stdout.find("browser") < 0
