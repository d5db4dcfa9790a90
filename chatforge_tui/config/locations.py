"""Where ChatForge keeps what it owns.

Finds paths; makes and reads nothing.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

_NAME = "chatforge"
HOME_VARIABLE = "CHATFORGE_HOME"


class Locations(Struct, frozen=True):
    """The directories of one user, and the configuration file. None of them need exist."""

    config_file: Path
    """`config.toml`, written by people only."""
    data_dir: Path
    """Sessions: the store. To be backed up."""
    state_dir: Path
    """What the UI remembers between two runs. May be deleted."""
    log_dir: Path
    """Log files."""
    run_dir: Path
    """Locks of running programs, beside the store they guard: whoever shares the store shares them."""

    @classmethod
    def find(cls, home: Path | None, environ: Mapping[str, str]) -> "Locations":
        """Return where everything is.

        Args:
            home: one directory for all of it, from the command line; None = as `CHATFORGE_HOME` says, and without
                that where the system wants each kind of file.
            environ: the environment; an empty variable counts as unset.
        """
        chosen = home or (Path(environ[HOME_VARIABLE]) if environ.get(HOME_VARIABLE) else None)
        if chosen is not None:
            root = chosen.expanduser().absolute()
            return cls(root / "config.toml", root / "data", root / "state", root / "log", root / "data" / "run")
        import platformdirs  # noqa: PLC0415 - 12 ms, not needed with a home of one's own

        dirs = platformdirs.PlatformDirs(_NAME, appauthor=False)
        return cls(
            dirs.user_config_path / "config.toml",
            dirs.user_data_path,
            dirs.user_state_path,
            dirs.user_log_path,
            dirs.user_data_path / "run",
        )
