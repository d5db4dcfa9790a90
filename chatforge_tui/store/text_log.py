"""The log of live text: what streams in, in the order in which it came, one row for all turns of a commit.

A row of its own for the text of each turn costs ten times as much: 10 us with its index, where a record in a shared row is
1 us. So whoever reads one turn reads past others, and the log is kept short: when it has grown to `LIMIT`, what it
has of turns that go on is moved to `chunk`, by turn, and the log begins anew. Most turns end before: then their text stands
in `part`, their records are nobody's, and the rows go with the next such move, or when no turn of the program is live.

A record counts for a turn that is live in the program that wrote the row, in rows from the turn's `logged_from` on. So what
comes late for a turn that has ended, was begun again or went over to another program changes nothing.
"""

import logging
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from typing import get_args

import msgspec

from chatforge_tui.domain.changes import TextField
from chatforge_tui.domain.ids import TurnId
from chatforge_tui.store import codec
from chatforge_tui.store.cells import UNREADABLE
from chatforge_tui.store.connection import savepoint
from chatforge_tui.store.instances import InstanceId

_log = logging.getLogger("chatforge.store")

Record = tuple[str, int, int, int, str | None]
"""Turn, sequence, index of the part, which of its texts (by `FIELDS`), and the text that it grew by; None for a part that is
new or replaced whole, which takes the place of all that was appended before. The sequence grows within a program; a record
that is there twice, because a commit that reported an error was made again, counts once."""


FIELDS: tuple[TextField, ...] = get_args(TextField)
LIMIT = 6 * 2**20
"""Bytes of a program's rows, each record counted as `RECORD` more, from which on they are moved: that takes 20 ms, and 1 us
for each record of a turn that goes on. Reading one turn takes about as long."""

RECORD = 100
"""A record takes as long to read as so many bytes of text."""

LIVE = "state IN ('queued', 'connecting', 'streaming')"
"""Of a row of `turn`: whether it is live."""
_FIELD_NUMBERS = {field: number for number, field in enumerate(FIELDS)}
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Record]).decode
_decode_one = msgspec.msgpack.Decoder(Record).decode
_decode_apart = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode_damaged = msgspec.msgpack.Decoder(tuple[str, int, int, int, msgspec.Raw]).decode
_LONGEST_HEAD = 5
"""Bytes before the characters of a text, at most."""
_MISSING = None
"""In the place of a record: there was one that could not be read."""


def encode(records: Sequence[Record]) -> bytes:
    """Return the body of a row."""
    try:
        return _encode(records)
    except UnicodeEncodeError:
        return _encode([(*head, None if text is None else codec.storable(text)) for *head, text in records])


def decode(body: object) -> tuple[list[Record], bool]:
    """Return the records of a row, and whether these are all: of a damaged one what is left."""
    if not isinstance(body, bytes):
        return [], False
    try:
        return _decode(body), True
    except UNREADABLE:
        return _decode_what_is_left(body), False


def _decode_what_is_left(body: bytes) -> list[Record]:
    """Return the records that can be read; characters that cannot become U+FFFD."""
    records: list[Record] = []
    try:
        pieces = _decode_apart(body)
    except UNREADABLE:
        return records
    for piece in pieces:
        try:
            records.append(_decode_one(piece))
        except UNREADABLE:
            try:
                turn_id, sequence, index, field, text = _decode_damaged(piece)
            except UNREADABLE:
                continue
            records.append((turn_id, sequence, index, field, _characters(bytes(text))))
    return records


def _characters(text: bytes) -> str:
    """Return the characters of a text behind the bytes that say how long it is."""
    head = {0xD9: 2, 0xDA: 3, 0xDB: _LONGEST_HEAD}.get(text[0], 1)
    return text[head:].decode("utf-8", "replace")


def exists(db: sqlite3.Connection) -> bool:
    """Return whether there is a log; a store of an earlier version has none."""
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'text_log'").fetchone() is not None


def next_key(db: sqlite3.Connection) -> int:
    """Return the key that the next row has at least."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'text_log'").fetchone()
    return 1 if row is None else int(row[0]) + 1


def writers(db: sqlite3.Connection) -> list[InstanceId]:
    """Return the programs with rows in the log."""
    return [InstanceId(row[0]) for row in db.execute("SELECT DISTINCT instance FROM text_log").fetchall()]


def delete_of(db: sqlite3.Connection, programs: Iterable[InstanceId]) -> None:
    """Delete the rows of programs without a live turn."""
    db.executemany("DELETE FROM text_log WHERE instance = ?", [(program,) for program in programs])


def wipe(db: sqlite3.Connection) -> None:
    """Take everything out of the log that counts for no turn, also of other programs and from rows shared with what counts.

    A damaged row loses what cannot be read of it: nobody knows whose it was. That something is missing it goes on to say.
    """
    live = {
        row["id"]: (row["instance"], row["logged_from"])
        for row in db.execute(f"SELECT id, instance, logged_from FROM turn WHERE {LIVE} AND logged_from IS NOT NULL")
    }
    for row in db.execute("SELECT key, instance FROM text_log").fetchall():
        key, body = row["key"], db.execute("SELECT body FROM text_log WHERE key = ?", (row["key"],)).fetchone()[0]
        records, is_whole = decode(body)
        kept = [record for record in records if _counts(live.get(record[0]), row["instance"], key)]
        if not is_whole:
            db.execute("UPDATE text_log SET body = ? WHERE key = ?", (_encode([*kept, _MISSING]), key))
        elif not kept:
            db.execute("DELETE FROM text_log WHERE key = ?", (key,))
        elif len(kept) < len(records):
            db.execute("UPDATE text_log SET body = ? WHERE key = ?", (encode(kept), key))


def _counts(owner: tuple[str, int] | None, instance: str, key: int) -> bool:
    """Return whether a record in such a row counts for a turn with this owner and `logged_from`; None = not live."""
    return owner is not None and owner[0] == instance and key >= owner[1]


class TextLog:
    """The rows of this program. Lives in the store's thread, inside transactions that others open.

    What it knows of them goes with a transaction that fails (`doubt`), and is read anew.
    """

    def __init__(self, instance: InstanceId | None) -> None:
        """Write for this program; None: for nobody, who has no live turn, so that nothing is written."""
        self.instance = instance
        self._waiting: list[Record] = []
        """For the next row."""
        self._live: set[TurnId] | None = None
        """This program's live turns; None when that is to be looked up."""
        self._size = 0
        """How much is in this program's rows, as `LIMIT` counts it; at least the bytes."""

    def is_live(self, db: sqlite3.Connection, turn_id: TurnId) -> bool:
        """Return whether the turn is live in this program: only then its records are written."""
        return turn_id in self._turns(db)

    def begin_row(self) -> None:
        """Let what is added from here on be the next row: what was added in a transaction that failed is none of it."""
        self._waiting = []

    def add(
        self, db: sqlite3.Connection, turn_id: TurnId, sequence: int, index: int, field: TextField, text: str | None
    ) -> None:
        """Have a record written by the next `flush`, unless the turn has ended, or is gone, or is another program's.

        Args:
            db: the connection.
            turn_id: whose it is.
            sequence: larger than that of every record of the turn before it.
            index: of the part.
            field: which of its texts.
            text: what it grew by; None to let what it was appended to before no longer count.
        """
        if turn_id in (self._live if self._live is not None else self._turns(db)):
            self._waiting.append((turn_id, sequence, index, _FIELD_NUMBERS.get(field, 0), text))

    def flush(self, db: sqlite3.Connection) -> bool:
        """Write the row; return whether the log is long enough to be moved.

        What one record's own values keep from being written takes no other with it.

        Raises:
            sqlite3.Error: the store cannot be written.
        """
        records, self._waiting = self._waiting, []
        if records and not self._insert(db, records):
            for record in records:
                if not self._insert(db, [record]):
                    _log.warning("the store refuses text of turn %s", record[0])
        return self._size > LIMIT

    def began(self, db: sqlite3.Connection, turn_id: TurnId) -> None:
        """Take text of a turn from now on; its row says so already."""
        self._turns(db).add(turn_id)

    def ended(self, db: sqlite3.Connection, turn_id: TurnId) -> None:
        """Take no more text of a turn; its row says so already. With the last one that is live the log is empty."""
        live = self._turns(db)
        live.discard(turn_id)
        if not live and self._size:
            self.clear(db)

    def clear(self, db: sqlite3.Connection, *, but: Collection[int] = ()) -> None:
        """Delete all rows of this program but those with these keys: what counted of them stands elsewhere."""
        kept = f"AND key NOT IN ({', '.join(map(str, but))})" if but else ""
        db.execute(f"DELETE FROM text_log WHERE instance = ? {kept}", (self.instance,))
        self._size = 0

    def doubt(self) -> None:
        """Look up anew what is in the store: a transaction was taken back, or others had a hand in it."""
        self._live = None

    def _insert(self, db: sqlite3.Connection, records: list[Record]) -> bool:
        """Write a row; False when that cannot be done with these values."""
        try:
            body = encode(records)
            with savepoint(db):
                db.execute(
                    "INSERT INTO text_log (instance, written, body) VALUES (?, ?, ?)",
                    (self.instance, time.time(), body),
                )
        except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, *UNREADABLE):
            return False
        self._size += len(body) + RECORD * len(records)
        return True

    def _turns(self, db: sqlite3.Connection) -> set[TurnId]:
        """Return the live turns, which may be changed."""
        if self._live is None:
            mine = (self.instance,)
            found = db.execute(f"SELECT id FROM turn WHERE instance = ? AND {LIVE}", mine).fetchall()
            size = db.execute("SELECT sum(length(body)) FROM text_log WHERE instance = ?", mine).fetchone()
            self._live, self._size = {TurnId(row["id"]) for row in found}, size[0] or 0
        return self._live
