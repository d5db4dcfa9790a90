import pytest

from chatforge_tui.config.keymap import ACTIONS
from chatforge_tui.ui.slash_commands import COMMANDS, CommandTyped, CommandUnknown, PromptTyped, read_line


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_can_be_typed_and_names_an_action(command):
    typed = read_line(f"/{command.name}")

    assert typed == CommandTyped(command, "")
    assert command.action in {action.id for action in ACTIONS} | {"session.model"}


def test_an_argument_reaches_its_command():
    typed = read_line("/rename  Roll back payments ")

    assert isinstance(typed, CommandTyped)
    assert (typed.command.name, typed.argument) == ("rename", "Roll back payments")


def test_an_unknown_command_is_told_with_the_known_ones():
    typed = read_line("/frobnicate")

    assert isinstance(typed, CommandUnknown)
    assert "/frobnicate" in typed.message
    assert "/retry" in typed.message


def test_a_command_without_argument_refuses_one_instead_of_losing_text():
    assert isinstance(read_line("/stop the press"), CommandUnknown)


@pytest.mark.parametrize("text", ["hello", "/etc/hosts is what?", "/", "/ 5", "1/2", " ", "say /help"])
def test_anything_else_is_a_prompt_as_it_stands(text):
    assert read_line(text) == PromptTyped(text)


def test_two_slashes_send_one():
    assert read_line("//help") == PromptTyped("/help")
