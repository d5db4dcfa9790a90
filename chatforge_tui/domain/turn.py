"""A turn: one prompt of the user and what the agent did with it."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.ids import RequestId, SessionId, TaskId, TurnId
from chatforge_tui.domain.part import Part, QuestionPart, ReasoningPart, TextPart, readable
from chatforge_tui.domain.plan import Plan


class TurnState(StrEnum):
    """queued -> connecting -> streaming -> complete | waiting | aborted | interrupted | failed.

    unsent stands before that: a prompt that waits in its session, of which nothing has left. Sending it makes it queued.
    """

    UNSENT = "unsent"
    """The prompt is on disk and nothing of it has left; it goes when the user says so, or allowed it before."""

    QUEUED = "queued"
    """The prompt is on disk, nothing has left."""
    CONNECTING = "connecting"
    """The request is leaving, or waits for its next try."""
    STREAMING = "streaming"
    """The server accepted the request."""
    COMPLETE = "complete"
    """The protocol's own terminal marker was received."""
    WAITING = "waiting"
    """The agent asks the user something; the next prompt answers it."""
    ABORTED = "aborted"
    """The user stopped it, or a newer prompt took its place."""
    INTERRUPTED = "interrupted"
    """The stream ended without the terminal marker, or the program died."""
    FAILED = "failed"
    """The agent or the network said so."""

    @property
    def is_live(self) -> bool:
        """Whether a request may still be running."""
        return self in LIVE_STATES


LIVE_STATES = frozenset({TurnState.QUEUED, TurnState.CONNECTING, TurnState.STREAMING})

FIRST_UNSENT = 1 << 48
"""Ordinals from here on are those of unsent turns: whatever was sent comes before them, in every program's eyes.

A turn that is sent takes the next ordinal of its session below.
"""


def is_unsent_ordinal(ordinal: int) -> bool:
    """Return whether an ordinal is one that a prompt has while it waits."""
    return FIRST_UNSENT <= ordinal < 2 * FIRST_UNSENT


def unsent_ordinal(when: float) -> int:
    """Return the ordinal of a prompt that waits since `when` (Unix seconds): later ones stand behind."""
    return FIRST_UNSENT + int(when * 1000)


class Prompt(Struct, frozen=True, gc=False):
    """What the user sends."""

    text: str
    """As typed; for an answered form, the readable lines that stand for it."""
    form: Mapping[str, str | bool | float] | None = None
    """The answers of a form, field name to value, when the prompt answers one."""
    attachments: tuple[Attachment, ...] = ()
    """Files that go along, in the user's order."""


class Usage(Struct, frozen=True, gc=False):
    """What the turn cost, as far as the endpoint says. None: it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    """In the endpoint's currency, normally US dollars."""


class TurnProblem(Struct, frozen=True, gc=False):
    """Why a turn did not end well, or is to be tried again, in the user's words."""

    kind: str
    """A stable word for scripts, e.g. "refused", "unauthorized", "stalled"; the `kind` of the error class."""
    message: str
    """One sentence: what happened. As received where it quotes the server: clean it before it is shown."""
    hint: str = ""
    """One sentence: what to do next; "" when there is nothing to say."""


class TurnHead(Struct, frozen=True, gc=False):
    """Everything about a turn but its parts. Times are Unix seconds (UTC)."""

    turn_id: TurnId
    session_id: SessionId
    ordinal: int
    """0 for the first turn of the session; gaps are allowed, order is not negotiable. Of an unsent turn: FIRST_UNSENT on."""
    prompt: Prompt
    request_id: RequestId
    """The latest request of this turn."""
    state: TurnState = TurnState.QUEUED
    started: float = 0.0
    accepted: float | None = None
    """When the server accepted the request."""
    first_output: float | None = None
    """When the first text, reasoning, tool call or plan arrived."""
    ended: float | None = None
    agent: str = ""
    """Who answers, as the agent names itself or the model is called; "" until known."""
    protocol: str = ""
    """What was spoken, for people: "a2a 1.0", "openai-chat"."""
    task_id: TaskId | None = None
    answers_task: TaskId | None = None
    """The waiting task that this prompt answers."""
    usage: Usage | None = None
    finish_reason: str = ""
    """The endpoint's own word for a normal end: "stop", "length", ..."""
    problem: TurnProblem | None = None
    retry_at: float | None = None
    """While CONNECTING: when the next try begins."""

    @property
    def is_reconnecting(self) -> bool:
        """Whether the stream was lost and the agent is asked how its task went on."""
        return self.state is TurnState.CONNECTING and self.accepted is not None and self.task_id is not None


class Turn(Struct, frozen=True, gc=False):
    """A turn with its parts, at one moment."""

    head: TurnHead
    parts: tuple[Part, ...] = ()
    plans: tuple[Plan, ...] = field(default=())
    """Every distinct plan of this turn, oldest first; the last one is current."""

    @property
    def answer(self) -> str:
        """The text the protocol delivered, after its own replace rules: never trimmed, never cleaned."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def readable_answer(self) -> str:
        """The same for people and models: texts of separate artifacts do not run into each other."""
        return readable(self.parts)

    @property
    def reasoning(self) -> str:
        """All reasoning text, in order."""
        return "".join(part.text for part in self.parts if isinstance(part, ReasoningPart))

    @property
    def question(self) -> QuestionPart | None:
        """What the agent waits for, if it waits."""
        if self.head.state is not TurnState.WAITING:
            return None
        return next((part for part in reversed(self.parts) if isinstance(part, QuestionPart)), None)
