"""What the doctor says of terminals: judged from replies and settings, and in a real pseudo terminal."""

import json
import sys
import termios

import pytest

from chatforge_tui.cli.doctor.terminal import Surroundings, judge
from chatforge_tui.cli.doctor.terminal_query import Replies, read_replies
from chatforge_tui.cli.doctor.tmux import TmuxFacts, judge_tmux
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.domain.finding import Verdict
from chatforge_tui.ui.clipboard_ways import CopyWays
from chatforge_tui.ui.key_test import KeyTest
from tests.terminal import key_bytes, terminal

CURSOR = b"\x1b[7;2R\x1b[7;2R\x1b[7;3R\x1b[7;3R"
MODERN = CURSOR + (
    b"\x1b[?2026;2$y\x1b[?2004;1$y\x1b[?1004;2$y\x1b[?0u\x1b[>4;1m\x1bP>|WezTerm 20240203\x1b\\\x1b[?62;4;52c"
)
OLD = b"\x1b[?2026;0$y\x1b[?2004;4$y\x1b[?6c"
GOOD_TMUX = {"extended-keys": "always", "escape-time": "10", "set-clipboard": "on", "focus-events": "on"}


def found(findings):
    return {finding.subject: finding for finding in findings}


def around(**changes):
    known = {
        "environ": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        "size": (120, 40),
        "encoding": "utf-8",
        "ways": CopyWays(osc52=True),
        "replies": read_replies(MODERN),
    }
    return found(judge(Surroundings(**{**known, **changes})))


def test_the_replies_of_a_modern_terminal_are_understood():
    said = read_replies(b"typed ahead" + MODERN)
    assert said == Replies(
        "WezTerm 20240203", True, True, True, True, True, wrong_widths=(), has_widths=True, is_whole=True
    )


def test_what_was_not_answered_is_not_known_and_what_was_denied_is():
    said = read_replies(OLD)
    assert (said.synchronized, said.bracketed_paste, said.focus) == (False, False, None)
    assert (said.kitty_keys, said.has_widths, said.is_whole) == (None, False, True)
    assert not read_replies(b"").is_whole


def test_a_terminal_that_draws_marks_two_cells_wide_is_told_so():
    said = read_replies(MODERN.replace(CURSOR, b"\x1b[1;2R\x1b[1;3R\x1b[1;3R\x1b[1;3R"))
    assert said.wrong_widths == ("●",)
    assert around(replies=said)["widths"].verdict is Verdict.WARNING


@pytest.mark.parametrize("cut", range(0, len(MODERN), 7))
def test_replies_that_are_cut_anywhere_are_read_as_far_as_they_go(cut):
    said = read_replies(MODERN[:cut])
    assert not said.is_whole
    assert said.wrong_widths == ()


def test_a_modern_terminal_is_fine():
    findings = around()
    assert {each.verdict for each in findings.values()} <= {Verdict.GOOD, Verdict.NOTE}
    assert findings["keys"].verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("changes", "subject", "verdict", "words"),
    [
        ({"environ": {"TERM": "dumb"}}, "terminal", Verdict.WRONG, "chatforge send"),
        ({"environ": {"TERM": "xterm", "TMUX": "x"}}, "terminal", Verdict.WARNING, "default-terminal"),
        ({"size": (30, 8)}, "size", Verdict.WARNING, "40x10"),
        ({"encoding": "ascii"}, "encoding", Verdict.WARNING, "LANG"),
        ({"environ": {"TERM": "xterm-256color"}}, "colours", Verdict.NOTE, "COLORTERM"),
        ({"ways": CopyWays()}, "clipboard", Verdict.WARNING, "xclip"),
        ({"environ": {"TERM": "screen", "STY": "1.tty"}}, "screen", Verdict.WARNING, "maptimeout"),
        ({"replies": read_replies(OLD)}, "keys", Verdict.NOTE, "doctor keys"),
    ],
)
def test_what_is_wrong_comes_with_what_to_do(changes, subject, verdict, words):
    finding = around(**changes)[subject]
    assert finding.verdict is verdict
    assert words in finding.remedy


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("extended-keys", "off", "set -s extended-keys always"),
        ("extended-keys", "on", "set -s extended-keys always"),
        ("escape-time", "500", "set -s escape-time 10"),
        ("set-clipboard", "off", "set -s set-clipboard on"),
        ("focus-events", "off", "set -s focus-events on"),
    ],
)
def test_each_setting_of_tmux_that_is_in_the_way_has_its_line(option, value, line):
    bad = [each for each in judge_tmux(TmuxFacts("3.3a", {**GOOD_TMUX, option: value})) if each.remedy]
    assert [each.facts["line"] for each in bad] == [line]
    assert "~/.tmux.conf" in bad[0].remedy


def test_a_tmux_that_is_set_well_needs_nothing():
    facts = TmuxFacts("3.5a", GOOD_TMUX, "xterm-kitty", frozenset({"RGB", "clipboard"}))
    assert [each for each in judge_tmux(facts) if each.remedy] == []
    poorer = TmuxFacts("3.5a", GOOD_TMUX, "xterm-kitty", frozenset({"256"}))
    assert [each.facts["line"] for each in judge_tmux(poorer) if each.remedy] == [
        "set -as terminal-features ',xterm-kitty:clipboard'",
        "set -as terminal-features ',xterm-kitty:RGB'",
    ]


async def test_the_terminal_is_asked_and_left_as_it_was(tmp_path):
    """Its replies are read and none of them is left for the shell behind."""
    script = (
        "import sys, termios, select, subprocess\n"
        "before = termios.tcgetattr(0)\n"
        "with open(sys.argv[1], 'w') as out:\n"
        "    code = subprocess.call([sys.executable, '-m', 'chatforge_tui', 'doctor', 'built-in', '--json'], stdout=out)\n"
        "left = select.select([0], [], [], 0.2)[0]\n"
        "print('END', code, termios.tcgetattr(0) == before, left)\n"
    )
    report = tmp_path / "report.json"
    async with terminal([sys.executable, "-c", script, str(report)], home=tmp_path / "home") as screen:
        await screen.wait_for_bytes(b"\x1b[c")
        screen.send(MODERN)
        await screen.wait_for("END 0 True []")
    sections = {each["section"]: each["findings"] for each in json.loads(report.read_text())["sections"]}
    said = {each["subject"]: each for each in sections["terminal"]}
    assert said["terminal"]["facts"]["says"] == "WezTerm 20240203"
    assert said["synchronized output"]["verdict"] == "good"


async def test_a_terminal_that_says_nothing_costs_a_moment_only(tmp_path):
    async with terminal([sys.executable, "-m", "chatforge_tui", "doctor", "built-in"], home=tmp_path) as screen:
        await screen.wait_for("did not answer in time")
        assert await screen.until_ended() == 0


async def test_the_key_test_shows_what_arrives_and_what_cannot_be_reached(tmp_path):
    async with terminal([sys.executable, "-m", "chatforge_tui", "doctor", "keys"], home=tmp_path) as screen:
        await screen.wait_for("? Ctrl+N")
        screen.press("ctrl+n")
        await screen.wait_for("? Alt+N")
        screen.press("space")
        await screen.wait_for("? Ctrl+PgDn")
        screen.press("ctrl+pageup")
        await screen.wait_for("arrived as Ctrl+PgUp")
        screen.press("escape")
        assert await screen.until_ended() == 1
        assert "✓ Ctrl+N" in screen.text
        assert "Alt+N         nothing arrived" in screen.text
        assert "session.new_on cannot be reached by Alt+N" in screen.text
        assert b"\x1b[<u" in screen.raw


async def test_the_key_test_gives_the_terminal_back_also_on_ctrl_c(tmp_path):
    async with terminal([sys.executable, "-m", "chatforge_tui", "doctor", "keys"], home=tmp_path) as screen:
        before = termios.tcgetattr(screen._descriptor)
        await screen.wait_for("? Ctrl+N")
        assert termios.tcgetattr(screen._descriptor) != before
        screen.press("ctrl+c")
        await screen.wait_for("0 of 0 keys")
        assert termios.tcgetattr(screen._descriptor) == before


def test_the_key_test_goes_through_all_keys_and_takes_two_at_once():
    test = KeyTest(Keymap.resolve({}))
    asked = []
    while test.asked:
        asked.append(test.asked)
        test.take(b"\x1bn") if test.asked != "escape" else test.take(b"\x1b")
        test.silence()
    assert "shift+enter" in asked
    assert len(asked) == len(set(asked)) == len(test.arrivals)
    assert [arrival.asked for arrival in test.arrivals if arrival.is_right] == ["alt+n", "escape"]
    assert "session.next" in dict(test.unreachable())
    again = KeyTest(Keymap.resolve({}))
    again.take(key_bytes("ctrl+n") + b"\x1bn")
    again.silence()
    assert len(again.arrivals) == 2
    assert all(arrival.is_right for arrival in again.arrivals)


def test_the_key_test_needs_a_terminal(program):
    done = program.run("doctor", "keys")
    assert done.code == 2
    assert "needs a terminal" in done.err
