"""Runs the program with walls taken down, to show that the checker would see what they keep out. A test program.

    python -m tests.hostile.wall_switch text,filter [arguments of chatforge]

`text`: cleaning returns texts as they are, and any link may be opened. `filter`: the line filter lets everything pass.
"""

import sys

from chatforge_tui.safety import clean


def _as_it_is(text: str) -> str:
    return text


def take_down_text() -> None:
    """Replace the cleaning functions before anything has imported them by name."""
    for name in ("clean", "clean_line", "clean_name"):
        setattr(clean, name, _as_it_is)


def take_down_filter() -> None:
    """Let the line filter pass everything."""
    from chatforge_tui.ui.line_filter import SafetyFilter  # noqa: PLC0415 - after the cleaning was replaced

    SafetyFilter.apply = lambda self, segments, background: segments  # type: ignore[method-assign]


def main() -> None:
    walls = sys.argv.pop(1).split(",")
    if "text" in walls:
        take_down_text()
    if "filter" in walls:
        take_down_filter()
    from chatforge_tui.cli.main import main as run  # noqa: PLC0415 - after the walls

    run()


if __name__ == "__main__":
    main()
