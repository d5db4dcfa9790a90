"""The place of the transcript: the page of an empty session, the one transcript view, and the line that searches it.

Owns which of them is visible. View and search line are made when they are first needed: a start that shows an empty
session does without them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from chatforge_tui.config.keymap import Keymap
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.widgets.empty_state import EmptyState

if TYPE_CHECKING:
    from chatforge_tui.domain.search import SearchHit
    from chatforge_tui.ui.transcript.model import TranscriptModel
    from chatforge_tui.ui.transcript.place import Shift
    from chatforge_tui.ui.transcript.view import TranscriptView
    from chatforge_tui.ui.widgets.search_bar import SearchBar


class TranscriptPage(Vertical):
    """Shows the transcript of the session in front, or teaches."""

    DEFAULT_CSS = "TranscriptPage { width: 1fr; height: 1fr; & > #transcript { height: 1fr; } }"

    class SearchLeft(Message):
        """The search that was begun in the composer is over: the cursor can go back there."""

    def __init__(self, marks: MarkSet, *, keymap: Keymap, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._marks, self._keymap = marks, keymap
        self._view: TranscriptView | None = None
        self._search: SearchBar | None = None
        self._was_reading = False
        """The search was begun with the cursor in the transcript."""
        self._is_warm = False
        """What the first answer will need is loaded, or being loaded."""

    def compose(self) -> ComposeResult:
        """Begin with the page of an empty session."""
        yield EmptyState(id="empty")

    @property
    def empty(self) -> EmptyState:
        """The page of an empty session."""
        return self.query_one("#empty", EmptyState)

    @property
    def view(self) -> "TranscriptView":
        """The transcript view, made now if need be."""
        if self._view is None:
            # Lazy: 30 ms of Markdown and layout, which an empty session does not need.
            from chatforge_tui.ui.transcript.view import TranscriptView  # noqa: PLC0415

            self._view = TranscriptView(keymap=self._keymap, marks=self._marks, id="transcript")
            self._view.display = False
            self.mount(self._view, after="#empty")
        return self._view

    def prepare(self) -> None:
        """Make the transcript view, hidden: who is going to need it does not wait for it then."""
        _ = self.view

    @property
    def has_reader(self) -> bool:
        """Whether the cursor is in the transcript."""
        return self._view is not None and self._view.has_focus

    def shows(self, model: "TranscriptModel | None", *, is_empty: bool) -> bool:
        """Whether this is what stands here already."""
        if is_empty or self.empty.display:
            return is_empty is self.empty.display
        return self._view is not None and self._view.model is model

    def show(self, model: "TranscriptModel | None", *, is_empty: bool) -> None:
        """Show a transcript, where its reader left it, or the page of an empty session."""
        self.empty.display = is_empty
        if self._search is not None:
            self._search.display = False
        if self._view is not None or not is_empty:
            self.view.display = not is_empty
            self.view.show(model)

    def refresh_model(self) -> None:
        """Show what the model has become: once a batch."""
        if self._view is None:
            return
        self._view.refresh_model()
        if not self._is_warm:
            # Lazy: with the transcript's own modules, which the view has loaded.
            from chatforge_tui.ui.transcript.warm_up import warm_up  # noqa: PLC0415

            self._is_warm = True
            warm_up()

    def take_earlier(self, model: "TranscriptModel | None", shift: "Shift") -> None:
        """Follow a model that has got turns above those that it had."""
        if self._view is not None and self._view.model is model:
            self._view.take_earlier(shift)
            self._tell_match()

    def open_search(self, opened: Callable[[], object]) -> None:
        """Search the transcript; Esc leads back to where the cursor is now. `opened` is called when keys go to the line."""
        self._was_reading = self.has_reader
        bar = self._search_bar()

        def show() -> None:
            bar.open()
            self.app.call_later(opened)  # pyright: ignore[reportUnknownMemberType] - behind the focus, which comes so as well

        self.call_after_refresh(show)

    def show_hit(self, hit: "SearchHit") -> None:
        """Go to where a search over all sessions found words; the search line goes on from there."""
        if hit.turn_id is None:
            return
        bar = self._search_bar()
        self._was_reading = False

        def show() -> None:
            bar.open(hit.excerpt[hit.start : hit.end])
            self.view.go_to_hit(hit)
            self._tell_match()

        self.call_after_refresh(show)

    def _search_bar(self) -> "SearchBar":
        """Return the search line, made now if need be."""
        if self._search is None:
            # Lazy: an entry line costs 4 ms at the start.
            from chatforge_tui.ui.widgets.search_bar import SearchBar  # noqa: PLC0415

            self._search = SearchBar(id="search")
            self.mount(self._search)
        return self._search

    def on_search_bar_changed(self, event: "SearchBar.Changed") -> None:
        """Search the session in front."""
        event.stop()
        self.view.find(event.words)
        self._tell_match()

    def on_search_bar_stepped(self, event: "SearchBar.Stepped") -> None:
        """Show another match."""
        event.stop()
        if event.step > 0:
            self.view.action_next_match()
        else:
            self.view.action_previous_match()
        self._tell_match()

    def on_search_bar_left(self, event: "SearchBar.Left") -> None:
        """Nothing is searched any more."""
        event.stop()
        self.view.find("")
        if self._was_reading:
            self.view.focus()
        else:
            self.post_message(self.SearchLeft())

    def _tell_match(self) -> None:
        if self._search is not None:
            self._search.tell(*self.view.match_number)
