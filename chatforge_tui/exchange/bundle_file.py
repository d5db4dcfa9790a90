"""All sessions as one file: the lines that an export writes, and a file of them read back, a transaction's worth at a time.

Pure but for reading the source it is given. What one line means is store.bundle's.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

from msgspec import Struct, field

from chatforge_tui.domain.attachment import AttachedContent, Attachment
from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.merged import Mergeable, Merged
from chatforge_tui.domain.repair import sessions_and_turns
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.errors import ChatForgeError, StoreTooNew
from chatforge_tui.store import bundle
from chatforge_tui.store.bundle import BundleLineError

_AT_ONCE = 200
"""Sessions and turns that one transaction takes in, at most."""
_AT_ONCE_BYTES = 4 * 2**20
"""Bytes of their lines, beyond which they are not collected further."""

Batch = list[tuple[int, Mergeable]]
"""Items with the numbers of their lines."""


_NAMES: dict[type[Mergeable], str] = {SessionHead: "sessions", Turn: "turns", AttachedContent: "files"}


class ImportReport(Struct):
    """What became of a bundle."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    """"added_sessions", "added_turns", "added_files", "same_sessions", "same_turns", "same_files" -> how many."""
    kept: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Line and id of turns that are here with other content; they stay as they are here."""
    skipped: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Line and reason of what was not taken."""

    def note(self, batch: Batch, outcomes: Sequence[Merged]) -> None:
        """Take note of what became of a batch."""
        for (line, item), merged in zip(batch, outcomes, strict=True):
            self._note(line, item, merged)

    def sentence(self) -> str:
        """Return what was added, and what was here already."""
        counts = self.counts
        files = f" with {counted(counts['added_files'], 'attached file')}" if "added_files" in counts else ""
        added = sessions_and_turns(counts.get("added_sessions", 0), counts.get("added_turns", 0))
        same = sessions_and_turns(counts.get("same_sessions", 0), counts.get("same_turns", 0))
        return f"{added}{files} were added; {same} were here already."

    def _note(self, line: int, item: Mergeable, merged: Merged) -> None:
        match merged:
            case Merged.KEPT if isinstance(item, Turn):
                self.kept.append((line, item.head.turn_id))
            case Merged.HOMELESS:
                self.skipped.append((line, "its session is not here"))
            case Merged.REFUSED:
                self.skipped.append((line, "it holds a value that cannot be stored"))
            case _:
                name = f"{merged.value}_{_NAMES[type(item)]}"
                self.counts[name] = self.counts.get(name, 0) + 1


def file_name() -> str:
    """Return what the file is called when nobody says otherwise: after the day."""
    return f"chatforge-{datetime.now(UTC):%Y-%m-%d}.jsonl"


def header_line(sessions: int) -> bytes:
    """Return the first line of a bundle with so many sessions."""
    return _encoded(bundle.header_line(sessions))


def session_lines(head: SessionHead, turns: Sequence[Turn], too_long: list[Turn]) -> Iterator[bytes]:
    """Yield the lines of a session and its turns, but for those that no reader takes: they go into `too_long`."""
    yield _encoded(bundle.session_line(head))
    for turn in turns:
        line = _encoded(bundle.turn_line(turn))
        if len(line) <= bundle.LONGEST_LINE:
            yield line
        else:
            too_long.append(turn)


def attachments(head: SessionHead, turns: Sequence[Turn]) -> tuple[Attachment, ...]:
    """Return every file of a session, those of its draft included; each content once."""
    sent = (file for turn in turns for file in turn.head.prompt.attachments)
    return tuple({file.sha256: file for file in (*sent, *head.attachments)}.values())


def content_line(head: SessionHead, file: Attachment, data: bytes) -> bytes | None:
    """Return the line of an attachment's content, which stands after the session's other lines; None when no reader takes it."""
    line = _encoded(bundle.content_line(AttachedContent(head.session_id, file.sha256, data)))
    return line if len(line) <= bundle.LONGEST_LINE else None


def read_batches(source: BinaryIO, report: ImportReport) -> Iterator[Batch]:
    """Yield what a bundle holds, a transaction's worth at a time; what cannot be read goes into the report.

    Raises:
        ChatForgeError: it is no bundle. Nothing was yielded then.
        StoreTooNew: a newer ChatForge wrote it.
    """
    lines = _lines(source)
    _check_header(next(lines, (1, b"")))
    return _batches(lines, report)


def _batches(lines: Iterator[tuple[int, bytes | None]], report: ImportReport) -> Iterator[Batch]:
    batch: Batch = []
    size = 0
    for number, line in lines:
        if line is None:
            report.skipped.append((number, f"it is longer than {bundle.LONGEST_LINE >> 20} MiB"))
            continue
        try:
            batch.append((number, bundle.read_line(line)))
            size += len(line)
        except BundleLineError as error:
            report.skipped.append((number, str(error)))
        if len(batch) >= _AT_ONCE or size >= _AT_ONCE_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield number and content of each line that is not blank; None for one that is too long, which is read past."""
    number = 0
    while line := source.readline(bundle.LONGEST_LINE + 1):
        number += 1
        if len(line) <= bundle.LONGEST_LINE:
            if line.strip():
                yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = source.readline(2**20)
        yield number, None


def _check_header(first: tuple[int, bytes | None]) -> None:
    try:
        header = bundle.read_header(first[1] or b"")
    except BundleLineError as error:
        raise ChatForgeError(
            f"This is no bundle: {error}.", hint="`chatforge export --all`, or `/export all`, writes one."
        ) from error
    if header.version > bundle.VERSION:
        raise StoreTooNew(f"A newer ChatForge wrote this bundle (version {header.version}).", hint="Update ChatForge.")


def _encoded(line: str) -> bytes:
    return line.encode("ascii") + b"\n"
