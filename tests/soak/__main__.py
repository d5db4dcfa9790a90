"""The promises of isolation and durability, measured: `python -m tests.soak COMMAND`. Exit code 1 when something was lost.

contention      two and four programs on one store, 1,000 mixed operations each
every-write     every write, sync, link and unlink of the store hit by death, a full disk, an I/O error (strace)
kill            the program killed while 20 sessions stream, 200 times
leaks           1,000 sessions made, streamed, stopped in each state, deleted: what is left of them, and how quick a stop is
outbox          two programs killed 200 times while their endpoint comes and goes: what waits is sent once
power           2,000 simulated power cuts in each way to use SQLite, those that are never used included
reattach        the program killed after any number of its agents' bytes, 100 times: it reads on, to the byte
stream          50 sessions stream for an hour among 1,000 stored ones, while their user works
"""

import argparse
import sys
from pathlib import Path

from tests.soak import contention, every_write, kill, leaks, outbox, power, reattach, stream

COMMANDS = {
    "contention": contention,
    "every-write": every_write,
    "kill": kill,
    "leaks": leaks,
    "outbox": outbox,
    "power": power,
    "reattach": reattach,
    "stream": stream,
}


def main() -> int:
    """Run one of the soaks."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_argument("--results", type=Path, help="directory for the figures of each run, and the summary")
        module.add_arguments(command)
    options = parser.parse_args()
    return COMMANDS[options.command].run(options)


if __name__ == "__main__":
    sys.exit(main())
