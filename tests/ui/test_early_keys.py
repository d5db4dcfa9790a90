"""What waits until there is something to take it, and in which order it comes."""

import pytest
from textual.events import Event, Key, Paste, Resize
from textual.geometry import Size

from chatforge_tui.ui.early_keys import EarlyKeys, Stage


def typed(text: str) -> list[Event]:
    return [Key("enter" if character == "\r" else character, character) for character in text]


@pytest.fixture
def early() -> EarlyKeys:
    return EarlyKeys(("enter",))


def test_before_the_screen_everything_waits_in_order(early: EarlyKeys):
    events = [*typed("ab"), Paste("pasted"), *typed("\rc")]
    assert all(early.holds(event) for event in events)
    assert early.release(Stage.SCREEN) == events


def test_only_what_is_typed_waits(early: EarlyKeys):
    assert not early.holds(Resize(Size(80, 24), Size(80, 24)))


def test_without_a_session_text_passes_and_enter_waits_with_all_behind_it(early: EarlyKeys):
    early.release(Stage.SCREEN)
    events = typed("ab\rcd\r")
    assert [early.holds(event) for event in events] == [False, False, True, True, True, True]
    assert early.release(Stage.SESSION) == events[2:]


def test_with_a_session_nothing_waits_any_more(early: EarlyKeys):
    early.release(Stage.SESSION)
    assert not any(early.holds(event) for event in typed("a\r"))
    early.release(Stage.SCREEN)
    assert not any(early.holds(event) for event in typed("a\r")), "a stage is never left again"


def test_while_a_session_is_being_opened_everything_waits_for_it(early: EarlyKeys):
    early.release(Stage.SESSION)
    early.open()
    early.open()
    events = typed("ab\r")
    assert all(early.holds(event) for event in events)
    early.opened()
    assert all(early.holds(event) for event in early.release(Stage.NOTHING)), "the second one is still on its way"
    early.opened()
    assert early.release(Stage.NOTHING) == events
    assert not any(early.holds(event) for event in events)


def test_what_comes_between_the_opening_and_its_delivery_stays_behind_what_waited(early: EarlyKeys):
    early.release(Stage.SESSION)
    early.open()
    first, second = typed("ab"), typed("cd")
    assert all(early.holds(event) for event in first)
    early.opened()
    assert all(early.holds(event) for event in second), "else it would overtake"
    assert early.release(Stage.NOTHING) == first + second
