"""Every main thing that can be done, done by keyboard alone in the real program: its mouse is never touched."""

import re
from pathlib import Path

import pytest

from tests.terminal import Terminal, terminal
from tests.ui.test_dragging import COPIED

NO_DESKTOP = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": "", "WSL_DISTRO_NAME": ""}


async def send(screen: Terminal, prompt: str, shows: str) -> None:
    screen.send(prompt.encode() + b"\r")
    await screen.wait_for(shows)
    await screen.wait_for("complete")
    await screen.until_quiet(0.2)


async def after(screen: Terminal, *keys: str, shows: str) -> None:
    """Press keys and wait for what they lead to."""
    screen.press(*keys)
    await screen.wait_for(shows)


async def leave(screen: Terminal, shown: str) -> None:
    """Press Esc and wait until that is gone: an Esc right before another key is Alt with that key."""
    screen.press("escape")
    await screen.until(lambda: shown not in screen.text, f"the end of {shown}")


async def copies(screen: Terminal, *keys: str) -> bytes:
    begin = len(screen.raw)
    screen.press(*keys)
    await screen.until(lambda: COPIED.search(screen.raw, begin), f"copying by {keys}")
    return COPIED.search(screen.raw, begin)[1]


@pytest.mark.timeout(120)
async def test_everything_can_be_done_without_a_mouse(home: Path):
    async with terminal(home=home, environ=NO_DESKTOP) as screen:
        await screen.wait_for("Enter send")
        await send(screen, "show markdown", "Other scripts")

        # read, choose, fold, select, copy
        await after(screen, "f6", shows="Esc back to the prompt")
        await after(screen, "g", shows="❯ You")
        await after(screen, "c", shows="There is no code block here to copy.")
        assert await copies(screen, "Y") != await copies(screen, "G", "c")
        selected = await copies(screen, "g", "v", "w", "w", "y")
        assert len(selected) > 10
        await after(screen, "/", shows="Find")
        screen.send(b"scripts")
        await screen.until(lambda: re.search(r"\b1 of \d", screen.text), "a hit")
        await leave(screen, "Enter next")
        await screen.wait_for("Esc back to the prompt")
        await leave(screen, "Esc back to the prompt")  # the search was begun in the transcript, and ends there

        # links: listed, shown whole, copied
        await send(screen, "echo see [one](https://one.example/x) and https://two.example", "see one")
        await after(screen, "alt+l", shows="Links in view")
        await after(screen, "down", "enter", shows="Open this link?")
        await copies(screen, "c")

        # sessions: new, to and fro, named, closed, brought back, listed, searched
        await send_in_new(screen)
        await after(screen, "ctrl+pageup", shows="see one")
        await after(screen, "ctrl+pagedown", shows="second session")
        await after(screen, "f2", shows="Rename the session")
        screen.send(b"renamed by key")
        await after(screen, "enter", shows="○ renamed by key")
        screen.press("alt+w")
        await screen.until(lambda: "renamed by key" not in screen.lines[0], "the tab's end")
        screen.press("alt+u")
        await screen.until(lambda: "renamed by key" in screen.lines[0], "the tab's return")
        await after(screen, "f3", shows="Enter open")
        await leave(screen, "Enter open")
        await after(screen, "alt+s", shows="all sessions")
        await leave(screen, "all sessions")

        # the program: palette, help, a theme, and out
        await after(screen, "ctrl+p", shows="What do you want to do?")
        screen.send(b"another theme\r")
        await screen.wait_for("Search themes")
        await leave(screen, "Search themes")
        await after(screen, "f1", shows="Keys and commands")
        await leave(screen, "Keys and commands")
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0


async def send_in_new(screen: Terminal) -> None:
    before = screen.lines[0]
    screen.press("ctrl+n")
    await screen.until(lambda: screen.lines[0] != before, "another tab")
    await send(screen, "echo second session", "second session")
