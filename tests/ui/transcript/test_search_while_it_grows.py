"""A search goes on in what has come since it began, and shows the match looked at wherever that is by now."""

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import TextPart
from tests.ui.transcript.turns import TranscriptApp, began, changed, model_of

LINES = "".join(f"Line {number} of what is said here, and of a needle that somebody lost.\n\n" for number in range(30))


def current(app: TranscriptApp) -> list[str]:
    """Return the lines in view on which the match looked at is painted."""
    colour = app.view.get_component_rich_style("transcript--current-match").bgcolor
    strips = app.view.render_lines(app.view.size.region)
    return [strip.text for strip in strips if any(text.style and text.style.bgcolor == colour for text in strip)]


async def test_the_next_match_is_one_that_came_after_the_search():
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(TextPart(0, "A needle.\n\n"))))
    async with TranscriptApp(model).run_test(size=(60, 20)) as pilot:
        view = pilot.app.view
        assert len(view.find("needle")) == 1
        model.apply(changed(0, TextAppended(0, "Another needle.\n\n")))
        view.refresh_model()
        view.action_next_match()
        assert view.match_number == (2, 2)
        assert view.find("thimble") == []
        model.apply(changed(0, TextAppended(0, "A thimble.\n\n")))
        view.refresh_model()
        view.action_next_match()
        assert view.match_number == (1, 1)
        view.action_next_match()
        assert view.match_number == (1, 1)


async def test_the_match_looked_at_is_shown_as_that_at_another_width():
    model = model_of()
    model.apply(began(0))
    model.apply(changed(0, PartAdded(TextPart(0, LINES))))
    async with TranscriptApp(model).run_test(size=(90, 20)) as pilot:
        app = pilot.app
        app.view.find("needle")
        for _ in range(4):
            app.view.action_next_match()
        await pilot.pause()
        assert [line for line in current(app) if "Line 4" in line]
        await pilot.resize_terminal(40, 20)
        await pilot.pause()
        assert len(current(app)) == 1
        assert "needle" in current(app)[0]
