"""Tool calls put together from their pieces.

A piece belongs to the call that is open at its index, unless its id says that another one begins there: some servers send
whole calls, all at index 0.
"""

from collections.abc import Iterator

from msgspec import Struct

from chatforge_tui.domain.events import StreamEvent, ToolEnded, ToolInputDelta, ToolStarted
from chatforge_tui.endpoints.loose_json import read_object
from chatforge_tui.endpoints.openai_chat.chunk import CallPiece


class _Call(Struct):
    call_id: str
    given_id: str
    has_name: bool
    arguments: list[str]


class ToolCalls:
    """The calls of one answer."""

    def __init__(self) -> None:
        self._open: dict[int, _Call] = {}
        self._ids: set[str] | None = None
        """Of all calls so far; nearly no answer has one, and an empty set is 216 bytes."""

    def __bool__(self) -> bool:
        """Whether there was any call."""
        return bool(self._ids)

    def take(self, piece: CallPiece) -> Iterator[StreamEvent]:
        """Yield what a piece means."""
        call = self._open.get(piece.index)
        if call is None or _begins_another(call, piece):
            if call is not None:
                yield ToolEnded(call.call_id)
            call = _Call(self._new_id(piece), piece.call_id, bool(piece.name), [])
            self._open[piece.index] = call
            yield ToolStarted(call.call_id, piece.name)
        elif piece.name and not call.has_name:
            call.has_name = True
            yield ToolStarted(call.call_id, piece.name)
        call.given_id = call.given_id or piece.call_id
        if piece.arguments:
            call.arguments.append(piece.arguments)
            yield ToolInputDelta(call.call_id, piece.arguments)

    def end(self) -> Iterator[StreamEvent]:
        """Yield the end of every open call."""
        for call in self._open.values():
            yield ToolEnded(call.call_id)
        self._open.clear()

    def _new_id(self, piece: CallPiece) -> str:
        """Return the call's id, or one made up where the server gives none or the same one twice."""
        ids = self._ids = self._ids or set()
        wanted = piece.call_id or f"call-{len(ids) + 1}"
        call_id, copy = wanted, 1
        while call_id in ids:
            copy += 1
            call_id = f"{wanted}-{copy}"
        ids.add(call_id)
        return call_id


def _begins_another(call: _Call, piece: CallPiece) -> bool:
    """Whether a piece at the index of an open call is the first of the next one."""
    if piece.call_id:
        return bool(call.given_id) and piece.call_id != call.given_id
    return bool(piece.name) and call.has_name and not call.given_id and _is_complete(call)


def _is_complete(call: _Call) -> bool:
    return read_object("".join(call.arguments)) is not None
