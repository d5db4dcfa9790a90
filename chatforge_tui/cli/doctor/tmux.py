"""What tmux is set to, and the line for ~/.tmux.conf where it stands in the way."""

import re
import subprocess
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from chatforge_tui.domain.finding import Finding, Verdict

_FILE = "~/.tmux.conf"
_SECONDS = 2.0
"""How long one call of tmux may take."""
_LATE_MS = 50
"""An Esc that waits longer than this in tmux is felt."""


class TmuxFacts(Struct, frozen=True):
    """What tmux says about itself and the terminal around it."""

    version: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Options of server, session and window, by name."""
    outer: str = ""
    """TERM of the terminal around tmux."""
    features: frozenset[str] = frozenset()
    """What tmux takes that terminal to be able to do: "RGB", "clipboard", "extkeys" ..."""


def ask_tmux() -> TmuxFacts:
    """Return what the tmux around this program says; what it does not say in time is missing."""
    options: dict[str, str] = {}
    for scope in ("-s", "-g", "-gw"):
        options |= dict(_options(_run("show-options", scope)))
    outer, _, features = (
        _run("display-message", "-p", "#{client_termname}\t#{client_termfeatures}").strip().partition("\t")
    )
    return TmuxFacts(
        _run("-V").strip().removeprefix("tmux "), options, outer, frozenset(filter(None, features.split(",")))
    )


def judge_tmux(facts: TmuxFacts) -> Iterator[Finding]:
    """Yield what is found, with the line to paste."""
    yield Finding(
        "tmux", Verdict.NOTE, f"{facts.version or 'of unknown version'}, in {facts.outer or 'an unknown terminal'}"
    )
    options = facts.options
    if not options:
        yield Finding("tmux settings", Verdict.NOTE, "tmux did not say what it is set to.")
        return
    yield from _judge_keys(options)
    delay = options.get("escape-time", "")
    if delay.isdecimal() and int(delay) > _LATE_MS:
        text = f"Esc, which stops an answer, arrives {delay} ms late."
        yield _to_set("tmux escape-time", text, "set -s escape-time 10", delay)
    elif delay:
        yield _fine("tmux escape-time", f"Esc arrives {delay} ms late at most.", delay)
    yield from _judge_clipboard(facts)
    focus = options.get("focus-events", "")
    if focus == "off":
        text = "ChatForge does not learn whether you look at it."
        yield _to_set("tmux focus-events", text, "set -s focus-events on", focus)
    elif focus:
        yield _fine("tmux focus-events", "ChatForge learns whether you look at it.", focus)
    if facts.features and "RGB" not in facts.features:
        text = "Colours are rounded to 256."
        yield _to_set(
            "tmux colours", text, f"set -as terminal-features ',{facts.outer or '*'}:RGB'", sorted(facts.features)
        )
    elif facts.features:
        yield _fine("tmux colours", "All colours pass.", sorted(facts.features))


def _judge_keys(options: Mapping[str, str]) -> Iterator[Finding]:
    keys = options.get("extended-keys", "")
    if keys == "always":
        yield _fine(
            "tmux extended-keys", "Shift+Enter and its like pass, if the terminal around tmux sends them.", keys
        )
    elif keys:
        text = "Shift+Enter arrives as Enter; Ctrl+J begins a new line all the same."
        yield _to_set("tmux extended-keys", text, "set -s extended-keys always", keys)


def _judge_clipboard(facts: TmuxFacts) -> Iterator[Finding]:
    setting = facts.options.get("set-clipboard", "")
    if setting == "off":
        text = "What is copied stays in tmux's own buffer."
        yield _to_set("tmux set-clipboard", text, "set -s set-clipboard on", setting)
    elif setting == "external":
        text = "tmux passes on what ChatForge puts into tmux's buffer, which it does."
        yield _fine("tmux set-clipboard", text, setting)
    elif setting:
        yield _fine("tmux set-clipboard", "What is copied reaches the terminal around tmux.", setting)
    if setting != "off" and facts.features and "clipboard" not in facts.features:
        text = f"tmux does not take {facts.outer or 'the terminal around it'} to have a clipboard."
        line = f"set -as terminal-features ',{facts.outer or '*'}:clipboard'"
        yield _to_set("tmux clipboard", text, line, sorted(facts.features))


def _to_set(subject: str, text: str, line: str, value: object) -> Finding:
    facts = {"value": value, "file": _FILE, "line": line}
    return Finding(
        subject, Verdict.WARNING, text, f"Put into {_FILE}, then `tmux source-file ~/.tmux.conf`: {line}", facts
    )


def _fine(subject: str, text: str, value: object) -> Finding:
    return Finding(subject, Verdict.GOOD, text, facts={"value": value})


def _options(listing: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of what `show-options` lists; elements of lists are left out."""
    for line in listing.splitlines():
        match = re.fullmatch(r"([a-z-]+) (.*)", line)
        if match:
            yield match[1], match[2].strip('"')


def _run(*words: str) -> str:
    """Return what tmux prints; "" when it fails or takes too long."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ("tmux", *words),  # noqa: S607 - the tmux on the user's path, as the user would run it
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
