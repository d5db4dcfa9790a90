"""One table of actions: each of them can be done, is bound, stands in the help and in the palette."""

from chatforge_tui.config.keymap import ACTIONS, Keymap, Scope
from chatforge_tui.ui.dialogs import palette
from chatforge_tui.ui.panes import PaneBook
from chatforge_tui.ui.screens.help import help_lines
from chatforge_tui.ui.slash_commands import COMMANDS
from tests.ui.program import running

OF_THE_BOARD = {action.id for action in ACTIONS if action.scope is Scope.BOARD}


async def test_every_action_but_the_boards_can_be_done_and_no_other(home):
    async with running(home) as program:
        assert program.app._actions.ids == {action.id for action in ACTIONS} - OF_THE_BOARD


async def test_every_key_of_every_action_is_bound_on_its_screen(home):
    async with running(home) as program:
        bound = program.app.main._bindings.key_to_bindings
        composer = program.app.main.composer
        for action in ACTIONS:
            for key in action.keys:
                if action.id in {"prompt.send", "prompt.newline"}:
                    assert key in composer._send_keys | composer._newline_keys
                elif action.scope is not Scope.BOARD:
                    assert any(f"'{action.id}'" in binding.action for binding in bound[key]), (action.id, key)
        await program.pilot.press("ctrl+s")
        await program.sees("Enter open")
        board = program.app.screen._bindings.key_to_bindings
        for action in ACTIONS:
            if action.scope is Scope.BOARD:
                assert all(key in board for key in action.keys), action.id


def test_every_action_has_a_line_in_the_help():
    page = "\n".join(line.plain for line in help_lines(Keymap()))

    for action in ACTIONS:
        number = action.id.rpartition(".")[2]
        assert number.isdecimal() or action.description in page, action.id
    for command in COMMANDS:
        assert f"/{command.name}" in page


def test_every_action_has_a_palette_entry():
    listed = {choice.value for choice in palette(Keymap(), PaneBook())._choices}

    assert listed == {f"do:{action.id}" for action in ACTIONS if action.scope is not Scope.BOARD}


def test_an_action_is_found_in_the_palette_by_what_it_is_called():
    screen = palette(Keymap(), PaneBook())
    for action in ACTIONS:
        if action.scope is not Scope.BOARD:
            found = [choice.value.removeprefix("do:") for choice in screen._matching(action.label)]
            labels = [other.label for id_ in found for other in ACTIONS if other.id == id_]
            assert action.id in found
            assert labels[0].startswith(action.label)
    assert screen._matching("doctor")[0].value == "do:app.doctor"
    assert screen._matching("trash")[0].value == "do:session.trash"


async def test_a_remapped_key_works_and_is_what_the_screen_names(home):
    keymap = Keymap.resolve({"session.new": "f5"})
    async with running(home, keymap=keymap) as program:
        await program.sees("F5 new")
        await program.pilot.press("f5")
        await program.until(lambda: len(program.app.book.open) == 2)
