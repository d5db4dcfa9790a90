"""The trash on the screen: sessions come back from it, or go for good, with every word."""

import pytest

from chatforge_tui.domain.events import Accepted, TaskBound, TextDelta
from chatforge_tui.domain.ids import TaskId
from tests.terminal import terminal
from tests.ui.program import running

WORDS = (b"zanzibarprompt", b"zanzibardraft")


async def deleted(program, *titles):
    """Make sessions with these titles and delete them; the first session stays."""
    for title in titles:
        pane = await program.open()
        await program.type(f"/rename {title}")
        await program.pilot.press("enter")
        await program.until(lambda pane=pane, title=title: pane.head.title == title)
        await program.pilot.press("alt+d")
        await program.until(lambda pane=pane: program.app.book.get(pane.session_id) is None)


async def opened(program):
    await program.pilot.press("f3")
    await program.sees("t trash")
    await program.pilot.press("t")
    await program.sees("Sessions stay here for 7 days.")


@pytest.mark.parametrize("key", ["enter", "u"])
async def test_a_session_comes_back_from_the_trash_in_front(home, key):
    async with running(home) as program:
        await deleted(program, "one", "two")
        await opened(program)
        await program.until(lambda: program.text.find("two") < program.text.find("one"))
        await program.pilot.press("down", key)
        await program.until(lambda: program.front.head.title == "one")
        assert len(program.app.book.open) == 2
        await program.sees("Alt+U undo")
        await program.pilot.press("alt+u")
        await program.until(lambda: program.front.head.title == "two")
        await program.until(lambda: "Alt+U undo" not in program.text, "what came back is nothing to undo")


async def test_deleting_for_good_asks_and_the_list_goes_on_until_it_is_empty(home):
    async with running(home) as program:
        await deleted(program, "one", "two")
        await opened(program)
        await program.pilot.press("D")
        await program.sees("Delete for good?")
        await program.pilot.press("n")
        await program.until(lambda: "Delete for good?" not in program.text)
        assert len(await program.app.engine.call(lambda manager: manager.trash())) == 2
        for left in (1, 0):
            await program.pilot.press("D")
            await program.sees("cannot be undone")
            await program.pilot.press("y")
            await program.until(lambda: "cannot be undone" not in program.text)
            await program.sees("for good.")
            assert len(await program.app.engine.call(lambda manager: manager.trash())) == left
        await program.until(lambda: program.app.is_at_rest)
        assert not program.app.book.can_undo
        program.app.clear_notifications()
        await program.pilot.press("f3", "t")
        await program.sees("The trash is empty.")


@pytest.mark.timeout(120)
async def test_no_word_of_what_is_deleted_for_good_stays_on_the_disk(tmp_path):
    async with terminal(home=tmp_path) as screen:
        await screen.wait_for("A new session with")
        screen.send(b"echo zanzibarprompt\r")
        await screen.wait_for("complete")
        screen.send(b"zanzibardraft")
        await screen.until(lambda: all(word in everything(tmp_path) for word in WORDS), "both are on the disk")
        screen.press("alt+d")
        await screen.wait_for("Deleted")
        await screen.until(lambda: "❯ zanzibardraft" not in screen.text, "the draft goes with its session")
        screen.press("f3", "t")
        await screen.wait_for("Sessions stay here")
        screen.press("D")
        await screen.wait_for("Delete for good?")
        screen.press("y")
        await screen.wait_for("for good.")
        assert not [word for word in WORDS if word in everything(tmp_path)]
        screen.press("ctrl+q")
        assert await screen.until_ended() == 0
    assert not [word for word in WORDS if word in everything(tmp_path)]


def everything(home):
    """All bytes of all files: the database and what stands beside it, backups, logs, state."""
    return b"\n".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


async def test_what_was_brought_back_stays_in_front_though_the_deletion_is_still_telling_the_agent(home):
    async with running(home) as program:
        await program.open()
        pane = await program.send("hello")
        session_id, wire = pane.session_id, await program.wire(pane)
        program.endpoints.cancel_takes = 0.3
        await program.say(wire, Accepted("fake"), TaskBound(TaskId("task"), None), TextDelta("so far"))
        await program.sees("so far")
        await program.pilot.press("alt+d")
        await program.sees("Deleted")
        await program.pilot.press("alt+u")
        await program.until(lambda: program.front.session_id == session_id)
        await program.until(lambda: program.endpoints.made[-1].is_closed)
        for _ in range(5):
            await program.pilot.pause()
        assert program.front.session_id == session_id
        assert program.app.book.get(session_id) is program.front
