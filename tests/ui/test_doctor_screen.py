"""The doctor's report on the screen."""

import threading

from chatforge_tui.cli.doctor.command import report_beside_screen
from chatforge_tui.cli.launch import Launch
from chatforge_tui.ui.screens.doctor import DoctorScreen
from tests.ui.program import running


async def test_the_report_is_looked_for_beside_the_screen_shown_and_copied(tmp_path):
    may_end, widths, copied = threading.Event(), [], []

    def examine(width):
        widths.append(width)
        may_end.wait(10)
        return "Program\n  ✓ ChatForge  1.0\x1b[31m"

    async with running(tmp_path) as program:
        program.app.examine = examine
        program.app.copy_text = lambda text, what: copied.append((text, what))
        program.app.do("app.doctor")
        await program.sees("Looking at program, store")
        await program.pilot.press("c")
        may_end.set()
        await program.sees("✓ ChatForge  1.0␛[31m")
        await program.pilot.press("c")
        assert copied == [("Program\n  ✓ ChatForge  1.0␛[31m", "report")]
        assert 40 < widths[0] < 120
        await program.pilot.press("escape")
        await program.until(lambda: not isinstance(program.app.screen, DoctorScreen))


async def test_leaving_does_not_wait_for_a_report(tmp_path):
    may_end = threading.Event()

    def examine(_):
        may_end.wait(60)
        return ""

    async with running(tmp_path) as program:
        program.app.examine = examine
        program.app.do("app.doctor")
        await program.sees("Looking at program, store")
        program.app.exit()
    may_end.set()


def test_the_report_itself_asks_neither_terminal_nor_user(tmp_path, monkeypatch):
    monkeypatch.setattr("chatforge_tui.cli.doctor.terminal.ask_terminal", lambda: 1 / 0)
    report = report_beside_screen(Launch(home=tmp_path), 90)
    assert "ChatForge guide" in report
    assert "All is well" in report or "could be better" in report
    assert max(len(line) for line in report.splitlines() if str(tmp_path) not in line) <= 90


async def test_the_real_report_comes_while_the_screen_has_the_streams(tmp_path):
    async with running(tmp_path) as program:
        program.app.examine = lambda width: report_beside_screen(Launch(home=tmp_path), width)
        program.app.do("app.doctor")
        await program.sees("✓ ChatForge")
