"""Finding words in all sessions: what is typed is looked for in titles, prompts and answers.

Owns the entry and the list of hits. Who searches, and what becomes of the chosen hit, is the caller's.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import ClassVar

from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from chatforge_tui.domain.search import FoundIn, SearchHit
from chatforge_tui.errors import ChatForgeError
from chatforge_tui.safety.clean import clean_line, clean_name
from chatforge_tui.ui.line_drawing import shorten
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.widgets.entry import Entry

REST_S = 0.15
"""Seconds that the typing rests before a search begins."""
_WHERE = {FoundIn.TITLE: "title", FoundIn.PROMPT: "you", FoundIn.ANSWER: "answer"}


class SearchScreen(Dialog[SearchHit]):
    """Gives the chosen hit; Esc gives nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("pagedown", "move(8)", show=False),
        Binding("pageup", "move(-8)", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "search.tcss"]

    def __init__(self, find: Callable[[str], Awaitable[list[SearchHit]]]) -> None:
        """Search with `find`, which takes any text and gives the hits, the best first."""
        super().__init__()
        self._find = find
        self._hits: list[SearchHit] = []
        self._rest: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out entry and list."""
        with Vertical(classes="dialog--box"):
            yield self.title_line("Search all sessions")
            entry = Entry(placeholder="Words in titles, prompts and answers", compact=True)
            entry.cursor_blink = False
            yield entry
            listing = OptionList(compact=True, markup=False)
            listing.can_focus = False
            yield listing
            yield self.hint_line("Type to search, Enter opens the place, Esc back")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search when the typing rests."""
        if self._rest is not None:
            self._rest.stop()
        query = event.value
        self._rest = self.set_timer(REST_S, lambda: self._begin(query))

    def on_input_submitted(self) -> None:
        """Choose the highlighted hit."""
        self._choose(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose by mouse."""
        self._choose(event.option_index)

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        if self._hits:
            self.call_after_refresh(self._show, self._hits)

    def action_move(self, step: int) -> None:
        """Move the highlight."""
        listing = self.query_one(OptionList)
        if self._hits:
            listing.highlighted = max(0, min((listing.highlighted or 0) + step, len(self._hits) - 1))

    def _choose(self, place: int | None) -> None:
        if place is not None and place < len(self._hits):
            self.dismiss(self._hits[place])

    def _begin(self, query: str) -> None:
        """Begin a search; one that still runs is forgotten."""
        self.run_worker(self._search(query), exclusive=True, group="search", exit_on_error=False)

    async def _search(self, query: str) -> None:
        if not query.strip():
            self._show([])
            return
        try:
            hits = await self._find(query)
        except ChatForgeError as error:
            self._show([], f"{error} {error.hint}".strip())
            return
        self._show(hits, f"Nothing contains “{query}”: no title, no prompt, no answer.")

    def _show(self, hits: list[SearchHit], nothing: str = "") -> None:
        listing = self.query_one(OptionList)
        room = max(listing.scrollable_content_region.width - 3, 20)
        self._hits = hits
        options = [Option(_lines(hit, room)) for hit in hits]
        if not options and nothing:
            options = [Option(Content.styled(clean_line(nothing), "$text-muted"), disabled=True)]
        listing.clear_options().add_options(options)
        listing.highlighted = 0 if hits else None


def _lines(hit: SearchHit, room: int) -> Content:
    """Return the session with the time, and below it the words that were found with those around them."""
    when = f"{datetime.fromtimestamp(hit.when).astimezone():%d %b %H:%M}" if hit.when else ""
    title = shorten(clean_name(hit.title) or "untitled", room - len(when) - 2)
    head = Content.assemble(Content.styled(title, "bold"), Content.styled(f"  {when}", "$text-muted"))
    before, word, after = (
        clean_name(piece)
        for piece in (hit.excerpt[: hit.start], hit.excerpt[hit.start : hit.end], hit.excerpt[hit.end :])
    )
    label = f"  {_WHERE[hit.found_in]:<7}"
    before = before[-max(room // 3, 10) :]
    after = shorten(after, max(room - len(label) - len(before) - len(word), 0))
    place = Content.assemble(
        Content.styled(label, "$text-muted"), before, Content.styled(word, "bold underline"), after
    )
    return Content("\n").join([head, place])
