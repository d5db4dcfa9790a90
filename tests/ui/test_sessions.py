"""Many sessions side by side, through the keys of a user."""

import asyncio

import pytest
from msgspec.structs import replace

from chatforge_tui.config.settings import UiSettings
from chatforge_tui.domain.events import Accepted, Finished, PlanUpdated, TextDelta, WaitingForUser
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.ui import draft_keeper
from chatforge_tui.ui.widgets.tab_strip import TabStrip
from tests.fakes.scripted_endpoint import echo
from tests.ui.program import LIMIT_S, make_app, running


def plan(*steps: tuple[str, StepStatus]) -> Plan:
    return Plan(tuple(PlanStep(title, status) for title, status in steps))


async def two_of_which_one_streams(program):
    """Have two sessions; return the pane of the second, which is in front and streams, and its wire."""
    await program.send("kept")
    gone = await program.open()
    await program.send("deleted by mistake")
    wire = await program.wire(gone)
    await program.say(wire, Accepted("fake"), TextDelta("so far"))
    return gone, wire


async def asking_out_of_sight(program):
    """Return the pane of a session that needs its user, behind another one."""
    asking = await program.send("ask me")
    await program.open()
    await program.say(await program.wire(asking), Accepted("fake"), WaitingForUser(QuestionKind.INPUT, "Which one?"))
    await program.sees("◆ ask me 1")
    return asking


async def test_two_sessions_stream_at_once_and_each_shows_its_own_text(home):
    async with running(home) as program:
        first = await program.send("for the first")
        second = await program.open()
        await program.send("for the second")
        one, two = await program.wire(first), await program.wire(second)
        await program.say(one, Accepted("fake"), TextDelta("alpha text"))
        await program.say(two, Accepted("fake"), TextDelta("beta text"))
        await program.sees("beta text")
        assert "alpha text" not in program.text

        await program.show(first.session_id)
        await program.sees("alpha text")
        assert "beta text" not in program.text

        await program.say(one, Finished())
        await program.until(lambda: first.state is TurnState.COMPLETE)
        assert second.state is TurnState.STREAMING


async def test_a_switch_in_the_middle_of_a_stream_neither_loses_nor_doubles_a_word(home):
    async with running(home) as program:
        first = await program.send("count")
        second = await program.open()
        wire = await program.wire(first)
        for number in range(40):
            await program.say(wire, *([Accepted("fake")] if not number else []), TextDelta(f"w{number} "))
            program.app.bring_to_front((first, second)[number % 2].session_id)
            await program.pilot.pause()
        await program.show(first.session_id)
        await program.say(wire, TextDelta("finis"))
        await program.sees("finis")

        words = " ".join(program.text.split("w0 ", 1)[1].split())
        assert words.startswith(" ".join(f"w{number}" for number in range(1, 40)) + " finis")


async def test_stopping_one_answer_leaves_the_other_running(home):
    async with running(home) as program:
        first = await program.send("one")
        second = await program.open()
        await program.send("two")
        for pane in (first, second):
            await program.say(await program.wire(pane), Accepted("fake"), TextDelta("some"))
        await program.until(lambda: second.state is TurnState.STREAMING)

        await program.pilot.press("escape")
        await program.until(lambda: second.state is TurnState.ABORTED)

        assert first.state is TurnState.STREAMING
        await program.say(await program.wire(first), TextDelta(" more"), Finished())
        await program.until(lambda: first.state is TurnState.COMPLETE)


async def test_a_deleted_session_comes_back_with_its_text(home):
    async with running(home, script=echo) as program:
        kept = await program.send("first session")
        gone = await program.open()
        await program.send("hello again")
        await program.until(lambda: gone.state is TurnState.COMPLETE)

        await program.pilot.press("alt+d")
        await program.until(lambda: program.app.book.get(gone.session_id) is None)
        await program.sees("Alt+U undo")
        assert program.front is kept

        await program.pilot.press("alt+u")
        await program.until(lambda: program.front.session_id == gone.session_id)
        await program.sees("hello again")
        await program.until(lambda: "Deleted" not in program.text, "what was said of it is not true any more")


async def test_undo_in_the_same_breath_brings_back_what_is_on_its_way_to_the_trash(home):
    async with running(home) as program:
        gone, wire = await two_of_which_one_streams(program)
        await program.sees("so far")

        await program.pilot.press("alt+d", "alt+u")
        await program.until(lambda: wire.closed)
        await program.until(lambda: program.front.session_id == gone.session_id)
        await program.until(lambda: program.front.state is TurnState.ABORTED)
        await program.sees("so far")


@pytest.mark.parametrize("by_hand", [True, False])
async def test_news_of_a_deletion_that_comes_late_takes_nothing_away_that_is_back(home, by_hand):
    async with running(home) as program:
        gone, wire = await two_of_which_one_streams(program)
        await program.sees("so far")
        is_busy = True
        program.app.engine._may_paint = lambda: not is_busy

        await program.pilot.press("alt+d")
        await program.until(lambda: wire.closed)
        async with asyncio.timeout(LIMIT_S):
            while not await program.app.engine.call(lambda manager: manager.trash()):
                pass
        await program.pilot.pause()
        if by_hand:
            await program.pilot.press("alt+u")
        else:
            program.app._sessions.restore(gone.session_id)
        for _ in range(5):
            await program.pilot.pause()
        is_busy = False
        await program.until(lambda: program.front is not gone and program.front.session_id == gone.session_id)
        await program.until(lambda: program.front.state is TurnState.ABORTED)
        for _ in range(5):
            await program.pilot.pause()
        assert program.front.session_id == gone.session_id
        assert "another ChatForge" not in program.text


async def test_a_closed_session_that_was_opened_from_the_list_is_nothing_to_undo(home):
    async with running(home, script=echo) as program:
        pane = await program.send("kept")
        await program.open()
        program.app.bring_to_front(pane.session_id)
        await program.pilot.press("alt+w")
        await program.sees("Alt+U undo")
        program.app._sessions.go_to(pane.session_id)
        await program.until(lambda: program.front is pane and pane.head.is_open)
        await program.until(lambda: "Alt+U undo" not in program.text)


async def test_a_session_that_cannot_be_deleted_is_nothing_to_undo(home):
    store = MemoryStore()
    async with running(home, store=store) as program:
        await program.send("kept")
        stays = await program.open()
        await program.send("stays, too")

        async def refuse(*_: object) -> None:
            raise StoreUnavailable("The disk is full.")

        store.trash_session = refuse
        await program.pilot.press("alt+d")
        await program.sees("The disk is full.")
        assert not program.app.book.can_undo
        program.app._sessions.restore(stays.session_id)
        await program.until(lambda: program.front is stays)


async def test_deleting_a_streaming_session_stops_its_stream_and_no_other(home):
    async with running(home) as program:
        first = await program.send("one")
        second = await program.open()
        await program.send("two")
        wires = [await program.wire(pane) for pane in (first, second)]

        await program.pilot.press("ctrl+delete")
        await program.until(lambda: wires[1].closed)

        assert not wires[0].closed
        await program.until(lambda: [pane.session_id for pane in program.app.book.open] == [first.session_id])


async def test_closing_a_tab_lets_its_stream_go_on_and_undo_brings_it_back(home):
    async with running(home) as program:
        await program.send("one")
        closed = await program.open()
        await program.send("two")
        wire = await program.wire(closed)

        await program.pilot.press("alt+w")
        await program.until(lambda: len(program.app.book.open) == 1)
        await program.say(wire, Accepted("fake"), TextDelta("said behind a closed tab"), Finished())
        await program.pilot.press("alt+u")
        await program.sees("said behind a closed tab")


async def test_the_last_tab_is_replaced_by_a_fresh_one(home):
    async with running(home, script=echo) as program:
        only = await program.send("hello")
        await program.until(lambda: only.state is TurnState.COMPLETE)
        await program.pilot.press("alt+d")
        await program.until(lambda: program.app.book.current not in {None, only})

        assert [pane.is_empty for pane in program.app.book.open] == [True]


async def test_keys_walk_through_the_tabs_and_back_to_the_last_one(home):
    async with running(home) as program:
        tabs = [program.front, await program.open(), await program.open()]

        async def after(*keys: str) -> int:
            await program.pilot.press(*keys)
            return tabs.index(program.front)

        assert await after("ctrl+pagedown") == 0
        assert await after("ctrl+pageup") == 2
        assert await after("alt+1") == 0
        assert await after("ctrl+s", "ctrl+s") == 2
        assert await after("ctrl+s", "2") == 1
        assert await after("f8") == 2


async def test_a_session_out_of_sight_that_needs_its_user_is_marked_and_found(home):
    async with running(home) as program:
        asking = await asking_out_of_sight(program)

        await program.pilot.press("alt+a")
        await program.sees("Which one?")
        assert program.front is asking
        assert asking.unread_count == 0


async def test_the_board_opens_on_the_session_that_needs_its_user(home):
    async with running(home) as program:
        asking = await asking_out_of_sight(program)

        await program.pilot.press("ctrl+s")
        await program.sees("Enter open")
        await program.pilot.press("enter")
        await program.until(lambda: program.front is asking)


async def test_the_board_renames_deletes_and_reopens(home):
    async with running(home, script=echo) as program:
        first = await program.send("one")
        second = await program.open()
        await program.send("two")
        await program.pilot.press("alt+w")
        await program.until(lambda: not second.head.is_open)

        await program.pilot.press("ctrl+s")
        await program.sees("Closed")
        await program.pilot.press("r")
        await program.sees("Rename the session")
        await program.pilot.press(*"X", "enter")
        await program.until(lambda: first.head.title == "X")
        await program.pilot.press("end", "enter")
        await program.until(lambda: program.front.session_id == second.session_id and program.front.head.is_open)

        await program.pilot.press("ctrl+s")
        await program.sees("Enter open")
        await program.pilot.press("d")
        await program.until(lambda: len(program.app.book) == 1)


async def test_a_title_given_by_hand_stays(home):
    async with running(home, script=echo) as program:
        await program.type("/rename My own title")
        await program.pilot.press("enter")
        await program.sees("My own title")
        await program.send("another first line")

        await program.until(lambda: program.front.state is TurnState.COMPLETE)
        assert program.front.head.title == "My own title"


async def test_a_tab_moves_and_stays_where_it_was_put(home):
    async with running(home) as program:
        first, second = program.front, await program.open()

        program.app.do("session.move_left")
        await program.until(
            lambda: [pane.session_id for pane in program.app.book.open] == [second.session_id, first.session_id]
        )


async def test_plans_belong_to_their_session_and_earlier_ones_stay(home):
    async with running(home) as program:
        planner = await program.send("first plan")
        wire = await program.wire(planner)
        await program.say(wire, Accepted("fake"), PlanUpdated(plan(("Look", StepStatus.COMPLETED))), Finished())
        await program.until(lambda: planner.state is TurnState.COMPLETE)
        await program.send("second plan")
        await program.say(
            await program.wire(planner),
            Accepted("fake"),
            PlanUpdated(plan(("Act", StepStatus.IN_PROGRESS), ("Check", StepStatus.PENDING))),
        )
        await program.sees("● Act")
        await program.sees("0 of 2")
        await program.sees("Earlier")
        await program.sees("1 of 1")

        await program.open()
        assert "● Act" not in program.text
        await program.show(planner.session_id)
        await program.sees("● Act")
        await program.pilot.press("ctrl+t")
        await program.until(lambda: "Earlier" not in program.text)


async def test_drafts_belong_to_their_session_and_survive_a_restart(home):
    store = MemoryStore()
    async with running(home, store=store) as program:
        first = program.front
        await program.type("half a thought")
        second = await program.open()
        assert program.app.main.composer.text == ""
        await program.type("another")
        await program.show(first.session_id)
        assert program.app.main.composer.text == "half a thought"
    heads = {head.session_id: head.draft for head in await reopened(store)}
    assert heads == {first.session_id: "half a thought", second.session_id: "another"}


async def test_a_draft_is_saved_while_its_author_types_without_a_pause(home, monkeypatch):
    class Noting(MemoryStore):
        def __init__(self):
            super().__init__()
            self.drafts = []

        def update_session(self, session_id, patch, updated):
            self.drafts.append(patch.draft)
            super().update_session(session_id, patch, updated)

    monkeypatch.setattr(draft_keeper, "DRAFT_S", 60.0)
    store = Noting()
    async with running(home, store=store) as program:
        monkeypatch.setattr(draft_keeper, "DRAFT_MOST_S", 60.0)
        await program.type("typed at once")
        assert not any(isinstance(draft, str) for draft in store.drafts)
        monkeypatch.setattr(draft_keeper, "DRAFT_MOST_S", 0.0)
        await program.type("typed without a pause")
        await program.until(lambda: "typed without a pause" in store.drafts)


async def reopened(store: MemoryStore):
    await store.open()
    heads = await store.load_sessions()
    await store.close()
    return heads


async def test_tabs_come_back_as_they_were_the_one_in_front_in_front(home):
    store = MemoryStore()
    async with running(home, store=store, script=echo) as program:
        first = await program.send("remember me")
        await program.until(lambda: first.state is TurnState.COMPLETE)
        await program.open()
        await program.show(first.session_id)
    async with running(home, store=store) as program:
        assert len(program.app.book.open) == 2
        assert program.front.session_id == first.session_id
        await program.sees("remember me")


async def test_a_click_on_a_tab_shows_it_and_on_its_cross_closes_it(home):
    async with running(home, script=echo) as program:
        first = await program.send("one")
        second = await program.open()
        await program.send("two")
        await program.pilot.click(TabStrip, offset=(3, 0))
        await program.until(lambda: program.front is first)

        await program.pilot.click(TabStrip, offset=(7, 0))
        await program.until(lambda: program.front is second)
        assert not first.head.is_open


async def test_hundreds_of_tabs_cost_one_widget_and_the_current_one_is_in_sight(home):
    store = MemoryStore()
    async with running(home, store=store) as program:
        heads = [
            await program.app.engine.call(
                lambda manager, n=n: manager.create_session(
                    program.front.head.endpoint, title=f"number {n}", activate=False
                )
            )
            for n in range(300)
        ]
        await program.until(lambda: len(program.app.book.open) == 301)
        widgets = len(list(program.app.main.walk_children()))
        await program.show(heads[200].session_id)

        strip = program.app.main.query_one(TabStrip)
        assert heads[200].session_id in strip.visible_tabs()
        assert "number 200" in program.text
        assert len(list(program.app.main.walk_children())) == widgets


@pytest.mark.parametrize("end", ["ctrl+q", "interrupt"])
async def test_leaving_while_something_runs_asks_first(home, end):
    async with running(home) as program:
        pane = await program.send("long work")
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("…"))
        if end == "interrupt":
            await program.pilot.press("ctrl+c")
            await program.until(lambda: pane.state is TurnState.ABORTED)
            await program.pilot.press("ctrl+c")
            await program.sees("again to quit")
            return
        await program.pilot.press(end)
        await program.sees("One answer is still running")
        await program.pilot.press("escape")
        await program.sees("Enter send")
        assert pane.is_live


def test_nothing_starts_before_the_first_frame(home):
    started = []
    app = make_app(home, None, MemoryStore())
    app._engine._start_engine = lambda: started.append(1)

    assert started == []


async def test_the_command_stop_stops_at_once_and_says_so_where_nothing_runs(home):
    async with running(home, ui=UiSettings(abort="double")) as program:
        await program.type("/stop")
        await program.pilot.press("enter")
        await program.sees("No answer is running here.")
        pane = await program.send("work")
        await program.say(await program.wire(pane), Accepted("fake"), TextDelta("some"))
        await program.until(lambda: pane.state is TurnState.STREAMING)
        await program.type("/stop")
        await program.pilot.press("enter")
        await program.until(lambda: pane.state is TurnState.ABORTED)


@pytest.mark.parametrize(("is_ascii", "mark"), [(False, "○ ⊘ mine"), (True, "o # mine")])
async def test_a_session_that_another_program_holds_has_a_mark_of_its_own_in_tab_and_list(home, is_ascii, mark):
    async with running(home, ui=UiSettings(ascii=is_ascii)) as program:
        head = replace(program.front.head, title="mine")
        program.app.book.put(head)
        program.app.redraw()
        await program.sees(mark.replace(mark.split()[1] + " ", ""))
        program.app.book.put(replace(head, held_by="pid 4711"))
        program.app.redraw()
        await program.until(lambda: mark in program.text.splitlines()[0])
        await program.pilot.press("f3")
        await program.until(lambda: any(mark in line for line in program.text.splitlines()[2:]))


async def test_the_tab_in_front_stays_in_sight_when_its_title_grows(home):
    async with running(home, size=(80, 24)) as program:
        for name in ("stream three thousand", "stream two thousand", "stream five hundred"):
            await program.send(name)
            await program.open()
        pane = await program.send("a prompt that becomes a long title")
        strip = program.app.screen.query_one(TabStrip)
        await program.until(lambda: pane.session_id in strip.visible_tabs() and "a prompt" in strip.render_line(0).text)
        assert "━" in strip.render_line(1).text
