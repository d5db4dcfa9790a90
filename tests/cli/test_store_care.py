"""`chatforge store ...`, what every command says about a store that cannot be used as it is, and `chatforge search`."""

import asyncio
import os
import sqlite3
import time
from contextlib import closing

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.finding import Verdict
from chatforge_tui.domain.ids import new_turn_id
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import StoreCorrupt
from chatforge_tui.store.examination import examine
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.cli.material import FIRST, HEAD, SECOND

REPAIR = "`chatforge store repair`"


@pytest.fixture
def filled(program):
    program.fill((HEAD, (FIRST, SECOND)))
    return program


def store_file(program):
    return program.home / "data" / "sessions.db"


def change(program, statement):
    with closing(sqlite3.connect(store_file(program))) as db, db:
        db.execute(statement)


def scribble(program):
    """Damage the file past its first page, so that it still opens."""
    with store_file(program).open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096 * 3))


def test_a_sound_store_is_called_sound_and_left_as_it_is(filled):
    before = store_file(filled).read_bytes()
    done = filled.run("store", "check", "--json")
    assert (done.code, done.json["sound"], done.json["sessions"], done.json["turns"]) == (0, True, 1, 2)
    said = filled.run("store", "check").out
    assert "1 session and 2 turns can be read in " in said
    assert "The store is sound." in said
    assert filled.run("store", "repair", "--json").json["repaired"] is False
    assert store_file(filled).read_bytes() == before
    assert [file.name for file in (filled.home / "data").iterdir() if "corrupt" in file.name] == []


def test_damage_is_found_told_and_repaired_from_what_is_left_and_the_backup(filled):
    backup = filled.run("store", "backup", "--json").json["backup"]
    scribble(filled)
    found = filled.run("store", "check", "--json")
    assert (found.code, found.json["sound"], found.json["backups"]) == (3, False, [backup])
    assert found.json["damage"]
    told = filled.run("store", "check")
    assert told.code == 3
    assert REPAIR in told.out + told.err
    repaired = filled.run("store", "repair", "--json").json
    assert (repaired["repaired"], repaired["sessions"], repaired["turns"]) == (True, 1, 2)
    assert (filled.home / "data" / repaired["moved_to"] / "sessions.db").exists()
    assert filled.run("store", "check").code == 0
    assert filled.run("show", HEAD.session_id, "--json").json["turns"][1]["turn_id"] == SECOND.head.turn_id


def test_an_altered_answer_is_named_by_its_session(filled):
    change(filled, "UPDATE part SET text = 'forged' WHERE kind = 'text'")
    done = filled.run("store", "check", "--json")
    assert (done.code, done.json["damage"], done.json["altered"]) == (3, [], [HEAD.session_id])
    assert f"Session {HEAD.session_id} is not as it was stored." in filled.run("store", "check").out


@pytest.mark.parametrize("content", [b"", b"no database at all " * 500])
@pytest.mark.parametrize(
    "words", [("sessions",), ("search", "x"), ("show", "0"), ("delete", "0"), ("store", "compact")]
)
def test_a_store_that_is_none_is_told_with_the_way_out_and_repair_takes_it(program, content, words):
    store_file(program).parent.mkdir(parents=True)
    store_file(program).write_bytes(content)
    done = program.run(*words)
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert REPAIR in done.err
    assert program.run("store", "repair").code == 0
    assert program.run("sessions", "--json").json == []


def test_a_table_without_a_column_is_told_and_repaired(filled):
    change(filled, "ALTER TABLE session DROP COLUMN anchor")
    done = filled.run("sessions")
    assert done.code == 3
    assert "it has no session.anchor" in done.err
    assert REPAIR in done.err
    assert filled.run("store", "repair", "--json").json["turns"] == 2
    assert [one["title"] for one in filled.run("sessions", "--json").json] == [HEAD.title]


def test_a_store_of_a_newer_version_is_read_said_so_and_never_written(filled):
    change(filled, "PRAGMA user_version = 9999")
    before = store_file(filled).read_bytes()
    for words in (("sessions", "--json"), ("show", HEAD.session_id, "--json"), ("search", "Roll", "--json")):
        done = filled.run(*words)
        assert done.code == 3
        assert done.json
        assert "newer" in done.err
    for words in (("delete", HEAD.session_id), ("send", "hello"), ("store", "compact")):
        done = filled.run(*words)
        assert done.code == 3
        assert "newer" in done.err
    assert filled.run("store", "repair", "--json").json["repaired"] is False
    assert store_file(filled).read_bytes() == before


def test_a_newer_version_that_dropped_what_this_one_reads_is_told(filled):
    change(filled, "DROP TABLE plan")
    change(filled, "PRAGMA user_version = 9999")
    for words in (("sessions",), ("store", "check"), ("store", "repair")):
        done = filled.run(*words)
        assert (done.code, done.out) == (3, "")
        assert "newer" in done.err


@pytest.mark.parametrize("command", ["check", "repair", "backup", "compact"])
def test_without_a_store_there_is_nothing_to_care_for_and_nothing_is_made(program, command):
    done = program.run("store", command)
    assert (done.code, done.out) == (3, "")
    assert "There is no store" in done.err
    assert not program.home.exists()


@pytest.mark.parametrize(
    "command",
    [("sessions",), ("search", "word"), ("export", "--all", "-o", "-"), ("store", "check"), ("store", "backup")],
)
def test_of_a_file_that_is_gone_but_for_its_log_nobody_says_that_there_is_nothing(program, command):
    store_file(program).parent.mkdir(parents=True)
    log = store_file(program).with_name("sessions.db-wal")
    log.write_bytes(b"pages")
    done = program.run(*command)
    assert (done.code, done.out) == (StoreCorrupt.exit_code, "")
    assert "is not there, but sessions.db-wal is: its content was lost." in done.err
    assert REPAIR in done.err
    assert (log.read_bytes(), store_file(program).exists()) == (b"pages", False)
    [found] = [one for one in examine(store_file(program)) if one.verdict is Verdict.WRONG]
    assert "its content was lost" in found.text


@pytest.mark.parametrize(("days", "age"), [(0.5, "today"), (1.7, "1 day ago"), (2.1, "2 days ago")])
def test_what_is_found_is_counted_in_words(filled, days, age):
    backup = filled.run("store", "backup", "--json").json["backup"]
    os.utime(backup, (made := time.time() - days * 86_400, made))
    said = {found.subject: found.text for found in examine(store_file(filled))}
    assert said["content"] == "Sound by a quick check, 1 session."
    assert said["backups"] == f"1, the newest made {age}: {backup}"


def test_an_open_store_is_not_repaired_under_its_program(filled):
    async def hold():
        store = SqliteStore(store_file(filled))
        await store.open()
        change(filled, "DROP TABLE plan")
        done = await asyncio.to_thread(filled.run, "store", "repair")
        await store.close()
        return done

    done = asyncio.run(hold())
    assert done.code == 3
    assert "Another ChatForge has the store open." in done.err


def test_compacting_gives_space_back(filled):
    change(filled, "CREATE TABLE ballast AS SELECT randomblob(2000000)")
    change(filled, "DROP TABLE ballast")
    sizes = filled.run("store", "compact", "--json").json
    assert sizes["after_bytes"] == store_file(filled).stat().st_size < sizes["before_bytes"]
    assert "bytes now" in filled.run("store", "compact").out


def test_a_search_finds_titles_prompts_and_answers_and_names_the_place(filled):
    [hit] = filled.run("search", "roll", "back", "--json").json
    assert (hit["session"], hit["found_in"], hit["turn_id"]) == (HEAD.session_id, "prompt", FIRST.head.turn_id)
    assert hit["excerpt"][hit["start"] : hit["end"]] == "Roll"
    [hit] = filled.run("search", "answer", "--json").json
    assert (hit["found_in"], hit["offset"]) == ("answer", 5)
    assert {hit["found_in"] for hit in filled.run("search", "title", "--json").json} == {"title"}
    lines = filled.run("search", "roll").out.splitlines()
    assert lines[0].startswith(HEAD.session_id)
    assert lines[1] == "    Roll back"


@pytest.mark.parametrize("query", ["", "no such word", 'AND "', "*", "NEAR(", "\x1b[31m", "--", "title:x"])
def test_any_text_is_a_query_and_finding_nothing_is_no_error(filled, query):
    done = filled.run("search", "--json", "--", query)
    assert (done.code, done.json) == (0, [])
    assert "Nothing was found" in filled.run("search", "--", query).out


def test_the_trash_is_not_searched_and_a_limit_is_kept(filled):
    assert len(filled.run("search", "--limit", "1", "more", "--json").json) == 1
    filled.run("delete", HEAD.session_id)
    assert filled.run("search", "roll", "--json").json == []


def test_a_session_that_another_program_streams_is_not_deleted(filled):
    async def stream():
        store = SqliteStore(store_file(filled))
        await store.open()
        live = replace(FIRST.head, turn_id=new_turn_id(), ordinal=2, state=TurnState.STREAMING, ended=None)
        await store.begin_turn(live, HEAD)
        done = await asyncio.to_thread(filled.run, "delete", HEAD.session_id)
        await store.close()
        return done

    done = asyncio.run(stream())
    assert (done.code, done.out) == (5, "")
    assert f"is answering in another ChatForge: pid {os.getpid()}" in done.err
    assert filled.run("delete", HEAD.session_id).code == 0
