"""When a request is tried again, and after which pause. Pure but for the dice."""

import random

from chatforge_tui.errors import EndpointError
from chatforge_tui.sessions.settings import EngineSettings


def pause_before_retry(error: EndpointError, tries: int, settings: EngineSettings) -> float | None:
    """Return the seconds to wait before the next try; None when there is to be none.

    Only for a request of which nothing was received: the caller knows.

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
