"""`python -m tests`: format check, lint, types, import contracts, tests. What the README and .ci/run call.

Each step is an ordinary command, printed before it runs, so that it can be run alone. The first failing step does
not stop the later ones: one run shows all there is to mend. Words after the command go to pytest.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = min(4, (os.cpu_count() or 1) + 1)
"""One more than there are cores: half of the time a test waits. Not many, for some tests measure time."""
SPREAD = ("--dist", "loadfile", "--no-loadscope-reorder")
"""The tests of a file stay together: what they share is set up once. The files go in the order of tests/conftest.py."""


def steps(pytest_args: list[str]) -> list[tuple[str, list[str]]]:
    """Return the checks: (name, command), in order, cheapest first."""
    python = sys.executable
    return [
        ("format", [python, "-m", "ruff", "format", "--check", "."]),
        ("lint", [python, "-m", "ruff", "check", "."]),
        ("types", [python, "-m", "basedpyright"]),
        ("import contracts", [python, "-c", "from importlinter.cli import lint_imports_command as run; run()"]),
        ("tests", [python, "-m", "pytest", "-n", str(WORKERS), *SPREAD, *pytest_args]),
    ]


def main() -> int:
    """Run every step from the repository's root; return 0 when all passed, else 1."""
    # A test that looks for the program's settings must find none of the developer's own.
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("CHATFORGE_", "A2A_", "OPENAI_"))}
    environ |= {key: os.environ[key] for key in ("CHATFORGE_TEST_CACHE",) if key in os.environ}
    failed: list[str] = []
    for name, command in steps(sys.argv[1:]):
        print(f"== {name}: {' '.join(command[1:])}", flush=True)
        began = time.monotonic()
        result = subprocess.run(command, cwd=ROOT, env=environ, check=False)
        print(
            f"== {name}: {'passed' if result.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s\n",
            flush=True,
        )
        if result.returncode != 0:
            failed.append(name)
    print("all checks passed" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
