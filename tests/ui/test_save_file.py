"""A file that the agent sent is written on a key only: new, private, under the chosen folder, with a rebuilt name."""

import errno
import stat
from pathlib import Path

import pytest

from chatforge_tui.domain.events import Accepted, FileOffered, Finished
from chatforge_tui.errors import ChatForgeError
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


async def test_a_file_with_only_an_address_is_not_fetched(tmp_path):
    script = lambda _: [Accepted("fake"), FileOffered("a", url="file:///etc/shadow"), Finished()]  # noqa: E731
    async with running(tmp_path, script=script) as program:
        pane = await program.send("send me a file")
        await program.until(lambda: not pane.is_live)
        await program.pilot.press("alt+g")
        await program.sees("does not fetch it")


async def test_without_a_file_the_key_says_so(tmp_path):
    async with running(tmp_path) as program:
        await program.pilot.press("alt+g")
        await program.sees("No answer of this session holds a file.")
