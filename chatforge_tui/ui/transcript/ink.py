"""What a laid out line is made of: text with ink.

Ink says what a piece of text is (its role, its emphasis, its link), never which colour that is: colours are the
theme's and are looked up when a visible line is painted, so a laid out line outlives every change of theme.
Nothing here knows Textual.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

from rich.cells import cell_len

Role = Literal[
    "text",
    "muted",
    "accent",
    "speaker",
    "heading",
    "inline-code",
    "code",
    "frame",
    "quote",
    "link",
    "success",
    "warning",
    "error",
    "reasoning",
    "cursor",
    "unread",
    "keyword",
    "string",
    "number",
    "comment",
    "name",
]

ROLES: tuple[Role, ...] = get_args(Role)
"""Every role has a component class `transcript--<role>` in the view."""

Act = Literal["", "fold", "copy", "save"]
"""What a click on a span does, besides following its link."""


class Ink(NamedTuple):
    """How a span is meant."""

    role: Role = "text"
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    link: str = ""
    """Where it leads: the clean URL of a judged link, or ""."""
    copy: str | None = None
    """What the span gives when it is copied: None = its own text, "" = nothing (frames, gutters), "\\t" for a tab."""
    act: Act = ""


Span = tuple[str, Ink]

TEXT = Ink()
MUTED = Ink("muted")
BOLD = Ink(bold=True)
DECORATION = Ink("muted", copy="")
FRAME = Ink("frame", copy="")


@lru_cache(maxsize=2048)
def emphasized(base: Ink, bold: bool, italic: bool, strike: bool, link: str) -> Ink:
    """Return `base` with more emphasis; a link takes the link's role."""
    return base._replace(
        role="link" if link and base.role in {"text", "heading", "quote", "reasoning"} else base.role,
        bold=base.bold or bold,
        italic=base.italic or italic,
        strike=base.strike or strike,
        underline=base.underline or bool(link),
        link=link or base.link,
    )


class Line:
    """One line of the screen. Never changed after it was made: equal lines look equal."""

    __slots__ = ("code", "joint", "spans")

    spans: tuple[Span, ...]
    joint: str
    """What stands between this line and the next in the text: a newline, the space that the wrapping took, or nothing."""
    code: str | None
    """Source of the code block that the line belongs to, for copying it."""

    def __init__(self, spans: Iterable[Span] = (), joint: str = "\n", code: str | None = None) -> None:
        self.spans = tuple(spans)
        self.joint = joint
        self.code = code

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Line) and self.spans == other.spans and self.joint == other.joint)

    def __hash__(self) -> int:
        return hash((self.spans, self.joint))

    def __repr__(self) -> str:
        return f"Line({self.text!r})"

    @property
    def text(self) -> str:
        """What is seen, without its ink."""
        return "".join(text for text, _ in self.spans)

    @property
    def cells(self) -> int:
        """How wide it is."""
        return cell_len(self.text)

    @property
    def copied(self) -> str:
        """What the line gives when it is copied, without the joint."""
        return "".join(text if ink.copy is None else ink.copy for text, ink in self.spans)

    @property
    def is_decoration(self) -> bool:
        """Whether nothing of it can be copied though something is seen."""
        return bool(self.spans) and all(ink.copy == "" for _, ink in self.spans)


EMPTY = Line()
