import pytest

from tests.endpoints.openai_chat.server import connect
from tests.servers.raw_server import raw_server


@pytest.fixture
async def server():
    async with raw_server() as running:
        yield running


@pytest.fixture
async def open_endpoint(server):
    """Make endpoints that are closed after the test."""
    made = []

    def make(path="/v1", **settings):
        endpoint = connect(server.url + path, **settings)
        made.append(endpoint)
        return endpoint

    yield make
    for endpoint in made:
        await endpoint.aclose()
