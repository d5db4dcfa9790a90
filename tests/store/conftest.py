import os

import pytest

from chatforge_tui.store.sqlite_store import SqliteStore


@pytest.fixture
def path(tmp_path):
    """Where the store of a test is; its directory is not there yet."""
    return tmp_path / "data" / "store.db"


@pytest.fixture
async def store(path):
    store = SqliteStore(path)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def common_umask():
    """The umask most people have: new files are readable by all."""
    before = os.umask(0o022)
    yield
    os.umask(before)
