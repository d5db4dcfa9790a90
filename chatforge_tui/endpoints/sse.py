"""Server-Sent Events, decoded from bytes: WHATWG HTML section 9.2, nothing else.

Owns the framing of an event stream. Does no I/O, knows no JSON and no protocol. A split of the bytes at any place, inside
a character or between CR and LF, changes nothing.

Lines end at LF, CR or CRLF only (`str.splitlines` would also cut at U+2028 and five control characters, which are legal
inside JSON), the text is UTF-8 whatever the server's charset says, and a block that ends without data is no event.
"""

from typing import Final, NamedTuple

from chatforge_tui.errors import LimitExceeded

MAX_EVENT_BYTES: Final = 8 * 1024 * 1024
"""Default size limit of one event."""

_BOM: Final = b"\xef\xbb\xbf"
_DATA: Final = b"data: "
_DIGITS: Final = frozenset(b"0123456789")
_MAX_RETRY_DIGITS: Final = 15
"""A longer reconnection time is nonsense; int() of an unbounded digit string is not free."""


class SseEvent(NamedTuple):
    """One dispatched event."""

    event: str
    """Its type; "message" when the server named none."""
    data: str
    """The data lines, joined with LF."""
    id: str
    """The last event id in force, "" when none was given. It persists from event to event."""
    has_own_id: bool = False
    """The id was given with this event."""


class SseDecoder:
    """Turns the bytes of one event stream into events, as they come."""

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        """Start a stream.

        Args:
            max_event_bytes: limit of one event: its data so far plus the line being read, in bytes, > 0.
        """
        self.comments = 0
        """Number of comment lines so far: what servers send to keep a silent connection open."""
        self.retry_ms: int | None = None
        """The reconnection time the server asked for last, in milliseconds."""
        self.last_event_id = ""
        """What a reconnect would send as Last-Event-ID: set by an `id` line once its block has ended."""
        self._limit = max_event_bytes
        self._at_start = True
        self._after_cr = False
        self._pieces: list[bytes] = []
        """The line being read, in the pieces in which it came: joined once, so that a long line costs linear time."""
        self._pieces_size = 0
        self._data: list[bytes] = []
        self._data_size = 0
        self._event = b""
        self._id = ""
        self._has_own_id = False
        """The unfinished block has an id of its own."""
        self._failure: LimitExceeded | None = None
        self._is_between = False
        """Nothing is pending: whole blocks, which is how most servers write, can be taken without a look at the rest."""

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Return the events that these bytes complete, in order.

        Raises:
            LimitExceeded: an event is larger than the limit. Events that were complete before it are returned first,
                then this and every later call raises.
        """
        if self._is_between and chunk[-2:] == b"\n\n" and len(chunk) <= self._limit and b"\r" not in chunk:
            return self._take_blocks(chunk)
        events = self._take(chunk)
        self._is_between = not (
            self._pieces
            or self._data
            or self._event
            or self._has_own_id
            or self._after_cr
            or self._at_start
            or self._failure
        )
        return events

    def _take(self, chunk: bytes) -> list[SseEvent]:
        """Do what feed says, from any state."""
        if self._failure is not None:
            raise self._failure
        if self._at_start:
            chunk = self._without_bom(chunk)
        if not chunk:
            return []
        chunk = self._with_bare_newlines(chunk)
        if b"\n" not in chunk:
            self._pieces.append(chunk)
            self._pieces_size += len(chunk)
            return self._checked([], self._pieces_size)
        if self._pieces:
            chunk = b"".join((*self._pieces, chunk))
            self._pieces.clear()
            self._pieces_size = 0
        if len(chunk) > self._limit:
            return self._take_lines(chunk, [])
        return self._take_blocks(chunk)

    def _without_bom(self, chunk: bytes) -> bytes:
        """Drop one leading byte order mark; hold back bytes that may still become one."""
        chunk = b"".join((*self._pieces, chunk))
        self._pieces.clear()
        if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
            self._pieces.append(chunk)
            return b""
        self._at_start = False
        return chunk.removeprefix(_BOM)

    def _with_bare_newlines(self, chunk: bytes) -> bytes:
        """Turn CRLF and CR into LF; an LF that completes a CR of the chunk before is dropped."""
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
            self._after_cr = False
            if not chunk:
                return b""
        self._after_cr = chunk[-1:] == b"\r"
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _take_blocks(self, text: bytes) -> list[SseEvent]:
        """Interpret text that holds at least one line end: whole blocks first, then the lines of the unfinished one.

        The hot path of every stream: a block of one data line, which nearly all servers send, becomes an event without
        being taken apart into lines.
        """
        events: list[SseEvent] = []
        end = text.rfind(b"\n\n")
        if end < 0:
            return self._take_lines(text, events)
        blocks, rest = text[:end], text[end + 2 :]
        if self._data or self._event or self._has_own_id or not _are_data_lines(blocks):
            return self._take_lines(text, events)
        prefix = len(_DATA)
        last_id = self._id
        self.last_event_id = last_id
        texts = blocks[prefix:].decode("utf-8", "replace").split("\n\ndata: ")
        events = [SseEvent("message", data, last_id) for data in texts]
        return self._take_lines(rest, events) if rest else events

    def _take_lines(self, text: bytes, events: list[SseEvent]) -> list[SseEvent]:
        """Interpret text line by line and keep the line it ends in; add what it completes to `events`, return them."""
        lines = text.split(b"\n")
        tail = lines.pop()
        for line in lines:
            if not line:
                self._end_block(events)
            elif len(line) + self._data_size > self._limit:
                return self._checked(events, len(line))
            elif line[:1] == b":":
                self.comments += 1
            else:
                self._take_field(line)
        if tail:
            self._pieces.append(tail)
            self._pieces_size = len(tail)
        return self._checked(events, len(tail))

    def _end_block(self, events: list[SseEvent]) -> None:
        """A blank line: an event, if the block had data."""
        if self._data:
            kind = self._event.decode("utf-8", "replace") if self._event else "message"
            events.append(SseEvent(kind, b"\n".join(self._data).decode("utf-8", "replace"), self._id, self._has_own_id))
            self._data.clear()
            self._data_size = 0
        self._event = b""
        self._has_own_id = False
        self.last_event_id = self._id

    def _take_field(self, line: bytes) -> None:
        """Interpret a line that is neither blank nor a comment."""
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_size += len(line)
        elif name == b"event":
            self._event = value
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
                self._has_own_id = True
        elif name == b"retry" and value and len(value) <= _MAX_RETRY_DIGITS and _DIGITS.issuperset(value):
            self.retry_ms = int(value)

    def _checked(self, events: list[SseEvent], line_size: int) -> list[SseEvent]:
        """Return the events, after a look at the size of the unfinished one."""
        if self._data_size + line_size <= self._limit:
            return events
        self._failure = LimitExceeded(
            f"The endpoint sent one event of more than {self._limit / 2**20:.3g} MiB.",
            hint="The limit protects this program's memory; what was received before is kept.",
        )
        self._pieces.clear()
        self._data.clear()
        if events:
            return events
        raise self._failure


def _are_data_lines(blocks: bytes) -> bool:
    """Whether every block is exactly one `data: ` line: then every line end belongs to a separator of such blocks."""
    return blocks.startswith(_DATA) and blocks.count(b"\n") == 2 * blocks.count(b"\n\n" + _DATA)
