"""Cleaning a line that is still being written: what cannot change any more is cleaned once, however long it grows.

The cleaning of a line of 100,000 emoji takes longer than a frame may, and a line that grows is looked at in each.
"""

from chatforge_tui.safety.clean import can_be_cut, clean

SHORT = 1_000
"""Characters up to which a line is simply cleaned."""
_FARTHEST = 200
"""Characters from the end that are looked through for a place to cut."""


class GrowingLine:
    """The cleaned text of one line after another."""

    def __init__(self) -> None:
        self._begun = ""
        """The beginning of the line, as received, that is done."""
        self._cleaned = ""
        """The same, cleaned."""

    def clean(self, text: str) -> str:
        """Return `text` cleaned: the line of the last call with something added, or another line."""
        if len(text) <= SHORT:
            return clean(text)
        if not text.startswith(self._begun):
            self._begun = self._cleaned = ""
        done = len(self._begun)
        nearest = max(done, len(text) - _FARTHEST)
        cut = next((at for at in range(len(text) - 1, nearest, -1) if can_be_cut(text, at)), done)
        self._cleaned += clean(text[done:cut])
        self._begun = text[:cut]
        return self._cleaned + clean(text[cut:])
