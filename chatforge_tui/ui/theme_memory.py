"""Which theme was chosen last: one word in a file of the state directory."""

from contextlib import suppress
from pathlib import Path


class ThemeMemory:
    """Reads and writes that word. A file that cannot be read or written is no theme chosen: nothing depends on it."""

    def __init__(self, state_dir: Path) -> None:
        """Keep the word in this directory."""
        self._file = state_dir / "theme"

    def recall(self) -> str:
        """Return the theme chosen last; "" when there is none."""
        with suppress(OSError, UnicodeDecodeError):
            return self._file.read_text("utf-8").strip()
        return ""

    def keep(self, theme: str) -> None:
        """Remember a theme."""
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.write_text(theme, "utf-8")
