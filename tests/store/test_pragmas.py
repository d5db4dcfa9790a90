import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store.connection import connect
from chatforge_tui.store.file_system import is_local, judge, parse_mount_listing, parse_mountinfo
from chatforge_tui.store.pragmas import choose_journal, prepare_writing, wal_is_safe
from tests.store.waiting import rows

SYNCHRONOUS = {2: "full", 3: "extra"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE t (x)")
    return path


@pytest.mark.parametrize(
    "version",
    [(3, 44, 6), (3, 44, 9), (3, 50, 7), (3, 50, 12), (3, 51, 3), (3, 52, 0), (4, 0, 0)],
)
def test_a_corrected_engine_may_use_a_write_ahead_log_on_a_local_disk(version):
    assert wal_is_safe(version)
    assert choose_journal(version=version, local=True) == "wal"


@pytest.mark.parametrize(
    "version",
    [(3, 7, 0), (3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 46, 1), (3, 49, 2), (3, 50, 6), (3, 51, 0), (3, 51, 2)],
)
def test_an_engine_with_the_reset_bug_never_uses_a_write_ahead_log(version):
    assert not wal_is_safe(version)
    assert choose_journal(version=version, local=True) == "delete"


@pytest.mark.parametrize("local", [False, None])
def test_a_disk_that_may_be_elsewhere_never_has_a_write_ahead_log(local):
    assert choose_journal(version=(4, 0, 0), local=local) == "delete"


@pytest.mark.parametrize(("journal", "synchronous"), [("wal", "full"), ("delete", "extra")])
def test_each_journal_is_synced_as_hard_as_it_must_be(file, journal, synchronous):
    with closing(connect(file)) as db:
        assert prepare_writing(db, journal, alone=True) == journal
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == journal
        assert SYNCHRONOUS[db.execute("PRAGMA synchronous").fetchone()[0]] == synchronous
        assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        assert db.execute("PRAGMA secure_delete").fetchone()[0] == 1


def test_beside_another_program_the_file_is_not_switched_to_a_write_ahead_log(file):
    with closing(connect(file)) as db:
        assert prepare_writing(db, "wal", alone=False) == "delete"
        assert SYNCHRONOUS[db.execute("PRAGMA synchronous").fetchone()[0]] == "extra"


def test_a_log_left_by_a_newer_engine_is_given_up_when_nobody_uses_it(file):
    with closing(connect(file)) as db:
        db.execute("PRAGMA journal_mode = wal")
    with closing(connect(file)) as db:
        assert prepare_writing(db, "delete", alone=True) == "delete"


def test_a_log_in_use_that_this_engine_cannot_share_safely_is_an_error(file):
    with closing(connect(file)) as other, closing(connect(file)) as db:
        other.execute("PRAGMA journal_mode = wal")
        other.execute("INSERT INTO t VALUES (1)")
        db.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(StoreUnavailable, match="cannot share safely"):
            prepare_writing(db, "delete", alone=False)


def test_only_what_sqlite_returns_is_believed():
    """A switch that fails need not raise: an in-memory database just stays as it is."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db, pytest.raises(StoreUnavailable):
        prepare_writing(db, "wal", alone=True)


async def test_the_linked_engine_gets_the_journal_it_may_have(store, path):
    expected = choose_journal(local=is_local(path.parent))
    assert rows(path, "PRAGMA journal_mode") == [(expected,)]


MOUNTINFO = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /home rw - nfs4 server:/home rw
31 30 0:27 / /home/ada/my\040disk rw - xfs /dev/sdb rw
32 22 0:28 / /mnt/c rw - 9p drvfs rw
33 22 0:29 / /run/user/1000/remote rw - fuse.sshfs ada@host:/ rw
34 22 0:30 / /media/stick rw - fuseblk /dev/sdc1 rw
35 22 0:31 / /covered rw - ext4 /dev/sdd rw
36 35 0:32 / /covered rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("directory", "local"),
    [
        ("/var/lib", True),
        ("/home/ada/.local/share", False),
        ("/home/ada/my disk/chatforge", True),
        ("/home/ada/my disks", False),
        ("/homestead", True),
        ("/mnt/c/Users/ada", False),
        ("/run/user/1000/remote/x", False),
        ("/media/stick", True),
        ("/covered/data", False),
    ],
)
def test_the_mount_that_holds_a_directory_says_whether_it_is_local(directory, local):
    assert judge(Path(directory), parse_mountinfo(MOUNTINFO)) is local


def test_a_mac_lists_its_mounts_differently():
    listing = "/dev/disk3s1 on / (apfs, sealed, local)\n//ada@nas/home on /Volumes/my home (smbfs, nodev)\n"
    mounts = parse_mount_listing(listing)
    assert mounts == [("/", "apfs"), ("/Volumes/my home", "smbfs")]
    assert judge(Path("/Volumes/my home/x"), mounts) is False


def test_without_a_list_of_mounts_nothing_is_known():
    assert judge(Path("/home"), []) is None
