"""What this program last knew of each session, so that it writes only what it changed itself.

A session's head comes whole from the engine with every turn. Another program on the same store may have renamed the
session meanwhile; writing the whole head would undo that.
"""

from msgspec.structs import replace

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead, SessionPatch
from chatforge_tui.store import codec


class KnownHeads:
    """The heads as this program read or wrote them last."""

    def __init__(self) -> None:
        """Know nothing."""
        self._heads: dict[SessionId, SessionHead] = {}

    def read(self, head: SessionHead) -> None:
        """Take note of a head that was read. What this program already builds on stays what it compares with."""
        self._heads.setdefault(head.session_id, head)

    def written(self, head: SessionHead) -> None:
        """Take note of a head that is on the disk now."""
        self._heads[head.session_id] = head

    def patched(self, session_id: SessionId, patch: SessionPatch, updated: float) -> None:
        """Take note of a patch that is on its way to the disk."""
        if (head := self._heads.get(session_id)) is not None:
            self._heads[session_id] = replace(patch.apply_to(head), updated=updated)

    def attached(self, session_id: SessionId, attachments: tuple[Attachment, ...]) -> None:
        """Take note of the files that go along with the session's next prompt; that is on the disk now."""
        if (head := self._heads.get(session_id)) is not None:
            self._heads[session_id] = replace(head, attachments=attachments)

    def forget(self, session_id: SessionId) -> None:
        """Drop a session that is gone."""
        self._heads.pop(session_id, None)

    def changes(self, head: SessionHead) -> dict[str, codec.Value]:
        """Return the session's id and the columns in which the head differs from what was known.

        Whether a session is in the trash is never among them: that is not the engine's to say.
        """
        columns = codec.encode_session(head)
        known = self._heads.get(head.session_id)
        before = {} if known is None else codec.encode_session(known)
        missing = object()
        return {
            name: value
            for name, value in columns.items()
            if name == "id" or (name != "trashed" and before.get(name, missing) != value)
        }
