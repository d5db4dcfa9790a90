"""What stands some time after the start is not searched for garbage any more; what was garbage then is gone."""

import asyncio
import gc
import weakref

import pytest

from chatforge_tui.cli import ui_start


class Node:
    """Something that holds itself."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


async def test_what_lasts_is_left_out_of_the_search_and_garbage_is_not_kept(monkeypatch):
    monkeypatch.setattr(ui_start, "SETTLED_S", (0.01, 0.05))
    lasting, garbage = [Node() for _ in range(500)], Node()
    lost = weakref.ref(garbage)
    frozen, searched = gc.get_freeze_count(), len(gc.get_objects())
    gc.disable()
    try:
        del garbage
        assert lost() is not None
        ui_start.settle_later()
        await asyncio.sleep(0.2)
    finally:
        gc.enable()
    assert lost() is None
    assert gc.get_freeze_count() > frozen + len(lasting)
    assert len(gc.get_objects()) < searched / 2
