"""The body of an answer, everything that one read of the socket brought in one piece.

Servers send each event as an HTTP chunk of its own, and httpcore hands on chunk by chunk, through a tower of generators
that costs more than reading the event. Here the connection is asked itself. httpcore has no public way to do so; where
its insides look different its public way is taken, and all works the same but for the time it takes.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, cast

import h11
import httpcore

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
"""The line before a chunk, as nearly all servers write it."""


def pieces_of(answer: httpcore.Response) -> AsyncIterator[bytes]:
    """Yield the body as received; what breaks off raises what httpcore raises. Closing is the caller's business."""
    connection: Any = getattr(getattr(answer.stream, "_stream", None), "_connection", None)
    state: Any = getattr(connection, "_h11_state", None)
    if isinstance(state, h11.Connection) and hasattr(connection, "_receive_event"):
        return _received(connection, state)
    return cast("AsyncIterable[bytes]", answer.stream).__aiter__()


async def _received(connection: Any, state: h11.Connection) -> AsyncIterator[bytes]:  # noqa: ANN401 - httpcore's own
    may_read = (
        hasattr(connection, "_network_stream") and hasattr(connection, "READ_NUM_BYTES") and _has_known_inside(state)
    )
    is_over = has_ended = False
    while not is_over:
        if may_read and not has_ended and _is_between_chunks(state):
            data = await connection._network_stream.read(connection.READ_NUM_BYTES, timeout=None)  # noqa: SLF001
            state.receive_data(data)
            has_ended = not data
        if may_read and (pieces := _whole_chunks(state)):
            yield b"".join(pieces)
            continue
        event = await connection._receive_event(timeout=None)  # noqa: SLF001 - see the top
        if not isinstance(event, h11.Data):
            return
        pieces = [bytes(event.data)]
        while state.trailing_data[0]:
            try:
                event = state.next_event()
            except h11.ProtocolError:
                break  # what came before it counts; httpcore meets the same error next, and tells it its way
            if not isinstance(event, h11.Data):
                is_over = event is not h11.NEED_DATA
                break
            pieces.append(bytes(event.data))
        yield b"".join(pieces)


def _has_known_inside(state: Any) -> bool:  # noqa: ANN401 - h11's own
    """Whether h11 reads a chunked body in the way that is known here."""
    reader, buffer = getattr(state, "_reader", None), getattr(state, "_receive_buffer", None)
    return (
        type(reader).__name__ == "ChunkedReader"
        and all(hasattr(reader, name) for name in ("_bytes_to_discard", "_bytes_in_chunk", "_reading_trailer"))
        and isinstance(getattr(buffer, "_data", None), bytearray)
        and hasattr(buffer, "_extract")
    )


def _is_between_chunks(state: Any) -> bool:  # noqa: ANN401 - h11's own
    """Whether all that was received was taken, and more must come."""
    reader = state._reader  # noqa: SLF001
    return (
        type(reader).__name__ == "ChunkedReader"
        and not reader._bytes_in_chunk  # noqa: SLF001
        and not reader._reading_trailer  # noqa: SLF001
        and not state._receive_buffer._data  # noqa: SLF001
    )


def _whole_chunks(state: Any) -> list[bytes]:  # noqa: ANN401 - h11's own
    """Take the chunks that lie whole in h11's buffer. All else is h11's: a part of one, extensions, the end, what is wrong.

    h11 goes through its state machine for each chunk, which costs three times what it takes to decode the event in it.
    """
    reader, buffer = state._reader, state._receive_buffer  # noqa: SLF001
    if type(reader).__name__ != "ChunkedReader" or reader._bytes_in_chunk or reader._reading_trailer:  # noqa: SLF001
        return []
    data: bytearray = buffer._data  # noqa: SLF001
    rest: bytes = reader._bytes_to_discard  # noqa: SLF001 - the newline behind the chunk before, when that came without it
    pieces: list[bytes] = []
    if not data.startswith(rest):
        return pieces
    at = len(rest)
    while (size := _SIZE.match(data, at)) is not None:
        begin = size.end()
        end = begin + int(size[1], 16)
        if end == begin or not data.startswith(b"\r\n", end):
            break
        pieces.append(bytes(data[begin:end]))
        at = end + 2
    if pieces:
        buffer._extract(at)  # noqa: SLF001
        reader._bytes_to_discard = b""  # noqa: SLF001
    return pieces
