"""What the actions need of the app they belong to: the panes, the engine, and a few ways to reach the user.

The app is the one implementation; the actions know this and no widget.
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, runtime_checkable

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.ui.bridge import EngineThread
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.panes import PaneBook

if TYPE_CHECKING:
    from chatforge_tui.ui.screens.dialog import Dialog

Answer = TypeVar("Answer")
Severity = Literal["information", "warning", "error"]


@runtime_checkable
class FollowsSessions(Protocol):
    """A screen over the main one that shows sessions and wants to hear when something about them changed."""

    def redraw(self) -> None:
        """Draw the sessions anew."""
        ...


class Desk(Protocol):
    """The app, as its actions see it."""

    @property
    def book(self) -> PaneBook:
        """All panes."""
        ...

    @property
    def engine(self) -> EngineThread:
        """Where commands go."""
        ...

    @property
    def default_endpoint(self) -> EndpointRef:
        """Where a session goes when there is none to go by."""
        ...

    def say(self, message: str, *, severity: Severity = "information") -> None:
        """Tell the user one sentence; it need not be clean."""
        ...

    def unsay(self, message: str) -> None:
        """Take a sentence from the screen that is not true any more, if it is still there."""
        ...

    def start(self, job: Coroutine[object, object, None]) -> None:
        """Run a job beside the UI. A ChatForgeError that it raises is told to the user."""
        ...

    def hold_keys(self) -> None:
        """Keep what is typed from here on for what is being opened: a session, the line that searches."""
        ...

    def release_keys(self) -> None:
        """Hand on what was kept: it is open, or could not be opened."""
        ...

    def bring_to_front(self, session_id: SessionId) -> None:
        """Show a session's pane and tell the engine."""
        ...

    def redraw(self) -> None:
        """Draw tabs, status and hints again: something about the panes has changed."""
        ...

    def ask(self, dialog: "Dialog[Answer]", then: Callable[[Answer], None]) -> None:
        """Show a dialog and hand its answer on; nothing happens when it is left with Esc."""
        ...

    def restore_draft(self, pane: Pane, text: str) -> None:
        """Put a text that was not accepted back into the composer of its pane, before what was written meanwhile."""
        ...
