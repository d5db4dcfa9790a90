"""A file that the agent sent is written on a key only: new, private, under the chosen folder, with a rebuilt name."""

import errno
import stat
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatforge_tui.config.settings import FileSettings
from chatforge_tui.domain.events import Accepted, FileOffered, Finished
from chatforge_tui.errors import ChatForgeError, FileElsewhere
from chatforge_tui.ui import saved_file
from chatforge_tui.ui.saved_file import MOST_NAMES, numbered, save_new
from tests.ui.program import running


def test_a_file_is_new_private_and_whole(tmp_path):
    path = save_new(tmp_path, "report.pdf", b"%PDF")

    assert (path, path.read_bytes()) == (tmp_path / "report.pdf", b"%PDF")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["report.pdf"]


def test_nothing_is_replaced(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"mine")
    saved = [save_new(tmp_path, "a.txt", b"theirs").name for _ in range(2)]

    assert saved == ["a-2.txt", "a-3.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"mine"


def test_a_link_in_its_place_is_not_followed(tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    (folder / "a.txt").symlink_to(outside)

    assert save_new(folder, "a.txt", b"x").name == "a-2.txt"
    assert not outside.exists()


@pytest.mark.parametrize(
    "name",
    [
        "../../.ssh/authorized_keys",
        "/etc/cron.d/x",
        "CON.txt",
        "-rf",
        ".profile",
        "a\nb\u202egpj.exe",
        "\ud800",
        "a" * 4000,
        "..",
        "",
    ],
)
def test_a_hostile_name_stays_in_the_folder(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = save_new(folder, name, b"x")

    assert path.parent == folder
    assert [entry.name for entry in folder.iterdir()] == [path.name]
    assert not path.name.startswith((".", "-"))
    assert len(path.name) <= 120
    assert list(tmp_path.iterdir()) == [folder]


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saved_file.os, "fsync", full)
    with pytest.raises(ChatForgeError, match="No space left on device"):
        save_new(tmp_path, "a.txt", b"x")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_forced_to_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    fsync, forced = saved_file.os.fsync, []

    def second_fails(descriptor):
        forced.append(descriptor)
        if len(forced) == 2:
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(saved_file.os, "fsync", second_fails)
    with pytest.raises(ChatForgeError, match="Input/output error"):
        save_new(tmp_path, "a.txt", b"x")
    assert not list(tmp_path.iterdir())


def test_where_there_are_no_hard_links_a_file_is_new_private_and_whole_too(tmp_path, monkeypatch):
    def none(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(saved_file.os, "link", none)
    (tmp_path / "a.txt").write_bytes(b"mine")
    path = save_new(tmp_path, "a.txt", b"theirs")

    assert (path.name, path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == ("a-2.txt", b"theirs", 0o600)
    assert (tmp_path / "a.txt").read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_is_no_path_is_told():
    with pytest.raises(ChatForgeError, match="cannot be saved"):
        save_new(Path("a\0b"), "a.txt", b"x")


def test_a_folder_that_is_none_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for folder in ("gone", "file"):
        with pytest.raises(ChatForgeError, match="cannot be saved"):
            save_new(tmp_path / folder, "a.txt", b"x")


@pytest.mark.parametrize("name", ["a" * 120, "a" * 110 + ".tar", "a"])
def test_a_numbered_name_keeps_the_limit(name):
    assert len(numbered(name, MOST_NAMES)) <= 120


async def test_the_command_shows_what_it_is_and_writes_after_enter(tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    hostile = "../[red]evil\x1b]52;c;eA==\x07.txt"
    script = lambda _: [Accepted("fake"), FileOffered(hostile, "text/plain", data=b"content"), Finished()]  # noqa: E731
    async with running(tmp_path / "home", script=script) as program:
        pane = await program.send("send me a file")
        await program.until(lambda: not pane.is_live)
        await program.type(f"/save 1 {folder}")
        await program.pilot.press("enter")
        await program.sees("Save this file?")
        assert "[red]evil" in program.text
        assert "\x1b" not in program.text
        assert not list(folder.iterdir())

        await program.pilot.press("enter")
        await program.until(lambda: list(folder.iterdir()))
        await program.sees("Saved as")
        assert [path.read_bytes() for path in folder.iterdir()] == [b"content"]


URL = "https://user@files.example.com/r/report.pdf?v=1"
CLEAN_URL = "https://files.example.com/r/report.pdf?v=1"


@asynccontextmanager
async def offered(home, url=URL, name="report.pdf", **options):
    """The program after an agent offered a file by its address."""
    script = lambda _: [Accepted("fake"), FileOffered(name, url=url), Finished()]  # noqa: E731
    async with running(home, script=script, **options) as program:
        pane = await program.send("send me a file")
        await program.until(lambda: not pane.is_live)
        yield program


async def test_a_file_with_only_an_address_is_fetched_after_its_real_host_was_shown(tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    async with offered(tmp_path / "home") as program:
        program.endpoints.files[CLEAN_URL] = b"content"
        await program.type(f"/save 1 {folder}")
        await program.pilot.press("enter")
        await program.sees("Fetch and save this file?")
        for row in ("https://files.example.com", "no credential", "the user name in the address, a common disguise"):
            assert row in program.text
        assert program.endpoints.fetched == []

        await program.pilot.press("enter")
        await program.until(lambda: list(folder.iterdir()))
        [path] = folder.iterdir()
        assert (path.name, path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == ("report.pdf", b"content", 0o600)
        assert program.endpoints.fetched == [CLEAN_URL]


async def test_esc_fetches_nothing(tmp_path):
    async with offered(tmp_path) as program:
        await program.pilot.press("alt+g")
        await program.sees("Fetch and save this file?")
        await program.pilot.press("escape")
        await program.until(lambda: program.app.is_at_rest)
        assert program.endpoints.fetched == []


@pytest.mark.parametrize("url", ["file:///etc/shadow", "javascript:1", "//host/x", "http://a b/"])
async def test_an_address_that_is_none_of_the_web_is_not_even_asked_about(tmp_path, url):
    async with offered(tmp_path, url) as program:
        await program.pilot.press("alt+g")
        await program.sees("Only http and https")
        assert program.endpoints.fetched == []


async def test_what_speaks_for_and_against_an_address_is_in_the_question(tmp_path):
    async with offered(tmp_path, "http://аgents.example.com/x", name="") as program:
        await program.pilot.press("alt+g")
        await program.sees("http://xn--gents-3ve.example.com, without encryption")
        assert "Written as" in program.text
        assert "Saved as     x" in program.text


async def test_a_file_of_the_endpoints_own_server_says_that_the_credential_goes_along(tmp_path):
    async with offered(tmp_path, "https://agents.example.com/files/1") as program:
        await program.pilot.press("alt+g")
        await program.sees("the endpoint's credential: it is its own server")


async def test_on_to_another_server_it_goes_only_when_the_user_has_seen_which(tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    target = "https://cdn.example.net/r"
    async with offered(tmp_path / "home") as program:
        program.endpoints.files = {
            CLEAN_URL: FileElsewhere("https://files.example.com sends on to https://cdn.example.net.", target=target),
            target: b"content",
        }
        for answer in ("escape", "y"):
            await program.type(f"/save 1 {folder}")
            await program.pilot.press("enter")
            await program.sees("Fetch and save this file?")
            await program.pilot.press("enter")
            await program.sees("Fetch it from another server?")
            assert "cdn.example.net" in program.text
            assert program.endpoints.fetched[-1] == CLEAN_URL
            await program.pilot.press(answer)
        await program.until(lambda: list(folder.iterdir()))
        assert program.endpoints.fetched == [CLEAN_URL, CLEAN_URL, target]
        assert [path.name for path in folder.iterdir()] == ["report.pdf"]


@pytest.mark.parametrize("way", ["escape", "/stop", "delete"])
async def test_a_fetch_that_takes_too_long_is_stopped_and_leaves_nothing(tmp_path, way):
    folder = tmp_path / "downloads"
    folder.mkdir()
    async with offered(tmp_path / "home") as program:
        program.endpoints.files = {CLEAN_URL: None}
        await program.type(f"/save 1 {folder}")
        await program.pilot.press("enter")
        await program.sees("Fetch and save this file?")
        await program.pilot.press("enter")
        await program.sees("Fetching report.pdf ... Esc, or /stop, ends it.")
        await program.until(lambda: program.endpoints.fetched == [CLEAN_URL])
        if way == "/stop":
            await program.type(way)
            await program.pilot.press("enter")
        else:
            await program.pilot.press("alt+d" if way == "delete" else way)
        await program.sees("Stopped: nothing of report.pdf was saved.")
        assert list(folder.iterdir()) == []


async def test_what_cannot_be_fetched_is_told_and_leaves_nothing(tmp_path):
    folder = tmp_path / "downloads"
    folder.mkdir()
    async with offered(tmp_path / "home") as program:
        await program.type(f"/save 1 {folder}")
        await program.pilot.press("enter")
        await program.sees("Fetch and save this file?")
        await program.pilot.press("enter")
        await program.sees("is not there")
        assert list(folder.iterdir()) == []


async def test_the_configured_folder_is_offered_first(tmp_path):
    async with offered(tmp_path, files=FileSettings(folder="~/from agents")) as program:
        await program.pilot.press("alt+g")
        await program.sees("~/from agents")


async def test_a_click_on_a_file_in_the_transcript_asks_where_it_shall_go(tmp_path):
    script = lambda _: [Accepted("fake"), FileOffered("a.txt", data=b"content"), Finished()]  # noqa: E731
    async with running(tmp_path, script=script) as program:
        pane = await program.send("send me a file")
        await program.until(lambda: not pane.is_live)
        await program.sees("File a.txt")
        row = next(y for y, line in enumerate(program.text.split("\n")) if "File a.txt" in line)
        column = program.text.split("\n")[row].index("a.txt")
        await program.pilot.click(offset=(column + 1, row))
        await program.sees("Save this file?")


async def test_without_a_file_the_key_says_so(tmp_path):
    async with running(tmp_path) as program:
        await program.pilot.press("alt+g")
        await program.sees("No answer of this session holds a file.")
