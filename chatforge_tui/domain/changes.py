"""What happened to a turn or a session, once: the same values go to the store and to the screen.

The engine turns each stream event into changes; the store writes them and panes apply them. So what is stored and
what is shown follow from one sequence, and a pane can be rebuilt from the store at any time.
"""

from typing import Literal

from msgspec import Struct

from chatforge_tui.domain.ids import RequestId, SessionId, TurnId
from chatforge_tui.domain.part import Part
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.repair import RepairReport
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnHead

TextField = Literal["text", "input", "output"]
"""Which text of a part grows: `text` of text, reasoning and notice parts, `input` and `output` of tool parts."""


class PartAdded(Struct, frozen=True, gc=False):
    """A part began. Its index is larger than every index of the turn before it."""

    part: Part


class TextAppended(Struct, frozen=True, gc=False):
    """A text of a part grew at its end. The one change that may be merged with the next of its kind."""

    index: int
    text: str
    field: TextField = "text"


class PartReplaced(Struct, frozen=True, gc=False):
    """The part with this index is now this one, whole."""

    part: Part


class PartDropped(Struct, frozen=True, gc=False):
    """The part with this index is gone (its text was superseded)."""

    index: int


class PlanRecorded(Struct, frozen=True, gc=False):
    """A new version of the plan joins the turn's plans. The PlanPart changes by PartAdded or PartReplaced beside it."""

    sequence: int
    """0 for the first plan of the turn."""
    plan: Plan


class HeadChanged(Struct, frozen=True, gc=False):
    """The turn's head is now this (state, task, usage, times). Not terminal: see TurnEnded."""

    head: TurnHead


TurnChange = PartAdded | TextAppended | PartReplaced | PartDropped | PlanRecorded | HeadChanged


class TurnBegan(Struct, frozen=True, gc=False):
    """A turn joins the session, prompt already on disk."""

    turn: Turn


class TurnChanged(Struct, frozen=True, gc=False):
    """Something happened to the live turn."""

    session_id: SessionId
    turn_id: TurnId
    request_id: RequestId
    changes: tuple[TurnChange, ...]


class TurnEnded(Struct, frozen=True, gc=False):
    """The one terminal change of a request; its final commit is done. Carries the whole turn."""

    turn: Turn


class TurnRemoved(Struct, frozen=True, gc=False):
    """A turn that could not leave is gone: its prompt was taken back, or it waits in another program, whose it is."""

    session_id: SessionId
    turn_id: TurnId


class SessionChanged(Struct, frozen=True, gc=False):
    """A session is new, or its head changed."""

    head: SessionHead


class SessionRemoved(Struct, frozen=True, gc=False):
    """A session went to the trash or is gone: its tab goes."""

    session_id: SessionId


class StoreTrouble(Struct, frozen=True, gc=False):
    """The store cannot write (or can again): nothing on screen may pretend to be saved meanwhile."""

    message: str
    """One sentence; "" = all is well again."""


class StoreRepaired(Struct, frozen=True, gc=False):
    """The store was damaged; this is what came back of it."""

    report: RepairReport


NOT_SAVED = "Not saved:"
"""What a sentence begins with that tells of something that is not on the disk."""

EngineEvent = (
    TurnBegan | TurnChanged | TurnEnded | TurnRemoved | SessionChanged | SessionRemoved | StoreTrouble | StoreRepaired
)
