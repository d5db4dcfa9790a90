"""Draws how cost grows, as SVG by hand: one panel for each thing that there can be more of, two beside each other."""

import html
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 900, 330
"""Of a row of panels."""
LEGEND = 30
PANEL = 400
TOP, BOTTOM, LEFT = 56, 60, 60
COLOURS = ("#2563eb", "#6b7280", "#d97706", "#059669", "#9333ea", "#dc2626")


class Panel(NamedTuple):
    """One diagram: x on a logarithmic scale, y from 0."""

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def draw(panels: Sequence[Panel], caption: str) -> str:
    """Return the picture."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    colours = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(names)}
    places = _legend_places(names)
    above = HEIGHT * -(-len(panels) // 2)
    whole = above + LEGEND * (places[-1][1] + 2 if places else 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {whole}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{whole}" fill="#ffffff"/>',
    ]
    for at, panel in enumerate(panels):
        parts += _panel(panel, LEFT + at % 2 * (PANEL + 40), at // 2 * HEIGHT, colours)
    for name, (x, row) in zip(names, places, strict=True):
        y = above + LEGEND * row
        parts.append(f'<rect x="{x}" y="{y + 8}" width="12" height="4" fill="{colours[name]}"/>')
        parts.append(_text(x + 18, y + 14, name))
    parts += [_text(WIDTH - 20, whole - 12, caption, anchor="end", colour="#6b7280"), "</svg>"]
    return "\n".join(parts) + "\n"


def _legend_places(names: Sequence[str]) -> list[tuple[float, int]]:
    """Return where each name begins, and in which row; a letter is 7 wide at most."""
    places: list[tuple[float, int]] = []
    x, row = float(LEFT), 0
    for name in names:
        width = 18 + 7 * len(name) + 24
        if x + width > WIDTH and x > LEFT:
            x, row = float(LEFT), row + 1
        places.append((x, row))
        x += width
    return places


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = "#111827") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html.escape(text)}</text>'


def _round_up(value: float) -> float:
    """Return the next number of the kind 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(value)) if value > 0 else 1
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _panel(panel: Panel, left: float, top: float, colours: Mapping[str, str]) -> list[str]:
    points = [point for line in panel.lines.values() for point in line]
    if not points:
        return []
    xs = sorted({x for x, _ in points})
    low, high = math.log10(xs[0]), math.log10(xs[-1])
    most = _round_up(max(y for _, y in points))
    height, width = HEIGHT - TOP - BOTTOM, PANEL - 60

    def at(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - low) / (high - low) if high > low else 0.5
        return left + share * width, top + TOP + height * (1 - y / most)

    parts = [_text(left, top + 22, panel.title), _text(left, top + 42, panel.y_label, colour="#6b7280")]
    for step in range(5):
        y = most * step / 4
        level = at(xs[0], y)[1]
        parts.append(f'<path d="M{left:.1f} {level:.1f}h{width}" stroke="#e5e7eb"/>')
        parts.append(_text(left - 6, level + 4, f"{y:g}", anchor="end", colour="#6b7280"))
    below = top + TOP + height + 16
    parts += (_text(at(x, 0)[0], below, f"{x:,.0f}", anchor="middle", colour="#6b7280") for x in xs)
    parts.append(_text(left + width / 2, top + TOP + height + 32, panel.x_label, anchor="middle", colour="#6b7280"))
    for name, line in panel.lines.items():
        places = [at(x, y) for x, y in sorted(line)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colours[name]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colours[name]}"/>' for x, y in places]
    return parts
