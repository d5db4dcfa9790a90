"""Running one request against an endpoint and writing down what came of it."""

import gc
import tracemalloc
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chatforge_tui.domain.digest import attachment, digest
from chatforge_tui.domain.events import (
    Canceled,
    Failed,
    Finished,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    TextInserted,
    TextReplaced,
    WaitingForUser,
)
from chatforge_tui.domain.ids import new_request_id, new_session_id, new_turn_id
from chatforge_tui.domain.request import PromptRequest
from chatforge_tui.domain.turn import Prompt, Turn
from chatforge_tui.errors import ChatForgeError

if TYPE_CHECKING:
    from chatforge_tui.sessions.ports import Endpoint

TERMINAL = (Finished, WaitingForUser, Canceled, Failed)


@dataclass
class Run:
    """What one request came to."""

    events: list[StreamEvent]
    error: ChatForgeError | None = None

    @property
    def text(self) -> str:
        return text_of(self.events)

    @property
    def terminal(self) -> StreamEvent | None:
        return next((event for event in self.events if isinstance(event, TERMINAL)), None)

    def of(self, kind: type) -> list[StreamEvent]:
        return [event for event in self.events if isinstance(event, kind)]


def text_of(events: list[StreamEvent]) -> str:
    """Return the answer as it stands after these events."""
    text = ""
    for event in events:
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, TextInserted):
            assert event.offset < len(text)
            text = text[: event.offset] + event.text + text[event.offset :]
        elif isinstance(event, TextReplaced):
            text = event.text
    return text


def reasoning_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


def a_request(text: str = "Hello?", history: tuple[Turn, ...] = ()) -> PromptRequest:
    return PromptRequest(new_session_id(), new_turn_id(), new_request_id(), Prompt(text), history=history)


def a_request_with(*files: tuple[str, str, bytes], text: str = "look") -> PromptRequest:
    """Return a request with files: name, media type and content of each."""
    attachments = tuple(attachment(*file) for file in files)
    contents = {digest(data): data for _, _, data in files}
    request = a_request(text)
    return replace(request, prompt=Prompt(text, attachments=attachments), contents=contents)


async def run(endpoint: "Endpoint", request: PromptRequest | None = None) -> Run:
    """Have a prompt answered to its end, whatever that is. The endpoint stays open."""
    found = Run([])
    try:
        async with aclosing(endpoint.stream(request or a_request())) as events:
            async for event in events:
                found.events.append(event)
    except ChatForgeError as error:
        found.error = error
    return found


async def memory_at_first_text(
    begin: Callable[[], AsyncGenerator[StreamEvent, None]], body: Callable[[], int]
) -> tuple[int, int]:
    """Begin a stream twice and measure the second one, for the first loads what is loaded once.

    Args:
        begin: returns the stream of a new request.
        body: returns the bytes of the last request's body, which this process holds as its server.

    Returns:
        The bytes that are kept at the first text, the server's left out, and the most there were until then.
    """
    async with aclosing(begin()) as events:
        await _first_text(events)
    tracemalloc.start()
    try:
        async with aclosing(begin()) as events:
            await _first_text(events)
            gc.collect()
            kept, most = tracemalloc.get_traced_memory()
            return kept - body(), most
    finally:
        tracemalloc.stop()


async def _first_text(events: AsyncGenerator[StreamEvent, None]) -> None:
    async for event in events:
        if isinstance(event, TextDelta):
            return
