"""What the repair of a damaged store brought back, and where the damaged files are now."""

from pathlib import Path

from msgspec import Struct

from chatforge_tui.domain.counting import counted


class RepairReport(Struct, frozen=True, gc=False):
    """What came back, and from where."""

    moved_to: Path
    """The directory with the damaged file and its side files."""
    files: tuple[str, ...]
    """Their names in it; none where there was nothing but a backup."""
    sessions: int
    """Sessions in the store now."""
    turns: int
    """Turns in the store now."""
    sessions_from_backup: int
    """Of these, sessions that only the backup had."""
    turns_from_backup: int
    """Of these, turns that only the backup had."""
    backup: Path | None
    """The backup that was used."""

    def in_words(self) -> list[str]:
        """Return it in sentences: what is there, what came from the backup, where the file as it was is."""
        lines = [f"{sessions_and_turns(self.sessions, self.turns)} are in the store now."]
        if self.sessions_from_backup or self.turns_from_backup:
            taken = sessions_and_turns(self.sessions_from_backup, self.turns_from_backup)
            lines.append(f"Of these, {taken} came from the backup {self.backup}.")
        if self.files:
            names = ", ".join(self.files)
            lines.append(f"What was there is in {self.moved_to} ({names}). It keeps every word until you delete it.")
        return lines


def sessions_and_turns(sessions: int, turns: int) -> str:
    """Return how many of both there are: "1 session and 3 turns"."""
    return f"{counted(sessions, 'session')} and {counted(turns, 'turn')}"
