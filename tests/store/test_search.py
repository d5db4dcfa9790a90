import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatforge_tui.domain.changes import PartAdded, TextAppended
from chatforge_tui.domain.part import ReasoningPart, TextPart
from chatforge_tui.domain.search import FoundIn
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store import search_index
from chatforge_tui.store.sqlite_store import SqliteStore
from chatforge_tui.store.writer import WriterSettings
from tests.store.values import a_session, a_turn, counted, ended
from tests.store.waiting import change, rows, until


@pytest.fixture(params=["indexed", "not indexed"])
async def library(request, path):
    """A store whose turns are all in the index, or none of them."""
    at_once = request.param == "indexed"
    store = SqliteStore(path, settings=WriterSettings(chore_s=0.0 if at_once else 3600.0, chore_pause_s=0.0))
    await store.open()
    store.is_indexed = at_once
    yield store
    await store.close()


async def add(store, prompt, answer="", **session):
    head = a_session(**{"title": "", **session})
    await store.create_session(head)
    turn = a_turn(head, text=prompt)
    await store.begin_turn(turn, counted(head, 1, TurnState.QUEUED))
    await store.end_turn(ended(turn, answer), counted(head, 1, TurnState.COMPLETE))
    return turn


async def settle(store):
    if store.is_indexed:
        await until(lambda: rows(store.path, "SELECT count(*) FROM turn WHERE is_indexed = 0") == [(0,)])


async def found(store, query):
    await settle(store)
    return [hit.turn_id for hit in await store.search(query)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("rollback", "The Rollback is done."),
        ("roll", "The rollback is done."),
        ("done rollback", "The rollback is done."),
        ("v1.8.3", "Found release v1.8.3 today."),
        ("cafe", "Meet me at the Café."),
        ("CAFÉ", "Meet me at the cafe."),
        ("straße", "In der Straße 5"),
        ("数据库", "请检查数据库的状态"),
        ("状态", "请检查数据库的状态"),
        ("库", "请检查数据库的状态"),
        ("ロールバック", "昨日ロールバックしました"),
        ("데이터", "새로운데이터베이스"),
        ("go", "Ready to go."),
        ("x_total", "sum(x_total) by (pod)"),
        ('"quoted"', 'He said "quoted" words.'),
        ("c++", "written in C++ mostly"),
        ("→", "a → b"),
        ("100%", "at 100% load"),
        ("-f", "tail -f log"),
        ("AND", "this AND that"),
        ("prompt: answer", "prompt: none, answer: none"),
        ("nul", "before\x00nul"),
    ],
)
async def test_words_are_found_in_answers_and_prompts(library, query, text):
    await add(library, "nothing", "to see here")
    in_answer = await add(library, "ask", text)
    in_prompt = await add(library, text, "reply")
    assert await found(library, query) == [in_prompt.turn_id, in_answer.turn_id]


@pytest.mark.parametrize("query", ["", "   ", "\x00", "absent", "done absent", "rollback absent", "(", '"', "!!!"])
async def test_what_is_not_there_is_not_found(library, query):
    await add(library, "ask", "The rollback is done.")
    assert await found(library, query) == []


ODD = ['"', '""', "'", "*", "a*", "^a", "a OR", "NOT", "NEAR(a b)", "{a}", "a:b", "prompt:x", "+", "(", "a)", ";", "--", "%", "_", "\\", "\x00", "a\x00b"]  # fmt: skip


@pytest.mark.parametrize("query", ODD)
async def test_no_text_is_a_command(library, query):
    await add(library, "ask", "plain words")
    await settle(library)
    assert await library.search(query) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=12))
async def test_any_query_is_answered(library, query):
    await settle(library)
    assert await library.search(query) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=12).filter(lambda text: text.split() and "\x00" not in text))
async def test_every_text_is_found_by_itself(library, text):
    turn = await add(library, "ask", text)
    assert turn.turn_id in await found(library, text)
    await library.purge_session(turn.session_id)


async def test_a_hit_says_where_it_is(library):
    turn = await add(library, "ask", "one\ntwo\nthree É needle\nfour " + "long " * 100, title="A title")
    await settle(library)
    [hit] = await library.search("needle")
    assert (hit.session_id, hit.turn_id, hit.title) == (turn.session_id, turn.turn_id, "A title")
    assert hit.found_in is FoundIn.ANSWER
    assert hit.offset == len("one\ntwo\nthree É ")
    assert hit.excerpt[hit.start : hit.end] == "needle"
    assert "\n" not in hit.excerpt
    assert len(hit.excerpt) < 200


async def test_titles_are_found_first(library):
    turn = await add(library, "about payments", "none")
    named = await add(library, "ask", "reply", title="Roll back PAYMENTS")
    await settle(library)
    first, second = await library.search("payments")
    assert (first.session_id, first.found_in, first.turn_id) == (named.session_id, FoundIn.TITLE, None)
    assert first.excerpt[first.start : first.end] == "PAYMENTS"
    assert (second.turn_id, second.found_in) == (turn.turn_id, FoundIn.PROMPT)


async def test_the_newest_come_first_and_not_more_than_asked_for(library):
    turns = [await add(library, f"needle {number}", "reply") for number in range(8)]
    assert await found(library, "needle") == [turn.turn_id for turn in reversed(turns)]
    assert [hit.turn_id for hit in await library.search("needle", 3)] == [turn.turn_id for turn in turns[:4:-1]]


async def test_the_trash_is_not_searched(library):
    turn = await add(library, "needle", "needle", title="needle")
    await settle(library)
    await library.trash_session(turn.session_id, 1.0)
    assert await library.search("needle") == []
    await library.restore_session(turn.session_id)
    assert len(await library.search("needle")) == 2


async def test_an_answer_is_found_while_it_streams(library):
    session = a_session()
    await library.create_session(session)
    head = a_turn(session)
    await library.begin_turn(head, session)
    library.record(head.turn_id, [PartAdded(ReasoningPart(0, "haystack")), PartAdded(TextPart(1, "nee"))])
    library.record(head.turn_id, [TextAppended(1, "dle"), TextAppended(0, " thought")])
    assert [hit.turn_id for hit in await library.search("needle")] == [head.turn_id]
    assert await library.search("thought") == []


async def test_a_turn_that_is_written_again_is_found_by_its_new_words_only(library):
    session = a_session()
    await library.create_session(session)
    head = a_turn(session)
    for word in ("first", "second"):
        await library.end_turn(ended(head, word), session)
        await settle(library)
    assert await library.search("first") == []
    assert len(await library.search("second")) == 1
    assert rows(library.path, "SELECT count(*) FROM turn") == [(1,)]


async def test_a_damaged_index_costs_nothing_but_the_index(path):
    store = SqliteStore(path, settings=WriterSettings(chore_s=0.0, chore_pause_s=0.0))
    await store.open()
    store.is_indexed = True
    turn = await add(store, "ask", "needle")
    await settle(store)
    await store.close()
    change(path, "UPDATE search_data SET block = x'deadbeef'")
    await store.open()
    session = a_session(session_id=turn.session_id)
    await store.end_turn(ended(turn, "needle and thread"), session)
    await settle(store)
    [hit] = await store.search("thread")
    assert hit.turn_id == turn.turn_id
    await store.close()


async def test_a_store_without_an_index_is_searched_by_reading(library):
    await add(library, "ask", "needle")
    await settle(library)
    with closing(sqlite3.connect(library.path)) as db:
        db.execute("DROP TABLE IF EXISTS search")
    assert len(await library.search("needle")) == 1


async def test_who_only_reads_can_search(library):
    turn = await add(library, "ask", "needle")
    await settle(library)
    reader = SqliteStore(library.path, read_only=True)
    await reader.open()
    assert [hit.turn_id for hit in await reader.search("needle")] == [turn.turn_id]
    await reader.close()


def test_scripts_without_spaces_are_taken_apart_and_others_are_not():
    assert search_index.words_of("go 数据 now") == "go  数  据  now"
    assert search_index.words_of("Größe naïve Ελλάδα Привет") == "Größe naïve Ελλάδα Привет"
