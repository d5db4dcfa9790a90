"""Keys that arrive in one read all reach what the first of them opens."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.terminal import Terminal, terminal


@asynccontextmanager
async def terminal_at_rest(home: Path) -> AsyncGenerator[Terminal, None]:
    """The program behind an answer of five lines."""
    async with terminal(home=home) as screen:
        await screen.wait_for("Enter send")
        screen.send(b"stream 5 lines at 2000 per second\r")
        await screen.wait_for("complete")
        await screen.until_quiet(0.2)
        yield screen


@pytest.mark.parametrize("keys", [b"\x06line 3", b"/line 3", b"\x06line 3\x1b\x06"], ids=["Ctrl+F", "slash", "again"])
async def test_what_is_typed_behind_the_search_key_is_looked_for(home: Path, keys: bytes):
    async with terminal_at_rest(home) as screen:
        if keys.startswith(b"/"):
            screen.press("f6")
            await screen.until_quiet(0.2)
        screen.send(keys)
        await screen.wait_for("1 of 1")
        assert "❯ line 3" not in screen.text
        assert "Find   line 3" in screen.text


async def test_enter_behind_the_words_sends_nothing(home: Path):
    async with terminal_at_rest(home) as screen:
        screen.send(b"\x06line\r")
        await screen.wait_for("2 of 6")
        assert "❯ line" not in screen.text


async def test_a_command_with_its_words_and_enter_is_done(home: Path):
    async with terminal_at_rest(home) as screen:
        screen.send(b"/rename another name\r")
        await screen.wait_for("another name ×")


async def test_words_behind_the_key_of_the_commands_choose_one(home: Path):
    async with terminal_at_rest(home) as screen:
        screen.send(b"\x10give the session another")
        await screen.wait_for("give the session another")


async def test_words_behind_a_key_of_the_list_of_sessions_are_for_what_it_opens(home: Path):
    async with terminal_at_rest(home) as screen:
        screen.press("ctrl+s")
        await screen.wait_for("/ search")
        screen.send(b"/2000 seconds")
        await screen.wait_for("2000 seconds")


async def test_a_key_that_acts_in_the_list_of_sessions_acts_where_the_keys_before_it_went(home: Path):
    async with terminal_at_rest(home) as screen:
        screen.press("ctrl+n")
        await screen.wait_for("A new session with")
        screen.press("ctrl+s")
        await screen.wait_for("2 ○ New session")
        await screen.until_quiet(0.2)
        screen.press("up", "enter")
        await screen.until(
            lambda: "/ search" not in screen.text and "A new session" not in screen.text, "the first opens"
        )
