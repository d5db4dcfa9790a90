"""How many lines arrived below a view that does not follow the end."""

from msgspec import Struct

from chatforge_tui.ui.transcript.model import TranscriptModel


class Below(Struct):
    """Counts lines from where the end was when the view ceased to follow."""

    turn: int = 0
    """The last turn then."""
    height: int = 0
    """Its height then."""

    def mark(self, model: TranscriptModel) -> None:
        """The end is here: count from now on."""
        if not model.is_empty:
            self.turn = model.turns - 1
            self.height = model.prepared(self.turn).height

    def count(self, model: TranscriptModel) -> int:
        """Return how many lines have arrived."""
        return max(0, self._height(model) - self.height)

    def keep(self, model: TranscriptModel, lines: int) -> None:
        """After a reflow: as many lines are new as before it."""
        self.height = self._height(model) - lines

    def _height(self, model: TranscriptModel) -> int:
        if model.is_empty:
            return 0
        model.prepared(model.turns - 1)
        return model.height - model.top_of(min(self.turn, model.turns - 1))
