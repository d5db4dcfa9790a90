"""An agent for each test."""

import pytest

from chatforge_tui.endpoints.a2a import task_looks
from tests.endpoints.a2a.scripted_agent import OLD_CARD, Serving
from tests.servers.raw_server import raw_server


@pytest.fixture
async def server():
    async with raw_server() as running:
        yield running


@pytest.fixture
async def serving(server):
    serving = Serving(server)
    serving.card(OLD_CARD)
    yield serving
    for endpoint in serving.made:
        await endpoint.aclose()


@pytest.fixture
def quick_polls(monkeypatch):
    monkeypatch.setattr(task_looks, "_POLL_S", (0.0,))
