"""Into which folder a file was saved last: one line in a file of the state directory."""

from contextlib import suppress
from pathlib import Path


class FolderMemory:
    """Reads and writes that line. Without one, or when it cannot be read, it is the user's folder for downloads."""

    def __init__(self, state_dir: Path) -> None:
        """Keep the line in this directory."""
        self._file = state_dir / "save-folder"

    def recall(self) -> Path:
        """Return the folder chosen last; it may be gone."""
        with suppress(OSError, UnicodeDecodeError):
            if folder := self._file.read_text("utf-8").strip():
                return Path(folder)
        import platformdirs  # noqa: PLC0415 - 12 ms, when a file is saved

        return platformdirs.user_downloads_path()

    def keep(self, folder: Path) -> None:
        """Remember a folder."""
        with suppress(OSError, UnicodeEncodeError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.write_text(str(folder), "utf-8")
