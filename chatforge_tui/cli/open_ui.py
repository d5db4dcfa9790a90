"""Opens the terminal UI: the keyboard first, then what takes time to import.

Owns that order, and nothing else: the start of the UI itself is ui_start's.
"""

from chatforge_tui.cli.early_terminal import keys_kept
from chatforge_tui.cli.launch import Launch


def open_ui(launch: Launch) -> int:
    """Run the terminal UI until the user leaves; return the exit code. Keys typed from here on are for its prompt.

    Args:
        launch: what the flags say.

    Raises:
        ConfigError: the configuration cannot be used, or there is no terminal.
    """
    with keys_kept() as modes:
        from chatforge_tui.cli.ui_start import run_ui  # noqa: PLC0415 - 20 ms for the key table and the log

        return run_ui(launch, modes)
