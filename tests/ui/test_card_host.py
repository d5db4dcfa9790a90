"""The question whether prompts may go to the server that an agent card names."""

import pytest
from textual.widgets import Button

from chatforge_tui.config.card_hosts import CardHostQuestion, Permission
from chatforge_tui.errors import OtherHost
from chatforge_tui.ui.screens.card_host import CardHostScreen
from tests.ui.program import running

ASKED = CardHostQuestion("platform", "https://paypal.example:443", "https://xn--payl-73d.example:443", "env TOKEN")
REFUSAL = OtherHost("The agent card of a sends requests to another server, b: nothing was sent there.", hint="/trust")


def hosts_of(app):
    return app.app.card_hosts


async def refused(app):
    """Send a prompt that comes back because of the card."""
    hosts_of(app).permission(ASKED)
    pane = await app.send("hello")
    await app.say(await app.wire(pane), REFUSAL)
    await app.until(lambda: not pane.is_live)
    return pane


async def until_asked(app):
    await app.until(lambda: isinstance(app.app.screen, CardHostScreen))


@pytest.fixture
async def app(tmp_path):
    async with running(tmp_path) as program:
        yield program


async def test_both_hosts_are_shown_as_they_are_and_what_would_be_sent(app):
    await refused(app)
    await until_asked(app)
    await app.sees("https://paypal.example:443")
    await app.sees("https://xn--payl-73d.example:443")
    assert "env TOKEN" in app.text


async def test_typing_on_answers_nothing_and_enter_alone_sends_nothing(app):
    pane = await refused(app)
    await until_asked(app)
    await app.pilot.press("y", "e", "s", "space", "n")
    assert isinstance(app.app.focused, Button)
    await app.pilot.press("enter")
    await app.until(lambda: hosts_of(app).question("platform").answer is Permission.REFUSED)
    assert len(pane.prompts) == 1


@pytest.mark.parametrize(
    ("keys", "permission"),
    [(("down",), Permission.WITHOUT_CREDENTIAL), (("down", "down"), Permission.WITH_CREDENTIAL)],
)
async def test_agreeing_sends_the_prompt_again(app, keys, permission):
    pane = await refused(app)
    await until_asked(app)
    await app.pilot.press(*keys, "enter")
    await app.until(lambda: len(pane.prompts) == 2)
    assert pane.turn.prompt.text == "hello"
    assert hosts_of(app).permission(ASKED) is permission


async def test_what_was_answered_is_not_asked_again_but_for_trust(app):
    hosts_of(app).answer(ASKED, Permission.REFUSED)
    await refused(app)
    await app.sees("nothing was sent there")
    assert not isinstance(app.app.screen, CardHostScreen)
    await app.type("/trust")
    await app.pilot.press("enter")
    await until_asked(app)
    await app.pilot.press("escape")
    await app.until(lambda: not isinstance(app.app.screen, CardHostScreen))
    assert hosts_of(app).question("platform").answer is Permission.REFUSED


async def test_nobody_who_types_is_interrupted(app):
    hosts_of(app).permission(ASKED)
    pane = await app.send("hello")
    wire = await app.wire(pane)
    await app.type("the next prompt")
    await app.say(wire, REFUSAL)
    await app.until(lambda: not pane.is_live)
    await app.sees("nothing was sent there")
    assert not isinstance(app.app.screen, CardHostScreen)
    assert app.app.main.composer.text == "the next prompt"


async def test_trust_says_when_there_is_nothing_to_ask(app):
    await app.type("/trust")
    await app.pilot.press("enter")
    await app.sees("names another server")


async def test_an_endpoint_without_a_credential_has_two_answers(app):
    hosts_of(app).permission(CardHostQuestion("platform", ASKED.configured, ASKED.named))
    await app.type("/trust")
    await app.pilot.press("enter")
    await until_asked(app)
    assert len(app.app.screen.query(Button)) == 2
    assert "no credential" in app.text
