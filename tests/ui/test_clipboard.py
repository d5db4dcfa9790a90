"""Copying by every way there is, and what is said about it: never more than is known."""

import asyncio
import stat
import sys
from pathlib import Path

import pytest

from chatforge_tui.config.settings import UiSettings
from chatforge_tui.ui import clipboard
from chatforge_tui.ui.clipboard import Clipboard
from chatforge_tui.ui.clipboard_ways import MOST_BYTES, copy_ways
from tests.ui.program import running

ALL = {"wl-copy", "xclip", "xsel", "pbcopy", "tmux"}


class FakeTerminal:
    """Notes what it was asked to take."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.is_there = is_there
        self.taken: list[str] = []

    def copy(self, text: str) -> bool:
        if self.is_there:
            self.taken.append(text)
        return self.is_there


def programs(setting="auto", command=(), environ=None, platform="linux", installed=ALL):
    ways = copy_ways(
        setting, command, environ or {}, find=lambda name: name if name in installed else None, platform=platform
    )
    return [one.argv[0] for one in (*ways.desktop, *ways.multiplexer)], ways


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", []),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", ["wl-copy"]),
        ({"DISPLAY": ":0"}, "linux", ["xclip", "xsel"]),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", ["wl-copy", "xclip", "xsel"]),
        ({}, "darwin", ["pbcopy"]),
        ({"SSH_TTY": "/dev/pts/1"}, "darwin", []),
        ({"SSH_TTY": "/dev/pts/1", "DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "linux", []),
        ({"SSH_TTY": "/dev/pts/1", "DISPLAY": "localhost:10.0"}, "linux", ["xclip", "xsel"]),
        ({"TMUX": "/tmp/tmux/default,1,0"}, "linux", ["tmux", "tmux"]),
    ],
)
def test_only_programs_that_reach_the_users_own_desktop_are_run(environ, platform, expected):
    assert programs(environ=environ, platform=platform)[0] == expected


def test_what_is_not_installed_is_not_run():
    assert programs(environ={"DISPLAY": ":0"}, installed={"xsel"})[0] == ["xsel"]


def test_the_setting_says_which_ways_are_gone():
    here = {"DISPLAY": ":0", "TMUX": "x"}
    assert programs("osc52", environ=here)[0] == []
    assert programs("osc52", environ=here)[1].osc52
    assert not programs("command", environ=here)[1].osc52
    assert programs("command", environ=here)[0] == ["xclip", "xsel", "tmux", "tmux"]
    assert programs("auto", ("my-copy", "--in"), here)[0] == ["my-copy"]
    off = programs("off", ("my-copy",), here)[1]
    assert (off.desktop, off.osc52, off.is_off) == ((), False, True)


@pytest.mark.parametrize(
    "environ", [{"TERM": "linux"}, {"VTE_VERSION": "7600"}, {"TERM_PROGRAM": "Apple_Terminal"}, {"STY": "1.x"}]
)
def test_terminals_that_may_not_take_it_are_known(environ):
    assert programs(environ=environ)[1].is_doubtful
    assert not programs(environ={"TERM": "xterm-kitty"})[1].is_doubtful
    assert programs(environ=environ)[1].osc52 == (environ.get("TERM") != "linux")


async def put(tmp_path: Path, text: str, *, environ=None, terminal=None, **settings: object):
    """Copy with a terminal; return what was said, what the terminal has, and the file."""
    screen = terminal or FakeTerminal()
    file = tmp_path / "state" / "copied.txt"
    copier = Clipboard(
        UiSettings(**settings), environ=environ or {"TERM": "xterm", "PATH": ""}, file=file, terminal=lambda: screen
    )
    return (await copier.put(text, "answer")).message, screen.taken, file


def program(path: Path, body: str) -> tuple[str, ...]:
    """Return a program that copies, written in Python."""
    path.write_text(f"import sys\n{body}\n")
    return (sys.executable, str(path))


async def test_a_terminal_is_sent_the_text_and_nothing_is_claimed(tmp_path):
    message, taken, file = await put(tmp_path, "words ä\n")
    assert message == "Sent the answer to the terminal's clipboard."
    assert taken == ["words ä\n"]
    assert not file.exists()


async def test_a_program_that_ended_well_has_the_text(tmp_path):
    out = tmp_path / "out"
    command = program(tmp_path / "copy.py", f"open({str(out)!r}, 'wb').write(sys.stdin.buffer.read())")
    message, taken, file = await put(tmp_path, "$(rm -rf x); `y` ä\n" * 9_000, copy_command=command)
    assert message.startswith("Copied the answer with python")
    assert out.read_text("utf-8") == "$(rm -rf x); `y` ä\n" * 9_000
    assert len(taken) == 1
    assert not file.exists()


@pytest.mark.parametrize("body", ["sys.exit(1)", "import time; time.sleep(60)", "sys.stdin.close()"])
async def test_a_program_that_fails_or_hangs_is_not_believed(tmp_path, body, monkeypatch):
    monkeypatch.setattr(clipboard, "COMMAND_S", 0.5)
    command = program(tmp_path / "copy.py", f"{body}\nsys.exit(1)")
    message, taken, file = await put(tmp_path, "words" * 50_000, copy="command", copy_command=command)
    assert message == f"No clipboard answers: the answer was written to {file}."
    assert taken == []
    assert file.read_text() == "words" * 50_000


async def test_the_file_is_the_last_resort_and_the_owners_alone(tmp_path):
    message, taken, file = await put(tmp_path, "words", environ={"TERM": "linux", "PATH": ""})
    assert message == f"No clipboard answers: the answer was written to {file}."
    assert taken == []
    assert file.read_text() == "words"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_terminal_that_may_not_take_it_is_sent_it_and_the_file_as_well(tmp_path):
    message, taken, file = await put(tmp_path, "words", environ={"VTE_VERSION": "7600", "PATH": ""})
    assert taken == ["words"]
    assert message == f"Sent the answer to the terminal's clipboard, which may not take it, and written to {file}."
    message, _, file = await put(tmp_path, "x" * 60_000)
    assert "which may be too long for it" in message
    assert file.read_text() == "x" * 60_000
    message, taken, file = await put(tmp_path, "x" * (MOST_BYTES + 1))
    assert message.startswith("No clipboard answers")
    assert taken == []


async def test_a_file_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "state").write_text("in the way")
    message, _, file = await put(tmp_path, "words", copy="command", environ={"PATH": ""})
    assert message.startswith(f"The answer was not copied: no clipboard answers, and {file}: ")


async def test_off_copies_nowhere(tmp_path):
    message, taken, file = await put(tmp_path, "words", copy="off")
    assert message == "The answer was not copied: the setting ui.copy is off."
    assert (taken, file.exists()) == ([], False)


async def test_the_last_copy_asked_for_is_the_last_one_that_arrives(tmp_path):
    out = tmp_path / "out"
    slow_first = (
        "import time\ntext = sys.stdin.read()\ntime.sleep(0.3 if text == 'one' else 0)\n"
        f"open({str(out)!r}, 'a').write(text + ' ')"
    )
    command = program(tmp_path / "copy.py", slow_first)
    copier = Clipboard(
        UiSettings(copy="command", copy_command=command),
        environ={},
        file=tmp_path / "copied.txt",
        terminal=FakeTerminal,
    )
    await asyncio.gather(copier.put("one", "text"), copier.put("two", "text"))
    assert out.read_text() == "one two "


async def test_the_program_says_what_became_of_it_and_a_text_field_copies_the_same_way(home):
    async with running(home) as program:
        program.app.copy_text("words\x1b]52;c;eA==\x07", "answer")
        await program.sees("No clipboard answers: the answer was written to")
        file = home / "state" / "copied.txt"
        assert file.read_text() == program.app.clipboard == "words␛]52;c;eA==␇"
        await program.type("of the prompt")
        program.app.main.composer.select_all()
        await program.pilot.press("ctrl+x")
        await program.until(lambda: file.read_text() == "of the prompt")
