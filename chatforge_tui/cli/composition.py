"""Puts the engine together: store, endpoints, session manager, built-in agent.

The composition root. Owns which implementation stands behind each port, and the lifetime of the built-in agent; it
decides nothing about sessions.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager

from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.logging_setup import start_logging
from chatforge_tui.cli.program_reference import program_reference
from chatforge_tui.config.settings import BUILT_IN, EndpointSettings
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.guide.server import GuideServer
from chatforge_tui.safety.redact import register
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore


class BuiltInEndpoint(Mapping[str, EndpointSettings]):
    """The built-in agent as an endpoint. Its server starts when a session first asks for it."""

    def __init__(self, launch: Launch) -> None:
        """Prepare; nothing runs before the endpoint is asked for."""
        self._launch = launch
        self._server: GuideServer | None = None
        self._settings: EndpointSettings | None = None

    def __getitem__(self, name: str) -> EndpointSettings:
        if name != BUILT_IN:
            raise KeyError(name)
        if self._settings is None:
            self._settings = self._start()
        return self._settings

    def __contains__(self, name: object) -> bool:
        return name == BUILT_IN

    def __iter__(self) -> Iterator[str]:
        return iter((BUILT_IN,))

    def __len__(self) -> int:
        return 1

    def stop(self) -> None:
        """End the server, if it runs. Idempotent."""
        if self._server is not None:
            self._server.stop()
        self._server = self._settings = None

    def _start(self) -> EndpointSettings:
        self._server = GuideServer(program_reference(self._launch))
        address = self._server.start()
        register(address.token)
        bearer = f"Bearer {address.token.reveal()}"
        return EndpointSettings(protocol="a2a", url=address.url, headers={"Authorization": bearer}, proxy="direct")


def make_manager(launch: Launch, built_in: BuiltInEndpoint) -> SessionManager:
    """Return the engine over the store on disk and the configured endpoints; entering it opens the store."""
    return SessionManager(store=SqliteStore(launch.store_file), endpoints=EndpointCatalog(launch.settings, built_in))


@asynccontextmanager
async def engine(launch: Launch) -> AsyncGenerator[SessionManager, None]:
    """Run the engine without a screen."""
    start_logging(launch.log_file)
    with ExitStack() as stack:
        built_in = BuiltInEndpoint(launch)
        stack.callback(built_in.stop)
        async with make_manager(launch, built_in) as manager:
            yield manager
