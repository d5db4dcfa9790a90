import pytest
from textual.color import Color

from chatforge_tui.ui.themes import OWN_THEMES
from tests.fakes.scripted_endpoint import echo
from tests.ui.program import running

LEAST = 4.5


@pytest.mark.parametrize("theme", OWN_THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
@pytest.mark.parametrize("ink", ["foreground", "text-muted", "primary", "success", "warning", "error"])
def test_text_can_be_read_on_every_ground(theme, ground, ink):
    colors = theme.to_color_system().generate()

    assert ratio(Color.parse(colors[ink]), Color.parse(colors[ground])) >= LEAST


@pytest.mark.parametrize("theme", OWN_THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["primary", "error", "warning", "success"])
def test_the_words_on_a_button_can_be_read(theme, ground):
    colors = theme.to_color_system().generate()

    assert ratio(Color.parse(colors["button-color-foreground"]), Color.parse(colors[ground])) >= LEAST


def ratio(one: Color, other: Color) -> float:
    """WCAG 2 contrast."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Color) -> float:
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_one_theme_is_dark_and_one_is_light():
    assert [theme.dark for theme in OWN_THEMES] == [True, False]


async def test_hairlines_can_be_seen_and_muted_text_can_be_read_in_every_theme_with_colours_of_its_own(home):
    async with running(home, script=echo) as program:
        await program.send("hello")
        for name in sorted(program.app.available_themes):
            if name.startswith("ansi"):
                continue
            program.app.theme = name
            await program.pilot.pause()
            strips = program.app.screen._compositor.render_strips()
            assert contrast(strips[1], "─") >= 1.4, name
            assert contrast(strips[-1], "new") >= LEAST, name
            assert contrast(strips[0], "chatforge") >= LEAST, name


def contrast(strip, text: str) -> float:
    """Return the contrast with which a text stands on the screen."""
    style = next(segment.style for segment in strip if text in segment.text)
    return ratio(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
