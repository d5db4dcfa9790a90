"""A list to choose from by typing: the command palette, themes, earlier prompts.

Owns matching and the list; what the choices mean is the caller's. All texts are cleaned by whoever makes the choices.
"""

import math
from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct
from rich.cells import cell_len
from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import FuzzySearch
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from chatforge_tui.ui.line_drawing import shorten
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.widgets.entry import Entry

_LEAST_DETAIL = 16
"""Cells below which a detail is left out rather than cut."""
MOST_SHOWN = 200
"""Most choices in the list at once; typing narrows it down."""


class Choice(Struct, frozen=True):
    """One line of the list."""

    value: str
    """What the picker gives when it is chosen."""
    text: str
    """What is shown and matched."""
    detail: str = ""
    """Shown dim behind it, and matched as well."""
    key: str = ""
    """The key for the same thing, shown at the right."""
    name: str = ""
    """What it is called elsewhere: not shown, but who types how that begins finds it first."""


class PickerScreen(Dialog[str]):
    """Gives the value of the chosen line; Esc gives nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "picker.tcss"]

    def __init__(
        self, title: str, choices: Sequence[Choice], *, placeholder: str, nothing: str, start: str = ""
    ) -> None:
        """Show choices.

        Args:
            title: what is chosen.
            choices: in the order of an empty search.
            placeholder: what to type.
            nothing: sentence for an empty list, with {} for what was searched.
            start: value of the line that is highlighted first.
        """
        super().__init__()
        self._title, self._choices = title, choices
        self._placeholder, self._nothing, self._start = placeholder, nothing, start
        self._shown: list[Choice] = []
        self._searched = ""
        """What the list shows the matches of."""
        self._fuzzy = FuzzySearch()

    def compose(self) -> ComposeResult:
        """Lay out entry and list."""
        with Vertical(classes="dialog--box"):
            yield self.title_line(self._title)
            entry = Entry(placeholder=self._placeholder, compact=True)
            entry.cursor_blink = False
            yield entry
            listing = OptionList(compact=True, markup=False)
            listing.can_focus = False
            yield listing
            yield self.hint_line("Type to search, Enter chooses, Esc back")

    def on_mount(self) -> None:
        """Show everything; at once, for Enter may be there already, and again when it is known how wide."""
        self._search_again()
        self.call_after_refresh(self._search_again)

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self.call_after_refresh(self._search_again)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow down."""
        self._search(event.value)

    def on_input_submitted(self) -> None:
        """Choose the highlighted line of what fits the words that stand there now: Enter may overtake their search."""
        if self._searched != self.query_one(Input).value:
            self._search_again()
        place = self.query_one(OptionList).highlighted
        if place is not None and place < len(self._shown):
            self.dismiss(self._shown[place].value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose by mouse."""
        if event.option_index < len(self._shown):
            self.dismiss(self._shown[event.option_index].value)

    def action_move(self, step: int) -> None:
        """Move the highlight."""
        listing = self.query_one(OptionList)
        if self._shown:
            listing.highlighted = max(0, min((listing.highlighted or 0) + step, len(self._shown) - 1))

    def _search_again(self) -> None:
        """Search what stands in the entry by now."""
        self._search(self.query_one(Input).value)

    def _search(self, query: str) -> None:
        listing = self.query_one(OptionList)
        self._searched = query
        self._shown = self._matching(query)[:MOST_SHOWN]
        room = max(listing.scrollable_content_region.width - 3, 20)
        options = [Option(_line(choice, self._places(query, choice), room)) for choice in self._shown]
        if not options:
            options = [Option(Content.styled(self._nothing.format(query), "$text-muted"), disabled=True)]
        listing.clear_options().add_options(options)
        wanted = next((index for index, choice in enumerate(self._shown) if choice.value == self._start), 0)
        listing.highlighted = (wanted if not query else 0) if self._shown else None

    def _places(self, query: str, choice: Choice) -> Sequence[int]:
        """Return which characters of a choice's text were found."""
        return self._fuzzy.match(query, choice.text)[1] if query.strip() else ()

    def _matching(self, query: str) -> list[Choice]:
        if not query.strip():
            return list(self._choices)
        scored = [(self._score(query, choice), choice) for choice in self._choices]
        return [choice for score, choice in sorted(scored, key=lambda pair: -pair[0]) if score > 0]

    def _score(self, query: str, choice: Choice) -> float:
        """Return how well a choice matches, 0 for not at all; its detail counts half, its name before all."""
        text, detail = self._fuzzy.match(query, choice.text)[0], self._fuzzy.match(query, choice.detail)[0]
        is_called = choice.name.casefold().startswith(query.strip().casefold())
        return math.inf if is_called else max(text, detail / 2)


def _line(choice: Choice, places: Sequence[int], room: int) -> Content:
    """Return one line: text with what was found underlined, detail, and the key at the right."""
    text = shorten(choice.text, room - cell_len(choice.key) - 1)
    body = Content(text)
    for place in places:
        if place < len(text) - 1 or text == choice.text:
            body = body.stylize("bold underline", place, place + 1)
    left = room - cell_len(text) - cell_len(choice.key) - 1
    detail = f"  {choice.detail}" if choice.detail else ""
    if cell_len(detail) > left:  # of a word or two nothing is better than their beginning
        detail = shorten(detail, left) if left >= _LEAST_DETAIL else ""
    gap = " " * max(left - cell_len(detail) + 1, 1)
    return Content.assemble(body, Content.styled(detail, "$text-muted"), gap, Content.styled(choice.key, "$text-muted"))
