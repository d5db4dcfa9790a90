"""The files that go along with the next prompt: name, type and size of each, above the prompt, before anything goes."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from chatforge_tui.domain.attachment import Attachment, size_words
from chatforge_tui.safety.clean import clean_line, clean_name
from chatforge_tui.ui.line_drawing import cells, shorten, spread, wrap
from chatforge_tui.ui.marks import MarkSet

MOST_LINES = 4
"""Files that have a line of their own; of more than these the last line tells how many."""
_SHORTEST_NAME = 12


class AttachmentBar(Widget):
    """One line a file; nothing at all while there is none."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"attachment--name", "attachment--facts", "attachment--warning"}
    DEFAULT_CSS = """
    AttachmentBar {
        height: auto;
        display: none;
        & > .attachment--name { color: $text; text-style: bold; }
        & > .attachment--facts { color: $text-muted; }
        & > .attachment--warning { color: $text-warning; }
    }
    """

    def __init__(self, marks: MarkSet, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._marks = marks
        self._shown: tuple[object, ...] = ()
        self._files: Sequence[Attachment] = ()
        self._reading: Sequence[str] = ()
        self._warning = ""
        self._hint = ""

    def show(self, files: Sequence[Attachment], *, reading: Sequence[str], warning: str, hint: str) -> bool:
        """Show these files; return whether that is anything new.

        Args:
            files: what goes along.
            reading: names (cleaned) of files that are still being read.
            warning: what speaks against them, one sentence as received; "" for nothing.
            hint: which key takes one back; "" for none.
        """
        shown = (tuple(files), tuple(reading), warning, hint)
        is_new = shown != self._shown
        if is_new:
            self._shown = shown
            self._files, self._reading, self._warning, self._hint = (
                files,
                tuple(reading),
                warning if files else "",
                hint,
            )
            self.display = bool(files or reading)
            self.refresh(layout=True)
        return is_new

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the number of lines."""
        del container, viewport
        return self.lines(width)

    def lines(self, width: int) -> int:
        """Return how many lines there are on a screen of this width."""
        return len(self._file_rows()) + len(self._reading[:1]) + len(self._warning_rows(width))

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        rows = self._rows(self.size.width)
        left, right = rows[y] if y < len(rows) else ([], [])
        return spread(self.size.width, left, right, self.rich_style)

    def _rows(self, width: int) -> list[tuple[list[Segment], list[Segment]]]:
        name, facts = (
            self.get_component_rich_style("attachment--name"),
            self.get_component_rich_style("attachment--facts"),
        )
        warning = self.get_component_rich_style("attachment--warning")
        rows = [self._file_row(one, width, name, facts, is_first=at == 0) for at, one in enumerate(self._file_rows())]
        rows += [([Segment(f" {self._marks.running} Reading {one}", facts)], []) for one in self._reading[:1]]
        rows += [([Segment(line, warning)], []) for line in self._warning_rows(width)]
        return rows

    def _file_rows(self) -> Sequence[Attachment | int]:
        """Return the files that have a line, and how many more there are."""
        if len(self._files) <= MOST_LINES:
            return list(self._files)
        return [*self._files[: MOST_LINES - 1], len(self._files) - MOST_LINES + 1]

    def _file_row(
        self, file: Attachment | int, width: int, name: Style, facts: Style, *, is_first: bool
    ) -> tuple[list[Segment], list[Segment]]:
        if isinstance(file, int):
            return [Segment(f"   and {file} more", facts)], []
        told = f"  {clean_name(file.media_type)} {self._marks.dot} {size_words(file.size)}"
        room = max(width - 4 - len(told), _SHORTEST_NAME)
        left = [Segment(" + ", facts), Segment(shorten(clean_name(file.name), room), name), Segment(told, facts)]
        hints = (
            (self._hint, self._hint.rpartition(f" {self._marks.dot} ")[2]) if is_first else ()
        )  # all of it, or its end
        room = width - cells(left) - 2
        fitting = next((hint for hint in hints if cell_len(hint) < room), "")
        return left, [Segment(f"{fitting} ", facts)] if fitting else []

    def _warning_rows(self, width: int) -> list[str]:
        if not self._warning:
            return []
        words = f"{clean_line(self._warning)} It is sent all the same."
        return [f" {'!' if at == 0 else ' '} {line}" for at, line in enumerate(wrap(words, max(width - 4, 10)))][:3]
