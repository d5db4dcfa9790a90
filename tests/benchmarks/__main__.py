"""Measures the whole program against floors and peers: `python -m tests.benchmarks`.

    python -m tests.benchmarks                        everything that is installed, two tables (about 20 minutes)
    python -m tests.benchmarks --only paced,echo      some scenarios: start paced echo abort flood many background stalls
                                                      turns lengths tabs parts
    python -m tests.benchmarks --programs chatforge,floor-markdown
    python -m tests.benchmarks --short                proves in seconds that it works; the figures mean nothing
    python -m tests.benchmarks --long                 three times everything, and 1,000 streams over HTTP (two hours)
    python -m tests.benchmarks --keep FILE            adds the figures to a file, and shows all that it holds
    python -m tests.benchmarks --write                puts table and plot into README.md and screenshots/bench.svg

Programs take turns, so that all of them meet the same machine; only ratios of one run are worth quoting. What cannot be
measured is listed under the table; the exit code is 0 all the same. Each program is a file in programs/. Linux only.
The second table holds parts of the program, each beside what it cannot do without; `python -m tests.benchmarks.parts`
measures them alone, `python -m tests.benchmarks.startup` the start, `python -m tests.benchmarks.store` the store.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import parts, scenarios
from tests.benchmarks.plot import Panel, draw
from tests.benchmarks.process_tree import busy_s
from tests.benchmarks.programs import Program, all_programs
from tests.benchmarks.scenarios import LONG, SHORT, Figures, MeasureError, Sizes
from tests.benchmarks.table import OURS, Results, aligned, markdown_table, median, rows_of

ROOT = Path(__file__).resolve().parents[2]
PARTS_HEADING = """\
Parts of the program, each beside what it cannot do without: CPU is that of all threads, the ratio the median of the rounds,
the target what was aimed at."""
SCENARIOS = (*scenarios.IN_ONE_PROCESS, "many", *scenarios.GROWTH, "parts")


class Bench:
    """One run of the bench: what it measured, and what went wrong."""

    def __init__(self, sizes: Sizes, only: set[str]) -> None:
        self.sizes, self.only = sizes, only
        self.results: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.troubles: list[str] = []

    def measure(self, program: Program, *, growth: bool) -> None:
        """Measure everything about one program once; `growth`: how cost grows, too."""
        here = [name for name in scenarios.IN_ONE_PROCESS if name in self.only and program.can(name)]
        if "echo" in here and "echo-idle" in here:
            here.remove("echo-idle")
        if here:
            self.attempt(program, "start", lambda: self.in_one_process(program, here))
        if not growth:
            return
        if "many" in self.only and program.can("many"):
            for count in self.sizes.streams if program.new else (1,):
                if not self.attempt(program, f"{count} streams", lambda count=count: self.side_by_side(program, count)):
                    break
        for name, measure in scenarios.GROWTH.items() if program.name == OURS else ():
            if name in self.only:
                for count in getattr(self.sizes, name):
                    self.attempt(
                        program,
                        f"{count} {name}",
                        lambda measure=measure, count=count: measure(program, self.sizes, count),
                    )

    def in_one_process(self, program: Program, names: list[str]) -> Figures:
        """Go through scenarios in one process."""
        with scenarios.running(program, self.sizes) as stage:
            for name in names:
                self.attempt(program, name, lambda name=name: scenarios.IN_ONE_PROCESS[name](stage))
                if stage.driver.ended:
                    raise MeasureError(f"it ended during {name}")
        return {}

    def side_by_side(self, program: Program, count: int) -> Figures:
        """Measure so many streams in a process of their own."""
        with scenarios.running(program, self.sizes) as stage:
            return scenarios.many(stage, count)

    def attempt(self, program: Program, name: str, measure: Callable[[], Figures]) -> bool:
        """Measure something, keep the figures or what went wrong; return whether it worked."""
        busy, began = busy_s(), time.monotonic()
        try:
            figures = measure()
        except (MeasureError, OSError) as error:
            self.troubles.append(f"{program.column}, {name}: {error}")
            return False
        for key, value in figures.items():
            self.results[program.name][key].append(value)
        if figures:
            load = (busy_s() - busy) / (time.monotonic() - began)
            print(f"  {program.column}: {name} (the machine: {load:.1f} cores)", file=sys.stderr, flush=True)
        return True


def machine() -> str:
    """Return where this ran: date, processor, versions, commit."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    commit = done.stdout.strip() or "unknown"
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return f"{day}, {os.cpu_count()} cores of {model}, Python {platform.python_version()}, commit {commit}"


def plot(results: Results, columns: dict[str, str], caption: str) -> str:
    """Return the picture of how cost grows."""

    def lines(prefix: str, figure: str, scale: float = 1.0) -> dict[str, list[tuple[float, float]]]:
        found: dict[str, list[tuple[float, float]]] = {}
        for program, figures in results.items():
            keys = [re.fullmatch(rf"{prefix}(\d+)_{figure}", key) for key in figures]
            points = [(float(key[1]), (median(results, program, key[0]) or 0) * scale) for key in keys if key]
            points = [point for point in points if point[0]]  # the scale is logarithmic
            if len(points) > 1:
                found[columns[program]] = points
        return found

    at_http = lines("many", "cores")
    synthetic = lines("background", "cores")
    return draw(
        [
            Panel("Streams at once, over HTTP", "streams, 50 tokens/s each (100: 30 each)", "cores", at_http),
            Panel("Streams at once, no network", "streams, 30 tokens/s each", "cores", synthetic),
            Panel(
                "Keys meanwhile", "streams, 30 tokens/s each", "key echo p95, ms", lines("background", "echo_p95_ms")
            ),
            Panel(
                "Tokens in the answer so far", "tokens", "CPU s per 1,000 more at 200/s", lines("length", "cpu_per_1k")
            ),
            Panel("Turns in the session", "turns", "CPU s per 1,000 tokens at 200/s", lines("turns", "cpu_per_1k")),
            Panel("An answer at once", "tokens", "on the screen after, ms", lines("flood", "lag_ms")),
        ],
        caption,
    )


def keep(results: dict[str, dict[str, list[float]]], path: Path) -> None:
    """Add the figures to a file, and those of the file to the figures."""
    earlier = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for program, figures in earlier.items():
        for key, values in figures.items():
            results[program][key] = values + results[program][key]
    path.write_text(json.dumps(results), "utf-8")


def write_down(results: Results, columns: dict[str, str], tables: Sequence[str]) -> None:
    """Put tables and plot where the README shows them."""
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    table = f"Measured {machine()}."
    for heading, one in zip(("", PARTS_HEADING), tables, strict=False):
        table += f"\n\n{heading}\n\n{one}" if heading else f"\n\n{one}"
    new = re.sub(
        r"(<!-- bench -->\n).*?(<!-- /bench -->)", lambda found: f"{found[1]}{table}\n{found[2]}", text, flags=re.DOTALL
    )
    if new == text:
        print("README.md has no place for the table: <!-- bench --> <!-- /bench -->", file=sys.stderr)
    readme.write_text(new, "utf-8")
    (ROOT / "screenshots" / "bench.svg").write_text(plot(results, columns, machine().partition(",")[0]), "utf-8")


def main() -> int:
    """Measure, print, maybe write; return 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--long", action="store_true", help="more of everything, for hours")
    parser.add_argument("--only", default="", help="scenarios, with commas")
    parser.add_argument("--programs", default="", help="names of files in programs/, with commas")
    parser.add_argument("--repeat", type=int, default=0, help="runs of each program")
    parser.add_argument("--tokens", type=int, default=0, help="tokens of the paced answer")
    parser.add_argument("--keep", type=Path, help="a JSON file of figures, from this run and earlier ones")
    parser.add_argument("--write", action="store_true", help="write README.md and screenshots/bench.svg")
    asked = parser.parse_args()
    sizes = SHORT if asked.short else LONG if asked.long else Sizes()
    if asked.tokens:
        sizes = replace(sizes, paced_tokens=asked.tokens)
    known = all_programs()
    named = asked.programs.split(",") if asked.programs else ("chatforge",) if asked.short else known
    programs = [known[name] for name in known if name in named and known[name].is_installed]
    only = set(asked.only.split(",")) if asked.only else set(SCENARIOS)
    if unknown := only - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    bench = Bench(sizes, only)
    for number in range(asked.repeat or sizes.rounds):
        for program in programs:
            bench.measure(program, growth=number < sizes.growth_rounds)
    if asked.keep:
        keep(bench.results, asked.keep)
    columns = {program.name: program.column for program in known.values() if bench.results[program.name]}
    tables = [markdown_table(bench.results, columns, rows_of(sizes))] if columns else []
    if "parts" in only and OURS in {program.name for program in programs}:
        print("  parts, some minutes", file=sys.stderr, flush=True)
        pairs = parts.measure(list(parts.MEASUREMENTS), sizes.growth_rounds, is_quick=asked.short)
        bench.troubles += (f"parts, {name}: see above" for name, found in pairs.items() if not found)
        tables.append(parts.markdown(pairs))
    print(machine())
    print()
    for table in tables:
        print(aligned(table))
    for trouble in bench.troubles:
        print(f"not measured: {trouble}")
    if asked.write:
        write_down(bench.results, columns, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
