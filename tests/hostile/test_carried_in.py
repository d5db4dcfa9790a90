"""Hostile texts that come in by files and by what servers say of themselves: bundles, lists of models, cards in the doctor."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.exchange import bundle_file
from tests.cli.program import Program
from tests.hostile.agent import ORDINARY, says
from tests.hostile.checker import hidden_in, leaked_bytes, leaks, passed
from tests.hostile.corpus import SINK, squashed
from tests.hostile.stage import Act, Run, Show, Stage, Tab
from tests.hostile.test_places import CARDS, stored_turn
from tests.servers.raw_server import answer, raw_server

pytestmark = pytest.mark.timeout(300)

FILE_NAME = "in\x1b]52;c;ZXZpbA==\x07\u202e\x9b2J[@click=app.quit]x.jsonl"
"""Of the bundle; a name may hold every byte but two."""
MODELS = {"data": [{"id": SINK}, {"id": f"{SINK}2", "owned_by": SINK, "object": SINK}]}
SHOWN = "␛]52;c;ZXZpbA==␇"


def imported() -> tuple[SessionHead, Turn]:
    """Return a session and its turn as another tool could have put them into a bundle."""
    turn = stored_turn(9)
    head = SessionHead(
        turn.head.session_id,
        EndpointRef(SINK, SINK, SINK),
        SINK,
        title_is_manual=True,
        draft=SINK,
        turns=1,
        created=1_700_000_000.0,
        updated=1_700_000_000.0,
    )
    return head, turn


def bundle() -> bytes:
    """Return a bundle that is whole, and behind it lines that no program of ours wrote."""
    head, turn = imported()
    lines = [bundle_file.header_line(1), *bundle_file.session_lines(head, [turn], [])]
    session, told = (json.loads(line) for line in lines[1:3])
    odd = [
        {**session, "id": SINK},
        {**session, "id": "../../../../tmp/x"},
        {**told, "id": SINK, "turn_id": SINK},
        {**told, "state": SINK},
        {**told, "sha256": SINK},
        {**told, SINK: SINK},
        {"kind": SINK},
        {"kind": "content", "session": SINK, "sha256": SINK, "data": SINK},
        [SINK],
    ]
    lines += [json.dumps(each).encode() + b"\n" for each in odd]
    lines += [SINK.encode("utf-8", "surrogatepass").replace(b"\n", b"") + b"\n", b"\xff\xfe\x1b]52;c;ZXZpbA==\x07\n"]
    return b"".join(lines)


async def walk(show: Show) -> None:
    """Import the file, look at what it brought, export that again, have the doctor look at every endpoint."""
    path = show.run.home / "in.jsonl"
    path.write_bytes(bundle())
    terminal = show.terminal
    terminal.paste(f"/import {path}")
    await show.look("imported", "enter")
    terminal.press("ctrl+s")
    await terminal.wait_for("Closed")
    await show.look("board", "end")
    terminal.press("enter")
    await terminal.wait_for("x[/nope]")
    await show.look("opened")
    await show.look("unfolded", "ctrl+o", leave=["ctrl+o"])
    terminal.press("ctrl+c")
    for form in ("md", "html", "json"):
        terminal.paste(f"/export {form}")
        await show.look(f"export {form}", "enter", leave=["escape"])
        terminal.paste(f"/export {form} {show.run.home}/{SINK.replace('/', '')}")
        await show.look(f"export {form} to a name", "enter", leave=["escape"])
    await show.look_into("alt+n", "alt+n")
    terminal.press("alt+z")
    await terminal.wait_for("OpenSSL", seconds=60)
    await terminal.until_quiet(0.3)
    for page in range(12):
        await show.look(f"doctor {page}", "pagedown")
    terminal.press("escape")
    await terminal.until_quiet(0.3)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home: Path = tmp_path_factory.mktemp("carried") / "home"

    async def play() -> Run:
        async with raw_server() as models:
            models.beside = lambda request: (
                answer(json.dumps(MODELS).encode("ascii")) if request.method == "GET" else says(ORDINARY)
            )
            config = f'[keys]\n"app.doctor" = "alt+z"\n[endpoints.models]\nprotocol = "openai-chat"\nurl = "{models.url}/v1"\n'
            acts = [Act("listed", lambda: says(ORDINARY))]
            return await Stage(home).run([Tab("models", acts), Tab("chat")], cards=CARDS, config=config, then=walk)

    return asyncio.run(play())


def test_the_program_survives_them(run: Run):
    assert run.code == 0


def test_not_one_byte_that_steers_reaches_the_terminal(run: Run):
    found = leaks(run.raw)
    assert (leaked_bytes(found), [str(leak) for leak in found[:5]]) == (0, [])
    for text in (SINK, FILE_NAME):
        assert passed(text, run.raw) == []


@pytest.mark.parametrize("name", ["opened", "unfolded", "board", "listed"])
def test_what_is_hidden_is_shown(run: Run, name: str):
    assert SHOWN in squashed(run.seen[name].screen), run.seen[name].screen


def test_the_doctor_shows_the_models_and_cards_that_hide_something(run: Run):
    text = squashed("".join(seen.screen for name, seen in run.seen.items() if name.startswith("doctor")))
    assert SHOWN in text


def test_the_import_took_what_is_whole_and_nothing_else(run: Run):
    assert "1sessionand1turn" in squashed(run.seen["imported"].screen), run.seen["imported"].screen
    turns = asyncio.run(run.turns())
    assert turns[f"{SINK}\nprompt"].answer == stored_turn(9).answer, "as it was received"


def test_files_lie_in_their_folder_under_a_name_that_steers_nothing(run: Run):
    for path in run.home.parent.rglob("*"):
        if path.name != FILE_NAME and path.suffix in {".md", ".html", ".json"}:
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", path.name) or path.parent == run.home, path
        if path.suffix in {".md", ".html"}:
            assert hidden_in(path.read_text("utf-8").replace("\t", " ")) == [], path


class TestCommands:
    """The same by commands, on a terminal."""

    @pytest.mark.parametrize("form", [(), ("--json",)])
    def test_an_import_reports_cleanly(self, tmp_path: Path, form: tuple[str, ...]):
        program = Program(tmp_path / "home")
        path = tmp_path / FILE_NAME
        path.write_bytes(bundle())
        for _ in range(2):
            _, raw = program.run_in_terminal("import", str(path), *form)
            assert hidden_in(raw.replace(b"\r\n", b"\n").decode()) == []
        other = tmp_path / "other.jsonl"
        head, turn = imported()
        changed = Turn(turn.head, turn.parts[-1:])
        other.write_bytes(bundle_file.header_line(1) + b"".join(bundle_file.session_lines(head, [changed], [])))
        _, raw = program.run_in_terminal("import", str(other), *form)
        assert hidden_in(raw.replace(b"\r\n", b"\n").decode()) == []
        for words in (("sessions",), ("search", "52"), ("show", head.session_id[:13])):
            _, raw = program.run_in_terminal(*words)
            assert hidden_in(raw.replace(b"\r\n", b"\n").replace(b"\t", b" ").decode()) == [], words
            assert SHOWN[1:] in squashed(raw.decode())

    def test_the_doctor_writes_what_servers_say_of_themselves_cleanly(self, run: Run):
        program = Program(run.home)
        for words in (("doctor", "--no-prompt"), ("doctor", "--json", "--no-prompt")):
            _, raw = program.run_in_terminal(*words)
            assert hidden_in(raw.replace(b"\r\n", b"\n").decode()) == [], words

    async def test_the_doctor_on_servers_that_answer(self, tmp_path: Path):
        program = Program(tmp_path / "home")
        async with raw_server() as server:
            server.beside = lambda request: answer(
                json.dumps(
                    {**MODELS, "name": SINK, "url": f"{server.url}/a", "skills": [], "capabilities": {}}
                ).encode(),
                server="x",
            )
            program.configure(
                f'[endpoints.models]\nprotocol = "openai-chat"\nurl = "{server.url}/v1"\nmodel = "m"\n'
                f'[endpoints.agent]\nprotocol = "a2a"\nurl = "{server.url}/a"\n'
            )
            for form in ((), ("--json",)):
                code, raw = await asyncio.to_thread(program.run_in_terminal, "doctor", "models", "agent", *form)
                text = raw.replace(b"\r\n", b"\n").decode()
                assert code in {0, 1, 3}
                assert hidden_in(text) == []
                assert "52;c;ZXZpbA==" in text, "it was told"
