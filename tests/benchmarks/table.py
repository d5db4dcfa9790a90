"""From figures to the tables that are printed: medians, and beside each the ratio to a floor of the same run."""

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.benchmarks.scenarios import Sizes, rate_of

Results = Mapping[str, Mapping[str, Sequence[float]]]
"""Program -> figure -> what each run measured."""

BARE, HTTPX, MARKDOWN, OURS = "floor-textual", "floor-httpx", "floor-markdown", "chatforge"


class Row(NamedTuple):
    """One line of the table."""

    key: str
    label: str
    form: str
    floor: str = ""
    """The program whose figure is 1x; "" = no ratios."""
    base: str = ""
    """The figure of the same program that is 1x, where there is no such program."""


ROWS = (
    Row("start_s", "start until a prompt can be typed, s", "{:.2f}", BARE),
    Row("start_cpu_s", "the same, CPU s", "{:.2f}", BARE),
    Row("rss_mb", "memory then, MB", "{:.0f}", BARE),
    Row("idle_cpu", "idle, % of a core", "{:.1f}"),
    Row("idle_bytes", "idle, bytes/s to the terminal", "{:.0f}"),
    Row("paced_cpu_per_1k", "200 tokens/s: CPU s per 1,000 tokens", "{:.2f}", HTTPX),
    Row("paced_bytes_per_token", "200 tokens/s: bytes to the terminal per token", "{:.0f}"),
    Row("paced_lag_ms", "200 tokens/s: last token on the screen after the server's last byte, ms", "{:.0f}"),
    Row("idle_echo_p50_ms", "key echo, idle: p50 ms", "{:.0f}", BARE),
    Row("idle_echo_p95_ms", "key echo, idle: p95 ms", "{:.0f}", BARE),
    Row("echo_p50_ms", "key echo at 200 tokens/s: p50 ms (idle: 1x)", "{:.0f}", base="idle_echo_p50_ms"),
    Row("echo_p95_ms", "key echo at 200 tokens/s: p95 ms (idle: 1x)", "{:.0f}", base="idle_echo_p95_ms"),
    Row("echo_max_ms", "key echo at 200 tokens/s: max ms", "{:.0f}"),
    Row("abort_p50_ms", "Esc until the socket is closed: p50 ms", "{:.1f}"),
    Row("abort_max_ms", "Esc until the socket is closed: max ms", "{:.1f}"),
    Row("stop_p50_ms", "the same with Ctrl+C, which begins no other key: p50 ms", "{:.1f}"),
    Row("stop_max_ms", "the same with Ctrl+C: max ms", "{:.1f}"),
)


def rows_of(sizes: Sizes) -> list[Row]:
    """Return every row for these sizes: one answer, many streams, long sessions and answers, many tabs."""
    rows = list(ROWS)
    for count in sizes.flood_tokens:
        name = f"{count:,} tokens at once"
        rows += [
            Row(f"flood{count}_cpu_per_1k", f"{name}: CPU s per 1,000 tokens", "{:.3f}", HTTPX),
            Row(f"flood{count}_lag_ms", f"{name}: on the screen after the server's last byte, ms", "{:.0f}"),
        ]
    rows.append(Row("flood_rss_mb", "memory after that, MB", "{:.0f}"))
    for count in sizes.streams:
        name = f"{count:,} at {rate_of(count)} tokens/s"
        rows += [
            Row(f"many{count}_cores", f"{name}: cores", "{:.2f}", HTTPX),
            Row(f"many{count}_echo_p95_ms", f"{name}: key echo p95 ms", "{:.0f}"),
            Row(f"many{count}_echo_max_ms", f"{name}: key echo max ms", "{:.0f}"),
            Row(f"many{count}_rss_mb", f"{name}: memory, MB", "{:.0f}", HTTPX),
        ]
    for count in sizes.background:
        name, least = f"{count:,} at 30 tokens/s, no network", f"background{sizes.background[0]}"
        rows += [
            Row(f"background{count}_cores", f"{name}: cores", "{:.2f}"),
            Row(f"background{count}_echo_p50_ms", f"{name}: key echo p50 ms", "{:.0f}", base=f"{least}_echo_p50_ms"),
            Row(f"background{count}_echo_p95_ms", f"{name}: key echo p95 ms", "{:.0f}", base=f"{least}_echo_p95_ms"),
            Row(f"background{count}_echo_max_ms", f"{name}: key echo max ms", "{:.0f}"),
            Row(f"background{count}_rss_mb", f"{name}: memory, MB", "{:.0f}"),
        ]
    for count in sizes.stalls:
        name = f"{count:,} at 30 tokens/s over HTTP: the screen's loop late"
        for key in ("p95", "p99", "max"):
            base = f"stalls{count}_beside_{key}_ms"
            rows.append(
                Row(f"stalls{count}_late_{key}_ms", f"{name}, {key} ms (beside it, idle: 1x)", "{:.1f}", base=base)
            )
    for count in sizes.lengths:
        name, least = f"answer of {count:,} tokens so far", f"length{sizes.lengths[0]}"
        rows += [
            Row(f"length{count}_cpu_per_1k", f"{name}: CPU s per 1,000 more", "{:.2f}", base=f"{least}_cpu_per_1k"),
            Row(f"length{count}_rss_mb", f"{name}: memory, MB", "{:.0f}"),
        ]
    for count in sizes.turns:
        name, least = f"{count:,} turns", f"turns{sizes.turns[0]}"
        rows += [
            Row(f"turns{count}_cpu_per_1k", f"{name}: CPU s per 1,000 tokens", "{:.2f}", base=f"{least}_cpu_per_1k"),
            Row(f"turns{count}_start_s", f"{name}: start, s", "{:.2f}", base=f"{least}_start_s"),
            Row(f"turns{count}_switch_ms", f"{name}: switch to it, ms", "{:.0f}", base=f"{least}_switch_ms"),
            Row(f"turns{count}_open_ms", f"{name}: first open, ms", "{:.0f}", base=f"{least}_open_ms"),
            Row(f"turns{count}_rss_mb", f"{name}: memory, MB", "{:.0f}"),
        ]
    for count in sizes.tabs:
        name, least = f"{count:,} tabs", f"tabs{sizes.tabs[0]}"
        rows += [
            Row(f"tabs{count}_start_s", f"{name}: start, s", "{:.2f}", base=f"{least}_start_s"),
            Row(f"tabs{count}_rss_mb", f"{name}: memory, MB", "{:.0f}", base=f"{least}_rss_mb"),
            Row(f"tabs{count}_idle_cpu", f"{name}: idle, % of a core", "{:.1f}"),
            Row(f"tabs{count}_idle_bytes", f"{name}: idle, bytes/s", "{:.0f}"),
        ]
    return rows


def median(results: Results, program: str, key: str) -> float | None:
    """Return the median of a figure; None where there is none."""
    values = results.get(program, {}).get(key)
    return statistics.median(values) if values else None


def _cell(results: Results, program: str, row: Row) -> str:
    value = median(results, program, row.key)
    if value is None:
        return ""
    if row.base:
        floor = None if row.base == row.key else median(results, program, row.base)
    else:
        floor = median(results, row.floor, row.key) if row.floor not in ("", program) else None
    return row.form.format(value) + (f" ({value / floor:.1f}x)" if floor else "")


def markdown_table(results: Results, columns: Mapping[str, str], rows: Sequence[Row]) -> str:
    """Return the table.

    Args:
        results: what was measured.
        columns: program -> its name at the top, in order.
        rows: which figures; those that nobody has are left out.
    """
    shown = [name for name in columns if results.get(name)]
    lines = ["| | " + " | ".join(columns[name] for name in shown) + " |", "|:--|" + "--:|" * len(shown)]
    for row in rows:
        cells = [_cell(results, name, row) for name in shown]
        if any(cells):
            lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def aligned(table: str) -> str:
    """Return a Markdown table for a terminal: columns of one width."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    text = ""
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        text += ("  ".join("-" * width for width in widths) if number == 1 else "  ".join(cells)).rstrip() + "\n"
    return text
