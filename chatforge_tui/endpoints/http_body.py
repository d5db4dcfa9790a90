"""The body of an answer, everything that one read of the socket brought in one piece.

Servers send each event as an HTTP chunk of its own, and httpcore hands on chunk by chunk, through a tower of generators
that costs more than reading the event. Here the connection is asked itself. httpcore has no public way to do so; where
its insides look different its public way is taken, and all works the same but for the time it takes.
"""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, cast

import h11
import httpcore


def pieces_of(answer: httpcore.Response) -> AsyncIterator[bytes]:
    """Yield the body as received; what breaks off raises what httpcore raises. Closing is the caller's business."""
    connection: Any = getattr(getattr(answer.stream, "_stream", None), "_connection", None)
    state: Any = getattr(connection, "_h11_state", None)
    if isinstance(state, h11.Connection) and hasattr(connection, "_receive_event"):
        return _received(connection, state)
    return cast("AsyncIterable[bytes]", answer.stream).__aiter__()


async def _received(connection: Any, state: h11.Connection) -> AsyncIterator[bytes]:  # noqa: ANN401 - httpcore's own
    is_over = False
    while not is_over:
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
