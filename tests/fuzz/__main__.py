"""`python -m tests.fuzz TARGET [SECONDS]`: coverage-guided fuzzing with atheris, of the `fuzz` extra.

What is found is written to tests/fuzz/found/TARGET-*; once mended it is kept there, and tests/fuzz/test_inputs.py tries it for ever.
The targets are described in targets.py.
"""

import sys
import tempfile
from pathlib import Path

FOUND = Path(__file__).parent / "found"


def main() -> None:
    """Fuzz one target; atheris ends the process, with a code other than 0 when it found something."""
    import atheris  # noqa: PLC0415 - only there with the extra, and it must come before what it looks into

    with atheris.instrument_imports(include=["chatforge_tui", "tests.fuzz"]):
        from tests.fuzz.targets import SEEDS, TARGETS  # noqa: PLC0415 - as above

    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"python -m tests.fuzz {'|'.join(TARGETS)} [SECONDS]")
    name, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60
    FOUND.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[name]):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        options = [f"-max_total_time={seconds}", "-timeout=5", "-max_len=4096", f"-artifact_prefix={FOUND}/{name}-"]
        atheris.Setup([sys.argv[0], corpus, *options], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
