"""Getting a credential from the system's keyring, where the optional package `keyring` is installed.

Loads it when it is first needed, by name: the program does not depend on it.
"""

import importlib
import threading
from typing import Protocol, cast

from chatforge_tui.errors import ConfigError

KEYRING_SECONDS = 30.0
"""How long the keyring may take, a person who unlocks it included."""
_INSTALL = "python3 -m pip install 'chatforge-tui[keyring]'"

_OTHERWISE = "Or name token_env, token_file or token_command instead."


class _Keyring(Protocol):
    """What is used of the package."""

    def get_password(self, service: str, username: str) -> str | None: ...


class _Errors(Protocol):
    """What is used of `keyring.errors`."""

    KeyringError: type[Exception]
    NoKeyringError: type[Exception]


def split_entry(entry: str) -> tuple[str, str] | None:
    """Return service and user of `service/user`; the service may have slashes. None for anything else."""
    service, _, user = entry.rpartition("/")
    return (service, user) if service.strip() and user.strip() else None


def from_keyring(entry: str, seconds: float = KEYRING_SECONDS) -> str:
    """Return the credential that the keyring holds under `service/user`. May block while a person unlocks it.

    Args:
        entry: `service/user`.
        seconds: how long it may take, > 0.

    Raises:
        ConfigError: there is no keyring here, or no such entry.
    """
    try:
        keyring = cast("_Keyring", importlib.import_module("keyring"))
        errors = cast("_Errors", importlib.import_module("keyring.errors"))
    except ImportError as error:
        raise ConfigError(
            "The credential is in a keyring, and the package that reads keyrings is not installed.",
            hint=f"{_INSTALL}. {_OTHERWISE}",
        ) from error
    service, user = split_entry(entry) or (entry, "")
    found: list[str | None] = []
    failed: list[Exception] = []

    def ask() -> None:
        try:
            found.append(keyring.get_password(service, user))
        except (errors.KeyringError, OSError, RuntimeError) as error:
            failed.append(error)

    # A thread of its own: a keyring whose dialog nobody answers must not keep the program from ending.
    asking = threading.Thread(target=ask, name="keyring", daemon=True)
    asking.start()
    asking.join(seconds)
    if failed:
        raise _unusable(failed[0], errors) from failed[0]
    if not found and not asking.is_alive():
        raise ConfigError("The keyring met a fault of its own.", hint=_OTHERWISE)
    if not found:
        raise ConfigError(
            f"The keyring did not answer within {seconds:g} s.",
            hint=f"Unlock it. {_OTHERWISE}",
        )
    if found[0] is None:
        raise ConfigError(
            f"The keyring has no entry {entry}.", hint=f"Put it there: python3 -m keyring set {service} {user}"
        )
    return found[0]


def _unusable(error: Exception, errors: _Errors) -> ConfigError:
    """Say why a keyring cannot be used; what it says itself is not quoted: nobody knows what is in it."""
    if isinstance(error, errors.NoKeyringError):
        return ConfigError(
            "There is no keyring on this machine, as on most without a desktop.",
            hint=_OTHERWISE,
        )
    return ConfigError(
        f"The keyring refused ({type(error).__name__}).",
        hint=f"Unlock it. {_OTHERWISE}",
    )
