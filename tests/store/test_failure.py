"""What is said of a store that cannot be used: the reason first, for a narrow screen cuts off the end."""

import errno
import os
import sqlite3
from types import SimpleNamespace

import pytest

from chatforge_tui.store.failure import translate


@pytest.mark.parametrize(
    ("number", "is_read_only", "reason"),
    [
        (errno.ENOSPC, False, "The disk is full"),
        (errno.EMFILE, False, "Too many files are open"),
        (errno.EACCES, False, "No rights to read and write the store"),
        (errno.EROFS, True, "The file system is mounted read-only"),
        (errno.EACCES, True, "The file system is mounted read-only"),
    ],
)
def test_the_reason_comes_before_the_path(tmp_path, monkeypatch, number, is_read_only, reason):
    flags = os.ST_RDONLY if is_read_only else 0
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_flag=flags))
    said = str(translate(OSError(number, os.strerror(number)), tmp_path / "store.db"))
    assert said.startswith(reason)
    assert str(tmp_path / "store.db") in said


def test_without_its_directory_nothing_is_said_of_the_file_system(tmp_path):
    assert "No rights" in str(translate(PermissionError(errno.EACCES, "no"), tmp_path / "none" / "store.db"))


@pytest.mark.parametrize(("number", "reason"), [(errno.EMFILE, "Too many files are open"), (errno.ENOENT, "No rights")])
def test_a_store_that_cannot_be_opened_for_want_of_descriptors_says_so(tmp_path, monkeypatch, number, reason):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    with pytest.raises(sqlite3.OperationalError) as unopened:
        sqlite3.connect(tmp_path / "none" / "store.db")
    monkeypatch.setattr("os.open", refuse)
    assert str(translate(unopened.value, tmp_path / "store.db")).startswith(reason)
