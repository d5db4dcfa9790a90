"""A disk that can lose its power: what SQLite asks of it is written down, and what a cut at any moment leaves is made up.

`RecordingDisk` is a layer over SQLite's own way to files (apsw lets Python be one). Its journal holds every write,
truncation, sync, creation and deletion, in order. `Wreck` plays the journal up to a moment and says what may be on the
disk then. What was synced is there; of the rest anything may be, in any combination:

    content     each sector (512 bytes) of each unsynced write is there or not, whatever came before or after it; where
                a file grew and the bytes did not arrive, there is nothing, or rubbish
    names       creations and deletions since the last sync of the directory are undone, from some moment on
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw

SECTOR = 512


@dataclass(frozen=True)
class Written:
    """Bytes of a file."""

    inode: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncated:
    """A file has this size."""

    inode: int
    size: int


@dataclass(frozen=True)
class Synced:
    """A file's content is durable; with `names`, the directory is too."""

    inode: int
    names: bool


@dataclass(frozen=True)
class Named:
    """A file was made."""

    name: str
    inode: int


@dataclass(frozen=True)
class Unnamed:
    """A file was deleted; with `names`, the directory is durable."""

    name: str
    names: bool


@dataclass(frozen=True)
class Acknowledged:
    """The program was told that something is durable: what comes after this must find it."""

    what: tuple[str, ...]


Step = Written | Truncated | Synced | Named | Unnamed | Acknowledged


class RecordingDisk(apsw.VFS):
    """Passes everything on to the real files, and writes it down. Real syncs are left out: nothing is cut here."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, base="")
        self.name = name
        self.journal: list[Step] = []
        self._inodes: dict[str, int] = {}
        self._next = 0

    def inode(self, name: str) -> int:
        """Return the number of the file that has this name now; a new file gets a new one."""
        if name not in self._inodes:
            self._inodes[name] = self._next
            self.journal.append(Named(Path(name).name, self._next))
            self._next += 1
        return self._inodes[name]

    def adopt(self, path: Path) -> None:
        """Take a file that is there already, whole and durable."""
        inode = self.inode(str(path))
        self.journal += [Written(inode, 0, path.read_bytes()), Synced(inode, names=True)]

    def acknowledge(self, *what: str) -> None:
        """Note that the program knows something to be durable."""
        self.journal.append(Acknowledged(what))

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> "RecordedFile":  # noqa: N802 - apsw's name
        """SQLite opens a file."""
        return RecordedFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's
        """SQLite deletes a file."""
        super().xDelete(filename, syncdir=False)
        self._inodes.pop(filename, None)
        self.journal.append(Unnamed(Path(filename).name, syncdir))


class RecordedFile(apsw.VFSFile):
    """One open file."""

    def __init__(self, disk: RecordingDisk, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        kind = flags[0]
        is_journal = bool(
            kind & (apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL)
        )
        self._inode = disk.inode(path) if path is not None else None
        # As SQLite does under Unix: the first sync of a journal syncs its name, too.
        self._syncs_name = bool(is_journal and kind & apsw.SQLITE_OPEN_CREATE)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's name
        """SQLite writes."""
        super().xWrite(data, offset)
        if self._inode is not None:
            self._disk.journal.append(Written(self._inode, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's name
        """SQLite cuts the file."""
        super().xTruncate(newsize)
        if self._inode is not None:
            self._disk.journal.append(Truncated(self._inode, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's name
        """SQLite wants the file durable."""
        if self._inode is not None:
            self._disk.journal.append(Synced(self._inode, self._syncs_name))
            self._syncs_name = False


@dataclass
class _File:
    """One file on the disk."""

    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[Written | Truncated] = field(default_factory=list[Written | Truncated])


class Wreck:
    """The disk as a journal is played on it."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._names: dict[str, int] = {}
        """The directory as it is durable."""
        self._renamings: list[Named | Unnamed] = []
        """What happened to the directory since."""
        self.acknowledged: list[tuple[str, ...]] = []

    def play(self, step: Step) -> None:
        """Let one step happen, the power on."""
        match step:
            case Written(inode) | Truncated(inode):
                self._files[inode].unsynced.append(step)
            case Synced(inode, names):
                file = self._files[inode]
                for change in file.unsynced:
                    _apply(file.durable, change)
                file.unsynced.clear()
                if names:
                    self._sync_names()
            case Named(_, inode):
                self._files[inode] = _File()
                self._renamings.append(step)
            case Unnamed(_, names):
                self._renamings.append(step)
                if names:
                    self._sync_names()
            case Acknowledged(what):
                self.acknowledged.append(what)

    def remains(self, dice: random.Random) -> dict[str, bytes]:
        """Return what may be on the disk when the power is cut now: name → content."""
        names = dict(self._names)
        for renaming in self._renamings[: dice.randint(0, len(self._renamings))]:
            _rename(names, renaming)
        mood, rubbish = dice.choice(("nothing", "everything", "writes", "sectors", "beginning")), dice.random() < 0.3
        return {name: _content(self._files[inode], mood, dice, rubbish=rubbish) for name, inode in names.items()}

    def _sync_names(self) -> None:
        for renaming in self._renamings:
            _rename(self._names, renaming)
        self._renamings.clear()


def _rename(names: dict[str, int], renaming: Named | Unnamed) -> None:
    if isinstance(renaming, Named):
        names[renaming.name] = renaming.inode
    else:
        names.pop(renaming.name, None)


def _apply(content: bytearray, change: Written | Truncated, gap: bytes = b"\0") -> None:
    """Let a change of a file's content happen; where the file grows past its end, it is filled."""
    if isinstance(change, Truncated):
        del content[change.size :]
        content.extend(gap * (change.size - len(content)))
        return
    content.extend(gap * (change.offset - len(content)))
    content[change.offset : change.offset + len(change.data)] = change.data


def _content(file: _File, mood: str, dice: random.Random, *, rubbish: bool) -> bytes:
    """Return what may be left of one file."""
    if not file.unsynced or mood == "nothing":
        return bytes(file.durable)
    content, gap = bytearray(file.durable), bytes([dice.randrange(1, 256)]) if rubbish else b"\0"
    last = dice.randint(0, len(file.unsynced)) if mood == "beginning" else len(file.unsynced)
    for change in file.unsynced[:last]:
        if mood == "sectors" and isinstance(change, Written):
            for sector in _sectors(change):
                if dice.random() < 0.5:
                    _apply(content, sector, gap)
        elif mood in {"everything", "beginning"} or dice.random() < 0.5:
            _apply(content, change, gap)
    return bytes(content)


def _sectors(written: Written) -> Iterator[Written]:
    """Yield a write sector by sector: each is there whole or not at all."""
    begin, end = written.offset, written.offset + len(written.data)
    while begin < end:
        after = min(end, (begin // SECTOR + 1) * SECTOR)
        yield Written(written.inode, begin, written.data[begin - written.offset : after - written.offset])
        begin = after
