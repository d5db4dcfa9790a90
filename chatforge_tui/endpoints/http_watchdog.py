"""Notices a server that says nothing, or nothing but keepalives. One timer per stream, two assignments per read.

Owns the clocks of one exchange. Closes nothing itself: it tells its owner.

Only time spent waiting for the server counts: while the reader is busy elsewhere no limit runs, nor while this process stands
still (Ctrl+Z, a machine that swaps), for what the server said meanwhile waits in the socket. The event loop's clock
stands still while a computer sleeps; after a wake the connection may be dead, so it gets a short while to show a byte
instead of the whole limit.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from chatforge_tui.endpoints.http_settings import HttpSettings
from chatforge_tui.errors import EndpointError, StreamStalled

_TICK_S: Final = 15.0
"""How often a running stream is looked at, at least: a sleep of the computer is noticed that fast after the wake."""
_SLEPT_S: Final = 30.0
"""A pause of the monotonic clock longer than this was sleep."""
_STOOD_STILL_S: Final = 1.0
"""A look that comes later than this was kept from it by more than other work."""
_AFTER_WAKE_S: Final = 15.0
"""How long a connection may stay silent after a wake."""


class Watchdog:
    """The clocks of one exchange."""

    def __init__(self, settings: HttpSettings, peer: str, on_stall: Callable[[], None]) -> None:
        """Start nothing yet.

        Args:
            settings: the limits.
            peer: "host:port", for the message.
            on_stall: called once, on the event loop, when a limit has passed; `stalled` is set before.
        """
        self.stalled: EndpointError | None = None
        """What to raise, once a limit has passed."""
        self._settings = settings
        self._peer = peer
        self._on_stall = on_stall
        self._loop = asyncio.get_running_loop()
        self._has_head = False
        self._quiet_since = self._content_at = self._loop.time()
        self._left_at: float | None = None
        self._slept = _sleep_offset()
        self._timer = self._loop.call_later(min(settings.first_byte_s, _TICK_S), self._look)

    def head_arrived(self) -> None:
        """The answer has begun: from now on its bytes are awaited."""
        self._has_head = True
        self._quiet_since = self._content_at = self._left_at = self._loop.time()
        self._arm()

    def content_arrived(self) -> None:
        """Something other than a keepalive came."""
        self._content_at = self._loop.time()

    def wait_begins(self) -> None:
        """The reader asks for more."""
        now = self._loop.time()
        if self._left_at is not None:
            self._content_at += now - self._left_at
            self._left_at = None
        self._quiet_since = now

    def wait_ends(self) -> None:
        """The reader got something and is busy with it."""
        self._left_at = self._loop.time()

    def stop(self) -> None:
        """End every clock."""
        self._timer.cancel()

    def _look(self) -> None:
        """Compare the clocks with the limits."""
        self._look_for_sleep()
        now = self._loop.time()
        self._look_for_standstill(now - self._timer.when())
        if self._left_at is None and now >= self._deadline():
            self.stalled = self._stalled(now)
            self._on_stall()
        else:
            self._arm()

    def _arm(self) -> None:
        """Set the timer for the next look."""
        now = self._loop.time()
        limit = min(self._settings.idle_s, self._settings.progress_s)
        due = self._deadline() if self._left_at is None else now + limit
        self._timer.cancel()
        self._timer = self._loop.call_at(min(max(due, now), now + _TICK_S), self._look)

    def _deadline(self) -> float:
        """When the first limit passes."""
        if not self._has_head:
            return self._quiet_since + self._settings.first_byte_s
        return min(self._quiet_since + self._settings.idle_s, self._content_at + self._settings.progress_s)

    def _stalled(self, now: float) -> EndpointError:
        """Say which limit passed."""
        settings = self._settings
        if not self._has_head:
            return StreamStalled(
                f"{self._peer} did not begin to answer within {settings.first_byte_s:g} s.",
                hint=f"Try again, or raise {settings.setting('first_byte_s')} if the agent needs longer.",
            )
        if now >= self._quiet_since + settings.idle_s:
            return StreamStalled(
                f"{self._peer} sent nothing for {settings.idle_s:g} s.",
                hint=f"Try again, or raise {settings.setting('idle_s')} if the agent needs longer.",
            )
        return StreamStalled(
            f"{self._peer} sent only signs of life, and nothing of an answer, for {settings.progress_s:g} s.",
            hint=f"Try again, or raise {settings.setting('progress_s')} if the agent needs longer.",
        )

    def _look_for_standstill(self, late_s: float) -> None:
        """Do not count the time for which the process stood still. Its sockets are read only after this look."""
        if late_s > _STOOD_STILL_S and self._left_at is None:
            self._quiet_since += late_s
            self._content_at += late_s

    def _look_for_sleep(self) -> None:
        """After a wake, leave the connection a short while instead of the rest of its limit."""
        slept = _sleep_offset()
        if slept - self._slept > _SLEPT_S and self._settings.idle_s > _AFTER_WAKE_S:
            self._quiet_since = self._loop.time() - self._settings.idle_s + _AFTER_WAKE_S
        self._slept = slept


def _sleep_offset() -> float:
    """Return the seconds this computer has slept since it started; 0 where the system does not tell."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return 0.0 if boottime is None else time.clock_gettime(boottime) - time.monotonic()
