"""Carrying all sessions to another machine: `export --all` writes them into one file, `import` takes such a file in."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct, field

from chatforge_tui.cli import exit_codes
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.output import Output, standard_output, tell
from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.errors import ContentLost, StoreError, StoreTooNew
from chatforge_tui.exchange import bundle_file, json_shapes
from chatforge_tui.exchange.bundle_file import ImportReport
from chatforge_tui.exchange.private_file import private_file
from chatforge_tui.safety.clean import clean_line, clean_name
from chatforge_tui.store import bundle
from chatforge_tui.store.sqlite_store import SqliteStore

_MOST_TOLD = 20
"""Lines told to people one by one; JSON has all."""


def export_all(launch: Launch, *, target: Path | None, force: bool) -> int:
    """Write all sessions but the trash's into one file, or to stdout when the file is `-`; return the exit code.

    A session that cannot be read is left out, and told: it costs no other its place in the file.

    Args:
        launch: where the store is.
        target: the file; None = named after the day, in the current directory.
        force: whether a file that is there is replaced.
    """
    path = target or Path(bundle_file.file_name())
    to_stdout = path == Path("-")
    with ExitStack() as stack:
        sink = standard_output() if to_stdout else stack.enter_context(private_file(path, replace=force))
        written = asyncio.run(_write_all(launch, sink))
    if not to_stdout:
        file = clean_name(str(path))
        standard_output().line(
            f"{counted(written.sessions, 'session')} with {counted(written.turns, 'turn')} written to {file}."
        )
    for title, reason in written.left_out:
        tell(f"“{clean_name(title)}” could not be read and is not in it: {clean_line(reason)}")
    for title, name in written.lost_files:
        tell(f"The content of “{clean_name(name)}”, attached in “{clean_name(title)}”, is lost and not in it.")
    for title in written.too_long:
        most = f"{bundle.LONGEST_LINE >> 20} MiB"
        tell(f"A turn or file of “{clean_name(title)}” needs more than {most}, which no import takes: it is not in it.")
    if written.left_out:
        tell("`chatforge store repair` brings back what can be read.")
        return exit_codes.FAULT
    if written.lost_files or written.too_long:
        return exit_codes.FAULT
    if written.is_newer:
        tell("A newer ChatForge wrote this store: what this version does not know is left out.")
        return StoreTooNew.exit_code
    return exit_codes.DONE


def import_bundle(launch: Launch, source: BinaryIO, *, as_json: bool) -> int:
    """Take in what `export --all` wrote; return the exit code: not 0 when lines were skipped.

    Raises:
        ChatForgeError: it is no bundle.
        StoreTooNew: a newer ChatForge wrote it.
    """
    report = ImportReport()
    asyncio.run(_take_in(launch, source, report))
    report.skipped.sort()
    if as_json:
        standard_output().raw_line(json_shapes.dumps(_shape(report), indent=2))
    else:
        _tell(report)
    return exit_codes.FAULT if report.skipped else exit_codes.DONE


class _Written(Struct):
    """What a bundle has."""

    sessions: int = 0
    turns: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Title of a session that is not in it, and why."""
    lost_files: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Title of a session, and a file attached in it whose content is lost."""
    too_long: list[str] = field(default_factory=list[str])
    """For each turn, or content of a file, that is longer than what an import takes: the title of its session."""
    is_newer: bool = False
    """A newer program wrote the store."""


async def _write_all(launch: Launch, sink: Output | BinaryIO) -> _Written:
    """Write the bundle; return what it has."""
    store = SqliteStore(launch.store_file, read_only=True)
    await store.open()
    written = _Written(is_newer=store.is_newer)
    try:
        heads = await store.load_sessions()
        _put(sink, bundle_file.header_line(len(heads)))
        for head in heads:
            try:
                turns = await store.load_turns(head.session_id)
            except StoreError as error:
                written.left_out.append((head.title, str(error)))
                continue
            too_long: list[Turn] = []
            for line in bundle_file.session_lines(head, turns, too_long):
                _put(sink, line)
            written.too_long += [head.title] * len(too_long)
            for file in bundle_file.attachments(head, turns):
                try:
                    content = await store.load_content(head.session_id, file)
                except ContentLost:
                    written.lost_files.append((head.title, file.name))
                    continue
                if (line := bundle_file.content_line(head, file, content)) is None:
                    written.too_long.append(head.title)
                else:
                    _put(sink, line)
            written.sessions += 1
            written.turns += len(turns) - len(too_long)
    finally:
        await store.close()
    return written


def _put(sink: Output | BinaryIO, line: bytes) -> None:
    if isinstance(sink, Output):
        sink.raw_line(line.decode("ascii").removesuffix("\n"))
    else:
        sink.write(line)


async def _take_in(launch: Launch, source: BinaryIO, report: ImportReport) -> None:
    """Take in a bundle. Its tabs come along to where nothing is yet; among others, sessions come without."""
    batches = bundle_file.read_batches(source, report)
    store = SqliteStore(launch.store_file)
    await store.open()
    try:
        has_sessions = bool(await store.load_sessions())
        for batch in batches:
            items = (
                item.without_tab() if isinstance(item, SessionHead) and has_sessions else item for _, item in batch
            )
            report.note(batch, await store.merge(tuple(items)))
    finally:
        await store.close()


def _shape(report: ImportReport) -> dict[str, object]:
    names = ("added_sessions", "added_turns", "added_files", "same_sessions", "same_turns", "same_files")
    return {
        **{name: report.counts.get(name, 0) for name in names},
        "kept": [{"line": line, "turn_id": turn_id} for line, turn_id in report.kept],
        "skipped": [{"line": line, "reason": reason} for line, reason in report.skipped],
    }


def _tell(report: ImportReport) -> None:
    standard_output().line(report.sentence())
    kept = [f"line {line}: turn {turn_id} is here with other content, which stays." for line, turn_id in report.kept]
    skipped = [f"line {line} was skipped: {reason}." for line, reason in report.skipped]
    for told in (kept, skipped):
        for sentence in told[:_MOST_TOLD]:
            tell(sentence)
        if len(told) > _MOST_TOLD:
            tell(f"... and {len(told) - _MOST_TOLD} more; --json lists all.")
