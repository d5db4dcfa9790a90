"""What becomes of a turn whose program died: pure, the same for every store."""

from msgspec.structs import replace

from chatforge_tui.domain.turn import TurnHead, TurnProblem, TurnState

_DIED = TurnProblem("died", "ChatForge ended before the answer did.", "Send the prompt again to go on.")


def interrupted(head: TurnHead, *, last_seen: float | None = None) -> TurnHead:
    """Return the head of a live turn after its program died.

    Args:
        head: as it was last stored.
        last_seen: when the last text of the turn was stored, Unix seconds; None if unknown.
    """
    return replace(
        head,
        state=TurnState.INTERRUPTED,
        problem=_DIED,
        retry_at=None,
        ended=head.ended if head.ended is not None else last_seen,
    )
