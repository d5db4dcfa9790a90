"""The moments at which the streams of an event loop that trickle are read: waking up for each token costs more than reading it.

A stream on a beat is not watched by the event loop: each time the beat strikes for it its socket is asked once. That
costs a sixth of what two changes of the loop's watch list and a timer of its own took for each event (17 of 50 us at 30
events a second). There are two beats: that of the screen, and a slower one for streams that nobody watches, where what
came meanwhile goes its whole way as one text.

A beat reads at most a twelfth of its streams at a time, in turns. Of 1,000 that are read at once the engine works 7.6 ms in
a row, for which a key waits; in three shares 2.5 ms, in twelve 0.6 ms, for the same CPU; in thirty 0.3 ms, for a sixth more.
"""

import asyncio
from itertools import islice
from typing import Final, NamedTuple, Protocol
from weakref import WeakKeyDictionary

WATCHED_S: Final = 1 / 30
"""Seconds between two looks at a stream that somebody watches: the screen shows no more."""
HIDDEN_S: Final = 0.1
"""The same of one that nobody watches. Of the 250 ms in which text is on the disk, the store has the rest."""
_SHARES: Final = 12
"""In so many shares, at most, a beat reads its streams."""
_LEAST_SHARE: Final = 32
"""So many streams are read together however few there are: they take less than a wake-up of their own."""


class Trickling(Protocol):
    """A stream that can be read at a beat."""

    def read_at_beat(self) -> bool:
        """Read what is there; return whether it stays on the beat."""
        ...


class ReadingBeat:
    """One beat of an event loop. Rests while nothing trickles."""

    def __init__(self, loop: asyncio.AbstractEventLoop, period_s: float) -> None:
        """Rest.

        Args:
            loop: whose streams are read.
            period_s: seconds, > 0, after which a stream is read again.
        """
        self.period_s = period_s
        self._loop = loop
        self._due: dict[Trickling, float] = {}
        """When each stream is read next, by the loop's clock; the first one first, for all wait equally long."""
        self._timer: asyncio.TimerHandle | None = None

    def add(self, stream: Trickling) -> None:
        """Read this stream a period from now or somewhat sooner, and again and again as long as it says so."""
        due = self._due[stream] = self._loop.time() + self.period_s
        if self._timer is None:
            self._timer = self._loop.call_at(due, self.strike)

    def discard(self, stream: Trickling) -> None:
        """Read this stream no more."""
        self._due.pop(stream, None)

    def strike(self) -> None:
        """Read the share that is due. One that fails is off the beat; those behind it are read at the next stroke.

        Up to half a period before it is due a stream is read along with others, so that few strokes are needed.
        """
        self._timer = None
        now = self._loop.time()
        share = max(_LEAST_SHARE, -(-len(self._due) // _SHARES))
        due = [stream for stream, when in islice(self._due.items(), share) if when <= now + self.period_s / 2]
        behind = next(islice(self._due.values(), len(due), None), now + self.period_s if due else None)
        if behind is not None:
            self._timer = self._loop.call_at(max(behind, now + self.period_s / _SHARES), self.strike)
        for stream in due:
            if self._due.pop(stream, None) is not None and stream.read_at_beat():
                self._due[stream] = now + self.period_s


class _Beats(NamedTuple):
    watched: ReadingBeat
    hidden: ReadingBeat


_beats: WeakKeyDictionary[asyncio.AbstractEventLoop, _Beats] = WeakKeyDictionary()


def beat_of(loop: asyncio.AbstractEventLoop, *, is_watched: bool) -> ReadingBeat:
    """Return a loop's beat for streams that somebody watches, or nobody."""
    beats = _beats.get(loop)
    if beats is None:
        beats = _beats[loop] = _Beats(ReadingBeat(loop, WATCHED_S), ReadingBeat(loop, HIDDEN_S))
    return beats.watched if is_watched else beats.hidden
