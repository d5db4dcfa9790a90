"""What the program exits with, in one table: for the code, `--help` and the README.

Codes that belong to an error stand in errors.py; a test holds the two together.
"""

DONE = 0
FAULT = 1
USAGE = 2
FAILED = 6
INTERRUPTED = 7
WAITING = 8
OWN_FAULT = 70
HANGUP = 129
STOPPED = 130
READER_GONE = 141
TERMINATED = 143

EXIT_CODES: tuple[tuple[int, str], ...] = (
    (DONE, "done; with `send`: the answer is complete"),
    (
        FAULT,
        "it could not be done, for a reason that is not in this list; with `import`: some lines were skipped; with `export --all`: a session, or an attached file, could not be read; with `doctor`: something does not work",
    ),
    (USAGE, "the command line or the configuration cannot be used; with `send --attach`: a file cannot be attached"),
    (
        3,
        "the store cannot be used: missing rights, full disk, damaged, or made by a newer ChatForge (then it can still be read)",
    ),
    (4, "no session has this id, or several begin with it"),
    (5, "another running ChatForge is answering in this session"),
    (FAILED, "the turn failed: the endpoint was not reached, refused, or said so"),
    (INTERRUPTED, "the answer broke off before its end; what came is kept"),
    (WAITING, "the agent asks something and waits for `send --session ID`"),
    (OWN_FAULT, "a fault of ChatForge itself; the log file says where"),
    (HANGUP, "its terminal went away; the turn was stopped"),
    (STOPPED, "stopped with Ctrl+C, or by the agent"),
    (READER_GONE, "whoever read its output went away; the turn was stopped"),
    (TERMINATED, "ended by SIGTERM; the turn was stopped"),
)
"""Every exit code and what it means, ascending."""
