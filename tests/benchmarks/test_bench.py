"""The bench works: its server says what it is told, its short form drives the real program, its picture can be drawn."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from tests.benchmarks import parts
from tests.benchmarks.__main__ import SCENARIOS
from tests.benchmarks.answers import Order, end_of, prompt, read_order, tokens_of
from tests.benchmarks.plot import Panel, _legend_places, draw
from tests.benchmarks.programs import all_programs
from tests.benchmarks.table import ROWS, aligned, markdown_table
from tests.terminal import ROOT


@pytest.mark.parametrize("tokens", [2, 60, 1000])
def test_a_prompt_orders_so_many_tokens_and_the_same_each_time(tokens):
    order = Order(tokens, 200, "k1x")
    assert read_order(f"earlier: {prompt(Order(7, 0, 'other'))}\n{prompt(order)}") == order
    assert len(tokens_of(order)) == tokens
    assert tokens_of(order) == tokens_of(order)
    assert "".join(tokens_of(order)).endswith(f"\n\n{end_of('k1x')}")


def test_an_order_can_have_a_head_start():
    order = Order(500, 200, "k2x", 400)
    assert read_order(prompt(order)) == order


def test_every_file_of_a_program_can_be_read_and_fills_in_its_words(tmp_path):
    programs = all_programs()
    assert next(iter(programs)).startswith("chatforge")
    for name, program in programs.items():
        command, environ = program.prepare(tmp_path / name, 4711)
        assert not any("{" in text for text in (*command, *environ.values()))
        assert program.ready


def test_a_table_holds_medians_and_their_ratios_to_the_floor():
    results = {"chatforge": {"rss_mb": [60.0, 50.0, 40.0]}, "floor-textual": {"rss_mb": [25.0]}}
    table = markdown_table(results, {"chatforge": "ours", "floor-textual": "bare", "absent": "absent"}, ROWS)
    assert table.splitlines() == ["| | ours | bare |", "|:--|--:|--:|", "| memory then, MB | 50 (2.0x) | 25 |"]
    assert "50 (2.0x)    25" in aligned(table)


def test_a_row_can_be_held_against_another_one_of_the_same_program():
    results = {"chatforge": {"idle_echo_p95_ms": [10.0], "echo_p95_ms": [12.0]}}
    table = markdown_table(results, {"chatforge": "ours"}, ROWS)
    assert table.splitlines()[2:] == [
        "| key echo, idle: p95 ms | 10 |",
        "| key echo at 200 tokens/s: p95 ms (idle: 1x) | 12 (1.2x) |",
    ]


def test_a_part_shows_the_median_of_its_ratios():
    cells = parts.cells_of("delta", [(2.0, 1.0), (9.0, 3.0), (8.0, 2.0)])
    assert cells[1:] == ("8.0", "2.0", "3.00x", "2x")


def test_a_plot_is_well_formed_and_shows_every_line():
    panel = Panel("<growth>", "x & y", "cores", {"ours": [(1, 0.1), (100, 0.4)], "floor": [(1, 0.2)]})
    picture = ET.fromstring(draw([panel, Panel("empty", "", "", {})], "today"))
    kinds = [element.tag.rpartition("}")[2] for element in picture.iter()]
    assert (kinds.count("polyline"), kinds.count("circle")) == (2, 3)


def test_the_names_below_a_plot_do_not_run_into_each_other():
    names = [
        "ChatForge",
        "a program with a long name",
        "another one",
        "raw sockets",
        "httpx + print",
        "and one more of them",
    ]
    places = _legend_places(names)
    assert places[0][1] == 0 < places[-1][1]
    for (x, row), (after, next_row), name in zip(places[:-1], places[1:], names[:-1], strict=True):
        assert next_row > row or after >= x + 18 + 7 * len(name)


@pytest.mark.timeout(170)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_short_form_measures_the_real_program():
    only = ",".join(name for name in SCENARIOS if name != "parts")
    command = [sys.executable, "-m", "tests.benchmarks", "--short", "--only", only]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=160)
    assert done.returncode == 0, done.stderr
    assert "not measured" not in done.stdout, done.stdout
    for row in (
        "200 tokens/s: CPU s per 1,000 tokens",
        "key echo at 200 tokens/s: p95",
        "Esc until the socket is closed: p50",
        "the same with Ctrl+C, which begins no other key: p50",
        "300 tokens at once: CPU s per 1,000 tokens",
        "2 at 50",
        "2 at 30 tokens/s, no network: key echo p95",
        "2 at 30 tokens/s over HTTP: the screen's loop late, max ms",
        "answer of 100 tokens so far: CPU s per 1,000 more",
        "3 turns",
    ):
        line = next(line for line in done.stdout.splitlines() if line.startswith(row))
        assert float(line.removesuffix("x)").split()[-1].lstrip("(")) > 0


@pytest.mark.timeout(170)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "group",
    [parts.ON_A_TERMINAL, [name for name in parts.MEASUREMENTS if name not in parts.ON_A_TERMINAL]],
    ids=["screen", "engine"],
)
def test_the_short_form_measures_every_part_beside_its_floor(group):
    found = parts.measure(group, 1, is_quick=True)
    assert all(len(pairs) == 1 for pairs in found.values())
    assert all(ours > 0 for pairs in found.values() for ours, _ in pairs)
    assert {name for name, pairs in found.items() if not pairs[0][1]} <= {"idle"}
    assert parts.markdown(found).count("\n| ") == len(group) + 1
