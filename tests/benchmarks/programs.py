"""The programs that are measured: one TOML file each in programs/, with how to start it and which keys it wants.

command = ["{python}", "-m", "chatforge_tui"]   # {python}, {port} and {home} are filled in, everywhere
ready = "Enter send"                            # regular expression: on the screen when a prompt can be typed
send = ["{prompt}", "enter"]
abort = ["escape"]                              # [] = it cannot be stopped
stop = ["ctrl+c"]                               # the same with a key that begins no other; [] = there is none
new = ["ctrl+n"]                                # the next session; [] = it has one only
clear = ["ctrl+u"]                              # empties the prompt
files = { "config.toml" = "..." }               # written into its home before it starts
environ = { KEY = "x" }
column = "codex"                                # its name in the table
does = ["start", "paced", ...]                  # which scenarios; empty = all
opens_s = 0.3                                   # seconds that opening a session takes
"""

import os
import shutil
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Program:
    """How one program is driven."""

    name: str
    column: str
    command: tuple[str, ...]
    ready: str = ""
    send: tuple[str, ...] = ("{prompt}", "enter")
    abort: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    clear: tuple[str, ...] = ("ctrl+u",)
    files: Mapping[str, str] | None = None
    environ: Mapping[str, str] | None = None
    does: tuple[str, ...] = ()
    opens_s: float = 0.3
    is_one_shot: bool = False
    """It takes the prompt on its command line and exits."""

    @classmethod
    def read(cls, path: Path) -> "Program":
        """Read a program's file."""
        values: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        return cls(**{"name": path.stem, "column": path.stem, **values, **lists})

    @property
    def is_installed(self) -> bool:
        """Whether it can be started here."""
        return self.command[0] == "{python}" or shutil.which(self.command[0]) is not None

    def can(self, scenario: str) -> bool:
        """Whether a scenario makes sense for it."""
        return not self.does or scenario in self.does

    def prepare(self, home: Path, port: int) -> tuple[list[str], dict[str, str]]:
        """Write its files; return its command and its environment."""
        known = {"{python}": sys.executable, "{port}": str(port), "{home}": str(home)}

        def filled(text: str) -> str:
            for word, value in known.items():
                text = text.replace(word, value)
            return text

        for name, text in (self.files or {}).items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(filled(text), "utf-8")
        environ = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if key in os.environ}
        environ |= {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(_ROOT)}
        environ |= {key: filled(value) for key, value in (self.environ or {}).items()}
        return [filled(word) for word in self.command], environ


_ROOT = Path(__file__).resolve().parents[2]


def all_programs() -> dict[str, Program]:
    """Return every program there is a file for, ours first, floors next."""
    found = [Program.read(path) for path in PROGRAMS.glob("*.toml")]
    found.sort(
        key=lambda program: (
            not program.name.startswith("chatforge"),
            not program.name.startswith("floor"),
            program.name,
        )
    )
    return {program.name: program for program in found}
