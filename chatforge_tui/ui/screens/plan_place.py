"""Where the plan stands on the main screen: beside the transcript, in its place, or nowhere.

Owns what the user wanted of it. A narrow window has no room for both, a wide one shows the plan as soon as there is one.
"""

from textual.dom import DOMNode

from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.widgets.hairline import Hairline
from chatforge_tui.ui.widgets.plan_dock import DOCK_COLUMNS, PlanDock
from chatforge_tui.ui.widgets.tab_strip import TabStrip
from chatforge_tui.ui.widgets.transcript_page import TranscriptPage

DOCK_WIDTH = 100
"""Columns from which the plan has its own column."""


class PlanPlace:
    """Places the one plan dock and what has to make room for it."""

    def __init__(self, screen: DOMNode, *, setting: str) -> None:
        """Place on a screen, with tabs, page, dock and rule on it by the time of the first call.

        Args:
            screen: where they are.
            setting: "on" or "off" is what the user wants where there is room; else there is a plan when there is one.
        """
        self._screen = screen
        self._wish: bool | None = {"on": True, "off": False}.get(setting)
        self._is_over = False
        """Whether it stands in the place of the transcript, where there is no room for both."""

    @property
    def dock(self) -> PlanDock:
        """What draws the plan."""
        return self._screen.query_one("#plan", PlanDock)

    def toggle(self, width: int) -> None:
        """Show it if it is hidden, hide it if it is shown, in a window of so many columns; `place` follows."""
        if width >= DOCK_WIDTH:
            self._wish = not self.dock.display
        else:
            self._is_over = not self.dock.display

    def place(self, pane: Pane | None, width: int) -> None:
        """Show the plan of the pane in front: where there is room, beside the transcript; else over it, if asked for."""
        has_room = width >= DOCK_WIDTH
        self._is_over = self._is_over and not has_room
        has_plan = pane is not None and pane.plans.current is not None
        is_beside = has_room and (has_plan if self._wish is None else self._wish)
        dock, page = self.dock, self._screen.query_one("#page", TranscriptPage)
        dock.set_class(self._is_over, "-over")
        dock.display = is_beside or self._is_over
        page.display = not self._is_over
        if pane is not None and pane.transcript is not None:
            pane.transcript.plans_folded = is_beside
        joint = width - DOCK_COLUMNS if is_beside else None
        self._screen.query_one("#tabs", TabStrip).joint = joint
        self._screen.query_one("#rule", Hairline).joint = joint
        if dock.display and pane is not None:
            dock.show(pane.plans)

    def tick(self) -> None:
        """Let the times of what runs in it go on."""
        if self.dock.display:
            self.dock.redraw()
