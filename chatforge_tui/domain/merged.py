"""What became of a session or a turn that came from elsewhere."""

from enum import StrEnum


class Merged(StrEnum):
    """What became of one session or turn."""

    ADDED = "added"
    SAME = "same"
    """It is here already."""
    KEPT = "kept"
    """The turn is here with other content, which stays."""
    HOMELESS = "homeless"
    """The turn's session is not here."""
    REFUSED = "refused"
    """It holds a value that cannot be stored."""
