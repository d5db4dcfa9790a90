"""What other programs on the same store have done: what a store tells that is asked to look around."""

from msgspec import Struct

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead


class Sighting(Struct, frozen=True, gc=False):
    """What is different since the last look. Something is: a look that finds nothing new gives none."""

    changed: tuple[SessionHead, ...] = ()
    """Sessions outside the trash whose rows are new or different, whoever wrote them, as they are on the disk."""
    removed: frozenset[SessionId] = frozenset()
    """Sessions that were there and are in the trash now, or gone."""
    asked: frozenset[SessionId] = frozenset()
    """Sessions held by this program that another one asks for."""
