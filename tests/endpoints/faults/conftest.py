"""What every test of a fault has: one protocol adapter after the other, and the scripted server that it talks to."""

import ssl
from pathlib import Path

import pytest

from chatforge_tui.endpoints.http import HttpSettings
from tests.contracts.endpoint_dialects import DIALECTS, Dialect
from tests.servers.raw_server import RawServer, raw_server

CERTIFICATES = Path(__file__).parents[2] / "data" / "tls"


@pytest.fixture(params=DIALECTS, ids=lambda dialect: dialect.name)
def dialect(request) -> Dialect:
    return request.param


@pytest.fixture
async def server(dialect):
    async with raw_server() as running:
        running.beside = dialect.beside
        yield running
        # Whatever happened, within a second no connection but an idle one is open.
        assert running.open_connections <= 1


@pytest.fixture
async def open_endpoint(dialect, server):
    made = []

    def make(url: str = "", **http):
        made.append(dialect.connect(url or server.url, HttpSettings(name="e", **http)))
        return made[-1]

    yield make
    for endpoint in made:
        await endpoint.aclose()
    await server.until_closed(seconds=1)


@pytest.fixture
async def tls_server(dialect):
    started: list[RawServer] = []

    async def start(certificate: str) -> RawServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
        server = RawServer()
        server.beside = dialect.beside
        await server.start(ssl=context)
        started.append(server)
        return server

    yield start
    for server in started:
        await server.stop()
