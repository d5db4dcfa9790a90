"""Getting an endpoint's credential from where its settings say it is: environment, file, command, keyring.

Owns reading credentials. Each one is registered for redaction before anyone else sees it; none is stored, and no
message quotes one.
"""

import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import structs

from chatforge_tui.config.keyring_lookup import from_keyring
from chatforge_tui.config.settings import EndpointSettings
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.redact import register
from chatforge_tui.safety.secret import Secret

COMMAND_SECONDS = 10.0
"""How long a `token_command` may take, a person typing a passphrase included."""
_LARGEST = 16_384
"""Characters of a credential."""


def resolve(settings: EndpointSettings, environ: Mapping[str, str]) -> Secret | None:
    """Return the credential of an endpoint, None when its settings name none.

    The ways are tried in the order environment, file, command, keyring; a named variable that is not set is passed over when
    another way is named, too. May block for as long as the command or the keyring takes.

    Raises:
        ConfigError: the credential cannot be had from where the settings say it is.
    """
    value = _found(settings, environ)
    if value is None:
        return None
    secret = Secret(_checked(value, source(settings)))
    register(secret)
    return secret


def register_known(endpoints: Iterable[EndpointSettings], environ: Mapping[str, str]) -> None:
    """Have every credential redacted that stands in the environment or in a file. Runs nothing and asks nobody."""
    for settings in endpoints:
        with suppress(ConfigError):
            resolve(structs.replace(settings, token_command=(), token_keyring=""), environ)


def source(settings: EndpointSettings) -> str:
    """Return where the credential comes from, for people, never the credential: `env PLATFORM_TOKEN`; "" for none."""
    ways = (
        f"env {settings.token_env}" if settings.token_env else "",
        f"file {settings.token_file}" if settings.token_file else "",
        f"command {settings.token_command[0]}" if settings.token_command else "",
        f"keyring {settings.token_keyring}" if settings.token_keyring else "",
    )
    return ", ".join(filter(None, ways))


def may_prompt(settings: EndpointSettings, environ: Mapping[str, str]) -> bool:
    """Return whether getting the credential runs something that may ask the user, and take its time."""
    has_variable = bool(settings.token_env and environ.get(settings.token_env, "").strip())
    return bool(settings.token_command or settings.token_keyring) and not (has_variable or settings.token_file)


def is_fixed(settings: EndpointSettings, environ: Mapping[str, str]) -> bool:
    """Return whether the credential, or that there is none, stays the same as long as the program runs."""
    has_variable = bool(settings.token_env and environ.get(settings.token_env, "").strip())
    return has_variable or not (settings.token_file or settings.token_command or settings.token_keyring)


def _found(settings: EndpointSettings, environ: Mapping[str, str]) -> str | None:
    """Return the first credential there is; None when none is named."""
    has_other_way = bool(settings.token_file or settings.token_command or settings.token_keyring)
    if settings.token_env:
        value = environ.get(settings.token_env, "")
        if value.strip():
            return value
        if not has_other_way:
            raise ConfigError(
                f"The environment variable {settings.token_env} is not set.",
                hint=f"Set it to the credential: export {settings.token_env}=…",
            )
    if settings.token_file:
        return _from_file(settings.token_file)
    if settings.token_command:
        return _from_command(settings.token_command)
    return from_keyring(settings.token_keyring) if settings.token_keyring else None


def _from_file(name: str) -> str:
    path = Path(name).expanduser()
    try:
        if not path.is_file():
            raise ConfigError(f"The credential file {path} does not exist.", hint="Write the credential into it.")
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"The credential file {path} cannot be read: {reason}.") from error


def _from_command(command: tuple[str, ...]) -> str:
    program = command[0]
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, from the user's own configuration
            command, capture_output=True, timeout=COMMAND_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"The credential command {program} took longer than {COMMAND_SECONDS:g} s.",
            hint="Run it once in this terminal, so that it need not ask.",
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name or arguments are not usable"
        raise ConfigError(f"The credential command {program} cannot be run: {reason}.") from error
    if done.returncode != 0:
        raise ConfigError(
            f"The credential command {program} failed with exit code {done.returncode}.",
            hint="Run it by hand to see why.",
        )
    return done.stdout[: _LARGEST + 1].decode("utf-8", "replace")


def _checked(value: str, where: str) -> str:
    """Return the credential without the newline and spaces around it."""
    stripped = value.strip()
    if not stripped:
        raise ConfigError(f"The credential from {where} is empty.")
    if len(stripped) > _LARGEST or not (stripped.isascii() and stripped.isprintable()):
        raise ConfigError(
            f"The credential from {where} cannot be one.", hint="Expected one line of printable ASCII characters."
        )
    return stripped
