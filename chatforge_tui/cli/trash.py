"""Emptying the trash: what was deleted long enough ago is deleted for good."""

import asyncio
import logging
import time
from pathlib import Path

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import SessionBusy, StoreError
from chatforge_tui.store.sqlite_store import SqliteStore

_log = logging.getLogger("chatforge.cli")
_DAY_S = 86_400


def empty_trash(store_file: Path, days: int) -> int:
    """Purge the sessions that have been in the trash for more than `days` days; return how many.

    Args:
        store_file: the store.
        days: 0 = nothing is ever purged.

    A store that cannot do it keeps them: the next time will do.
    """
    if days == 0 or not store_file.exists():
        return 0
    try:
        return asyncio.run(_purge(store_file, time.time() - days * _DAY_S))
    except StoreError as error:
        _log.warning("the trash was not emptied: %s", error)
        return 0


async def _purge(store_file: Path, before: float) -> int:
    store = SqliteStore(store_file)
    await store.open()
    try:
        old = [head for head in await store.load_sessions(trashed=True) if (head.trashed or before) < before]
        return sum([await _purge_one(store, head.session_id) for head in old])
    finally:
        await store.close()


async def _purge_one(store: SqliteStore, session_id: SessionId) -> bool:
    """Delete one session for good, unless another program is still answering in it; return whether it is gone."""
    try:
        await store.purge_session(session_id)
    except SessionBusy as error:
        _log.warning("session=%s stays in the trash: %s", session_id, error)
        return False
    _log.info("purged session=%s from the trash", session_id)
    return True
