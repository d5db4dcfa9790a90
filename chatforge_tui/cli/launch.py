"""What every command begins with: where things are, what is configured, and which endpoint was chosen.

Owns the reading of flags into values. It opens nothing but the configuration file, and that only when asked: commands
that read the store alone do not pay for it.
"""

import difflib
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from chatforge_tui.config.locations import Locations
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.errors import ConfigError

if TYPE_CHECKING:
    from chatforge_tui.config.settings import Settings


class Launch(Struct, frozen=True, dict=True):
    """One start of the program, as its flags say."""

    home: Path | None = None
    """`--home`; None = as the environment says."""
    endpoint_name: str = ""
    """`--endpoint`: a configured name or a URL; "" = as configured."""
    protocol: str = ""
    model: str = ""
    token_env: str = ""

    @cached_property
    def locations(self) -> Locations:
        """Where things are."""
        return Locations.find(self.home, os.environ)

    @property
    def store_file(self) -> Path:
        """The store."""
        return self.locations.data_dir / "sessions.db"

    @property
    def log_file(self) -> Path:
        """The log."""
        return self.locations.log_dir / "chatforge.log"

    @cached_property
    def settings(self) -> "Settings":
        """What is configured.

        Raises:
            ConfigError: the configuration cannot be used.
        """
        # 10 ms that commands which only read the store do not need, and 15 more to judge a file.
        from chatforge_tui.config.settings import Settings  # noqa: PLC0415 - see above

        if not self.locations.config_file.exists():
            return Settings()
        from chatforge_tui.config.load import load_settings  # noqa: PLC0415 - see above

        return load_settings(self.locations.config_file)

    @property
    def names_endpoint(self) -> bool:
        """Whether the command line says anything about the endpoint."""
        return any((self.endpoint_name, self.protocol, self.model, self.token_env))

    def endpoint(self) -> EndpointRef:
        """Return the endpoint of new sessions: chosen, else configured, else the built-in agent.

        Raises:
            ConfigError: there is no such endpoint, or its URL cannot be used.
        """
        name = self.endpoint_name or default_endpoint(self.settings)
        check_endpoint(name, self.settings)
        return EndpointRef(name, self.protocol, self.model, self.token_env)


def default_endpoint(settings: "Settings") -> str:
    """Return the name of the endpoint that new sessions get when nothing else is said."""
    from chatforge_tui.config.settings import BUILT_IN  # noqa: PLC0415 - see above

    return settings.default_endpoint or next(iter(settings.endpoints), BUILT_IN)


def check_endpoint(name: str, settings: "Settings") -> None:
    """Check that a name is configured, or a URL that can be used.

    Raises:
        ConfigError: it is neither; the message does not quote a URL that holds a credential.
    """
    from chatforge_tui.config.settings import BUILT_IN  # noqa: PLC0415 - see above

    if "://" in name:
        from chatforge_tui.config.endpoint_checks import url_faults  # noqa: PLC0415 - 10 ms, only for a URL

        for fault in url_faults((), name):
            raise ConfigError(f"--endpoint: {fault.message}.", hint=_url_hint(fault.hint))
        return
    known = [*settings.endpoints, BUILT_IN]
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    meant = (
        f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}; a URL begins with http:// or https://."
    )
    raise ConfigError(f"There is no endpoint {name!r}; {meant}")


def _url_hint(hint: str) -> str:
    """Return what to do about a URL given on the command line; the ways of the configuration do not exist there."""
    return "Name the environment variable that holds the credential: --token-env VARIABLE." if hint else ""
