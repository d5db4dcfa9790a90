"""What stands some time after the start is not searched for garbage any more; what was garbage then is gone."""

import asyncio
import gc
import weakref

import pytest

from chatforge_tui.cli import settling


class Node:
    """Something that holds itself."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


async def test_what_lasts_is_left_out_of_the_search_and_garbage_is_not_kept(monkeypatch):
    monkeypatch.setattr(settling, "SETTLED_S", (0.01, 0.05))
    searched = len(gc.get_objects())
    settling.begin()
    try:
        assert not gc.isenabled()
        settling.settle()
        assert gc.isenabled()
        gc.disable()  # what is lost must not be found by chance
        lasting, garbage = [Node() for _ in range(500)], Node()
        lost = weakref.ref(garbage)
        frozen = gc.get_freeze_count()
        del garbage
        assert lost() is not None
        await asyncio.sleep(0.2)
    finally:
        settling.end()
    assert lost() is None
    assert gc.get_freeze_count() > frozen + len(lasting) / 2
    assert len(gc.get_objects()) < searched / 2
