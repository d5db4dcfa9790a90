"""The table of what the agent can show: how it is asked for, and which scene plays. One entry per ability."""

import re
from collections.abc import Callable

from msgspec import Struct

from chatforge_tui.guide import shows
from chatforge_tui.guide.knowledge import Knowledge
from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.shows import Asked, Scene

_POLITE = r"\s*(?:(?:please|now|can you|could you|would you|and|then|just)[,\s]+)*"
_SHOW = r"(?:(?:show|make|give|do|write|send|print|play|demo|demonstrate|try|start|run|create)\s+(?:me\s+|us\s+)?)?"
_ARTICLE = r"(?:(?:a|an|the|some|your|long|another)\s+)*"
_END = r"[\s.,!?]*(?:please)?[\s.!?]*"
_MAX_REQUEST = 500
"""Characters of the longest prompt that may be a request, but for `echo`; it also bounds what the patterns cost."""
_NUMBER = r"\d[\d,_]*"


class Ability(Struct, frozen=True):
    """Something the agent can show."""

    example: str
    """A prompt that asks for it."""
    description: str
    pattern: re.Pattern[str]
    """What asks for it; matched against the whole prompt."""
    scene: Callable[[Knowledge, Pace, Asked], Scene]


def _asked_by(pattern: str) -> re.Pattern[str]:
    return re.compile(_POLITE + pattern + _END, re.IGNORECASE | re.DOTALL)


ABILITIES = (
    Ability(
        "show me a plan",
        "a plan whose steps go on while tools are called",
        _asked_by(_SHOW + _ARTICLE + r"(?:execution\s+)?plan(?:\s+(?:updates?|demo))?"),
        shows.show_plan,
    ),
    Ability(
        "ask me something",
        "a form, whose answers I use",
        _asked_by(
            r"(?:ask\s+(?:me|us)(?:\s+(?:something|anything|a\s+question|questions))?|"
            + _SHOW
            + _ARTICLE
            + r"(?:input\s+)?form)"
        ),
        shows.ask_something,
    ),
    Ability(
        "use tools",
        "three tool calls, one of which fails",
        _asked_by(r"(?:(?:use|call|run)\s+" + _ARTICLE + r"tools?|" + _SHOW + _ARTICLE + r"tool\s+calls?)"),
        shows.use_tools,
    ),
    Ability(
        "think about how do I close a tab",
        "reasoning before the answer",
        _asked_by(r"(?:think|reason)(?:\s+(?:hard|aloud|out\s+loud))?(?:\s*(?:about|:|of)\s*(?P<about>.+?))?"),
        shows.think,
    ),
    Ability(
        "show markdown",
        "a long page: headings, lists, a table, code, other scripts",
        _asked_by(_SHOW + _ARTICLE + r"markdown(?:\s+(?:sample|page|text|demo))?"),
        shows.show_markdown,
    ),
    Ability(
        "stream 500 lines",
        f"many lines, up to {shows.MAX_LINES}; `stream 500 lines at 200 per second` is faster",
        _asked_by(
            r"(?:stream|write|print|send|give\s+me|show\s+me)\s+(?P<count>" + _NUMBER + r")\s+lines?"
            r"(?:\s+(?:at|with)\s+(?P<rate>" + _NUMBER + r")(?:\s+lines?)?(?:\s*(?:per|a|/|each)\s*s(?:ec(?:ond)?)?)?)?"
        ),
        shows.stream_lines,
    ),
    Ability(
        "send a file",
        "the key table as a file",
        _asked_by(r"(?:send|give|show|offer)\s+(?:me\s+)?" + _ARTICLE + r"file"),
        shows.send_file,
    ),
    Ability(
        "fail",
        "a failure in the middle of an answer",
        _asked_by(r"(?:fail|crash|break)(?:\s+(?:now|with|because(?:\s+of)?)(?:[:\s]+(?P<reason>.+?))?)?"),
        shows.fail,
    ),
    Ability(
        "stall",
        "an agent that stands still; `stall silently` without keepalives",
        _asked_by(r"(?:stall|hang|freeze)(?P<silently>\s+(?:silently|in\s+silence|without\s+(?:pings|keepalives)))?"),
        shows.stall,
    ),
    Ability(
        "cut the line",
        "a connection that breaks off while the agent works on",
        _asked_by(r"(?:cut|drop|lose|break)\s+(?:the\s+|your\s+)?(?:line|connection|stream)"),
        shows.cut_the_line,
    ),
    Ability(
        "echo TEXT",
        "your own text, byte for byte",
        re.compile(r"\s*echo(?:[\s:](?P<text>.*))?", re.IGNORECASE | re.DOTALL),
        shows.echo,
    ),
)


def abilities_list() -> str:
    """Return what can be shown as a Markdown list."""
    return "".join(f"- `{ability.example}`: {ability.description}\n" for ability in ABILITIES)


def requested(text: str) -> tuple[Ability, Asked] | None:
    """Return what a prompt asks to be shown, and how it was worded; None when it is a question."""
    for ability in ABILITIES:
        if len(text) <= _MAX_REQUEST or ability.scene is shows.echo:
            asked = ability.pattern.fullmatch(text)
            if asked:
                return ability, asked
    return None
