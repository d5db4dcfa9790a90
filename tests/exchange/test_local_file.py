"""What may be attached: regular files of limited size, and no other than the one that was named."""

import os
import socket
from pathlib import Path

import pytest

from chatforge_tui.errors import FileRefused
from chatforge_tui.exchange import local_file
from chatforge_tui.exchange.local_file import LinkNamed, SizeLimits, check_total, read_file, typed_path
from chatforge_tui.safety.clean import clean_name

HOSTILE = [
    "two\nlines.txt",
    "\x1b]52;c;ZXZpbA==\x07.txt",
    "right\u202eto-left.txt",
    "-rf",
    "~",
    "$HOME",
    "`id`.txt",
    "a b  c.txt",
    "..txt",
    "%s%n.txt",
    "[b][@click=app.quit]x.txt",
    "\u200bzero\u200b.txt",
    "ü" * 120,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_means_nothing_and_is_safe_to_show_and_to_send(tmp_path, name):
    (tmp_path / name).write_bytes(b"content")
    file, content = read_file(tmp_path / name)
    assert (content, file.size) == (b"content", 7)
    assert file.name == clean_name(file.name)
    assert "\n" not in file.name
    assert file.name == clean_name(name)


def test_a_name_that_is_no_utf8_can_be_attached(tmp_path):
    raw = os.fsencode(tmp_path) + b"/latin-\xfc.txt"
    Path(os.fsdecode(raw)).write_bytes(b"x")
    assert read_file(Path(os.fsdecode(raw)))[0].name == "latin-?.txt"


def test_what_is_no_regular_file_is_refused_at_once_and_never_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)  # a socket's path has but 108 bytes
        listener.bind("sock")
        for path, what in ((tmp_path / "pipe", "a pipe"), (tmp_path / "sock", "a socket"), (tmp_path, "a folder")):
            with pytest.raises(FileRefused, match=f"is {what}; only files can be attached"):
                read_file(path)
    for device in ("/dev/zero", "/dev/tty", "/dev/null"):
        with pytest.raises(FileRefused, match="is a device"):
            read_file(Path(device))


def test_a_file_that_becomes_a_pipe_or_a_link_before_it_is_opened_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x"
    real = Path.lstat

    def swap(self):
        status = real(self)
        if self == path:
            path.unlink()
            os.mkfifo(path) if kind == "pipe" else path.symlink_to("/etc/passwd")
        return status

    monkeypatch.setattr(Path, "lstat", swap)
    for kind, told in (("pipe", "is a pipe"), ("link", "became one")):  # noqa: B007 - swap sees it
        path.unlink(missing_ok=True)
        path.write_bytes(b"x")
        with pytest.raises(FileRefused, match=told):
            read_file(path)


def test_a_link_is_not_followed_but_says_where_it_leads(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "step").symlink_to("secret")
    (tmp_path / "link").symlink_to("step")
    with pytest.raises(LinkNamed, match=r"is a link to .*secret; it is not followed") as caught:
        read_file(tmp_path / "link")
    assert caught.value.target == (tmp_path / "secret").resolve()
    assert read_file(caught.value.target)[1] == b"secret"
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(LinkNamed):
        read_file(tmp_path / "circle")
    (tmp_path / "folder").symlink_to(tmp_path)
    assert read_file(tmp_path / "folder" / "secret")[1] == b"secret"


def test_the_size_limit_holds_for_what_is_read_not_for_what_is_said(tmp_path):
    limits = SizeLimits(each=1_000, together=1_500)
    (tmp_path / "fits").write_bytes(b"x" * 1_000)
    (tmp_path / "large").write_bytes(b"x" * 1_001)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    assert read_file(tmp_path / "fits", limits)[0].size == 1_000
    with pytest.raises(FileRefused, match="large is 1,001 bytes large; the limit for one file is 1,000 bytes"):
        read_file(tmp_path / "large", limits)
    with pytest.raises(FileRefused, match=r"is 1.0 TiB large"):
        read_file(tmp_path / "sparse", limits)
    if Path("/proc/self/maps").exists():  # says that it is empty
        with pytest.raises(FileRefused, match="the limit for one file"):
            read_file(Path("/proc/self/maps"), limits)
    file, _ = read_file(tmp_path / "fits", limits)
    check_total([file], limits)
    with pytest.raises(FileRefused, match=r"are 2.0 KiB together; 1.5 KiB go with one prompt"):
        check_total([file, file], limits)


def test_a_file_that_grows_while_it_is_read_is_still_held_to_the_limit(tmp_path, monkeypatch):
    path, limits = tmp_path / "log", SizeLimits(each=100_000)
    path.write_bytes(b"x" * 90_000)
    real = os.fstat

    def fstat_then_grow(descriptor):
        status = real(descriptor)
        with path.open("ab") as file:
            file.write(b"y" * 90_000)
        return status

    monkeypatch.setattr(local_file.os, "fstat", fstat_then_grow)
    with pytest.raises(FileRefused, match="the limit for one file"):
        read_file(path, limits)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere", "is not there"),
        ("file/below", "is not there"),
        ("x" * 300, "is too long for a path"),
        ("a\0b", "is no path"),
    ],
)
def test_each_mistake_has_its_sentence(tmp_path, name, told):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileRefused, match=told) as caught:
        read_file(tmp_path / name)
    assert str(caught.value).count(".") >= 1
    assert "\0" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    (tmp_path / "x").chmod(0)
    with pytest.raises(FileRefused, match="may not be read with your rights"):
        read_file(tmp_path / "x")


def test_a_typed_path_begins_at_the_folder_and_only_a_tilde_means_something(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert typed_path("a/b.txt", tmp_path) == tmp_path / "a" / "b.txt"
    assert typed_path("~/b.txt", tmp_path) == tmp_path / "home" / "b.txt"
    assert typed_path("/etc/hosts", tmp_path) == Path("/etc/hosts")
    assert typed_path("$HOME/*.txt", tmp_path) == tmp_path / "$HOME" / "*.txt"
    assert typed_path("../up", tmp_path) == tmp_path / ".." / "up"
    for text in ("", "a\0b", "~nobody-of-that-name/x"):
        with pytest.raises(FileRefused):
            typed_path(text, tmp_path)
