"""What comes from elsewhere, and what became of it."""

from enum import StrEnum

from chatforge_tui.domain.attachment import AttachedContent
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn

Mergeable = SessionHead | Turn | AttachedContent
"""What a store takes in, each session before what belongs to it."""


class Merged(StrEnum):
    """What became of one of them."""

    ADDED = "added"
    SAME = "same"
    """It is here already."""
    KEPT = "kept"
    """The turn is here with other content, which stays."""
    HOMELESS = "homeless"
    """The session that it belongs to is not here."""
    REFUSED = "refused"
    """It holds a value that cannot be stored."""
