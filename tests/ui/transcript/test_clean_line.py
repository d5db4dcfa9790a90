"""A line that grows, cleaned piece by piece, is the line cleaned at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chatforge_tui.safety.clean import clean
from chatforge_tui.ui.transcript import clean_line
from chatforge_tui.ui.transcript.clean_line import GrowingLine

ATOMS = (
    "a",
    "👩",
    "\u200d",
    "\ufe0f",
    "👩‍👩‍👧",
    "1",
    "\u20e3",
    "ن",
    "\u200c",
    "\x1b[31m",
    "\u202e",
    "\r",
    "\n",
    "é",
    "\u2764",
    "\ud83d",
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(ATOMS), max_size=60), st.data())
def test_any_growth_gives_what_the_whole_gives(atoms, data):
    text = "".join(atoms)
    ends = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    growing = GrowingLine()
    short, clean_line.SHORT = clean_line.SHORT, 3
    try:
        for end in [*ends, len(text)]:
            assert growing.clean(text[:end]) == clean(text[:end])
        assert growing.clean("other " + text) == clean("other " + text)
    finally:
        clean_line.SHORT = short


def test_each_character_of_a_long_line_is_cleaned_about_once(monkeypatch):
    looked_at = []
    monkeypatch.setattr(clean_line, "clean", lambda text: looked_at.append(len(text)) or clean(text))
    text, growing = "👩‍👩‍👧‍👦" * 2_000, GrowingLine()
    for end in range(0, len(text), 100):
        growing.clean(text[:end])
    assert sum(looked_at) < 3 * len(text)
