"""Reads one row so that nothing in it can fail: a damaged cell becomes a stand-in, and its name is kept.

The columns have types, but a bit that flips on the disk can change the type of a value, too. Whoever reads the row
goes on with what is left, and says what was lost.
"""

from typing import Annotated, Any, Protocol, TypeVar

import msgspec

_T = TypeVar("_T")
_LATEST = 253_402_300_799.0
"""The last second of the year 9999: a time beyond it is no time."""
Time = Annotated[float, msgspec.Meta(ge=0, le=_LATEST)]
"""A time in Unix seconds, when msgspec reads it."""
UNREADABLE = (msgspec.MsgspecError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError)
"""What reading a value can end with that is not what it should be."""


class Columns(Protocol):
    """A row by column name, as SQLite gives it."""

    def __getitem__(self, name: str, /) -> Any:  # noqa: ANN401 - the type is the column's
        """Return the column's value.

        Raises:
            IndexError: there is no such column.
        """
        ...


class Cells:
    """One row."""

    def __init__(self, row: Columns) -> None:
        """Read this row."""
        self._row = row
        self.damaged: list[str] = []
        """The columns whose cells were not what they should be, as far as they have been read."""

    def has(self, name: str) -> bool:
        """Return whether there is such a column; a store of an earlier version lacks some."""
        try:
            _ = self._row[name]
        except LookupError:
            return False
        return True

    def text(self, name: str) -> str:
        """Return a text; of a damaged one what is left of it."""
        value: object = self._row[name]
        if isinstance(value, str):
            return value
        self.damaged.append(name)
        return as_text(value)

    def text_or_none(self, name: str) -> str | None:
        """Return a text; None for NULL."""
        return None if self._row[name] is None else self.text(name)

    def whole(self, name: str) -> int:
        """Return a whole number; 0 for a damaged one."""
        value: object = self._row[name]
        if isinstance(value, int):
            return value
        self.damaged.append(name)
        return 0

    def flag(self, name: str) -> bool:
        """Return a truth value."""
        return bool(self.whole(name))

    def time(self, name: str) -> float:
        """Return a time in Unix seconds; 0 for a damaged one."""
        value: object = self._row[name]
        if isinstance(value, float | int) and 0 <= value <= _LATEST:
            return float(value)
        self.damaged.append(name)
        return 0.0

    def time_or_none(self, name: str) -> float | None:
        """Return a time; None for NULL."""
        return None if self._row[name] is None else self.time(name)

    def json(self, name: str, kind: type[_T]) -> _T | None:
        """Return what JSON says; None for NULL and for damaged JSON."""
        value: object = self._row[name]
        if value is None:
            return None
        try:
            return msgspec.json.decode(as_text(value), type=kind)
        except UNREADABLE:
            self.damaged.append(name)
            return None


def as_text(value: object) -> str:
    """Return what is left of a text whose type was lost: its characters if it is bytes, else nothing."""
    match value:
        case str():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return ""
