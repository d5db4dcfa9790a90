"""Parts that an agent passes on from its model: thoughts, calls of functions and what these returned.

Owns how they are marked, and that each is told once. The protocol has no parts of these kinds: Google's ADK and what is built
on it (kagent) send a thought as text with the metadata `adk_thought`, a call as data with `adk_type: function_call`, its
result as data with `adk_type: function_response`; FastA2A sends a thought as text with `type: thinking`. All of them repeat
parts: what was streamed comes once more in one piece, and a call again with the question that it led to.
"""

from collections.abc import Mapping
from typing import Any, Final

from chatforge_tui.domain.events import (
    ReasoningDelta,
    StreamEvent,
    ToolEnded,
    ToolInputDelta,
    ToolOutputDelta,
    ToolStarted,
)
from chatforge_tui.endpoints.a2a.json_text import compact
from chatforge_tui.endpoints.a2a.wire import CallPiece, DataPiece, Piece, ReturnPiece, TextPiece, ThoughtPiece
from chatforge_tui.endpoints.loose_json import as_mapping, as_text

_THOUGHT: Final = "thought"
"""How the name of a thought's mark ends, behind the product's own prefix."""
_TYPE: Final = "type"
"""How the name of the mark ends that says what data is."""
_SHORT: Final = 16
"""Characters: a shorter piece may be said twice in a row and mean it."""


def as_marked(piece: Piece, metadata: object) -> Piece:
    """Return the part as what its metadata marks it as, if that is known here."""
    marks = as_mapping(metadata)
    if isinstance(piece, TextPiece):
        return ThoughtPiece(piece.text) if _is_thought(marks) else piece
    if not isinstance(piece, DataPiece):
        return piece
    data = as_mapping(piece.value)
    call_id, name = as_text(data.get("id")), as_text(data.get("name"))
    kinds = {as_text(value) for key, value in marks.items() if key.endswith(_TYPE)} if name else set[str]()
    if "function_call" in kinds:
        return CallPiece(call_id, name, data.get("args"))
    return ReturnPiece(call_id, name, data.get("response")) if "function_response" in kinds else piece


def asked_by(pieces: tuple[Piece, ...]) -> str:
    """Return what an agent asks that waits with nothing but a call; "" when there is none."""
    calls = (f"{piece.name} {_written(piece.arguments)}".strip() for piece in pieces if isinstance(piece, CallPiece))
    asked = "\n".join(calls)
    return f"The agent waits for your answer to {asked}" if asked else ""


class ModelParts:
    """What the model of one turn thought and called."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._open: dict[str, None] = {}
        """Calls without a result, in their order."""
        self._called: set[str] = set()
        self._thoughts: list[str] = []
        """Pieces of what is being thought."""
        self._thought: list[str] = []
        """What was thought before, each told in one piece in the end."""

    def think(self, text: str, *, is_again: bool) -> list[StreamEvent]:
        """Return what a thought tells.

        Args:
            text: of the thought, or of a piece of it.
            is_again: it stands in an artifact, which may say again what messages said.
        """
        whole = "".join(self._thoughts)
        if text == whole and (len(self._thoughts) > 1 or len(text) >= _SHORT):
            self._thought.append(whole)
            self._thoughts.clear()
            return []
        if not text or text in self._thought or (is_again and any(text in told for told in (whole, *self._thought))):
            return []
        self._thoughts.append(text)
        return [ReasoningDelta(text)]

    def call(self, piece: CallPiece) -> list[StreamEvent]:
        """Return what a call tells; nothing when it was told."""
        if piece.call_id in self._called:
            return []
        call_id = self._begin(piece.call_id)
        written = _written(piece.arguments)
        return [ToolStarted(call_id, piece.name), *([ToolInputDelta(call_id, written)] if written else [])]

    def returned(self, piece: ReturnPiece) -> list[StreamEvent]:
        """Return what a call's result tells; of a call whose beginning was not seen, that as well."""
        call_id = piece.call_id or next(reversed(self._open), "")
        if call_id in self._called and call_id not in self._open:
            return []
        events: list[StreamEvent] = []
        if call_id not in self._open:
            call_id = self._begin(call_id)
            events.append(ToolStarted(call_id, piece.name))
        del self._open[call_id]
        if written := _written(piece.value):
            events.append(ToolOutputDelta(call_id, written))
        return [*events, ToolEnded(call_id, failed=bool(as_mapping(piece.value).get("error")))]

    def end_all(self, *, failed: bool) -> list[StreamEvent]:
        """Return the ends of the calls that returned nothing."""
        events: list[StreamEvent] = [ToolEnded(call_id, failed=failed) for call_id in self._open]
        self._open.clear()
        return events

    def _begin(self, call_id: str) -> str:
        """Note a call; returns its id, one made up where it has none."""
        call_id = call_id or f"call-{len(self._called) + 1}"
        self._called.add(call_id)
        self._open[call_id] = None
        return call_id


def _is_thought(marks: Mapping[str, Any]) -> bool:
    is_marked = any(key.endswith(_THOUGHT) and value is True for key, value in marks.items())
    return is_marked or marks.get(_TYPE) == "thinking"


def _written(value: object) -> str:
    """Return what goes into a call or comes out of it, as a person reads it; ADK wraps a plain result in `result`."""
    members = as_mapping(value)
    plain = members.get("result") if len(members) == 1 else value
    if isinstance(plain, str):
        return plain
    return "" if value is None else compact(value)
