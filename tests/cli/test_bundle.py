"""`export --all` and `import`: what goes out comes back to the byte, what is here stays, what is hostile is named."""

import json
import os
import random
import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from chatforge_tui.domain.part import TextPart
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.store import bundle
from chatforge_tui.store.bundle import BundleLineError
from tests.cli.material import FIRST, HEAD, SECOND
from tests.cli.program import Program
from tests.store.values import ODD_TEXT, a_full_session, a_full_turn, a_session, a_turn, ended

OTHER = a_session(title=ODD_TEXT, position=1, is_open=False)
TURNS = [ended(a_turn(OTHER, number, ODD_TEXT), f"{ODD_TEXT} \ud83d {number}") for number in range(3)]


@pytest.fixture
def filled(program):
    full = replace(a_full_session(), is_active=True)
    program.fill((HEAD, (FIRST, SECOND)), (OTHER, TURNS), (full, [a_full_turn(full)]), (a_session(position=7), ()))
    return program


@pytest.fixture
def other(tmp_path):
    """The program on another machine."""
    return Program(tmp_path / "elsewhere")


@pytest.fixture
def file(filled, tmp_path):
    path = tmp_path / "all.jsonl"
    assert filled.run("export", "--all", "-o", str(path)).code == 0
    return path


def everything(program):
    sessions = program.run("sessions", "--json").out
    return [sessions, *(program.run("show", one["id"], "--json").out for one in json.loads(sessions))]


def test_tabs_come_along_to_an_empty_store_and_stay_out_among_others(filled, other, file, tmp_path):
    tabs = [one["id"] for one in filled.run("sessions", "--json").json if one["open"]]
    assert len(tabs) == 3
    other.run("import", str(file))
    assert [one["id"] for one in other.run("sessions", "--json").json if one["open"]] == tabs
    third = Program(tmp_path / "third")
    own = a_session(title="own")
    third.fill((own, ()))
    third.run("import", str(file))
    sessions = third.run("sessions", "--json").json
    assert len(sessions) == 5
    assert [one["id"] for one in sessions if one["open"]] == [own.session_id]


def test_what_is_exported_comes_back_to_the_byte_and_a_second_time_changes_nothing(filled, other, file):
    assert file.stat().st_mode & 0o777 == 0o600
    done = other.run("import", str(file), "--json")
    assert done.code == 0
    assert done.json == {
        "added_sessions": 4,
        "added_turns": 6,
        "added_files": 3,
        "same_sessions": 0,
        "same_turns": 0,
        "same_files": 0,
        "kept": [],
        "skipped": [],
    }
    assert everything(other) == everything(filled)
    again = other.run("import", str(file), "--json").json
    assert (again["added_sessions"], again["added_turns"], again["same_sessions"], again["same_turns"]) == (0, 0, 4, 6)
    assert (again["kept"], again["skipped"]) == ([], [])
    assert everything(other) == everything(filled)
    assert other.run("export", "--all", "-o", "-").out.encode() == file.read_bytes()
    assert other.run("store", "check").code == 0


def test_a_session_that_cannot_be_read_costs_no_other_its_place(program, other, tmp_path):
    long = replace(FIRST, head=replace(FIRST.head, prompt=Prompt("x" * 400_000)))
    program.fill((HEAD, (long,)), (OTHER, TURNS))
    store = tmp_path / "home" / "data" / "sessions.db"
    pages = [store.read_bytes()[start : start + 4096] for start in range(0, store.stat().st_size, 4096)]
    store.write_bytes(b"".join(os.urandom(4096) if page.endswith(b"x" * 4000) else page for page in pages))
    path = tmp_path / "all.jsonl"
    done = program.run("export", "--all", "-o", str(path))
    assert (done.code, done.out) == (1, f"1 session with 3 turns written to {path}.\n")
    assert f"“{clean_name(HEAD.title)}” could not be read and is not in it: " in done.err
    assert "`chatforge store repair`" in done.err
    taken = other.run("import", str(path), "--json").json
    assert (taken["added_sessions"], taken["added_turns"], taken["skipped"]) == (1, 3, [])


def test_a_bundle_goes_through_a_pipe_and_is_ascii_lines(filled, other):
    sent = filled.run("export", "--all", "-o", "-")
    assert sent.out.isascii()
    assert "\x7f" not in sent.out
    assert len(sent.out.splitlines()) == 1 + 4 + 6 + 3
    done = other.run("import", "-", stdin=sent.out.encode())
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == "4 sessions and 6 turns with 3 attached files were added; 0 sessions and 0 turns were here already.\n"
    )


def test_an_export_never_goes_over_another_file_nor_takes_the_trash_along(filled, tmp_path):
    filled.run("delete", HEAD.session_id)
    done = filled.run("export", "--all", cwd=tmp_path)
    assert done.code == 0
    [file] = tmp_path.glob("chatforge-*.jsonl")
    assert HEAD.session_id not in file.read_text()
    again = filled.run("export", "--all", cwd=tmp_path)
    assert again.code == 1
    assert "exists already" in again.err
    assert filled.run("export", "--all", "--force", cwd=tmp_path).code == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_turn_that_is_here_with_other_content_stays_and_is_named(filled, other, file):
    theirs = replace(FIRST, parts=(TextPart(0, "another answer"),))
    other.fill((replace(HEAD, title="Here"), (theirs,)))
    done = other.run("import", str(file), "--json")
    assert done.code == 0
    assert [one["turn_id"] for one in done.json["kept"]] == [FIRST.head.turn_id]
    shown = other.run("show", HEAD.session_id, "--json").json
    assert shown["session"]["title"] == "Here"
    assert [turn["answer"] for turn in shown["turns"]] == ["another answer", SECOND.answer]
    told = other.run("import", str(file))
    assert f"turn {FIRST.head.turn_id} is here with other content, which stays." in told.err


def test_a_session_in_the_trash_stays_there(filled, other, file):
    other.run("import", str(file))
    other.run("delete", HEAD.session_id)
    assert other.run("import", str(file), "--json").json["added_sessions"] == 0
    assert [one["id"] for one in other.run("sessions", "--trash", "--json").json] == [HEAD.session_id]


def changed(line, **changes):
    return json.dumps(json.loads(line) | changes).encode() + b"\n"


DEEP = b'{"kind":"turn","parts":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n"


def hostile(lines):
    """Return lines that must not be taken, with a part of what is said about each."""
    session, turn = lines[1], lines[2]
    content = next(line for line in lines if b'"kind":"content"' in line)
    parts = json.loads(turn)["parts"]
    return [
        (b"{\n", "cannot be understood"),
        (b"\xff\xfe\n", "cannot be understood"),
        (DEEP, "cannot be understood"),
        (b"[]\n", "cannot be understood"),
        (b'{"kind":"hologram"}\n', "neither a session nor a turn"),
        (b'{"kind":"session"}\n', "cannot be understood"),
        (changed(session, id="../../etc"), "its id is none"),
        (changed(session, id=""), "its id is none"),
        (changed(session, title=7), "title is not what it should be"),
        (changed(session, updated=1e300), "updated is not what it should be"),
        (changed(session, id="1", position=2**70), "cannot be stored"),
        (changed(turn, prompt=None), "prompt is not what it should be"),
        (changed(turn, usage="much"), "usage is not what it should be"),
        (changed(turn, parts=parts[:1]), "does not match its checksum"),
        (changed(turn, parts=[{**parts[0], "kind": "virus"}]), "one of its parts cannot be understood"),
        (changed(turn, parts={}), "cannot be understood"),
        (changed(turn, plans=[3]), "cannot be understood"),
        (changed(turn, id="t-1", session="nowhere"), "its session is not here"),
        (changed(turn, id="t-2", ordinal=2**64), "cannot be stored"),
        (changed(turn, attachments=[{"name": 1}]), "attachments is not what it should be"),
        (changed(session, attachments="much"), "attachments is not what it should be"),
        (changed(content, data="AAAA"), "does not match its checksum"),
        (changed(content, data="?"), "cannot be understood"),
        (changed(content, data=None), "cannot be understood"),
        (changed(content, session="nowhere"), "its session is not here"),
        (changed(content, session="../x"), "its id is none"),
    ]


def test_a_hostile_line_is_named_with_its_number_and_the_others_are_taken(filled, other, file):
    lines = file.read_bytes().splitlines(keepends=True)
    bad = hostile(lines)
    mixed = [lines[0]]
    numbers = []
    good = iter(lines[1:])
    for (line, _), follower in zip(bad, [*good, *[b"\n"] * len(bad)], strict=False):
        mixed += [line]
        numbers.append(len(mixed))
        mixed += [follower]
    file.write_bytes(b"".join(mixed))
    done = other.run("import", str(file), "--json")
    assert done.code == 1
    assert [one["line"] for one in done.json["skipped"]] == sorted(numbers)
    by_line = {one["line"]: one["reason"] for one in done.json["skipped"]}
    for number, (_, reason) in zip(numbers, bad, strict=True):
        assert reason in by_line[number], (number, by_line[number])
    assert everything(other) == everything(filled)
    told = other.run("import", str(file))
    assert told.code == 1
    assert told.err.count("was skipped") == 20
    assert f"... and {len(bad) - 20} more; --json lists all." in told.err


def test_what_is_too_long_to_be_read_is_not_written_and_told(filled, other, file, monkeypatch):
    lines = sorted(map(len, file.read_bytes().splitlines(keepends=True)))
    monkeypatch.setattr(bundle, "LONGEST_LINE", lines[-1] - 1)
    done = filled.run("export", "--all", "-o", str(file), "--force")
    assert done.code == 1
    assert done.err.count("which no import takes: it is not in it.") == lines.count(lines[-1])
    taken = other.run("import", str(file), "--json")
    assert (taken.code, taken.json["skipped"]) == (0, [])
    monkeypatch.setattr(bundle, "LONGEST_LINE", lines[-1])
    assert filled.run("export", "--all", "-o", str(file), "--force").code == 0
    assert other.run("import", str(file), "--json").json["skipped"] == []


def test_a_line_without_end_is_read_past_and_not_held(other, file, monkeypatch):
    longest = max(len(line) for line in file.read_bytes().splitlines(keepends=True))
    monkeypatch.setattr(bundle, "LONGEST_LINE", longest)
    content = file.read_bytes().splitlines(keepends=True)
    content.insert(1, b"x" * (longest + 3 * 2**20) + b"\n")
    file.write_bytes(b"".join(content))
    done = other.run("import", str(file), "--json").json
    assert [one["line"] for one in done["skipped"]] == [2]
    assert (done["added_sessions"], done["added_turns"]) == (4, 6)


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (b"", 1, "This is no bundle"),
        (b"hello\n", 1, "This is no bundle"),
        (b'{"format":"other","version":1,"sessions":1}\n', 1, "This is no bundle"),
        (b'{"format":"chatforge-bundle","version":3,"sessions":1}\n', 3, "A newer ChatForge wrote this bundle"),
        (os.urandom(500), 1, "This is no bundle"),
    ],
    ids=["empty", "text", "foreign", "newer", "noise"],
)
def test_what_is_no_bundle_is_refused_and_makes_no_store(program, tmp_path, content, code, told):
    (tmp_path / "x").write_bytes(content)
    done = program.run("import", str(tmp_path / "x"))
    assert (done.code, done.err.count("\n")) == (code, 1)
    assert told in done.err
    assert not program.home.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("import", "/nowhere/x"), "No such file"),
        (("import",), "Missing argument 'FILE'"),
        (("export",), "Missing argument 'ID', or --all."),
        (("export", "--all", "abc"), "--all takes no ID."),
    ],
)
def test_a_mistake_is_told(program, words, told):
    done = program.run(*words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_a_turn_that_was_live_elsewhere_is_interrupted_here():
    live = replace(FIRST, head=replace(FIRST.head, state=TurnState.STREAMING))
    assert bundle.read_line(bundle.turn_line(live).encode()).head.state is TurnState.INTERRUPTED


def test_no_name_of_a_credential_travels_and_none_is_taken():
    head = a_full_session()
    line = bundle.session_line(head)
    assert head.endpoint.token_env not in line
    hostile_line = changed(line, token_env="PLATFORM_TOKEN")
    assert bundle.read_line(hostile_line).endpoint.token_env == ""


def test_no_line_however_cut_or_changed_does_more_than_be_refused():
    chance = random.Random(7)
    line = bundle.turn_line(replace(SECOND, head=replace(SECOND.head, prompt=Prompt("x", {"a": True})))).encode()
    for _ in range(500):
        broken = bytearray(line)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            bundle.read_line(bytes(broken[: chance.randint(1, len(broken))]))
        except BundleLineError:
            continue


def test_a_bundle_of_the_first_version_which_knew_no_attachments_is_taken(other, tmp_path):
    def without_attachments(line):
        shape = json.loads(line)
        del shape["attachments"]
        return json.dumps(shape) + "\n"

    first = json.dumps({"format": "chatforge-bundle", "version": 1, "sessions": 1}) + "\n"
    lines = [bundle.session_line(HEAD), bundle.turn_line(FIRST)]
    (tmp_path / "x").write_text(first + "".join(map(without_attachments, lines)))
    done = other.run("import", str(tmp_path / "x"), "--json").json
    assert (done["added_sessions"], done["added_turns"], done["skipped"]) == (1, 1, [])


def test_a_file_whose_content_is_lost_costs_nothing_else_its_place(filled, other, tmp_path):
    store = tmp_path / "home" / "data" / "sessions.db"
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("DELETE FROM attached WHERE length(content) = 0")
    done = filled.run("export", "--all", "-o", str(tmp_path / "all.jsonl"))
    assert done.code == 1
    assert "The content of “empty”, attached in “" in done.err
    taken = other.run("import", str(tmp_path / "all.jsonl"), "--json").json
    assert (taken["added_sessions"], taken["added_turns"], taken["added_files"], taken["skipped"]) == (4, 6, 2, [])
