"""A chat completion's stream, as events. No I/O: takes the data of server-sent events, returns what they mean.

When an answer is over:
- `[DONE]` ends it, whether or not a finish reason came before.
- A finish reason followed by the end of the stream ends it too: the model has said its last word, and several servers never
  send `[DONE]`.
- The end of the stream without either is no end of the answer: no terminal event, so the turn is interrupted.
- An error object ends it as failed, wherever it comes.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.events import (
    Failed,
    Finished,
    Noticed,
    ReasoningDelta,
    StillAlive,
    StreamEvent,
    TextDelta,
    UsageReported,
)
from chatforge_tui.domain.part import NoticeLevel
from chatforge_tui.domain.turn import TurnProblem, Usage
from chatforge_tui.endpoints.http_status import quote_body
from chatforge_tui.endpoints.loose_json import read_object
from chatforge_tui.endpoints.openai_chat.chunk import Chunk, plain_text, read_chunk
from chatforge_tui.endpoints.openai_chat.think_tags import Split, ThinkTags
from chatforge_tui.endpoints.openai_chat.tool_calls import ToolCalls
from chatforge_tui.endpoints.sse import SseEvent
from chatforge_tui.errors import ProtocolMismatch
from chatforge_tui.safety.redact import redact

MAX_SKIPPED: Final = 3
"""How many unreadable events of one answer are left out before it is given up."""
_NOTICES: Final = {
    "length": (NoticeLevel.WARNING, "The answer ends here because it reached the endpoint's limit of length."),
    "content_filter": (NoticeLevel.WARNING, "The endpoint's content filter ended the answer here."),
    "tool_calls": (NoticeLevel.INFO, "The model asks for a tool to be run; ChatForge runs none for it."),
}
_PIECES: Final = frozenset({"usage", "timings", "x_groq", "error", "object"})
"""What an event of a chat completion may hold instead of choices."""
_WRONG_PLACE: Final = "Check that the URL and the protocol of this endpoint are right."
_SAME_REASON: Final = {"function_call": "tool_calls", "max_tokens": "length"}


class Answer:
    """Reads one answer."""

    def __init__(self) -> None:
        self.finish_reason = ""
        """The model's last word: "stop", "length" ...; "" until it came."""
        self.has_ended = False
        """A terminal event was returned; nothing follows it."""
        self._skipped = 0
        self._strange = ""
        """The first event that is no piece of a chat completion, as long as there was none that is one."""
        self._is_spoken = False
        """Something was a piece of a chat completion."""
        self._has_content = False
        self._reasoning_key = ""
        self._tags = ThinkTags()
        self._calls = ToolCalls()
        self._usage: Usage | None = None
        self._told_usage: Usage | None = None

    def take(self, event: SseEvent) -> list[StreamEvent]:
        """Return what one server-sent event means; StillAlive for one without content.

        Raises:
            ProtocolMismatch: too many events could not be read.
        """
        if self.has_ended:
            return []
        if event.event != "error" and (text := plain_text(event.data)):
            self._is_spoken = self._has_content = True
            return list(self._text(text)) or [StillAlive()]
        if event.data.strip() == "[DONE]":
            return self._finish()
        if event.event == "error":
            return self._fail(quote_body(event.data.encode("utf-8", "replace")))
        data = read_object(event.data)
        if data is None:
            return self._keepalive(event) or self._skip(event.data)
        if not self._is_spoken:
            self._note_language(event.data, data)
        return list(self._take(read_chunk(data))) or [StillAlive()]

    def take_whole(self, body: bytes) -> list[StreamEvent] | None:
        """Return what a completion in one piece means, of a server that does not stream; None when it is none."""
        data = read_object(body)
        if data is None:
            return None
        chunk = read_chunk(data)
        if not (chunk.error or chunk.is_whole or chunk.text or chunk.finish_reason):
            return None
        events = list(self._take(chunk))
        return events if self.has_ended else events + self._finish()

    def end(self) -> list[StreamEvent]:
        """Return what the end of the stream means: no terminal event if the answer was not over.

        Raises:
            ProtocolMismatch: nothing in the whole stream was a piece of a chat completion.
        """
        if self.has_ended:
            return []
        if self.finish_reason:
            return self._finish()
        if self._strange and not self._is_spoken:
            raise ProtocolMismatch(
                f"What the endpoint streamed is no chat completion; it begins with: {self._strange}", hint=_WRONG_PLACE
            )
        return [*self._split(self._tags.end()), *self._report_usage()]

    def _take(self, chunk: Chunk) -> Iterator[StreamEvent]:
        """Yield what a chunk means."""
        self._usage = chunk.usage or self._usage or chunk.timings
        if chunk.timings is not None and chunk.usage is None and self._told_usage is None:
            self._usage = chunk.timings
        if not (chunk.is_whole and self._has_content):
            yield from self._content(chunk)
        if chunk.error:
            yield from self._fail(chunk.error)
            return
        if chunk.finish_reason and not self.finish_reason:
            self.finish_reason = chunk.finish_reason
            yield from self._split(self._tags.end())
            yield from self._calls.end()
        if chunk.usage is not None and self.finish_reason:
            yield from self._report_usage()

    def _content(self, chunk: Chunk) -> Iterator[StreamEvent]:
        """Yield reasoning, text and tool calls, in this order: that is how a model gets to them."""
        if chunk.reasoning:
            self._reasoning_key = self._reasoning_key or next(iter(chunk.reasoning))
            if thought := chunk.reasoning.get(self._reasoning_key):
                self._has_content = True
                yield ReasoningDelta(thought)
        if chunk.text:
            self._has_content = True
            yield from self._text(chunk.text)
        for piece in chunk.calls:
            self._has_content = True
            yield from self._split(self._tags.end())
            yield from self._calls.take(piece)

    def _text(self, text: str) -> Iterator[StreamEvent]:
        """Yield what a piece of text is. Where reasoning has a place of its own, a tag in the text is text."""
        return self._split(Split(answer=text) if self._reasoning_key else self._tags.feed(text))

    def _split(self, split: Split) -> Iterator[StreamEvent]:
        if split.reasoning:
            yield ReasoningDelta(split.reasoning)
        if split.answer:
            yield TextDelta(split.answer)

    def _finish(self) -> list[StreamEvent]:
        """End the answer well, with a word on why if there is one worth saying."""
        self.has_ended = True
        events = [*self._split(self._tags.end()), *self._calls.end(), *self._report_usage()]
        notice = _NOTICES.get(_SAME_REASON.get(self.finish_reason, self.finish_reason))
        if notice is not None:
            events.append(Noticed(*notice))
        return [*events, Finished(redact(self.finish_reason))]

    def _fail(self, said: str) -> list[StreamEvent]:
        """End the answer with the server's own sentence."""
        self.has_ended = True
        message = f"The endpoint gave up: {said}" if said else "The endpoint gave up without saying why."
        kept = "What it said before is kept; send" if self._has_content else "Send"
        problem = TurnProblem("agent", message, f"{kept} the prompt again to retry.")
        return [*self._split(self._tags.end()), *self._calls.end(), *self._report_usage(), Failed(problem)]

    def _report_usage(self) -> Iterator[StreamEvent]:
        """Yield the usage, unless it was told already."""
        if self._usage is not None and self._usage != self._told_usage:
            self._told_usage = self._usage
            yield UsageReported(self._usage)

    def _note_language(self, written: str, data: Mapping[str, object]) -> None:
        """Note whether an event is a piece of a chat completion at all; an empty object says nothing either way."""
        if isinstance(data.get("choices"), list) or not _PIECES.isdisjoint(data):
            self._is_spoken = True
        elif data:
            self._strange = self._strange or _quoted(written)

    def _keepalive(self, event: SseEvent) -> list[StreamEvent]:
        """Return the sign of life that some gateways send as an event instead of a comment."""
        is_ping = event.event in ("ping", "keepalive", "heartbeat") or not event.data.strip()
        return [StillAlive()] if is_ping else []

    def _skip(self, data: str) -> list[StreamEvent]:
        """Leave out an event that cannot be read, a few times."""
        self._skipped += 1
        self._strange = self._strange or _quoted(data)
        if self._skipped > MAX_SKIPPED:
            raise ProtocolMismatch(
                f"{self._skipped} pieces of the answer could not be read, the last one beginning with: {_quoted(data)}",
                hint=_WRONG_PLACE,
            )
        pieces = counted(self._skipped, "piece")
        return [Noticed(NoticeLevel.WARNING, f"{pieces} of the answer could not be read and left out so far.")]


def _quoted(data: str) -> str:
    """Return the beginning of an event, on one line, credentials masked."""
    return " ".join(redact(data[:400], is_cut=len(data) > 400)[:200].split())
