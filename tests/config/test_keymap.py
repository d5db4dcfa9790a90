from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import Keys, _character_to_key

from chatforge_tui.config.key_names import normalized, shown, shown_all
from chatforge_tui.config.keymap import ACTIONS, Keymap, Scope, find_problems
from chatforge_tui.errors import ConfigError

TEXTUAL_NAMES = {key.value for key in Keys}


def test_the_default_keys_do_not_collide():
    assert list(find_problems({})) == []


def test_every_action_has_an_id_of_its_own_a_short_label_and_one_sentence():
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for action in ACTIONS:
        assert 1 <= len(action.label.split()) <= 2
        assert action.description.endswith(".")
        assert action.description[0].isupper()


def test_actions_of_a_group_stand_together():
    groups = [action.group for action in ACTIONS]
    assert sum(one != other for one, other in pairwise(groups)) + 1 == len(set(groups))


@pytest.mark.parametrize("key", sorted({key for action in ACTIONS for key in action.keys}))
def test_every_default_key_is_spelled_as_textual_spells_it(key):
    assert normalized(key) == key
    base = key.rsplit("+", 1)[-1]
    assert (
        len(base) == 1
        or key in TEXTUAL_NAMES
        or base in TEXTUAL_NAMES | {_character_to_key(sign) for sign in "?<>/(){}"}
    )


@pytest.mark.parametrize("symbol", list("?/\\<>.,;:-_=[]!@#$%^&*()'\"`~|{}+"))
def test_a_symbol_is_called_what_textual_calls_it(symbol):
    assert normalized(symbol) == _character_to_key(symbol)
    assert shown(_character_to_key(symbol)) == symbol


@pytest.mark.parametrize(
    ("given_key", "name", "people"),
    [
        ("Ctrl+N", "ctrl+n", "Ctrl+N"),
        ("ctrl+PgDn", "ctrl+pagedown", "Ctrl+PgDn"),
        ("alt+shift+x", "alt+shift+x", "Alt+Shift+X"),
        ("shift+alt+x", "alt+shift+x", "Alt+Shift+X"),
        ("Esc", "escape", "Esc"),
        ("return", "enter", "Enter"),
        ("F5", "f5", "F5"),
        ("G", "G", "G"),
        ("g", "g", "g"),
        ("ctrl++", "ctrl+plus", "Ctrl++"),
        ("shift+\r", "shift+\r", "Shift+Enter"),
        ("option+left", "alt+left", "Alt+Left"),
    ],
)
def test_a_key_may_be_spelled_as_people_do(given_key, name, people):
    assert normalized(given_key) == name
    assert shown(name) == people


@pytest.mark.parametrize(
    "key", ["", "ctrl", "ctrl+", "ctrl+nope", "f25", "foo+x", "ctrl+ctrl+x", "ab", "\x1b", "ctrl+\x1b"]
)
def test_what_is_no_key_is_refused(key):
    assert normalized(key) is None


@given(st.text(max_size=12))
def test_no_text_makes_the_names_fail_and_names_are_stable(text):
    name = normalized(text)
    if name is not None:
        assert normalized(name) == name
        assert shown(name)


def test_the_two_names_of_shift_enter_are_shown_once():
    assert shown_all(("ctrl+j", "shift+enter", "shift+\r")) == ["Ctrl+J", "Shift+Enter"]


def test_an_override_replaces_the_keys_and_an_empty_one_unbinds():
    keymap = Keymap.resolve(
        {"session.close": ["Ctrl+W", "f7"], "session.new": "", "turn.retry": "f5", "app.redraw": []}
    )
    assert keymap.action("session.close").keys == ("ctrl+w", "f7")
    assert keymap.action("session.new").keys == ()
    assert keymap.action("turn.retry").keys == ("f5",)
    assert keymap.action("app.redraw").keys == ()
    assert keymap.action("app.quit").keys == ("ctrl+q",)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"session.nwe": "f5"}, "keys.session.nwe: no such action; did you mean session.new?"),
        ({"zzz": "f5"}, "keys.zzz: no such action"),
        ({"session.new": "ctrl+bogus"}, "keys.session.new: 'ctrl+bogus' is no key"),
        ({"prompt.send": "a"}, "keys.prompt.send: 'a' types text in the prompt"),
        ({"session.new": "ctrl+q"}, "keys.session.new: ctrl+q is also the key of app.quit"),
        ({"prompt.history": "ctrl+n"}, "keys.prompt.history: ctrl+n is also the key of session.new"),
        ({"board.close": "d"}, "keys.board.close: d is also the key of board.delete"),
    ],
)
def test_a_line_that_cannot_be_used_is_told(overrides, message):
    with pytest.raises(ConfigError) as caught:
        Keymap.resolve(overrides)
    assert message in str(caught.value)


def test_the_session_list_is_a_screen_of_its_own_so_its_keys_collide_with_no_other():
    board = Keymap().in_scope(Scope.BOARD)
    assert "ctrl+s" in {key for action in board for key in action.keys}
    assert Keymap.resolve({"board.open": "ctrl+n"}).action("board.open").keys == ("ctrl+n",)


def test_two_overrides_may_swap_their_keys():
    swapped = Keymap.resolve({"view.plan": "ctrl+o", "view.fold": "ctrl+t"})
    assert swapped.action("view.plan").keys == ("ctrl+o",)


def test_the_groups_hold_every_action_once():
    assert [action for _, actions in Keymap().groups() for action in actions] == list(ACTIONS)


def test_an_unknown_id_is_a_programming_mistake():
    with pytest.raises(KeyError):
        Keymap().action("no.such")
