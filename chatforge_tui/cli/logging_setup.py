"""The log file: private, rotating, without credentials and without anything that could steer a terminal.

Owns where log records go. The engine logs by the standard library and knows nothing of this.
"""

import logging
import os
import time
from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from chatforge_tui.safety.clean import clean_line
from chatforge_tui.safety.redact import redact

_LARGEST = 2**20
"""Bytes of one log file."""
_OLDER = 3
"""Log files kept beside the current one."""
_IDS = ("session_id", "turn_id", "request_id")
_LOUD = ("httpx", "httpcore", "asyncio", "markdown_it")
"""Loggers whose INFO and DEBUG hold URLs with their queries, or nothing of use."""


class SafeFormatter(logging.Formatter):
    """One record a line, tracebacks included: ids as `name=value`, credentials masked, control characters shown."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Return the whole line."""
        text = super().format(record)
        ids = [f"{name}={value}" for name in _IDS if (value := getattr(record, name, None)) and str(value) not in text]
        return clean_line(redact(" ".join([text, *ids])))


class PrivateFileHandler(RotatingFileHandler):
    """A rotating file that only its owner can read (0600)."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_LARGEST, backupCount=_OLDER, encoding="utf-8", errors="replace", delay=True)
        self.setFormatter(SafeFormatter())

    def _open(self) -> TextIOWrapper:
        raw = BufferedWriter(FileIO(self.baseFilename, "ab", opener=_private))
        return TextIOWrapper(raw, encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Lose the record: a full disk under the log must not write over the screen."""


def start_logging(path: Path) -> Path:
    """Send the program's log to `path`, and return it. When it cannot be written, records are lost, not the program."""
    root = logging.getLogger()
    for handler in _file_handlers():
        root.removeHandler(handler)
        handler.close()
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    root.addHandler(PrivateFileHandler(path))
    root.setLevel(logging.WARNING)
    logging.getLogger("chatforge").setLevel(logging.INFO)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    return path


def current_log() -> Path | None:
    """Return the file that the log goes to, None before `start_logging`."""
    return next((Path(handler.baseFilename) for handler in _file_handlers()), None)


def _file_handlers() -> list[PrivateFileHandler]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, PrivateFileHandler)]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
