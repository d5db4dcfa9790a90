"""Puts the engine together: store, endpoints, session manager, built-in agent.

The composition root. Owns which implementation stands behind each port, and the lifetime of the built-in agent; it
decides nothing about sessions.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.logging_setup import start_logging
from chatforge_tui.config.settings import BUILT_IN, EndpointSettings
from chatforge_tui.safety.redact import register
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.sessions.settings import EngineSettings
from chatforge_tui.store.sqlite_store import SqliteStore

if TYPE_CHECKING:  # 30 ms for the catalog and 45 ms for the built-in agent: a start that sends nothing needs neither
    from chatforge_tui.domain.session import EndpointRef
    from chatforge_tui.endpoints.catalog import EndpointCatalog
    from chatforge_tui.guide.server import GuideServer
    from chatforge_tui.sessions.ports import Endpoint


_LOOK_S = 0.5
"""Seconds between two looks at what other programs do: with 0.2 s until theirs is on the disk, well below 1 s."""


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
        # Lazy: see the top.
        from chatforge_tui.cli.program_reference import program_reference  # noqa: PLC0415 - see above
        from chatforge_tui.guide.server import GuideServer  # noqa: PLC0415 - see above

        self._server = GuideServer(program_reference(self._launch))
        address = self._server.start()
        register(address.token)
        bearer = f"Bearer {address.token.reveal()}"
        return EndpointSettings(protocol="a2a", url=address.url, headers={"Authorization": bearer}, proxy="direct")


class LateCatalog:
    """The endpoints by name, loaded when the first session connects. Matches `ports.Endpoints`."""

    def __init__(self, launch: Launch, built_in: BuiltInEndpoint) -> None:
        """Prepare; nothing is loaded before somebody connects."""
        self._launch = launch
        self._built_in = built_in
        self._catalog: EndpointCatalog | None = None

    def connect(self, ref: "EndpointRef") -> "Endpoint":
        """Return a connection of its own for one session; opens no socket yet.

        Raises:
            ConfigError: no such endpoint, or its settings or credential cannot be used.
        """
        return self._loaded().connect(ref)

    async def fetch_file(self, ref: "EndpointRef", url: str, limit: int) -> bytes:
        """Return a file that an endpoint's agent offers by its address; the user has agreed to that.

        Raises:
            EndpointError: it cannot be had.
            ConfigError: as `connect`.
        """
        return await self._loaded().fetch_file(ref, url, limit)

    def _loaded(self) -> "EndpointCatalog":
        if self._catalog is None:
            # Lazy: see the top.
            from chatforge_tui.config.card_hosts import CardHosts  # noqa: PLC0415 - see above
            from chatforge_tui.endpoints.catalog import EndpointCatalog  # noqa: PLC0415 - see above

            hosts = CardHosts(self._launch.locations.state_dir)
            self._catalog = EndpointCatalog(self._launch.settings, self._built_in, card_hosts=hosts)
        return self._catalog


def make_manager(launch: Launch, built_in: BuiltInEndpoint, *, takes_up: bool = False) -> SessionManager:
    """Return the engine over the store on disk and the configured endpoints; entering it opens the store.

    Args:
        launch: where everything is.
        built_in: the built-in agent.
        takes_up: whether tasks that an earlier program left are read on with, and prompts that cannot leave wait; no
            business of a single command.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    configured = launch.settings  # what is wrong with it is said now, not with the first prompt
    store, endpoints = SqliteStore(launch.store_file, goes_on=takes_up), LateCatalog(launch, built_in)
    settings = EngineSettings(
        takes_up=takes_up,
        keeps_unsent=takes_up,
        sends_unsent=takes_up and configured.outbox == "auto",
        has_tabs=takes_up,
        look_s=_LOOK_S,
    )
    return SessionManager(store=store, endpoints=endpoints, settings=settings)


@asynccontextmanager
async def engine(launch: Launch) -> AsyncGenerator[SessionManager, None]:
    """Run the engine without a screen."""
    start_logging(launch.log_file)
    with ExitStack() as stack:
        built_in = BuiltInEndpoint(launch)
        stack.callback(built_in.stop)
        async with make_manager(launch, built_in) as manager:
            yield manager
