"""Turns, changes and an app with nothing but a transcript, for the tests of this folder."""

from collections.abc import Callable

from msgspec.structs import replace
from textual.app import App, ComposeResult
from textual.content import Content
from textual.message import Message

from chatforge_tui.domain.changes import TurnBegan, TurnChange, TurnChanged, TurnEnded
from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import Part, TextPart
from chatforge_tui.domain.turn import FIRST_UNSENT, Prompt, Turn, TurnHead, TurnProblem, TurnState
from chatforge_tui.ui.transcript import TranscriptModel, TranscriptView
from chatforge_tui.ui.transcript.ink import Line
from chatforge_tui.ui.transcript.page import Page
from chatforge_tui.ui.transcript.viewport import settle

SESSION = SessionId("session")
NOW = 1_700_000_100.0
LONG = "A paragraph of some words that is wrapped at sixty columns, so it takes more than a line.\n\n" * 12
PIECES = (
    "word ",
    "**bold** ",
    "\n\n",
    "- item\n",
    "`code` ",
    "\n# head\n",
    "```\nx = 1\n",
    "```\n",
    "long " * 30,
    "[a]",
    "\n",
)
"""What text may consist of, in the order of chance."""


def turn(
    number: int,
    answer: str = "",
    *parts: Part,
    state: TurnState = TurnState.COMPLETE,
    prompt: str = "",
    problem: TurnProblem | None = None,
    finish_reason: str = "",
) -> Turn:
    """Return a turn with an answer, or with these parts."""
    head = TurnHead(
        TurnId(f"turn-{number}"),
        SESSION,
        number,
        Prompt(prompt or f"question {number}"),
        RequestId(f"request-{number}"),
        state=state,
        started=NOW - 41,
        ended=None if state.is_live else NOW,
        agent="agent",
        problem=problem,
        finish_reason=finish_reason,
    )
    return Turn(head, parts or ((TextPart(0, answer),) if answer else ()))


def waiting(number: int, text: str = "later") -> Turn:
    """Return a prompt that waits to be sent."""
    one = turn(number, "", state=TurnState.UNSENT, prompt=text)
    return replace(one, head=replace(one.head, ordinal=FIRST_UNSENT + number))


def began(number: int) -> TurnBegan:
    """Return the beginning of a turn that streams."""
    return TurnBegan(turn(number, state=TurnState.STREAMING))


def changed(number: int, *changes: TurnChange) -> TurnChanged:
    """Return changes of a turn."""
    return TurnChanged(SESSION, TurnId(f"turn-{number}"), RequestId(f"request-{number}"), changes)


def ended(whole: Turn) -> TurnEnded:
    """Return the end of a turn."""
    return TurnEnded(whole)


def model_of(*turns: Turn, width: int = 60) -> TranscriptModel:
    """Return a model with these turns, laid out at a width, whose clock stands still."""
    model = TranscriptModel(clock=lambda: NOW)
    model.load(turns)
    model.fit(Page(width), model.marks)
    return model


def all_lines(model: TranscriptModel) -> list[Line]:
    """Return every line of a transcript, laid out."""
    follows, top = model.follows, model.top
    model.follows = True
    rows = settle(model, 1_000_000).rows
    model.follows, model.top = follows, top
    return [row.line for row in rows]


def text_of(model: TranscriptModel) -> list[str]:
    """Return what every line says."""
    return [line.text.rstrip() for line in all_lines(model)]


class TranscriptApp(App[None]):
    """A transcript, and a list of what it said."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, model: TranscriptModel | None = None, *, said: Callable[[Message], None] | None = None) -> None:
        super().__init__()
        self._first = model
        self.said: list[Message] = []

    def compose(self) -> ComposeResult:
        yield TranscriptView(empty_hint=Content("Nothing yet: write something"))

    def on_mount(self) -> None:
        self.view.focus()
        self.view.show(self._first)

    @property
    def view(self) -> TranscriptView:
        return self.query_one(TranscriptView)

    def on_follow_changed(self, message: Message) -> None:
        self.said.append(message)

    on_link_chosen = on_copy_requested = on_follow_changed

    def screen_lines(self) -> list[str]:
        """Return what is seen, without the gutter."""
        return [strip.text[2:].rstrip() for strip in self.view.render_lines(self.view.size.region)]
