"""Runs the real program: in this process where its words and files count, in one of its own where the process does.

A process costs half a second before it does anything. `run` and `run_on_terminal` call the entry point here, with
streams, environment and directory of their own; `run_process`, `start`, `run_beside` and `run_in_terminal` start one.
"""

import asyncio
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from chatforge_tui.cli.main import run

COMMAND = [sys.executable, "-m", "chatforge_tui"]
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """What a run left."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


class _Stream(io.TextIOWrapper):
    """A stream of the program that keeps what is written, and may pass for a terminal."""

    def __init__(self, is_terminal):
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self._is_terminal = is_terminal

    def isatty(self):
        return self._is_terminal

    @property
    def written(self):
        return self.buffer.getvalue()


@dataclass(frozen=True)
class Program:
    """The program with a home of its own."""

    home: Path

    @property
    def environ(self):
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("CHATFORGE_", "A2A_", "OPENAI_"))
        }
        return {**kept, "CHATFORGE_HOME": str(self.home), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}

    def run(self, *words: str, stdin: bytes = b"", cwd: Path | None = None, **environ: str) -> Done:
        code, out, err = self._call(words, stdin, cwd, environ, is_terminal=False)
        return Done(code, out.decode(), err.decode())

    def run_on_terminal(self, *words: str) -> bytes:
        """Return every byte that the program writes when it takes its streams for a terminal."""
        _, out, err = self._call(words, b"", None, {}, is_terminal=True)
        return out + err

    def _call(self, words, stdin, cwd, environ, *, is_terminal):
        out, err = (_Stream(is_terminal) for _ in range(2))
        with ExitStack() as stack:
            stack.enter_context(patch.dict(os.environ, {**self.environ, **environ}, clear=True))
            stack.enter_context(patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))))
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            stack.enter_context(chdir(cwd or Path.cwd()))
            code = run(list(words))
        return code, out.written, err.written

    def run_process(self, *words: str, stdin: bytes = b"", **environ: str) -> Done:
        done = subprocess.run(
            [*COMMAND, *words],
            input=stdin,
            capture_output=True,
            timeout=30,
            env={**self.environ, **environ},
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    async def start(self, *words: str, **environ: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            *words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environ, **environ},
        )

    async def run_beside(self, *words: str, **environ: str) -> Done:
        """Run while this process serves; what only reads the store needs no process for that."""
        if words[0] in {"sessions", "show"}:
            return await asyncio.to_thread(self.run, *words, **environ)
        process = await self.start(*words, **environ)
        out, err = await asyncio.wait_for(process.communicate(), 30)
        return Done(process.returncode, out.decode(), err.decode())

    def run_in_terminal(self, *words: str) -> tuple[int, bytes]:
        """Return the exit code and every byte that reached the terminal."""
        primary, secondary = pty.openpty()
        process = subprocess.Popen(
            [*COMMAND, *words], stdin=subprocess.DEVNULL, stdout=secondary, stderr=secondary, env=self.environ
        )
        os.close(secondary)
        received = bytearray()
        try:
            while piece := os.read(primary, 65536):
                received += piece
        except OSError:  # Linux says EIO when the last writer is gone
            pass
        os.close(primary)
        return process.wait(30), bytes(received)

    def configure(self, text: str) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "config.toml").write_text(text)

    def fill(self, *heads_and_turns: Sequence) -> None:
        """Put sessions into the store: pairs of a head and its turns."""
        from chatforge_tui.store.sqlite_store import SqliteStore  # noqa: PLC0415 - only some tests need it
        from tests.store.values import CONTENTS, files  # noqa: PLC0415 - as above

        async def fill():
            store = SqliteStore(self.home / "data" / "sessions.db")
            await store.open()
            for head, turns in heads_and_turns:
                await store.create_session(head)
                if head.attachments or any(turn.head.prompt.attachments for turn in turns):
                    await store.set_attachments(head.session_id, files(), CONTENTS)
                for turn in turns:
                    await store.begin_turn(turn.head, head)
                    await store.end_turn(turn, head)
            await store.close()

        asyncio.run(fill())
