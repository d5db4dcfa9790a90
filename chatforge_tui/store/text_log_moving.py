"""Moves live text out of the log to where it stands by turn, so that the log stays short."""

import sqlite3
from itertools import groupby

from chatforge_tui.store.text_log import LIVE, TextLog
from chatforge_tui.store.text_log_reader import LiveText, TextLogReader

_Chunk = tuple[int, int, str, str]
"""Sequence of the last text in it, index of the part, which of its texts, the text."""


def move(db: sqlite3.Connection, log: TextLog) -> None:
    """Give each live turn of this program its text as rows of `chunk`, and delete the program's rows of the log.

    Inside an open transaction. Rows that are damaged stay, for they say so.
    """
    reader, instance = TextLogReader(), log.instance
    if instance is None:
        return
    found = db.execute(
        f"SELECT id, logged_from FROM turn WHERE instance = ? AND {LIVE} AND logged_from IS NOT NULL", (instance,)
    ).fetchall()
    for row in found:
        turn_id = row["id"]
        moved = dict[int, int](
            tuple(end)
            for end in db.execute("SELECT idx, max(seq) FROM chunk WHERE turn = ? GROUP BY idx", (turn_id,)).fetchall()
        )
        live = reader.read(db, turn_id, instance, row["logged_from"], moved)
        db.executemany(
            "INSERT INTO chunk (turn, seq, idx, field, text, written) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (turn, seq) DO UPDATE SET idx = excluded.idx, field = excluded.field, text = excluded.text",
            [(turn_id, *chunk, live.last_written) for chunk in _joined(live)],
        )
    log.clear(db, but=reader.damaged(instance))


def _joined(live: LiveText) -> list[_Chunk]:
    """Return texts of the same part that follow each other as one."""
    chunks: list[_Chunk] = []
    for (index, field), texts in groupby(live.texts, lambda one: (one[1].index, one[1].field)):
        together = list(texts)
        chunks.append((together[-1][0], index, field, "".join(change.text for _, change in together)))
    return chunks
