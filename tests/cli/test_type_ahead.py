"""What is typed from the launch on: nothing is lost, an early Enter sends, the terminal is given back as it was."""

import signal
import termios

import pytest

from chatforge_tui.cli import exit_codes
from tests.terminal import ROOT, terminal

pytestmark = pytest.mark.timeout(120)


def local_flags(screen):
    return termios.tcgetattr(screen._descriptor)[3]


async def until_keys_are_kept(screen):
    """Wait for the first thing the program does to its terminal, long before it draws anything."""
    await screen.until(lambda: not local_flags(screen) & termios.ECHO, "the terminal stops writing what is typed")
    assert not screen.raw


async def test_what_is_typed_at_once_stands_in_the_prompt(tmp_path):
    async with terminal(home=tmp_path) as screen:
        screen.send(b"typed before anything else")
        await screen.wait_for("❯ typed before anything else")
        await screen.wait_for("A new session with")
        assert "❯ typed before anything else" in screen.text


async def test_what_is_typed_behind_the_launch_is_not_written_over_the_command_line(tmp_path):
    async with terminal(home=tmp_path) as screen:
        await until_keys_are_kept(screen)
        screen.send("früh 🐦".encode())
        await screen.wait_for("❯ früh 🐦")
        assert screen.raw.startswith(b"\x1b[?1049h")


async def test_an_early_enter_sends_once_the_session_exists(tmp_path):
    async with terminal(home=tmp_path) as screen:
        await until_keys_are_kept(screen)
        screen.send(b"echo good morning\r")
        await screen.wait_for("complete")
        assert "❯ echo good morning" not in screen.text


async def test_a_paste_that_comes_early_is_a_paste(tmp_path):
    async with terminal(home=tmp_path) as screen:
        await until_keys_are_kept(screen)
        screen.paste("one\ntwo")
        await screen.wait_for("❯ one")
        await screen.wait_for("two")
        await screen.wait_for("A new session with")


WAITING_START = """
import sys, time

class Waiting:
    def find_spec(self, name, path, target=None):
        if name == "textual":
            time.sleep(600)

sys.meta_path.insert(0, Waiting())
"""
"""What keeps the program where it keeps the keys already, and draws nothing yet, however fast or slow the machine is."""


async def test_ctrl_c_before_the_first_frame_ends_the_program_and_gives_the_terminal_back(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(WAITING_START, "ascii")
    environ = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    async with terminal(home=tmp_path, environ=environ) as screen:
        before = termios.tcgetattr(screen._descriptor)
        await until_keys_are_kept(screen)
        assert local_flags(screen) & termios.ISIG
        screen.press("ctrl+c")
        assert await screen.until_ended() in {exit_codes.STOPPED, -signal.SIGINT}
        assert termios.tcgetattr(screen._descriptor) == before


async def test_the_terminal_has_its_modes_back_when_the_program_ends(tmp_path):
    async with terminal(home=tmp_path) as screen:
        before = termios.tcgetattr(screen._descriptor)
        await screen.wait_for("A new session with")
        assert termios.tcgetattr(screen._descriptor) != before
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
        assert termios.tcgetattr(screen._descriptor) == before
