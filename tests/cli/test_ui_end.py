"""The whole program in a pseudo terminal, ended from outside or by its own fault: what it saves and what it leaves."""

import json
import os
import signal
import sys
import termios
import time
from contextlib import suppress

import pytest

from tests.cli.program import Program
from tests.servers.raw_server import Stall, chunked, raw_server, sse_head
from tests.terminal import PROGRAM, terminal

pytestmark = pytest.mark.timeout(120)

RESTORED = {
    "the normal screen": (b"\x1b[?1049h", b"\x1b[?1049l"),
    "the mouse": (b"\x1b[?1000h", b"\x1b[?1000l"),
    "pasting": (b"\x1b[?2004h", b"\x1b[?2004l"),
    "the cursor": (b"\x1b[?25l", b"\x1b[?25h"),
}
"""What the program switches on, and what takes it back."""

CRASHING = (
    sys.executable,
    "-c",
    "from chatforge_tui.cli.main import main\n"
    "from chatforge_tui.safety.redact import register\n"
    "from chatforge_tui.safety.secret import Secret\n"
    "import chatforge_tui.ui.app as app\n"
    "def broken(self):\n"
    "    raise RuntimeError('canary-in-a-crash')\n"
    "register(Secret('canary-in-a-crash'))\n"
    "app.ChatForgeApp.repaint = broken\n"
    "main()\n",
)
"""The program, with a fault of its own behind one key."""


def read_rest(screen):
    """Take what a program that has ended wrote last."""
    with suppress(OSError):
        while data := os.read(screen._descriptor, 65_536):
            screen.raw += data


def assert_restored(screen, modes):
    """Every mode was switched on once and off last, and the line discipline is what it was."""
    for name, (on, off) in RESTORED.items():
        assert screen.raw.find(on) >= 0, name
        assert screen.raw.rfind(off) > screen.raw.rfind(on), name
    assert termios.tcgetattr(screen._descriptor) == modes


def delta(text):
    return b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_signal_while_an_answer_streams_saves_its_text_and_restores_the_terminal(tmp_path, number):
    program = Program(tmp_path / "home")
    async with raw_server() as server:
        program.configure(f'[endpoints.slow]\nprotocol = "openai-chat"\nurl = "{server.url}/v1"\nmodel = "m"\n')
        server.plays.append([sse_head(), chunked(delta("first words "), delta("and last words"), last=False), Stall()])
        async with terminal(PROGRAM, home=program.home) as screen:
            modes = termios.tcgetattr(screen._descriptor)
            await screen.wait_for("Enter send")
            screen.send(b"tell me\r")
            await screen.wait_for("and last words")
            seen = time.monotonic()
            screen.kill(number)
            assert await screen.until_ended() == 128 + number
            took = time.monotonic() - seen
            read_rest(screen)
            assert_restored(screen, modes)
            assert b"Traceback" not in screen.raw
    assert took < 5.0
    [session] = (await program.run_beside("sessions", "--json")).json
    assert (session["state"], session["open"]) == ("interrupted", True)
    [turn] = (await program.run_beside("show", session["id"], "--json")).json["turns"]
    assert (turn["prompt"], turn["answer"]) == ("tell me", "first words and last words")


async def test_a_fault_of_its_own_ends_with_a_sentence_the_logs_place_and_everything_saved(tmp_path):
    program = Program(tmp_path / "home")
    async with terminal(CRASHING, home=program.home) as screen:
        modes = termios.tcgetattr(screen._descriptor)
        await screen.wait_for("Enter send")
        screen.send(b"echo something to keep\r")
        await screen.wait_for("complete")
        screen.press("ctrl+l")
        assert await screen.until_ended() == 70
        read_rest(screen)
        assert_restored(screen, modes)
        told = "".join(screen.text.split())
        assert "ChatForgestoppedafteranerrorofitsown(RuntimeError)" in told
        assert "".join(str(program.home / "log").split()) in told
        assert b"Traceback" not in screen.raw
        assert b"canary" not in screen.raw
    log = (program.home / "log" / "chatforge.log").read_text()
    assert "RuntimeError" in log
    assert "canary" not in log
    [session] = (await program.run_beside("sessions", "--json")).json
    assert (session["state"], session["turns"]) == ("complete", 1)
