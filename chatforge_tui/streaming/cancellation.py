"""What stops exactly one request, and remembers why. Knows no task: who runs the request looks at its token."""

from enum import StrEnum

from msgspec import Struct


class CancelReason(StrEnum):
    """Why a request was stopped."""

    SUPERSEDED = "superseded"
    """A newer prompt of the same session took its place."""
    USER = "user"
    DELETED = "deleted"
    """The session went to the trash."""
    SHUTDOWN = "shutdown"
    """The program ends. The agent is not told: its task can be taken up again."""
    HANDED_OVER = "handed over"
    """Another program on the same store took the session over. The agent is not told: its task can be taken up there."""
    TIMEOUT = "timeout"
    """The turn took longer than the settings allow."""


class CancellationToken(Struct, gc=False, eq=False):
    """Belongs to one request and to no other. Once cancelled it stays cancelled, and the first reason wins."""

    reason: CancelReason | None = None
    """Why the request was stopped; None while it was not. Set by `cancel`."""

    def cancel(self, reason: CancelReason) -> bool:
        """Record the reason.

        Returns:
            Whether this call was the first.
        """
        if self.reason is not None:
            return False
        self.reason = reason
        return True
