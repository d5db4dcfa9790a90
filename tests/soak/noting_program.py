"""The real program, which also notes when text came off its sockets: `python -m tests.soak.noting_program NOTES [ARGUMENT...]`.

Each piece of text is noted before the store is given it: its turn, how long the turn's text is with it, and when the
oldest byte of it was read from the socket, by the monotonic clock, which all processes of a machine share. Each commit,
and each chore that the store's thread does between them, is noted twice: that it begins, and when it ended, since the kill
may fall into a long one. A note is one write() and outlives a kill -9 of the program. receipts.py reads them.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from chatforge_tui.cli.main import main
from chatforge_tui.domain.changes import PartAdded, PartDropped, PartReplaced, TextAppended
from chatforge_tui.domain.part import TextPart
from chatforge_tui.endpoints.socket_stream import SocketStream
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.store.writer import Writer

_came: ContextVar[float] = ContextVar("came")
"""In a worker's task: when the oldest byte of what it read last came."""


class Lengths:
    """How long the text of each turn is, by its parts."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[int, int]] = {}

    def begin(self, turn_id: str, parts: Any) -> None:
        """Take over what the store has of a turn."""
        self._parts[turn_id] = {part.index: len(part.text) for part in parts if isinstance(part, TextPart)}

    def after(self, turn_id: str, changes: Any) -> int:
        """Return the length with these changes."""
        parts = self._parts.setdefault(turn_id, {})
        for change in changes:
            match change:
                case TextAppended(index, text, "text") if index in parts:
                    parts[index] += len(text)
                case PartAdded(TextPart() as part) | PartReplaced(TextPart() as part):
                    parts[part.index] = len(part.text)
                case PartDropped(index):
                    parts.pop(index, None)
                case _:
                    pass
        return sum(parts.values())


def watch_sockets() -> None:
    """Remember when bytes came, until they are read."""
    data_received, read = SocketStream.data_received, SocketStream.read

    def noted_data_received(self: Any, data: bytes) -> None:
        self.__dict__.setdefault("oldest_came", time.monotonic())
        data_received(self, data)

    async def noted_read(self: Any, *arguments: Any, **named: Any) -> bytes:
        data = await read(self, *arguments, **named)
        _came.set(self.__dict__.get("oldest_came", time.monotonic()))
        if not self._received:
            self.__dict__.pop("oldest_came", None)
        return data

    SocketStream.data_received = noted_data_received  # type: ignore[method-assign]
    SocketStream.read = noted_read  # type: ignore[method-assign]


def watch_store(note: Callable[..., None]) -> None:
    """Note what is handed to the store, and its commits."""
    lengths = Lengths()
    record, adopt_turn = SqliteStore.record, SqliteStore.adopt_turn
    commit, do_chore = Writer._commit, Writer._do_chore

    def noted_record(self: Any, turn_id: Any, changes: Any) -> None:
        note("text", turn_id, lengths.after(turn_id, changes), _came.get(time.monotonic()), time.monotonic())
        record(self, turn_id, changes)

    def noted_grow(self: Any, turn_id: Any, growth: Any) -> None:
        note("text", turn_id, lengths.after(turn_id, (growth,)), _came.get(time.monotonic()), time.monotonic())
        if not self._writer.grow(turn_id, growth):  # as `grow` does, but noted once
            record(self, turn_id, (growth,))

    async def noted_adopt_turn(self: Any, head: Any, **options: Any) -> Any:
        turn = await adopt_turn(self, head, **options)
        lengths.begin(head.turn_id, turn.parts if turn is not None else ())
        return turn

    def noted_commit(self: Any, workplace: Any, batch: Any) -> None:
        writes = sum(entry.is_write for entry in batch)
        note("begin", writes, began := time.monotonic())
        commit(self, workplace, batch)
        note("commit", writes, began, time.monotonic())

    def noted_do_chore(self: Any, workplace: Any) -> None:
        note("begin", 0, began := time.monotonic())
        do_chore(self, workplace)
        note("chore", 0, began, time.monotonic())

    SqliteStore.record = noted_record  # type: ignore[method-assign]
    SqliteStore.grow = noted_grow  # type: ignore[method-assign]
    SqliteStore.adopt_turn = noted_adopt_turn  # type: ignore[method-assign]
    Writer._commit = noted_commit  # type: ignore[method-assign]
    Writer._do_chore = noted_do_chore  # type: ignore[method-assign]


def run() -> None:
    """Be the program."""
    notes = os.open(sys.argv.pop(1), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    watch_sockets()
    watch_store(lambda *words: os.write(notes, json.dumps(words).encode() + b"\n"))
    main()


if __name__ == "__main__":
    run()
