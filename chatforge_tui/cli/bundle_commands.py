"""Carrying all sessions to another machine: `export --all` writes them into one file, `import` takes such a file in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from chatforge_tui.cli import exit_codes, json_shapes
from chatforge_tui.cli.atomic_file import private_file
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.output import Output, standard_output, tell
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.errors import ChatForgeError, StoreTooNew
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.store import bundle
from chatforge_tui.store.bundle import BundleLineError
from chatforge_tui.store.merging import Merged
from chatforge_tui.store.sqlite_store import SqliteStore

_AT_ONCE = 200
"""Sessions and turns that one transaction takes in, at most."""
_AT_ONCE_BYTES = 4 * 2**20
"""Bytes of their lines, beyond which they are not collected further."""
_MOST_TOLD = 20
"""Lines told to people one by one; JSON has all."""


@dataclass
class ImportReport:
    """What became of a bundle."""

    counts: dict[str, int] = field(default_factory=dict[str, int])
    """"added_sessions", "added_turns", "same_sessions", "same_turns" -> how many."""
    kept: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Line and id of turns that are here with other content; they stay as they are here."""
    skipped: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Line and reason of what was not taken."""

    def note(self, line: int, item: SessionHead | Turn, merged: Merged) -> None:
        """Take note of what became of one line."""
        match merged:
            case Merged.KEPT if isinstance(item, Turn):
                self.kept.append((line, item.head.turn_id))
            case Merged.HOMELESS:
                self.skipped.append((line, "its session is not here"))
            case Merged.REFUSED:
                self.skipped.append((line, "it holds a value that cannot be stored"))
            case _:
                name = f"{merged.value}_{'sessions' if isinstance(item, SessionHead) else 'turns'}"
                self.counts[name] = self.counts.get(name, 0) + 1


def export_all(launch: Launch, *, target: Path | None, force: bool) -> int:
    """Write all sessions but the trash's into one file, or to stdout when the file is `-`; return the exit code.

    Args:
        launch: where the store is.
        target: the file; None = named after the day, in the current directory.
        force: whether a file that is there is replaced.
    """
    path = target or Path(f"chatforge-{datetime.now(UTC):%Y-%m-%d}.jsonl")
    to_stdout = path == Path("-")
    with ExitStack() as stack:
        sink = standard_output() if to_stdout else stack.enter_context(private_file(path, replace=force))
        sessions, turns, is_newer = asyncio.run(_write_all(launch, sink))
    if not to_stdout:
        standard_output().line(f"{sessions} sessions with {turns} turns written to {clean_name(str(path))}.")
    if is_newer:
        tell("A newer ChatForge wrote this store: what this version does not know is left out.")
        return StoreTooNew.exit_code
    return exit_codes.DONE


def import_bundle(launch: Launch, source: BinaryIO, *, as_json: bool) -> int:
    """Take in what `export --all` wrote; return the exit code: not 0 when lines were skipped.

    Raises:
        ChatForgeError: it is no bundle.
        StoreTooNew: a newer ChatForge wrote it.
    """
    lines = _lines(source)
    _check_header(next(lines, (1, b"")))
    report = ImportReport()
    asyncio.run(_take_in(launch, lines, report))
    report.skipped.sort()
    if as_json:
        standard_output().raw_line(json_shapes.dumps(_shape(report), indent=2))
    else:
        _tell(report)
    return exit_codes.FAULT if report.skipped else exit_codes.DONE


async def _write_all(launch: Launch, sink: Output | BinaryIO) -> tuple[int, int, bool]:
    """Write the bundle; return how many sessions and turns it has, and whether a newer program wrote the store."""
    store = SqliteStore(launch.store_file, read_only=True)
    await store.open()
    turns = 0
    try:
        heads = await store.load_sessions()
        _put(sink, bundle.header_line(len(heads)))
        for head in heads:
            _put(sink, bundle.session_line(head))
            for turn in await store.load_turns(head.session_id):
                _put(sink, bundle.turn_line(turn))
                turns += 1
    finally:
        await store.close()
    return len(heads), turns, store.is_newer


def _put(sink: Output | BinaryIO, line: str) -> None:
    if isinstance(sink, Output):
        sink.raw_line(line)
    else:
        sink.write(line.encode("ascii") + b"\n")


async def _take_in(launch: Launch, lines: Iterator[tuple[int, bytes | None]], report: ImportReport) -> None:
    store = SqliteStore(launch.store_file)
    await store.open()
    try:
        async for batch in _batches(lines, report):
            outcomes = await store.merge(tuple(item for _, item in batch))
            for (line, item), merged in zip(batch, outcomes, strict=True):
                report.note(line, item, merged)
    finally:
        await store.close()


async def _batches(
    lines: Iterator[tuple[int, bytes | None]], report: ImportReport
) -> AsyncIterator[list[tuple[int, SessionHead | Turn]]]:
    """Yield what the lines hold, a transaction's worth at a time; what cannot be read goes into the report."""
    batch: list[tuple[int, SessionHead | Turn]] = []
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
        if len(line) <= bundle.LONGEST_LINE or line.endswith(b"\n"):
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
        raise ChatForgeError(f"This is no bundle: {error}.", hint="`chatforge export --all` writes one.") from error
    if header.version > bundle.VERSION:
        raise StoreTooNew(f"A newer ChatForge wrote this bundle (version {header.version}).", hint="Update ChatForge.")


def _shape(report: ImportReport) -> dict[str, object]:
    names = ("added_sessions", "added_turns", "same_sessions", "same_turns")
    return {
        **{name: report.counts.get(name, 0) for name in names},
        "kept": [{"line": line, "turn_id": turn_id} for line, turn_id in report.kept],
        "skipped": [{"line": line, "reason": reason} for line, reason in report.skipped],
    }


def _tell(report: ImportReport) -> None:
    counts = report.counts
    added = f"{counts.get('added_sessions', 0)} sessions and {counts.get('added_turns', 0)} turns were added"
    same = f"{counts.get('same_sessions', 0)} sessions and {counts.get('same_turns', 0)} turns were here already"
    standard_output().line(f"{added}; {same}.")
    kept = [f"line {line}: turn {turn_id} is here with other content, which stays." for line, turn_id in report.kept]
    skipped = [f"line {line} was skipped: {reason}." for line, reason in report.skipped]
    for told in (kept, skipped):
        for sentence in told[:_MOST_TOLD]:
            tell(sentence)
        if len(told) > _MOST_TOLD:
            tell(f"... and {len(told) - _MOST_TOLD} more; --json lists all.")
