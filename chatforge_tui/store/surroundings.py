"""Sees what other programs do on the same store, at next to no cost while they do nothing. Lives in the store's thread.

A look is a list of the lock files, a probe of each that is another program's, for a killed one leaves no other trace, and
one pragma, which says whether another connection has committed. The list is made anew every time: a program takes its
lock long before it can be read of in the store, and two that come at once may leave the directory with one time.
"""

from msgspec.structs import replace

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.sighting import Sighting
from chatforge_tui.store import holds, queries
from chatforge_tui.store.instances import InstanceId
from chatforge_tui.store.workplace import Workplace


class Surroundings:
    """What was seen last."""

    def __init__(self) -> None:
        """Have seen nothing: the first look beside another program tells of every session."""
        self._others: frozenset[InstanceId] = frozenset()
        self._version: int | None = None
        """What stood for the last commit of another connection."""
        self._seen: dict[SessionId, tuple[object, ...]] = {}
        """Each session's row, its holder, and whether who answers in it lives."""
        self._is_settled = True
        """Whether the last full look found nothing new, and nobody who still waits for a session: then nothing is missing
        that was on its way at the time."""

    def look(self, at: Workplace) -> Sighting | None:
        """Return what may be different since the last look; None when nothing is."""
        if not self._may_differ(at):
            return None
        held, seen = holds.holders(at.db, at.me), dict[SessionId, tuple[object, ...]]()
        changed: list[SessionHead] = []
        for row in queries.session_rows(at.db):
            session_id = SessionId(row["id"])
            answers = row["last_instance"] is not None and at.me.is_alive(row["last_instance"])
            seen[session_id] = (*row, answers, held.get(session_id))
            if self._seen.get(session_id) != seen[session_id]:
                head = queries.heads_of([row], at.me.is_alive)[0]
                changed.append(replace(head, held_by=held.get(session_id, "")))
        removed = frozenset(self._seen) - frozenset(seen)
        self._seen = seen
        asked = holds.asked_for(at.db, at.me)
        self._is_settled = not changed and not removed and not asked
        return Sighting(tuple(changed), removed, asked)

    def expect_news(self) -> None:
        """Let the next look be a full one: this program did what only a full look shows. For any thread."""
        self._is_settled = False

    def _may_differ(self, at: Workplace) -> bool:
        """Return whether a full look is worth its while. The first one of a program that is alone is not."""
        others, version = at.me.others(), int(at.db.execute("PRAGMA data_version").fetchone()[0])
        is_first_alone = self._version is None and not others
        is_news = (others, version) != (self._others, self._version) and not is_first_alone
        self._others, self._version = others, version
        return is_news or not self._is_settled
