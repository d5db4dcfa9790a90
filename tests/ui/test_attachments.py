"""Files beside the prompt: shown before they go, taken back by a key, kept over a restart, never anything else than was shown."""

import os

import pytest
from textual import events

from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreUnavailable, Unreachable
from chatforge_tui.sessions import EngineSettings
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import echo
from tests.ui.program import Program, running

NOTE, OTHER = b"one\ntwo\n", b"\x89PNG\r\n\x1a\n" + bytes(90)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the program is started, with some files."""
    folder = tmp_path / "work"
    (folder / "sub").mkdir(parents=True)
    (folder / "notes.md").write_bytes(NOTE)
    (folder / "sub" / "p x.png").write_bytes(OTHER)
    monkeypatch.chdir(folder)
    return folder


async def command(program: Program, text: str) -> None:
    await program.type(text)
    await program.pilot.press("enter")


async def paste(program: Program, text: str) -> None:
    program.app.main.composer.post_message(events.Paste(text))
    await program.pilot.pause()


def names(program: Program) -> list[str]:
    return [file.name for file in program.front.head.attachments]


async def sent(program: Program) -> list[tuple[str, list[bytes]]]:
    """Return text and contents of every request so far."""
    return [
        (wire.request.prompt.text, [wire.request.contents[file.sha256] for file in wire.request.prompt.attachments])
        for wire in program.endpoints.wires
    ]


async def test_a_file_stands_above_the_prompt_with_type_and_size_goes_with_it_and_is_in_the_transcript(home, folder):
    async with running(home, script=echo, size=(80, 24)) as program:
        await command(program, "/attach notes.md")
        await program.sees("+ notes.md  text/markdown · 8 bytes")
        assert "Enter sends · Alt+X takes it back" in program.text
        assert program.endpoints.wires == []

        (folder / "notes.md").write_bytes(b"changed after it was shown")
        await program.send("look")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)

        assert await sent(program) == [("look", [NOTE])]
        await program.until(lambda: names(program) == [])
        await program.sees("look\n  + notes.md  text/markdown · 8 bytes")
        assert "takes it back" not in program.text


async def test_the_next_prompt_goes_without_it_and_a_retry_with_it(home, folder):
    async with running(home, script=echo) as program:
        await command(program, "/attach notes.md")
        await program.until(lambda: names(program))
        for text in ("first", "second"):
            await program.send(text)
            await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert await sent(program) == [("first", [NOTE]), ("second", [])]

        await command(program, "/attach sub/p x.png")
        await program.until(lambda: names(program))
        await program.pilot.press("enter")
        await program.until(lambda: len(program.front.prompts) == 3 and not program.front.is_live)
        await command(program, "/retry")
        await program.until(lambda: len(program.front.prompts) == 4 and not program.front.is_live)
        assert (await sent(program))[2:] == [("", [OTHER]), ("", [OTHER])]


async def test_a_key_takes_one_back_and_asks_which_when_there_are_several(home, folder):
    async with running(home, script=echo) as program:
        await program.pilot.press("alt+x")
        await program.sees("No file goes along")
        for name in ("notes.md", "sub/p x.png"):
            await command(program, f"/attach {name}")
            await program.sees(name.rpartition("/")[2])
        await program.sees("Alt+X takes one back")
        await program.pilot.press("alt+x")
        await program.sees("Take which file back?")
        await program.pilot.press(*"notes", "enter")
        await program.until(lambda: names(program) == ["p x.png"])
        await program.pilot.press("alt+x")
        await program.until(lambda: names(program) == [])
        await program.send("alone")
        assert await sent(program) == [("alone", [])]


async def test_the_picker_goes_through_folders_by_the_keyboard(home, folder):
    async with running(home, size=(80, 24)) as program:
        await program.pilot.press("alt+i")
        await program.sees("Attach a file")
        await program.sees("sub/")
        await program.pilot.press(*"sub", "enter")
        await program.sees("p x.png")
        await program.pilot.press("backspace")
        await program.sees("notes.md")
        await program.pilot.press(*"sux", "backspace", "enter")
        await program.sees("98 bytes")
        await program.pilot.press("enter")
        await program.until(lambda: names(program) == ["p x.png"])
        await program.pilot.press("alt+i")
        await program.sees("98 bytes")  # where the last one was
        await program.pilot.press("escape")
        assert names(program) == ["p x.png"]


async def test_the_picker_takes_a_path_that_is_typed(home, folder, tmp_path):
    (tmp_path / "else.txt").write_text("x")
    async with running(home) as program:
        await program.pilot.press("alt+i")
        await program.sees("notes.md")
        await program.type_into_dialog(str(tmp_path / "else.txt"))
        await program.sees("Enter takes this path.")
        await program.pilot.press("enter")
        await program.until(lambda: names(program) == ["else.txt"])


@pytest.mark.parametrize(
    "form",
    ["{}", "'{}'", "{}\n", "file://{}", "{}\n{other}", "'{}' '{other}' "],
)
async def test_a_paste_of_nothing_but_paths_becomes_files_and_undo_makes_it_text(home, folder, form):
    note, other = folder / "notes.md", folder / "sub" / "p x.png"
    text = form.format(note, other=other)
    expected = ["notes.md", "p x.png"] if "other" in form else ["notes.md"]
    async with running(home) as program:
        await paste(program, text)
        await program.until(lambda: names(program) == expected)
        assert program.app.main.composer.text == ""
        await program.pilot.press("ctrl+z")
        await program.until(lambda: names(program) == [])
        assert program.app.main.composer.text == text


@pytest.mark.parametrize(
    "text",
    ["notes.md", "/nowhere/at/all", "see {}", "{} and more", "{}\n/nowhere", "file://otherhost{}", "/", "{}/", "~"],
)
async def test_any_other_paste_is_text(home, folder, text):
    pasted = text.format(folder / "notes.md")
    async with running(home) as program:
        await paste(program, pasted)
        await program.until(lambda: program.app.main.composer.text == pasted)
        assert names(program) == []


async def test_a_link_says_where_it_leads_and_goes_only_if_the_user_says_so(home, folder, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "innocent.txt").symlink_to(tmp_path / "secret")
    async with running(home) as program:
        await command(program, "/attach innocent.txt")
        await program.sees("Attach what the link leads to?")
        assert "secret" in program.text
        await program.pilot.press("escape")
        assert names(program) == []
        await command(program, "/attach innocent.txt")
        await program.sees("Attach what the link leads to?")
        await program.pilot.press("y")
        await program.until(lambda: names(program) == ["secret"])


async def test_what_cannot_be_attached_is_told_in_a_sentence_and_nothing_waits(home, folder):
    os.mkfifo(folder / "pipe")
    async with running(home) as program:
        for path, told in (
            ("nowhere", "is not there"),
            ("pipe", "is a pipe"),
            ("sub", "is a folder"),
            ("/dev/zero", "is a device"),
        ):
            await command(program, f"/attach {path}")
            await program.sees(told)
        assert (names(program), program.front.reading) == ([], [])


HOSTILE = "[red]e\x1b]52;c;eA==\x07\n\u202evil.txt"


async def test_a_hostile_name_is_shown_as_what_it_is_everywhere(home, folder):
    (folder / HOSTILE).write_bytes(b"x")
    async with running(home, script=echo) as program:
        await program.pilot.press("alt+i")
        await program.sees("[red]e␛]52;c;eA==␇⏎<U+202E>vil.txt")
        await program.pilot.press(*"vil", "enter")
        await program.until(lambda: names(program))
        await program.sees("+ [red]e␛]52;c;eA==␇⏎<U+202E>vil.txt  text/plain · 1 byte")
        await program.send("look")
        await program.sees("look\n  + [red]e␛]52;c;eA==␇⏎<U+202E>vil.txt")
        assert "\x1b" not in program.text


async def test_files_of_one_tab_are_not_the_other_tabs_and_come_back_after_a_restart(home, folder):
    store = MemoryStore()
    async with running(home, store=store) as program:
        first = program.front
        await command(program, "/attach notes.md")
        await program.sees("+ notes.md")
        await program.open()
        await program.until(lambda: "+ notes.md" not in program.text)
        await program.show(first.session_id)
        await program.sees("+ notes.md")
    async with running(home, store=store, script=echo) as program:
        await program.sees("+ notes.md  text/markdown · 8 bytes")
        await program.send("now")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert await sent(program) == [("now", [NOTE])]


async def test_many_files_are_counted_and_the_prompt_stays_in_sight(home, folder):
    for number in range(9):
        (folder / f"f{number}").write_bytes(b"x" * number)
    async with running(home, size=(80, 24)) as program:
        for number in range(9):
            await command(program, f"/attach f{number}")
            await program.until(lambda count=number + 1: len(names(program)) == count)
        await program.sees("   and 6 more")
        assert "+ f3" not in program.text
        assert "Ask" in program.text


async def test_what_the_agent_has_against_a_file_is_said_before_it_goes(home, folder):
    async with running(home, script=echo) as program:
        program.endpoints.objects = "The agent takes text/plain, not text/markdown."
        await command(program, "/attach notes.md")
        await program.sees("! The agent takes text/plain, not text/markdown. It is sent all the same.")
        await program.pilot.press("alt+x")
        await program.until(lambda: "The agent takes" not in program.text)


class NoPrompts(MemoryStore):
    async def begin_turn(self, head, session) -> None:
        raise StoreUnavailable("The disk is full.", hint="Make room.")


async def test_a_prompt_that_could_not_be_kept_comes_back_with_its_files(home, folder):
    async with running(home, store=NoPrompts()) as program:
        await command(program, "/attach notes.md")
        await program.sees("+ notes.md")
        await program.type("precious")
        await program.pilot.press("enter")
        await program.sees("The disk is full.")
        await program.sees("+ notes.md")
        assert program.app.main.composer.text == "precious"
        assert names(program) == ["notes.md"]


class NoFiles(MemoryStore):
    async def set_attachments(self, session_id, attachments, contents) -> None:
        raise StoreUnavailable("The disk is full.", hint="Make room.")


async def test_a_file_that_could_not_be_kept_is_not_attached(home, folder):
    async with running(home, store=NoFiles()) as program:
        await command(program, "/attach notes.md")
        await program.sees("The disk is full.")
        await program.until(lambda: program.front.reading == [])
        assert names(program) == []


async def test_a_path_is_completed_from_folder_to_file_and_the_file_stands_above_the_prompt(home, folder):
    (folder / "sub" / "deep").mkdir()
    async with running(home, script=echo, size=(80, 24)) as program:
        await program.pilot.press(*"see ", "@")
        await program.sees("@ sub/")
        assert "Tab completes" in program.text
        await program.pilot.press(*"su", "tab")
        await program.sees("@ sub/p x.png")
        assert program.app.main.composer.text == "see @sub/"
        await program.pilot.press("down", "down", "enter")
        await program.until(lambda: names(program) == ["p x.png"])
        assert program.app.main.composer.text == 'see @"sub/p x.png" '
        assert "Tab completes" not in program.text
        await program.pilot.press("enter")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert await sent(program) == [('see @"sub/p x.png" ', [OTHER])]


async def test_a_mention_that_was_typed_is_shown_first_and_goes_with_the_second_enter(home, folder):
    async with running(home, script=echo) as program:
        await command(program, "compare @notes.md, please")
        await program.sees("+ notes.md")
        assert program.endpoints.wires == []
        assert program.app.main.composer.text == "compare @notes.md, please"
        await program.pilot.press("enter")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert await sent(program) == [("compare @notes.md, please", [NOTE])]


async def test_a_mention_with_its_file_is_not_read_again_after_a_restart(home, folder):
    store = MemoryStore()
    async with running(home, store=store) as program:
        await command(program, "see @notes.md")
        await program.sees("+ notes.md")
    (folder / "notes.md").write_bytes(b"changed")
    (folder / "sub" / "notes.md").write_bytes(OTHER)
    async with running(home, store=store, script=echo) as program:
        await program.sees("+ notes.md")
        await program.pilot.press(*" @sub/notes.md", "enter")  # of the same name, but not that one
        await program.until(lambda: names(program) == ["notes.md", "notes.md"])
        await program.pilot.press("enter")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert [files for _, files in await sent(program)] == [[NOTE, OTHER]]


async def test_a_waiting_prompt_that_is_taken_back_goes_at_once_with_the_files_it_had(home, folder):
    down = [Unreachable("The agent is away.", retryable=True)]
    script = Answers(down)
    settings = EngineSettings(keeps_unsent=True, max_retries=0)
    async with running(home, script=script, engine=settings) as program:
        await command(program, "see @notes.md")
        await program.sees("+ notes.md")
        await program.pilot.press("enter")
        await program.sees("not sent")
        (folder / "notes.md").write_bytes(b"changed")
        await program.pilot.press("alt+e")
        await program.until(lambda: names(program) == ["notes.md"] and program.app.main.composer.text)
        await program.sees("A new session")
        script.now = None
        await program.send("see @notes.md again")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert (await sent(program))[-1] == ("see @notes.md again", [NOTE])


class Answers:
    """An agent that does what it is told now; None: echo."""

    def __init__(self, now):
        self.now = now

    def __call__(self, request):
        return echo(request) if self.now is None else self.now


async def test_a_mention_whose_file_was_taken_back_is_text_from_then_on(home, folder):
    async with running(home, script=echo) as program:
        await command(program, "ask @notes.md")
        await program.sees("+ notes.md")
        await program.pilot.press("alt+x")
        await program.until(lambda: names(program) == [])
        await program.pilot.press("enter")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert await sent(program) == [("ask @notes.md", [])]


@pytest.mark.parametrize(
    "text", ["mail ada@notes.md", "@nobody", "a @ b", "@", "@sub", '@"notes.md', "@@notes.md", "@/", "@~", "x@notes.md"]
)
async def test_an_at_sign_that_names_no_file_is_text(home, folder, text):
    async with running(home, script=echo) as program:
        await program.send(text)
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert await sent(program) == [(text, [])]


async def test_esc_closes_what_is_offered_and_enter_sends_when_nothing_was_chosen(home, folder):
    async with running(home, script=echo) as program:
        await program.pilot.press(*"hi ", "@", "n")
        await program.sees("@ notes.md")
        await program.pilot.press("escape", "o")
        await program.until(lambda: "@ notes.md" not in program.text)
        await program.pilot.press("backspace", "backspace", "backspace", "@", "n")
        await program.sees("@ notes.md")
        await program.pilot.press("enter")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert await sent(program) == [("hi @n", [])]


async def test_what_is_offered_goes_with_the_mention_it_was_for(home, folder):
    async with running(home) as program:
        await program.pilot.press("@")
        await program.sees("@ notes.md")
        await program.pilot.press("space")
        await program.until(lambda: "@ notes.md" not in program.text)
        await program.pilot.press("backspace")
        await program.sees("@ notes.md")
        await program.open()
        await program.until(lambda: "@ notes.md" not in program.text)


async def test_a_name_that_cannot_stand_in_a_prompt_is_not_offered(home, folder):
    (folder / "no\x1b[31m.txt").write_bytes(b"x")
    (folder / 'no"quote.txt').write_bytes(b"x")
    async with running(home) as program:
        await program.pilot.press("@", "n", "o")
        await program.sees("@ notes.md")
        assert "31m" not in program.text
        assert "quote" not in program.text


async def test_what_the_program_says_does_not_stand_over_the_files(home, folder):
    async with running(home, size=(80, 24)) as program:
        await command(program, "/attach notes.md")
        await command(program, "/attach sub/p x.png")
        await program.until(lambda: len(names(program)) == 2)
        await command(program, "/attach nowhere")
        await program.sees("is not there")
        assert "+ notes.md  text/markdown · 8 bytes" in program.text
        assert "+ p x.png  image/png · 98 bytes" in program.text


async def test_an_earlier_prompt_comes_back_with_its_files_as_they_were(home, folder):
    async with running(home, script=echo) as program:
        await command(program, "read @notes.md")
        await program.sees("+ notes.md")
        await program.pilot.press("enter")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        (folder / "notes.md").write_bytes(b"another content by now")
        await program.pilot.press("ctrl+r")
        await program.sees("Earlier prompts")
        await program.pilot.press("enter")
        await program.until(lambda: names(program) == ["notes.md"])
        await program.pilot.press("enter")
        await program.until(lambda: len(program.front.prompts) == 2 and not program.front.is_live)
        assert await sent(program) == [("read @notes.md", [NOTE])] * 2


async def test_up_brings_the_files_of_each_prompt_and_down_takes_them_back(home, folder):
    (folder / "own.md").write_bytes(b"mine")
    async with running(home, script=echo) as program:
        for number, prompt in enumerate(("read @notes.md", "and @own.md", "without"), 1):
            await command(program, prompt)
            if "@" in prompt:
                await program.sees(f"+ {prompt.split('@')[1]}")
                await program.pilot.press("enter")
            await program.until(
                lambda number=number: len(program.front.prompts) == number and not program.front.is_live
            )
        for key, text, files in [
            ("up", "without", []),
            ("up", "and @own.md", ["own.md"]),
            ("up", "read @notes.md", ["notes.md"]),
            ("down", "and @own.md", ["own.md"]),
            ("down", "without", []),
            ("down", "", []),
        ]:
            await program.pilot.press(key)
            await program.until(lambda text=text: program.app.main.composer.text == text)
            await program.until(lambda files=files: names(program) == files)
        await program.pilot.press("up", "up", "up")
        await program.until(lambda: names(program) == ["notes.md"])
        await program.pilot.press("enter")
        await program.until(lambda: len(program.front.prompts) == 4 and not program.front.is_live)
        assert (await sent(program))[-1] == ("read @notes.md", [NOTE])


async def test_what_was_being_written_does_not_get_the_files_of_a_prompt_without_words(home, folder):
    async with running(home, script=echo) as program:
        await command(program, "/attach notes.md")
        await program.until(lambda: names(program) == ["notes.md"])
        await program.pilot.press("enter")
        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        await command(program, "with words")
        await program.until(lambda: len(program.front.prompts) == 2 and not program.front.is_live)
        await program.pilot.press("up")
        await program.until(lambda: program.app.main.composer.text == "with words")
        await program.pilot.press("down")
        await program.until(lambda: program.app.main.composer.text == "" and program.app.is_at_rest)
        assert (names(program), program.front.reading) == ([], [])


async def test_the_key_that_takes_a_file_back_is_shown_where_there_is_room_for_nothing_else(home, folder):
    (folder / "data.bin").write_bytes(bytes(30_000))
    async with running(home, size=(80, 24)) as program:
        await command(program, "/attach data.bin")
        await program.sees("Alt+X takes it back")
        assert "Enter sends" not in program.text
