"""The change that says which files go along with a session's next prompt."""

from collections.abc import Mapping

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import UnknownSession
from chatforge_tui.store import attached, codec, holds, rows
from chatforge_tui.store.operations import Operation
from chatforge_tui.store.workplace import Workplace


class SetAttachments(Operation):
    """Say which files go along with a session's next prompt, with the content of those that are new."""

    session_id: SessionId
    attachments: tuple[Attachment, ...]
    contents: Mapping[str, bytes]
    """Bytes by digest."""
    removes: bool = False
    """Whether it let go of a content that nothing else refers to."""

    def apply(self, at: Workplace) -> None:
        """Keep the contents, name the files in the session's row, and delete what nothing refers to any more.

        Raises:
            UnknownSession: the session is gone, or in the trash.
            SessionBusy: another program that is alive holds the session.
            ContentLost: the content of a file is neither given nor here.
        """
        known = at.db.execute("SELECT trashed FROM session WHERE id = ?", (self.session_id,)).fetchone()
        if known is None or known["trashed"] is not None:
            message = "There is no such session."
            raise UnknownSession(message)
        holds.take(at.db, at.me, self.session_id)
        for sha256, content in self.contents.items():
            attached.put(at.db, self.session_id, sha256, content)
        attached.require(at.db, self.session_id, self.attachments)
        rows.write_session(at.db, {"id": self.session_id, "attachments": codec.encode_attachments(self.attachments)})
        self.removes = attached.forget_unused(at.db, self.session_id) > 0

    def after_commit(self, at: Workplace) -> None:
        """Wipe what was let go of out of the write-ahead log, too."""
        if self.removes:
            at.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @property
    def size(self) -> int:
        """The contents."""
        return sum(map(len, self.contents.values()))
