"""The checker is no rubber stamp: without walls the same run leaks, and each wall alone keeps it from leaking."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.hostile.checker import leaked_bytes, leaks, passed
from tests.hostile.corpus import SINK, Case, own_deltas
from tests.hostile.entries import (
    delta,
    error_body,
    file_name,
    plan_step,
    reasoning,
    status_message,
    tool_arguments_in_json,
    tool_name,
)
from tests.hostile.stage import Run, Stage, Tab
from tests.terminal import PROGRAM

pytestmark = pytest.mark.timeout(180)

FEW = {
    "own-cup-home",
    "own-sgr-conceal",
    "own-osc-c1-start",
    "own-kitty-file",
    "own-csi-8bit",
    "own-csi-dsr",
    "own-vt-ff",
    "own-c1-all",
    "own-trojan-source",
    "own-zero-width-flood",
    "own-md-fence-info",
    "own-md-table",
}
ANSWERS = [case for case in own_deltas() if case.id in FEW]
CHAT = [("reasoning", reasoning), ("name", tool_name), ("json", tool_arguments_in_json), ("error", error_body)]
AGENT = [("status", status_message), ("file", file_name), ("plan", plan_step)]


def sink(name: str) -> Case:
    return Case(f"sink-{name}", name, SINK.encode(), "no-control")


def play(home: Path, walls_down: str) -> Run:
    program = (sys.executable, "-m", "tests.hostile.wall_switch", walls_down) if walls_down else PROGRAM
    tabs = [
        Tab("chat", [delta(case) for case in ANSWERS] + [build(sink(name)) for name, build in CHAT]),
        Tab("agent", [build(sink(name)) for name, build in AGENT], title=f"title {SINK}"),
    ]
    return asyncio.run(Stage(home, program=program, has_screen=walls_down != "text,filter").run(tabs))


def payloads() -> dict[str, str]:
    """Return what each case brings."""
    return {case.id: case.whole for case in ANSWERS} | {sink(name).id: SINK for name, _ in (*CHAT, *AGENT)}


def leaking(run: Run) -> set[str]:
    """Return the cases whose turn let something through."""
    return {
        case for case, payload in payloads().items() if leaks(run.seen[case].raw) or passed(payload, run.seen[case].raw)
    }


def test_without_walls_nearly_everything_leaks(tmp_path: Path):
    run = play(tmp_path / "home", "text,filter")
    found = leaking(run)
    print(f"without walls: {len(found)} of {len(payloads())} cases leak, {leaked_bytes(leaks(run.raw))} bytes")
    assert len(found) >= len(payloads()) - 1
    assert leaked_bytes(leaks(run.raw)) > 1_000


@pytest.mark.parametrize("down", ["filter", "text", ""])
def test_each_wall_alone_lets_nothing_through(tmp_path: Path, down: str):
    run = play(tmp_path / "home", down)
    assert run.code == 0
    assert [str(leak) for leak in leaks(run.raw)[:5]] == []
    assert leaking(run) == set()
