"""A running server without waits, and one that speaks slowly."""

from collections.abc import Iterator

import pytest

from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.server import GuideAddress, GuideServer
from tests.guide.material import REFERENCE, A2aClient


@pytest.fixture
def quick() -> Iterator[GuideAddress]:
    """The built-in agent, answering at once."""
    with GuideServer(REFERENCE, pace=Pace(waits=False)) as address:
        yield address


@pytest.fixture
def patient() -> Iterator[GuideAddress]:
    """The built-in agent, in no hurry: what it is told to stall stalls."""
    with GuideServer(REFERENCE, pace=Pace(words_per_second=5000, step_s=0.0)) as address:
        yield address


@pytest.fixture
def client(quick: GuideAddress) -> Iterator[A2aClient]:
    with A2aClient(quick) as client:
        yield client


@pytest.fixture
def old_client(quick: GuideAddress) -> Iterator[A2aClient]:
    with A2aClient(quick, "0.3") as client:
        yield client
