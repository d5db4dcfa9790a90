"""When a request is tried again, when a lost task is asked for, and after which pause. Pure but for the dice."""

import random

from chatforge_tui.errors import EndpointError, StreamLost, StreamStalled, TaskForgotten, Unreachable
from chatforge_tui.sessions.settings import EngineSettings


class Attempts:
    """What one turn has tried so far."""

    __slots__ = ("_most", "_rejoins", "_settings", "_stalls", "_tries", "has_left")

    def __init__(self, settings: EngineSettings, *, once: bool = False) -> None:
        """Start with nothing tried.

        Args:
            settings: the limits.
            once: the request is sent but once.
        """
        self._settings = settings
        self._most = 0 if once else settings.max_retries
        self._tries = 0
        self._rejoins = 0
        self._stalls = 0
        self.has_left = False
        """Something of the request may have left: the server may have seen it."""

    def begin_anew(self) -> None:
        """Forget what failed: something of an answer came."""
        self._rejoins = self._stalls = 0

    def pause_to_send(self, error: EndpointError) -> float | None:
        """Return the seconds to wait before the request is sent again; None when it is not to be.

        Only for a request of which nothing was received: the caller knows.
        """
        self._tries += 1
        self.has_left = self.has_left or not isinstance(error, Unreachable)
        return pause_before_retry(error, self._tries, self._settings) if self._tries <= self._most else None

    def pause_to_rejoin(self, error: EndpointError) -> float | None:
        """Return the seconds to wait before the agent is asked for the task again; None when there is no hope."""
        if not _may_pass(error) or self._rejoins >= len(self._settings.rejoin_pauses_s):
            return None
        self._stalls += isinstance(error, StreamStalled)
        if self._stalls > self._settings.rejoin_stalled:
            return None
        pause = self._settings.rejoin_pauses_s[self._rejoins]
        self._rejoins += 1
        asked = error.retry_after or 0.0
        return max(pause, asked) if asked <= self._settings.retry_after_most_s else None


def pause_before_retry(error: EndpointError, tries: int, settings: EngineSettings) -> float | None:
    """Return the seconds to wait before the next try; None when there is to be none.

    Args:
        error: why the last try failed.
        tries: how many there were, >= 1.
        settings: the limits.
    """
    if not error.retryable or tries > settings.max_retries:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= settings.retry_after_most_s else None
    pause = min(settings.backoff_most_s, settings.backoff_first_s * 2.0 ** (tries - 1))
    return pause * random.uniform(0.75, 1.0)  # noqa: S311 - spreads tries in time, hides nothing


def _may_pass(error: EndpointError) -> bool:
    """Whether what cut a task's stream may be over the next time."""
    if isinstance(error, TaskForgotten):
        return False
    return error.retryable or isinstance(error, StreamLost | StreamStalled)
