"""Joins neighbouring pieces of text that came in one piece off the wire: what a frame shows at once is taken at once.

A stream is read at the pace of the screen, so each read brings several events; every one of them would go its whole way
through turn, store and screen. Knows no protocol; order and text stay as they are.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from chatforge_tui.domain.events import ReasoningDelta, StreamEvent, TextDelta
from chatforge_tui.errors import ChatForgeError

Other = TypeVar("Other")
"""What a protocol says beside the events of an answer."""


def merged(events: Iterable[StreamEvent | Other]) -> Iterator[StreamEvent | Other]:
    """Yield the events of one read, text in one piece. What was read before an error is yielded before it is raised.

    Raises:
        ChatForgeError: what reading the events raises.
    """
    texts: list[str] = []
    kind: type[TextDelta | ReasoningDelta] | None = None
    failure: ChatForgeError | None = None
    remaining = iter(events)
    while failure is None:
        try:
            event = next(remaining, None)
        except ChatForgeError as error:
            event, failure = None, error
        if isinstance(event, TextDelta | ReasoningDelta) and kind is type(event):
            texts.append(event.text)
            continue
        if kind is not None:
            yield kind("".join(texts))
            kind = None
        if isinstance(event, TextDelta | ReasoningDelta):
            kind, texts = type(event), [event.text]
        elif event is not None:
            yield event
        elif failure is None:
            return
    raise failure
