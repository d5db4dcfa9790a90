"""Keys of one burst are done in their turn in every place to write in."""

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from chatforge_tui.ui.widgets.entry import Entry, LongEntry


class Asking(App[None]):
    def __init__(self, kind: type[Entry] | type[LongEntry]) -> None:
        super().__init__()
        self._kind = kind

    def compose(self) -> ComposeResult:
        yield self._kind("before")


@pytest.mark.parametrize("kind", [Entry, LongEntry])
async def test_what_is_typed_right_behind_ctrl_u_stays(kind: type[Entry] | type[LongEntry]):
    async with Asking(kind).run_test() as pilot:
        entry = pilot.app.query_one(kind)
        entry.focus()
        await pilot.press("end")
        for key, character in (("ctrl+u", None), ("a", "a"), ("b", "b"), ("left", None), ("c", "c")):
            pilot.app.post_message(events.Key(key, character))
        await pilot.pause()
        assert (entry.value if isinstance(entry, Input) else entry.text) == "acb"
