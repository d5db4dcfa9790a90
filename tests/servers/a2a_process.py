"""Starts real A2A servers for tests: a2a_agent.py under an official SDK, in a virtual environment of its own.

The environments are made once, in the directory that CHATFORGE_TEST_CACHE names (default: .cache in the repository), and
reused. A test whose environment cannot be made (no package index) is skipped, unless CHATFORGE_REQUIRE_SERVERS is set.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SDK_VERSIONS = {"0.3": "0.3.26", "1.0": "1.3.0"}
"""Protocol version → version of a2a-sdk that serves it."""

_HERE = Path(__file__).parent


def cache_dir() -> Path:
    """Return where things that tests need twice are kept."""
    return Path(os.environ.get("CHATFORGE_TEST_CACHE") or _HERE.parents[1] / ".cache")


def sdk_python(sdk: str) -> Path:
    """Return the Python of an environment with this version of a2a-sdk; make the environment if it is not there."""
    home = cache_dir() / f"a2a-sdk-{sdk}"
    python = home / "bin" / "python"
    ready = home / "ready"
    home.parent.mkdir(parents=True, exist_ok=True)
    with (home.parent / f"a2a-sdk-{sdk}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            try:
                subprocess.run([sys.executable, "-m", "venv", home], check=True, capture_output=True, text=True)
                pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                subprocess.run(
                    [*pip, f"a2a-sdk[http-server]=={sdk}", "uvicorn"], check=True, capture_output=True, text=True
                )
            except subprocess.CalledProcessError as error:
                if os.environ.get("CHATFORGE_REQUIRE_SERVERS"):
                    raise
                pytest.skip(f"a2a-sdk {sdk} cannot be installed: {(error.stderr or '').strip()[-300:]}")
            ready.touch()
    return python


class A2aServer:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[str]", url: str, log: Path) -> None:
        self.process = process
        self.url = url
        """Ends with a slash."""
        self.log_file = log

    def log(self, event: str | None = None, **fields: Any) -> list[dict[str, Any]]:
        """Return the server's log, oldest first; only the entries that match."""
        wanted = fields if event is None else {"event": event, **fields}
        lines = self.log_file.read_text(encoding="utf-8").splitlines() if self.log_file.exists() else []
        entries = [json.loads(line) for line in lines if line.endswith("}")]
        return [entry for entry in entries if all(entry.get(key) == value for key, value in wanted.items())]

    def answer(self, task_id: str) -> str:
        """Return the text that the server says it sent as the answer of a task."""
        return "".join(entry["text"] for entry in self.log("answer", task=task_id))

    def chunks(self, task_id: str) -> str:
        """Return the chunks that the server says it sent, as one text."""
        return "".join(entry["text"] for entry in self.log("chunk", task=task_id))

    def wait_for(self, event: str, seconds: float = 10.0, **fields: Any) -> dict[str, Any]:
        """Return the first such entry of the log, once it is there. Blocks: for threads and synchronous tests."""
        deadline = time.monotonic() + seconds
        while not (found := self.log(event, **fields)):
            if time.monotonic() > deadline:
                raise AssertionError(f"the server logged no {event!r} within {seconds:g} s")
            time.sleep(0.02)
        return found[0]

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()


@contextmanager
def run_a2a_server(protocol: str, log: Path, *options: str) -> Iterator[A2aServer]:
    """Run a server until the block is left.

    Args:
        protocol: "0.3", "1.0", or "compat": 1.3.0 serving both.
        log: where it writes its log.
        options: further options of a2a_agent.py.
    """
    is_compat = protocol == "compat"
    python = sdk_python(SDK_VERSIONS["1.0" if is_compat else protocol])
    command = [python, _HERE / "a2a_agent.py", "--log", log, *(["--compat"] if is_compat else []), *options]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with (
        log.with_suffix(".stderr").open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the server ended before it listened; see {errors.name}"
            yield A2aServer(process, json.loads(line)["url"], log)
        finally:
            process.kill()
