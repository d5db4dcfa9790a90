"""What failed transactions left: kept as long as writing fails, and tried again before anything newer. Pure: no clock."""

from chatforge_tui.store.operations import Probe
from chatforge_tui.store.pending import Entry, condensed


class FailedWork:
    """The work, and what is wrong. Whoever has it guards it where threads meet."""

    def __init__(self) -> None:
        """Start with nothing failed."""
        self._entries: list[Entry] = []
        self.size = 0
        """About how many bytes are kept."""
        self.due = 0.0
        """When it is tried again, by the clock of its owner."""
        self.trouble = ""
        """Why writing fails, in a sentence; "" while it does not."""

    def __bool__(self) -> bool:
        """Whether something is to be tried again."""
        return bool(self._entries)

    @property
    def has_content(self) -> bool:
        """Whether something would be lost with this program."""
        return any(not isinstance(entry.work, Probe) for entry in self._entries)

    def keep(self, batch: list[Entry], due: float) -> None:
        """Keep what must not be lost of a batch that failed; without any, what finds out whether writing works again."""
        kept = condensed([Entry(entry.work) for entry in batch if entry.outlives_failure])
        self._entries = kept or [Entry(Probe())]
        self.size = sum(entry.size for entry in kept)
        self.due = due

    def take(self) -> list[Entry]:
        """Return what was kept, and keep it no longer."""
        entries, self._entries, self.size = self._entries, [], 0
        return entries

    def note(self, trouble: str) -> bool:
        """Note why writing fails; "" when it works. Returns whether that is news."""
        is_news, self.trouble = trouble != self.trouble, trouble
        return is_news
