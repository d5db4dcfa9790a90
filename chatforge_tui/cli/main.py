"""The entry point: runs the command line and turns every end into an exit code, never into a traceback.

Owns exit codes and last words. What a command does is in its own module.
"""

import sys
import threading
from types import TracebackType

from chatforge_tui.cli import exit_codes
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.open_files import allow_open_files
from chatforge_tui.cli.open_ui import open_ui
from chatforge_tui.cli.output import ReaderGone, silence_stdout, tell, tell_error
from chatforge_tui.errors import ChatForgeError


def main() -> None:
    """Run `chatforge` with the arguments of this process; does not return."""
    sys.excepthook = _tell_own_fault
    # A thread that dies by a fault has said so in the log, and everyone who waited for it has been told: what Python
    # would print is for no one, and would go over the screen.
    threading.excepthook = _say_nothing
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line; return the exit code. Words go to stdout and stderr."""
    allow_open_files()
    try:
        if not arguments:  # how it is nearly always started: without the 15 ms that click and the commands take
            return open_ui(Launch())
        from chatforge_tui.cli.commands.root import run_command  # noqa: PLC0415 - see above

        return run_command(arguments)
    except KeyboardInterrupt:
        return exit_codes.STOPPED
    except ReaderGone:
        silence_stdout()
        return exit_codes.READER_GONE
    except ChatForgeError as error:
        tell_error(error)
        return error.exit_code


def _say_nothing(_: threading.ExceptHookArgs) -> None:
    """Write nothing."""


def _tell_own_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say in one sentence that ChatForge itself is at fault; the traceback goes to the log, credentials masked."""
    # 27 ms for logging and its handlers, only needed when all is lost.
    import logging  # noqa: PLC0415 - see above

    from chatforge_tui.cli.logging_setup import current_log, start_logging  # noqa: PLC0415 - see above

    log_file = current_log() or start_logging(Launch().log_file)
    logging.getLogger("chatforge.cli").critical("a fault of ChatForge itself", exc_info=(kind, error, trace))
    tell(f"ChatForge met a fault of its own ({kind.__name__}). The log says where: {log_file}")
    raise SystemExit(exit_codes.OWN_FAULT)
