"""Sees what other programs do on the same store, at next to no cost while they do nothing. Lives in the store's thread.

Alone, a look is one `stat` of the directory with the lock files. Beside others it is one pragma, which says whether
another connection has committed, and a probe of their locks: a killed program leaves no other trace.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.sighting import Sighting
from chatforge_tui.store import holds, queries
from chatforge_tui.store.instances import InstanceId, lock_directory
from chatforge_tui.store.workplace import Workplace


class Surroundings:
    """What was seen last."""

    def __init__(self) -> None:
        """Have seen nothing: the first look beside another program tells of every session."""
        self._others: frozenset[InstanceId] = frozenset()
        self._changed_at: int | None = None
        """When a lock file was last made or removed, by the directory's clock, ns."""
        self._version: int | None = None
        self._seen: dict[SessionId, tuple[object, ...]] = {}
        """Each session's row, its holder, and whether who answers in it lives."""
        self._is_settled = True
        """Whether the last full look found nothing new: then nothing that was on its way at the time is missing."""

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
        self._is_settled = not changed and not removed
        return Sighting(tuple(changed), removed, holds.asked_for(at.db, at.me))

    def expect_news(self) -> None:
        """Let the next look be a full one: this program did what only a full look shows. For any thread."""
        self._is_settled = False

    def _may_differ(self, at: Workplace) -> bool:
        """Return whether a full look is worth its while."""
        changed_at = lock_directory(at.path).stat().st_mtime_ns
        if changed_at == self._changed_at:
            others = frozenset(filter(at.me.is_alive, self._others))
        else:
            others = frozenset(_others(at))
        if not others and not self._others and self._is_settled:
            self._changed_at = changed_at
            return False
        version = int(at.db.execute("PRAGMA data_version").fetchone()[0])
        is_news = (others, changed_at, version) != (self._others, self._changed_at, self._version)
        self._others, self._changed_at, self._version = others, changed_at, version
        return is_news or not self._is_settled


def _others(at: Workplace) -> Iterator[InstanceId]:
    """Yield the other programs that live."""
    for row in at.db.execute("SELECT id FROM instance WHERE id IS NOT ?", (at.me.instance_id,)).fetchall():
        if at.me.is_alive(InstanceId(row["id"])):
            yield InstanceId(row["id"])
