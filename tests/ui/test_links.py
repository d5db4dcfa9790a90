"""Links: listed by a key, shown whole before they are opened, opened by a browser that never sees this terminal."""

import sys
import time
from pathlib import Path

import pytest

from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.ui import link_opener
from chatforge_tui.ui.link_opener import LinkOpener, opening_commands
from chatforge_tui.ui.transcript.links import MOST_LINKS, links_of
from tests.ui.program import running
from tests.ui.transcript.turns import model_of, turn

URL = "https://example.com/a?b=c"
EVERYTHING = {"xdg-open", "open", "wslview", "firefox", "lynx", "my-browser"}
AT_A_DESKTOP = {"DISPLAY": ":0"}


def names(environ, *, platform="linux", installed=EVERYTHING, url=URL):
    return [
        command[0]
        for command in opening_commands(
            url, environ, find=lambda name: name if name in installed else None, platform=platform
        )
    ]


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", []),
        (AT_A_DESKTOP, "linux", ["xdg-open"]),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", ["xdg-open"]),
        ({"SSH_TTY": "/dev/pts/1", "DISPLAY": ":0"}, "linux", []),
        ({"SSH_TTY": "/dev/pts/1", "DISPLAY": "localhost:10.0"}, "linux", ["xdg-open"]),
        ({"WSL_DISTRO_NAME": "Debian"}, "linux", ["wslview", "xdg-open"]),
        ({}, "darwin", ["open"]),
        ({"SSH_CONNECTION": "x"}, "darwin", []),
        ({"BROWSER": "firefox"}, "linux", ["firefox"]),
        ({"BROWSER": "lynx", **AT_A_DESKTOP}, "linux", ["xdg-open"]),
        ({"BROWSER": "/usr/bin/w3m -o x:www-browser"}, "linux", []),
        ({"BROWSER": "absent:my-browser --new %s", **AT_A_DESKTOP}, "linux", ["my-browser", "xdg-open"]),
        ({"BROWSER": "'unfinished"}, "linux", []),
    ],
)
def test_only_browsers_with_a_window_that_the_user_sees_are_started(environ, platform, expected):
    assert names(environ, platform=platform) == expected


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "-x", "https://a b", "https://user@a.b/"])
def test_only_a_clean_address_is_opened(url):
    assert names(AT_A_DESKTOP, url=url) == []


def test_an_address_takes_the_place_of_its_sign_and_no_other():
    found = opening_commands(URL, {"BROWSER": "my-browser --to=%s -x"}, find=str)
    assert next(found) == ("my-browser", f"--to={URL}", "-x")
    assert next(opening_commands(URL, {"BROWSER": "my-browser"}, find=str)) == ("my-browser", URL)


def browser(folder: Path, body: str) -> dict[str, str]:
    """Return an environment whose browser is this program in Python."""
    file = folder / "browser.py"
    file.write_text(f"import os, sys\nout = {str(folder / 'out')!r}\n{body}\n")
    return {"BROWSER": f"{sys.executable} {file} %s", "PATH": "/nowhere"}


async def test_a_browser_gets_the_address_and_no_terminal(tmp_path):
    body = "\n".join(
        [
            "try: open('/dev/tty'); tty = 'tty'",
            "except OSError: tty = 'none'",
            "kinds = [os.readlink(f'/proc/self/fd/{n}') for n in range(3)]",
            "open(out, 'w').write(repr((sys.argv[1:], kinds, tty, os.getsid(0) == os.getpid())))",
        ]
    )
    assert await LinkOpener(browser(tmp_path, body)).open(URL)
    assert (tmp_path / "out").read_text() == repr(([URL], ["/dev/null"] * 3, "none", True))


async def test_a_browser_that_fails_opened_nothing(tmp_path):
    assert not await LinkOpener(browser(tmp_path, "sys.exit(3)")).open(URL)
    assert not await LinkOpener({"PATH": ""}).open(URL)


async def test_a_browser_that_stays_is_one_and_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(link_opener, "OPENING_S", 0.3)
    opener, began = LinkOpener(browser(tmp_path, "import time; time.sleep(30)")), time.monotonic()
    assert await opener.open(URL)
    assert time.monotonic() - began < 10
    for process in opener._started:
        process.kill()
        process.wait()


async def test_a_text_browser_is_not_handed_on_to_what_would_start_it(tmp_path):
    tool = tmp_path / "xdg-open"
    tool.write_text(f'#!/bin/sh\necho "[$BROWSER] $1" > {tmp_path}/out\n')
    tool.chmod(0o700)
    environ = {"BROWSER": "lynx", "DISPLAY": ":0", "PATH": str(tmp_path)}
    opener = LinkOpener(environ)
    assert opener._runs((str(tool), URL))
    assert (tmp_path / "out").read_text() == f"[] {URL}\n"


def test_links_are_listed_in_order_once_with_their_whole_label():
    text = "see [the **bold** page](https://a.example/x), [it](https://a.example/x) and https://b.example\n\n- [c](http://c.d)"
    model = model_of(turn(0, "no link"), turn(1, text), width=24)
    assert [tuple(link) for link in links_of(model, range(1, 2))] == [
        ("https://a.example/x", "the bold page"),
        ("https://b.example", "https://b.example"),
        ("http://c.d", "c"),
    ]
    assert links_of(model, range(1)) == []


def test_a_label_that_wraps_is_whole():
    model = model_of(turn(0, "[a label of many words that does not fit](https://a.example)"), width=12)
    assert [link.label for link in links_of(model, range(1))] == ["a label of many words that does not fit"]


def test_a_list_of_links_ends_somewhere():
    model = model_of(turn(0, "\n".join(f"https://a.example/{number}" for number in range(MOST_LINKS + 50))))
    assert len(links_of(model, range(1))) == MOST_LINKS


def answer(text: str):
    return lambda _: [Accepted("fake", "agent"), TextDelta(text), Finished()]


async def test_a_link_is_chosen_from_the_list_seen_whole_and_opened(home, monkeypatch, tmp_path):
    for name, value in browser(tmp_path, "open(out, 'w').write(sys.argv[1])").items():
        monkeypatch.setenv(name, value)
    text = "[one](https://one.example/x) and [two](https://two.example/y)"
    async with running(home, script=answer(text)) as program:
        await program.send("links please")
        await program.sees("one and two")
        await program.pilot.press("alt+l")
        await program.sees("https://two.example/y")
        await program.pilot.press("t", "w", "o", "enter")
        await program.sees("Open this link?")
        await program.sees("https://two.example/y")
        assert not (tmp_path / "out").exists()
        await program.pilot.press("enter")
        await program.sees("Opened in the browser.")
    assert (tmp_path / "out").read_text() == "https://two.example/y"


async def test_without_a_browser_the_address_is_copied_and_that_is_said(home, monkeypatch):
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    async with running(home, script=answer("the [only](https://one.example/x) link")) as program:
        await program.send("links please")
        await program.sees("the only link")
        await program.pilot.press("alt+l")
        await program.sees("https://one.example/x")
        await program.pilot.press("o")
        await program.sees("No browser with a window can be started from here.")
        await program.until(lambda: program.app.clipboard == "https://one.example/x")
        await program.pilot.press("alt+l", "c")
        await program.sees("address")


async def test_where_there_is_no_link_that_is_said(home):
    async with running(home, script=answer("nothing")) as program:
        await program.pilot.press("alt+l")
        await program.sees("There is no link in view.")
