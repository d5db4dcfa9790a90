"""What happened to a turn or a session, once: the same values go to the store and to the screen.

The engine turns each stream event into changes; the store writes them and panes apply them. So what is stored and
what is shown follow from one sequence, and a pane can be rebuilt from the store at any time.
"""

from dataclasses import dataclass
from typing import Literal

from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import Part
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.repair import RepairReport
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnHead

TextField = Literal["text", "input", "output"]
"""Which text of a part grows: `text` of text, reasoning and notice parts, `input` and `output` of tool parts."""


@dataclass(frozen=True, slots=True)
class PartAdded:
    """A part began. Its index is larger than every index of the turn before it."""

    part: Part


@dataclass(frozen=True, slots=True)
class TextAppended:
    """A text of a part grew at its end. The one change that may be merged with the next of its kind."""

    index: int
    text: str
    field: TextField = "text"


@dataclass(frozen=True, slots=True)
class PartReplaced:
    """The part with this index is now this one, whole."""

    part: Part


@dataclass(frozen=True, slots=True)
class PartDropped:
    """The part with this index is gone (its text was superseded)."""

    index: int


@dataclass(frozen=True, slots=True)
class PlanRecorded:
    """A new version of the plan joins the turn's plans. The PlanPart changes by PartAdded or PartReplaced beside it."""

    sequence: int
    """0 for the first plan of the turn."""
    plan: Plan


@dataclass(frozen=True, slots=True)
class HeadChanged:
    """The turn's head is now this (state, task, usage, times). Not terminal: see TurnEnded."""

    head: TurnHead


TurnChange = PartAdded | TextAppended | PartReplaced | PartDropped | PlanRecorded | HeadChanged


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """A turn joins the session, prompt already on disk."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class TurnChanged:
    """Something happened to the live turn."""

    session_id: SessionId
    turn_id: TurnId
    request_id: RequestId
    changes: tuple[TurnChange, ...]


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The one terminal change of a request; its final commit is done. Carries the whole turn."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class TurnRemoved:
    """A turn that could not leave is gone: its prompt was taken back, or it waits in another program, whose it is."""

    session_id: SessionId
    turn_id: TurnId


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """A session is new, or its head changed."""

    head: SessionHead


@dataclass(frozen=True, slots=True)
class SessionRemoved:
    """A session went to the trash or is gone: its tab goes."""

    session_id: SessionId


@dataclass(frozen=True, slots=True)
class StoreTrouble:
    """The store cannot write (or can again): nothing on screen may pretend to be saved meanwhile."""

    message: str
    """One sentence; "" = all is well again."""


@dataclass(frozen=True, slots=True)
class StoreRepaired:
    """The store was damaged; this is what came back of it."""

    report: RepairReport


NOT_SAVED = "Not saved:"
"""What a sentence begins with that tells of something that is not on the disk."""

EngineEvent = (
    TurnBegan | TurnChanged | TurnEnded | TurnRemoved | SessionChanged | SessionRemoved | StoreTrouble | StoreRepaired
)
