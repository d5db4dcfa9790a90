"""What a change of the store is: a value that waits in the queue and is a part of a transaction.

Each can be applied a second time with the same result: when a commit reports an error although it reached the disk,
the same operations are tried again and double nothing. None makes a session or a turn that is gone.
"""

from msgspec import Struct

from chatforge_tui.domain.ids import TurnId
from chatforge_tui.store.workplace import Workplace


class Operation(Struct):
    """One change. Only AppendText changes while it waits."""

    def apply(self, at: Workplace) -> object:
        """Make the change inside the open transaction, and return what its caller waits for.

        Raises:
            ChatForgeError: it cannot be done now; nothing of it is.
            sqlite3.Error: as SQLite says.
        """
        raise NotImplementedError

    def after_commit(self, at: Workplace) -> None:
        """Do what must follow the commit before its caller is told, outside any transaction.

        Raises:
            sqlite3.Error: as SQLite says; the change itself is durable.
        """

    @property
    def size(self) -> int:
        """About how many bytes it holds, where that matters."""
        return 0

    @property
    def outlives_failure(self) -> bool:
        """Whether it is kept and tried again when writing fails, for its content exists nowhere else on disk."""
        return False


class TurnOperation(Operation):
    """A change of a live turn, superseded by the turn's end."""

    turn_id: TurnId

    @property
    def outlives_failure(self) -> bool:
        """What streamed in waits for the disk."""
        return True


class Barrier(Operation):
    """Changes nothing: its acknowledgement says that everything before it is durable."""

    def apply(self, at: Workplace) -> None:
        """Do nothing."""


class Probe(Operation):
    """Writes something that changes nothing: whether it can be committed says whether writing works again."""

    def apply(self, at: Workplace) -> None:
        """Write this program's row once more."""
        at.db.execute("UPDATE instance SET started = started WHERE id = ?", (at.me.instance_id,))
