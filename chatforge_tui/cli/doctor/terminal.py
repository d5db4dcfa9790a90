"""What the terminal around the program can do, judged by its environment, its replies and tmux. Pure but for `examine`."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping

from msgspec import Struct

from chatforge_tui.cli.doctor.terminal_query import Replies, ask_terminal
from chatforge_tui.cli.doctor.tmux import TmuxFacts, ask_tmux, judge_tmux
from chatforge_tui.config.settings import Settings
from chatforge_tui.domain.finding import Finding, Section, Verdict
from chatforge_tui.ui.clipboard_ways import CopyWays, copy_ways

_SMALLEST = (40, 10)
"""Columns and rows that the screen works with."""
_COLOURS_MATTER = frozenset({"truecolor", "24bit"})
_MULTIPLEXED = ("screen", "tmux")


class Surroundings(Struct, frozen=True):
    """Everything that is known."""

    environ: Mapping[str, str]
    size: tuple[int, int]
    """Columns, rows."""
    encoding: str
    """Of stdout."""
    ways: CopyWays
    """To the clipboard."""
    replies: Replies | None = None
    """None = it was not asked."""
    tmux: TmuxFacts | None = None
    """None = there is none."""


def examine(settings: Settings, *, asks: bool = True) -> Section:
    """Ask the terminal of this process, and tmux, and judge.

    Args:
        settings: the configuration.
        asks: whether the terminal may be asked; not while a screen reads from it.
    """
    environ = os.environ
    size = shutil.get_terminal_size()
    around = Surroundings(
        environ,
        (size.columns, size.lines),
        getattr(sys.__stdout__, "encoding", "") or "utf-8",  # the real one: a screen puts its own in the other's place
        copy_ways(settings.ui.copy, tuple(settings.ui.copy_command), environ),
        ask_terminal() if asks and environ.get("TERM", "dumb") != "dumb" else None,
        ask_tmux() if environ.get("TMUX") else None,
    )
    return Section("terminal", "Terminal", tuple(judge(around)))


def judge(around: Surroundings) -> Iterator[Finding]:
    """Yield what is found."""
    environ, replies = around.environ, around.replies
    yield _name(environ, replies)
    yield _size(around.size)
    yield _encoding(around.encoding)
    yield _colours(environ)
    yield _clipboard(around)
    yield Finding(
        "notifications", Verdict.NOTE, "ChatForge sends none; tab marks and the window's title say who needs you."
    )
    if replies is None:
        yield Finding(
            "replies", Verdict.NOTE, "The terminal was not asked: run `chatforge doctor` in it, in the foreground."
        )
    elif not replies.is_whole:
        yield Finding(
            "replies", Verdict.WARNING, "The terminal did not answer in time; what follows may be incomplete."
        )
    if replies is not None:
        yield from _abilities(replies, environ)
    if around.tmux is not None:
        yield from judge_tmux(around.tmux)
    if environ.get("STY"):
        yield _screen()
    if any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY")):
        yield Finding("ssh", Verdict.NOTE, "The clipboard is reached through the terminal alone (OSC 52).")


def _name(environ: Mapping[str, str], replies: Replies | None) -> Finding:
    term = environ.get("TERM", "")
    program = " ".join(filter(None, (environ.get("TERM_PROGRAM", ""), environ.get("TERM_PROGRAM_VERSION", ""))))
    said = replies.name if replies else ""
    text = f"{said or program or 'of unknown name'}, TERM={term}"
    facts = {"term": term, "program": program or None, "says": said or None, "colorterm": environ.get("COLORTERM")}
    if term in ("", "dumb"):
        return Finding(
            "terminal", Verdict.WRONG, "TERM says that it can draw nothing.", "Use `chatforge send` here.", facts
        )
    if environ.get("TMUX") and not term.startswith(_MULTIPLEXED):
        line = 'set -g default-terminal "tmux-256color"'
        remedy = f"Unset it in the shell's start file, and put into ~/.tmux.conf: {line}"
        return Finding("terminal", Verdict.WARNING, f"TERM={term} is not tmux's own.", remedy, facts)
    return Finding("terminal", Verdict.GOOD, text, facts=facts)


def _size(size: tuple[int, int]) -> Finding:
    columns, rows = size
    facts = {"columns": columns, "rows": rows}
    if columns < _SMALLEST[0] or rows < _SMALLEST[1]:
        least = f"{_SMALLEST[0]}x{_SMALLEST[1]}"
        return Finding("size", Verdict.WARNING, f"{columns}x{rows}", f"Make it at least {least}.", facts)
    return Finding("size", Verdict.GOOD, f"{columns}x{rows}", facts=facts)


def _encoding(encoding: str) -> Finding:
    facts = {"encoding": encoding}
    if encoding.lower().replace("-", "") == "utf8":
        return Finding("encoding", Verdict.GOOD, "UTF-8", facts=facts)
    remedy = "Set LANG to a locale with UTF-8, such as C.UTF-8; `ascii = true` under [ui] draws without it."
    return Finding("encoding", Verdict.WARNING, f"{encoding}: marks and letters may be missing.", remedy, facts)


def _colours(environ: Mapping[str, str]) -> Finding:
    if "NO_COLOR" in environ:
        return Finding("colours", Verdict.NOTE, "NO_COLOR is set.", facts={"colours": 0})
    if environ.get("COLORTERM", "").lower() in _COLOURS_MATTER:
        return Finding("colours", Verdict.GOOD, "All of them (COLORTERM).", facts={"colours": 2**24})
    many = "256color" in environ.get("TERM", "")
    text = "256" if many else "16"
    remedy = "If the terminal has more: export COLORTERM=truecolor in the shell's start file (over ssh, too)."
    return Finding("colours", Verdict.NOTE, f"{text}, as far as the environment says.", remedy, {"colours": int(text)})


def _clipboard(around: Surroundings) -> Finding:
    ways = around.ways
    names = [command.argv[0] for command in (*ways.desktop, *ways.multiplexer)] + (["OSC 52"] if ways.osc52 else [])
    facts = {"ways": list(dict.fromkeys(names)), "is_doubtful": ways.is_doubtful}
    if ways.is_off:
        return Finding("clipboard", Verdict.NOTE, 'Nothing is copied: copy = "off" under [ui].', facts=facts)
    if not names:
        remedy = "Install wl-copy, xclip or xsel, or name a program in copy_command under [ui]."
        return Finding("clipboard", Verdict.WARNING, "No way leads to it; a copy goes into a file.", remedy, facts)
    text = f"By {', then '.join(dict.fromkeys(names))}."
    if ways.is_doubtful and not ways.desktop:
        return Finding(
            "clipboard",
            Verdict.NOTE,
            f"{text} Whether the terminal takes it is not known; a file is the last resort.",
            facts=facts,
        )
    return Finding("clipboard", Verdict.GOOD, text, facts=facts)


def _abilities(replies: Replies, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what the terminal said that it can do."""
    facts = {"kitty": bool(replies.kitty_keys), "modify_other_keys": bool(replies.other_keys)}
    if replies.kitty_keys:
        yield Finding("keys", Verdict.GOOD, "Every key arrives as itself (kitty's protocol).", facts=facts)
    else:
        text = "Some keys arrive as others: Shift+Enter as Enter. Ctrl+J begins a new line everywhere."
        remedy = "`chatforge doctor keys` shows which arrive; kitty, WezTerm, Ghostty, foot and iTerm2 send all."
        yield Finding("keys", Verdict.NOTE, text, "" if environ.get("TMUX") else remedy, facts)
    yield _ability("synchronized output", replies.synchronized, "Frames appear whole.", "Fast text may flicker.")
    yield _ability(
        "bracketed paste", replies.bracketed_paste, "A paste is known as one.", "A paste may not be told from typing."
    )
    yield _ability("focus", replies.focus, "It says when you look away.", "It does not say when you look away.")
    if not replies.has_widths:
        yield Finding("widths", Verdict.NOTE, "It does not say where its cursor is.")
    elif replies.wrong_widths:
        text = f"Another width than usual: {' '.join(replies.wrong_widths)}. Lines with them may look shifted."
        remedy = "Look for `ambiguous width` or `Unicode version` in the terminal's settings; `ascii = true` helps for the marks."
        yield Finding("widths", Verdict.WARNING, text, remedy, {"wrong": list(replies.wrong_widths)})
    else:
        yield Finding(
            "widths", Verdict.GOOD, "Letters, marks and emoji are as wide as they should be.", facts={"wrong": []}
        )


def _ability(subject: str, has: bool | None, good: str, without: str) -> Finding:
    if has:
        return Finding(subject, Verdict.GOOD, good, facts={"has": True})
    return Finding(subject, Verdict.NOTE, "It does not say." if has is None else without, facts={"has": has})


def _screen() -> Finding:
    text = "GNU screen delays Esc and may keep Ctrl+S and Ctrl+Q to itself; F3 shows the sessions, too."
    line = "maptimeout 10\ndefflow off"
    return Finding(
        "screen", Verdict.WARNING, text, "Put into ~/.screenrc, one a line: maptimeout 10, defflow off", {"line": line}
    )
