"""From the first frame to the terminal as it was."""

import asyncio
import os
import signal
import threading
from contextvars import copy_context

import pytest

from chatforge_tui.domain.events import Accepted, Finished, TextDelta
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreStopped, StoreTooNew, StoreUnavailable
from chatforge_tui.store.memory_store import MemoryStore
from tests.fakes.scripted_endpoint import ScriptedEndpoints, echo
from tests.ui.program import Program, make_app, running


class BrokenStore(MemoryStore):
    async def open(self) -> None:
        raise StoreTooNew("A newer ChatForge wrote this store.", hint="Update ChatForge.")


async def test_a_store_that_cannot_be_opened_ends_the_program_with_its_sentence(home, capsys):
    app = make_app(home, ScriptedEndpoints(), BrokenStore())
    async with app.run_test() as pilot:
        while not app._exit:
            await pilot.pause()

    assert app.return_code == StoreTooNew.exit_code
    assert "A newer ChatForge wrote this store. Update ChatForge." in " ".join(capsys.readouterr().err.split())


class DamagedStore(MemoryStore):
    async def open(self, *, takes_tabs: bool = False) -> None:
        self.is_whole, self.salvaged = asyncio.Event(), 1234
        await self.is_whole.wait()
        self.salvaged = None


async def test_a_long_repair_says_so_and_how_far_it_is(home):
    store = DamagedStore()
    app = make_app(home, ScriptedEndpoints(), store)
    async with app.run_test(size=(80, 24)) as pilot:
        program = Program(app, pilot, ScriptedEndpoints())
        await program.sees("The store is damaged and is being repaired: 1,234 entries read")
        store.salvaged = 1_234_567
        await program.sees("repaired: 1,234,567 entries read …")
        app.engine._in_engine(store.is_whole.set)
        await program.sees("Enter send")


async def test_trouble_with_the_store_stays_on_the_screen_until_it_is_over(home):
    store = MemoryStore()
    async with running(home, store=store) as program:
        assert store.on_trouble is not None
        trouble = store.on_trouble

        async def tell(message: str) -> None:
            trouble(message)

        await program.app.engine.call(lambda _: tell("The disk is full."))
        await program.sees("The disk is full.")
        await program.app.engine.call(lambda _: tell(""))
        await program.until(lambda: "The disk is full." not in program.text)


async def test_an_engine_that_dies_is_shown_and_the_screen_stays(home):
    async with running(home) as program:
        await program.type("a draft")
        program.app._engine._in_engine(
            lambda: program.app._engine._wants.set() or setattr(program.app._engine, "_wanted", 42)
        )
        await program.sees("The engine stopped")
        await program.pilot.press("enter")
        await program.sees("nothing can be sent")

        assert program.app.main.composer.text == "a draft"


async def test_leaving_interrupts_what_runs_keeps_its_text_and_leaves_no_thread(home):
    store = MemoryStore()
    async with running(home, store=store) as program:
        pane = await program.send("work")
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("so far"))
        await program.sees("so far")
    await store.open()
    turns = await store.load_turns(pane.session_id)
    await store.close()

    assert (turns[-1].answer, turns[-1].head.state) == ("so far", TurnState.INTERRUPTED)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("chatforge")]


async def test_a_signal_ends_the_program_in_order_with_its_number(home):
    async with running(home) as program:
        os.kill(os.getpid(), signal.SIGTERM)
        await program.until(lambda: program.app._exit)

    assert program.app.return_code == 128 + signal.SIGTERM
    assert asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM) is False


async def test_what_was_typed_before_the_store_was_open_is_not_lost(home):
    opened = threading.Event()

    class SlowStore(MemoryStore):
        async def open(self) -> None:
            await asyncio.to_thread(opened.wait)
            await super().open()

    app = make_app(home, ScriptedEndpoints(echo), SlowStore())
    async with app.run_test() as pilot:
        await pilot.press(*"early")
        assert app.main.composer.text == "early"
        opened.set()
        while app.book.current is None or not app.book.current.is_loaded:
            await pilot.pause()
        assert app.main.composer.text == "early"
        assert app.book.current.draft == "early"


async def test_notices_are_told_at_the_start(home):
    async with running(home, notices=["Nothing is configured yet."]) as program:
        await program.sees("Nothing is configured yet.")


async def test_a_job_that_fails_unforeseen_is_told_and_ends_nothing(home):
    async def fail() -> None:
        raise RuntimeError("unforeseen")

    async with running(home) as program:
        program.app.start(fail())
        await program.sees("an error of ChatForge's own")
        await program.sees("Enter send")


class HalfStore(MemoryStore):
    async def create_session(self, head) -> None:
        if self.is_full:
            raise StoreUnavailable("No room for another session.")
        await super().create_session(head)

    is_full = False


async def test_a_session_that_cannot_be_made_is_told(home):
    store = HalfStore()
    async with running(home, store=store) as program:
        store.is_full = True
        await program.pilot.press("ctrl+n")
        await program.sees("No room for another session.")
        assert len(program.app.book.open) == 1


class FaultyStore(MemoryStore):
    async def open(self) -> None:
        raise LookupError("canary: nobody foresaw this")


async def test_an_engine_that_cannot_start_by_its_own_fault_ends_the_program_and_names_the_log(home, capsys):
    app = make_app(home, ScriptedEndpoints(), FaultyStore())
    async with app.run_test() as pilot:
        while not app._exit:
            await pilot.pause()

    told = " ".join(capsys.readouterr().err.split())
    assert app.return_code == 70
    assert "an error of its own (LookupError)" in told
    assert "canary" not in told
    assert str(home / "log") in told.replace(" ", "") or str(home / "log") in told


async def test_a_store_that_stopped_ends_the_start_and_names_the_log(home, capsys):
    class StoppedStore(MemoryStore):
        async def load_sessions(self, *, trashed: bool = False):
            raise StoreStopped

    app = make_app(home, ScriptedEndpoints(), StoppedStore())
    async with app.run_test() as pilot:
        while not app._exit:
            await pilot.pause()

    told = " ".join(capsys.readouterr().err.split())
    assert app.return_code == 70
    assert "nothing more can be saved" in told
    assert "The log is in" in told


@pytest.mark.parametrize(("key", "leaves"), [("y", True), ("n", False), ("escape", False), ("enter", True)])
async def test_leaving_while_an_answer_runs_asks_and_every_key_of_the_question_answers_it(home, key, leaves):
    async with running(home) as program:
        pane = await program.send("work")
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("so far"))
        await program.until(lambda: pane.is_live)
        await program.pilot.press("ctrl+q")
        await program.sees("Leave ChatForge?")
        await program.pilot.press(key)
        await program.until(lambda: program.app._exit if leaves else "Leave ChatForge?" not in program.text)

        assert program.app._exit is leaves


async def test_the_questions_about_running_answers_follow_them(home):
    async with running(home) as program:
        first = await program.send("one")
        await program.open()
        second = await program.send("two")
        for pane in (first, second):
            await program.say(await program.wire(pane), Accepted("fake"), TextDelta("so far"))
        await program.until(lambda: first.is_live and second.is_live)
        await program.pilot.press("ctrl+q")
        await program.sees("2 answers are still running.")
        await program.say(await program.wire(first), Finished())
        await program.sees("One answer is still running. Leaving stops it;")
        await program.say(await program.wire(second), Finished())
        await program.sees("No answer is running any more.")
        assert "Stop and leave" not in program.text
        await program.pilot.press("escape")

        await program.send("three")
        program.app._program.ask_abort_all()
        await program.sees("Stop everything?")
        await program.say(await program.wire(second), Accepted("fake"), TextDelta("done"), Finished())
        await program.until(lambda: "Stop everything?" not in program.text)


async def test_the_thread_that_sees_the_terminal_go_does_not_wait_for_a_loop_that_waits_for_it(home):
    async with running(home) as program:
        arguments = (asyncio.get_running_loop(), copy_context())
        watching = threading.Thread(target=program.app.note_hang_up, args=arguments, daemon=True)
        watching.start()
        watching.join(5)  # the loop stands still, as it does while it ends the watch
        assert not watching.is_alive()
        await program.until(lambda: program.app.return_code == 128 + signal.SIGHUP)
