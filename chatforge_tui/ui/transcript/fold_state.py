"""What is folded in a transcript: what the user said of one part, else of all, else as its kind begins."""

from chatforge_tui.domain.ids import TurnId
from chatforge_tui.ui.transcript.folding_sections import PlanSection
from chatforge_tui.ui.transcript.section import Section


class FoldState:
    """Answers for each part whether it is folded; outlives every layout."""

    __slots__ = ("_all", "_own", "plans")

    def __init__(self) -> None:
        self.plans = False
        """Whether plans begin folded."""
        self._own: dict[tuple[TurnId, int], bool] = {}
        self._all: bool | None = None  # what the last "fold all" said; None = as each kind begins

    def toggle_all(self) -> bool:
        """Fold everything, or unfold everything when all is folded; return whether all is folded now."""
        self._all = self._all is False
        self._own.clear()
        return self._all

    def put(self, turn_id: TurnId, index: int, *, is_folded: bool) -> None:
        """Fold or unfold one part."""
        self._own[turn_id, index] = is_folded

    def is_folded(self, turn_id: TurnId, index: int, section: Section) -> bool:
        """Whether a part is folded, of those that can be."""
        if (own := self._own.get((turn_id, index))) is not None:
            return own
        if self._all is not None:
            return self._all
        return self.plans if isinstance(section, PlanSection) else True
