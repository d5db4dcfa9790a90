"""Every way in which a store can be unusable, with the real program in a terminal: one sentence, and nothing lost.

A store that cannot be written is read where it can be, and used as soon as it can be; one that is damaged is moved aside
with no byte of it changed, and what can be read of it comes back.
"""

import asyncio
import json
import os
import resource
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from chatforge_tui.config.settings import BUILT_IN
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.store import care
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.cli.material import FIRST, HEAD
from tests.terminal import PROGRAM, Terminal, terminal

pytestmark = pytest.mark.timeout(120)

TITLE = "A kept title"
REPAIR = "`chatforge store repair`"


def store_file(home: Path) -> Path:
    return home / "data" / "sessions.db"


async def fill(home: Path, size: int = 40_000) -> bytes:
    """Make a store with one session of so many characters; return its bytes."""
    store = SqliteStore(store_file(home))
    await store.open()
    long = replace(FIRST, head=replace(FIRST.head, prompt=Prompt("Kept prompt " + "x" * size)))
    await store.merge((replace(HEAD, title=TITLE, endpoint=EndpointRef(BUILT_IN)), long))
    await store.close()
    return store_file(home).read_bytes()


async def answered(screen: Terminal, answer: str) -> None:
    """Wait until a line begins with the answer, nothing runs any more, and all of that is drawn."""

    def is_there() -> bool:
        lines = screen.lines
        return any(line.strip().startswith(answer) for line in lines) and "complete" in lines[-2]

    await screen.until(is_there, "it is answered")
    await screen.until_quiet()
    await screen.until(is_there, "it is answered")


def overwrite(start: int, content: bytes) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        with file.open("r+b") as opened:
            opened.seek(start)
            opened.write(content)

    return damage


def replace_by_foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE theirs (x)")


def replace_by_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "header": overwrite(0, b"\x00" * 100),
    "foreign": replace_by_foreign,
    "empty": lambda file: os.truncate(file, 0),
    "directory": replace_by_directory,
}


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_what_cannot_be_read_is_moved_aside_told_of_with_names_and_the_program_goes_on(tmp_path, kind):
    await fill(tmp_path, 300)
    file = store_file(tmp_path)
    UNREADABLE[kind](file)
    before = file.read_bytes() if file.is_file() else b""
    async with terminal(home=tmp_path, size=(200, 36)) as screen:
        await screen.until(lambda: "The store was damaged." in screen.lines[-2], "it is told")
        await screen.wait_for("The store was damaged and has been repaired")
        back = "1 session and 1 turn" if kind == "header" else "0 sessions and 0 turns"
        await screen.wait_for(f"{back} are in the store now.")
        [aside] = file.parent.glob("corrupt-*")
        await screen.wait_for(aside.name)
        await screen.wait_for(file.name)
        screen.press("enter")
        await screen.until(lambda: "damaged" not in screen.text, "it is read")
        screen.send(b"echo afterwards\r")
        await answered(screen, "afterwards")
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
    moved = aside / file.name
    assert (moved.read_bytes() if moved.is_file() else b"") == before
    prompts = await asyncio.to_thread(stored_prompts, file)
    assert [prompt for prompt in prompts if not prompt.startswith("Kept prompt")] == ["echo afterwards"]
    assert (len(prompts) > 1) is (kind == "header")
    log = (tmp_path / "log" / "chatforge.log").read_text("utf-8")
    assert "the store was repaired" in log


async def test_of_a_store_of_another_shape_everything_comes_back_row_by_row(tmp_path):
    await fill(tmp_path, 300)
    with closing(sqlite3.connect(store_file(tmp_path))) as db:
        db.execute("ALTER TABLE session DROP COLUMN anchor")
    async with terminal(home=tmp_path) as screen:
        await screen.wait_for("has been repaired")
        await screen.wait_for("1 session and 1 turn are in the store now.")
        screen.press("enter")
        await screen.until(lambda: "damaged" not in screen.text, "it is read")
        await screen.wait_for(TITLE)
        await screen.wait_for("Kept prompt")


async def test_what_a_backup_has_comes_back_and_the_report_waits_for_who_is_typing(tmp_path):
    await fill(tmp_path, 300)
    await asyncio.to_thread(care.back_up, store_file(tmp_path))
    UNREADABLE["empty"](store_file(tmp_path))
    async with terminal(home=tmp_path) as screen:
        screen.send(b"half a pro")
        await screen.wait_for(TITLE)
        await screen.until(lambda: "1 session and 1 turn are in the store now." in screen.lines[-2], "it is told")
        await screen.wait_for("❯ half a pro")
        await screen.until_quiet(1.2)
        screen.send(b"mpt")
        await screen.wait_for("❯ half a prompt")
        assert "has been repaired" not in screen.text
        screen.press("ctrl+c")
        await screen.wait_for("The store was damaged and has been repaired")
        await screen.wait_for("came from the backup")
        screen.press("escape")
        await screen.until(lambda: "damaged" not in screen.text, "it is read")


async def test_a_session_on_a_damaged_page_is_told_and_every_other_goes_on(tmp_path):
    content = await fill(tmp_path, 400_000)
    overwrite(len(content) // 2 // 4096 * 4096, os.urandom(4096))(store_file(tmp_path))
    async with terminal(home=tmp_path) as screen:
        await screen.wait_for(TITLE)
        await screen.wait_for(f"This session cannot be read. {REPAIR}")
        screen.press("ctrl+n")
        await screen.wait_for("A new session with")
        screen.send(b"echo another\r")
        await screen.wait_for("complete")
        assert "cannot be read" not in screen.lines[-2]
        screen.press("alt+1")
        await screen.until(lambda: "This session cannot be read." in screen.lines[-2])
        screen.send(f"/export all {tmp_path}/all.jsonl\r".encode())
        await screen.wait_for("1 session could not be read")
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
    lines = (tmp_path / "all.jsonl").read_text("ascii").splitlines()
    assert [json.loads(line).get("prompt") for line in lines[2:]] == ["echo another"]


async def test_a_log_of_another_file_beside_the_store_changes_nothing(tmp_path):
    await fill(tmp_path)
    store_file(tmp_path).with_name("sessions.db-wal").write_bytes(os.urandom(8_000))
    async with terminal(home=tmp_path) as screen:
        await screen.wait_for(TITLE)
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0


async def test_a_missing_directory_is_made_for_its_owner_alone(tmp_path):
    home = tmp_path / "deep" / "deeper"
    async with terminal(home=home) as screen:
        await screen.wait_for("A new session with")
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
    assert store_file(home).stat().st_mode & 0o077 == 0


UNPRIVILEGED = ()
if os.geteuid() == 0:
    UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--")


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write everywhere")
@pytest.mark.parametrize("kind", ["file", "directory", "unreadable", "unreachable"])
async def test_without_the_rights_nothing_pretends_to_be_saved_and_with_them_it_goes_on_by_itself(tmp_path, kind):
    before = await fill(tmp_path)
    file = store_file(tmp_path)
    shutil.rmtree(file.parent / "run", ignore_errors=True)
    file.chmod({"file": 0o400, "unreadable": 0}.get(kind, 0o600))
    file.parent.chmod({"directory": 0o500, "unreachable": 0}.get(kind, 0o700))
    try:
        async with terminal([*UNPRIVILEGED, *PROGRAM], home=tmp_path, size=(80, 24)) as screen:
            await screen.until(
                lambda: "Not saved: No rights to read and write the store" in screen.lines[-2], "why is told"
            )
            if kind in {"file", "directory"}:
                await screen.wait_for(TITLE)
            screen.send(b"echo later\r")
            await screen.wait_for("❯ echo later")
            await screen.until_quiet()
            assert screen.text.count("later") == 1
            file.parent.chmod(0o700)
            assert file.read_bytes() == before
            file.chmod(0o600)
            await screen.until(lambda: "Not saved" not in screen.lines[-2], "the store is open")
            await screen.wait_for(TITLE)
            await screen.wait_for("❯ echo later")
            screen.press("enter")
            await answered(screen, "later")
            screen.press("ctrl+q")
            assert await screen.until_ended() == 0
    finally:
        file.parent.chmod(0o700)
        file.chmod(0o600)
    [kept, sent] = await asyncio.to_thread(stored_prompts, file)
    assert kept.startswith("Kept prompt")
    assert sent == "echo later"


LIMITED = (
    "import os, resource, sys; "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY)); "
    "os.execv(sys.executable, [sys.executable, '-m', 'chatforge_tui'])"
)


async def test_a_disk_that_is_full_is_told_loses_nothing_acknowledged_and_is_used_again_without_a_restart(tmp_path):
    content = await fill(tmp_path)
    limit = len(content) + 60_000
    async with terminal([sys.executable, "-c", LIMITED, str(limit)], home=tmp_path) as screen:
        await screen.wait_for(TITLE)
        screen.press("ctrl+n")
        await screen.wait_for("A new session with")
        screen.send(b"echo acknowledged\r")
        await answered(screen, "acknowledged")
        screen.paste("echo " + "refused " * 9_000)
        await screen.until_quiet()
        screen.press("enter")
        await screen.until(lambda: "Not saved: The disk" in screen.lines[-2], "it is told")
        await screen.until_quiet()
        resource.prlimit(screen.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await screen.until(lambda: "Not saved" not in screen.lines[-2], "the trouble is over")
        screen.press("ctrl+c")
        screen.send(b"echo afterwards\r")
        await answered(screen, "afterwards")
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
    prompts = await asyncio.to_thread(stored_prompts, store_file(tmp_path))
    assert [prompt for prompt in prompts if len(prompt) < 100] == ["echo acknowledged", "echo afterwards"]
    assert any(prompt.startswith("Kept prompt") for prompt in prompts)


def stored_prompts(file):
    with closing(sqlite3.connect(file)) as db:
        return [row[0] for row in db.execute("SELECT prompt FROM turn ORDER BY started")]


async def test_with_a_disk_that_is_full_at_the_start_everything_can_be_read(tmp_path):
    before = await fill(tmp_path)
    async with terminal([sys.executable, "-c", LIMITED, "0"], home=tmp_path) as screen:
        await screen.wait_for(TITLE)
        await screen.wait_for("Not saved: The disk")
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
    assert store_file(tmp_path).read_bytes() == before
