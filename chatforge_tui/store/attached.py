"""The bytes of attachments: kept once for each session, and no longer than something in it refers to them."""

import sqlite3

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.digest import digest
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import ContentLost


def put(db: sqlite3.Connection, session_id: SessionId, sha256: str, content: bytes) -> None:
    """Keep a content, inside a transaction. Over one with the same digest, too, which the disk may have damaged."""
    db.execute(
        "INSERT OR REPLACE INTO attached (session, sha256, content) VALUES (?, ?, ?)", (session_id, sha256, content)
    )


def is_here(db: sqlite3.Connection, session_id: SessionId, sha256: str) -> bool:
    """Return whether the session has a content with this digest."""
    found = db.execute("SELECT 1 FROM attached WHERE session = ? AND sha256 = ?", (session_id, sha256)).fetchone()
    return found is not None


def require(db: sqlite3.Connection, session_id: SessionId, attachments: tuple[Attachment, ...]) -> None:
    """Check that every content is here.

    Raises:
        ContentLost: one is not.
    """
    for file in attachments:
        if not is_here(db, session_id, file.sha256):
            raise ContentLost(file.name)


def load(db: sqlite3.Connection, session_id: SessionId, file: Attachment) -> list[bytes]:
    """Return the one content of an attachment, byte for byte as it was attached; [] when it is gone or damaged."""
    statement = "SELECT content FROM attached WHERE session = ? AND sha256 = ?"
    row = db.execute(statement, (session_id, file.sha256)).fetchone()
    if row is None or not isinstance(row["content"], bytes) or digest(row["content"]) != file.sha256:
        return []
    return [row["content"]]


def has_damage(db: sqlite3.Connection, session_id: SessionId) -> bool:
    """Return whether the content of an attachment of the session is not what was stored."""
    rows = db.execute("SELECT sha256, content FROM attached WHERE session = ?", (session_id,))
    return any(not isinstance(row["content"], bytes) or digest(row["content"]) != row["sha256"] for row in rows)


def forget_unused(db: sqlite3.Connection, session_id: SessionId) -> int:
    """Delete the contents that neither the session's draft nor any of its turns refers to; return how many."""
    return db.execute(
        "DELETE FROM attached WHERE session = :session "
        "AND NOT EXISTS (SELECT 1 FROM session WHERE id = :session AND instr(attachments, attached.sha256)) "
        "AND NOT EXISTS (SELECT 1 FROM turn WHERE session = :session AND instr(attachments, attached.sha256))",
        {"session": session_id},
    ).rowcount
