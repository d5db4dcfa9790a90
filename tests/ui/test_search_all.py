"""Searching all sessions, and what a hit opens."""

import pytest

from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreUnavailable
from chatforge_tui.store.memory_store import MemoryStore
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.ui.screens.search import SearchScreen
from tests.fakes.scripted_endpoint import echo
from tests.store.values import a_session, a_turn, counted, ended
from tests.ui.program import running

LONG = "\n\n".join(f"Paragraph {number} says nothing." for number in range(200))


async def fill(store):
    """Three sessions, the last without a tab: the word "needle" stands in a title, deep in an answer, in a prompt."""
    await store.open()
    texts = [
        ("Weather", "rain?", "No."),
        ("The needle", "go", f"{LONG}\n\nHere a *Needle* lies.\n\n{LONG} And a needle at the end."),
        ("Closed one", "where is the needle", "Gone."),
    ]
    heads = []
    for number, (title, prompt, answer) in enumerate(texts):
        session = a_session(title=title, position=number, is_open=number < 2, title_is_manual=True)
        await store.create_session(session)
        for ordinal in range(2 if number == 1 else 1):
            head = a_turn(session, ordinal, prompt if ordinal == 0 else "once more", started=100.0 + number + ordinal)
            await store.begin_turn(head, session)
            turn = ended(head, answer if ordinal == 0 else LONG)
            await store.end_turn(turn, counted(session, ordinal + 1, TurnState.COMPLETE))
        heads.append(session)
    await store.close()
    return heads


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "data" / "sessions.db")


async def search(program, words):
    await program.pilot.press("f4")
    await program.sees("Search all sessions")
    await program.pilot.press(*words)
    screen = program.app.screen
    assert isinstance(screen, SearchScreen)
    return screen


async def test_a_hit_in_an_answer_opens_its_session_at_the_line(home, store):
    _, wanted, _ = await fill(store)
    async with running(home, store=store) as program:
        screen = await search(program, "needle")
        await program.until(lambda: len(screen._hits) == 3)
        await program.sees("The needle")
        await program.sees("Here a *Needle* lies.")
        [row] = [row for row, hit in enumerate(screen._hits) if hit.found_in == "answer"]
        await program.pilot.press(*["down"] * row, "enter")
        await program.until(lambda: program.front.session_id == wanted.session_id)
        await program.sees("Here a Needle lies.")
        await program.sees("1 of 2")
        await program.pilot.press("enter")
        await program.sees("And a needle at the end.")
        await program.pilot.press("escape")
        assert program.app.focused is program.app.main.composer


async def test_a_hit_in_a_session_without_a_tab_gives_it_one(home, store):
    *_, closed = await fill(store)
    async with running(home, store=store) as program:
        screen = await search(program, "where needle")
        await program.until(lambda: [hit.session_id for hit in screen._hits] == [closed.session_id])
        await program.pilot.press("enter")
        await program.until(lambda: program.front.session_id == closed.session_id)
        await program.sees("where is the needle")
        assert program.front.head.is_open


async def test_a_hit_in_the_session_in_front_and_one_in_a_title_work_as_well(home, store):
    _, wanted, _ = await fill(store)
    async with running(home, store=store) as program:
        await program.show(wanted.session_id)
        screen = await search(program, "lies")
        await program.until(lambda: len(screen._hits) == 1)
        await program.pilot.press("enter")
        await program.sees("Here a Needle lies.")
        screen = await search(program, "weather")
        await program.until(lambda: len(screen._hits) == 1)
        await program.sees("  title  Weather")
        await program.pilot.press("enter")
        await program.until(lambda: program.front.head.title == "Weather")


async def test_the_list_of_sessions_leads_to_the_search(home, store):
    await fill(store)
    async with running(home, store=store) as program:
        await program.pilot.press("ctrl+s")
        await program.sees("/ search")
        await program.pilot.press("slash")
        await program.sees("Search all sessions")


async def test_finding_nothing_says_what_was_searched_and_esc_goes_back(home, store):
    await fill(store)
    async with running(home, store=store) as program:
        await search(program, "xyzzy")
        await program.sees("Nothing contains “xyzzy”: no title, no prompt, no answer.")
        await program.pilot.press("enter", "escape")
        await program.sees("Enter send")


async def test_hostile_words_are_cleaned_and_no_markup(home):
    store = MemoryStore()
    await store.open()
    session = a_session(title="[red]bad[/] \x1b]52;c;x\x07 title\u202e", title_is_manual=True)
    await store.create_session(session)
    head = a_turn(session, 0, "[link=x]needle[/] \x1b[31m\u202e")
    await store.begin_turn(head, session)
    await store.end_turn(ended(head, "x"), counted(session, 1, TurnState.COMPLETE))
    async with running(home, store=store) as program:
        await search(program, "needle")
        await program.sees("[link=x]needle[/]")
        await program.sees("[red]bad[/]")
        assert not {"\x1b", "\u202e", "\x07"} & set(program.text)


class DeafStore(MemoryStore):
    async def search(self, query, limit=50):
        raise StoreUnavailable("The disk reports an error.", hint="Check the disk.")


async def test_a_store_that_cannot_search_is_told_in_the_list(home):
    async with running(home, store=DeafStore()) as program:
        await search(program, "needle")
        await program.sees("The disk reports an error. Check the disk.")


async def test_a_session_that_goes_while_its_hit_is_looked_at_is_told(home):
    async with running(home, script=echo) as program:
        await program.send("find the needle")
        other = await program.open()
        screen = await search(program, "needle")
        await program.until(lambda: screen._hits)
        hit = next(hit for hit in screen._hits if hit.turn_id)
        await program.app.engine.call(lambda manager: manager.delete_session(hit.session_id))
        await program.until(lambda: program.app.book.get(hit.session_id) is None)
        await program.pilot.press("enter")
        await program.sees("deleted meanwhile")
        assert program.front is other
