"""Choosing where a new session goes: a configured endpoint, one that was found, or a URL typed in.

Owns the choice only. What could be offered is found by a function that the command line hands in; it runs in a thread,
for it asks loopback ports. Nothing else is contacted before it is chosen.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, get_args

from msgspec.structs import replace
from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState

from chatforge_tui.config.settings import EndpointSettings, Protocol
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.line_drawing import shorten
from chatforge_tui.ui.offers import Offer
from chatforge_tui.ui.screens.dialog import Dialog
from chatforge_tui.ui.widgets.entry import Entry

_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_URL_PROTOCOLS: tuple[str, ...] = get_args(Protocol)


class NewSessionScreen(Dialog[EndpointRef]):
    """Gives the chosen endpoint; Esc gives nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
    ]
    CSS_PATH: ClassVar[CSSPathType | None] = ["dialog.tcss", "new_session.tcss"]

    class OffersFound(Message):
        """The search for endpoints nearby is over."""

        def __init__(self, offers: Sequence[Offer]) -> None:
            self.offers = offers
            super().__init__()

    def __init__(
        self,
        endpoints: Mapping[str, EndpointSettings],
        *,
        first: EndpointRef,
        find_offers: Callable[[], Sequence[Offer]],
    ) -> None:
        """Show what can be chosen.

        Args:
            endpoints: the configured ones by name.
            first: the endpoint of the session in front: listed first.
            find_offers: returns what else could be used; may take seconds, runs in a thread.
        """
        super().__init__()
        self._find_offers = find_offers
        self._known = _configured(endpoints, first)
        self._shown: list[EndpointRef] = []
        self._is_searching = True

    def compose(self) -> ComposeResult:
        """Lay out search, list and model."""
        with Vertical(classes="dialog--box"):
            yield self.title_line("New session")
            search = Entry(placeholder="Search, or type a URL such as http://127.0.0.1:8000", compact=True, id="search")
            search.cursor_blink = False
            yield search
            listing = OptionList(compact=True, markup=False)
            listing.can_focus = False
            yield listing
            yield Static("", id="searching", markup=False)
            with Horizontal(id="model-row"):
                yield Static("Model ", markup=False)
                model = Entry(placeholder="as configured", compact=True, id="model")
                model.cursor_blink = False
                yield model
            yield self.hint_line("Up, Down choose, Tab model, Enter opens the session, Esc back")

    def on_mount(self) -> None:
        """Show what is configured and look for more."""
        self.run_worker(self._look_around, thread=True, exit_on_error=False, name="offers")
        self.call_after_refresh(self._list)

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self.call_after_refresh(self._list)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow down."""
        if event.input.id == "search":
            self._list()

    def on_input_submitted(self) -> None:
        """Open the highlighted one."""
        place = self.query_one(OptionList).highlighted
        if place is not None:
            self._choose(place)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open by mouse."""
        self._choose(event.option_index)

    def on_new_session_screen_offers_found(self, event: OffersFound) -> None:
        """Join what was found to the list."""
        about = {ref: detail for ref, _, detail in event.offers}
        self._known = [(ref, label, detail or about.get(ref, "")) for ref, label, detail in self._known]
        known = {(ref.name, ref.model) for ref, _, _ in self._known}
        self._known += [offer for offer in event.offers if (offer[0].name, offer[0].model) not in known]
        self._is_searching = False
        self._list()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The search failed: what is configured can still be chosen. The app tells of the error."""
        if event.state is WorkerState.ERROR:
            self._is_searching = False
            self._list()

    def action_move(self, step: int) -> None:
        """Move the highlight."""
        listing = self.query_one(OptionList)
        if self._shown:
            listing.highlighted = max(0, min((listing.highlighted or 0) + step, len(self._shown) - 1))

    def _look_around(self) -> None:
        self.post_message(self.OffersFound(self._find_offers()))

    def _choose(self, place: int) -> None:
        if place < len(self._shown):
            model = self.query_one("#model", Input).value.strip()
            chosen = self._shown[place]
            self.dismiss(replace(chosen, model=model) if model else chosen)

    def _list(self) -> None:
        listing = self.query_one(OptionList)
        typed = self.query_one("#search", Input).value.strip()
        offers = _typed_url(typed) or _found(self._known, typed)
        self._shown = [ref for ref, _, _ in offers]
        room = max(listing.scrollable_content_region.width - 3, 20)
        options = [Option(_line(label, detail, room)) for _, label, detail in offers]
        if not options:
            words = (
                "Nothing is configured; type a URL." if not typed else f"No endpoint is called “{clean_name(typed)}”."
            )
            options = [Option(Content.styled(words, "$text-muted"), disabled=True)]
        listing.clear_options().add_options(options)
        listing.highlighted = 0 if self._shown else None
        self.query_one("#searching", Static).update(
            Content("Looking for agents on this machine …" if self._is_searching else "")
        )


def _configured(endpoints: Mapping[str, EndpointSettings], first: EndpointRef) -> list[Offer]:
    """Return the endpoint of the current session and all configured ones, each once."""
    refs = [first, *(EndpointRef(name) for name in endpoints if name != first.name)]
    return [(ref, ref.name, _about(ref, endpoints.get(ref.name))) for ref in refs]


def _about(ref: EndpointRef, settings: EndpointSettings | None) -> str:
    facts = (
        [ref.protocol, ref.model]
        if settings is None
        else [settings.protocol, ref.model or settings.model, settings.url]
    )
    return " · ".join(fact for fact in facts if fact)


def _found(offers: Sequence[Offer], typed: str) -> list[Offer]:
    """Return the offers that hold every word, those whose name is or begins with what was typed first."""
    words = typed.casefold().split()
    found = [offer for offer in offers if all(word in f"{offer[1]} {offer[2]}".casefold() for word in words)]
    return sorted(found, key=lambda offer: _rank(offer[1].casefold(), typed.casefold()))


def _rank(name: str, typed: str) -> int:
    return 0 if name == typed else 1 if name.startswith(typed) else 2


def _typed_url(typed: str) -> list[Offer]:
    """Return one offer a protocol for a URL, guessed from its path which comes first; [] for anything else."""
    if not _URL.fullmatch(typed):
        return []
    is_openai = typed.rstrip("/").endswith(("/v1", "/chat/completions"))
    protocols = sorted(_URL_PROTOCOLS, key=lambda protocol: (protocol != "openai-chat") if is_openai else 0)
    return [(EndpointRef(typed, protocol=protocol), typed, f"as {protocol}") for protocol in protocols]


def _line(label: str, detail: str, room: int) -> Content:
    name = shorten(clean_name(label), room)
    about = shorten(f"  {clean_name(detail)}", max(room - len(name), 0)) if detail else ""
    return Content.assemble(Content(name), Content.styled(about, "$text-muted"))
