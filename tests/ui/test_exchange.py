"""Export and import from the screen: one sentence with the path, private, whole, nothing replaced unasked."""

import asyncio
import json
import os
import stat

import pytest

from chatforge_tui.ui.exchange_actions import FORMS, left_out_words
from tests.fakes.scripted_endpoint import echo
from tests.ui.program import running

BEGINNINGS = {"md": "# ", "html": "<!DOCTYPE html>", "json": "{", "all": '{"format":"chatforge-bundle"'}


async def said(program, text):
    """Wait for a sentence, wherever its lines break."""
    await program.until(lambda: text.replace(" ", "") in "".join(notes(program).split()), notes(program))


def notes(program):
    return "".join(one.message for one in program.app._notifications)


def test_everything_that_a_bundle_leaves_out_is_told():
    assert left_out_words(sessions=0, lost=0, turns=0, files=0) == ""
    assert left_out_words(sessions=1, lost=2, turns=1, files=1) == (
        "1 session could not be read and is not in it; see `chatforge store check`. "
        "The content of 2 attached files is lost and not in it. 1 turn is longer than an import takes and not in it. "
        "1 attached file is larger than an import takes and not in it."
    )
    assert left_out_words(sessions=2, lost=1, turns=3, files=4) == (
        "2 sessions could not be read and are not in it; see `chatforge store check`. "
        "The content of 1 attached file is lost and not in it. 3 turns are longer than an import takes and not in it. "
        "4 attached files are larger than an import takes and not in it."
    )


async def command(program, line):
    program.app.clear_notifications()
    await program.type(line)
    await program.pilot.press("enter")


@pytest.mark.parametrize("form", FORMS)
async def test_a_session_is_written_in_every_form_private_and_whole(home, form):
    file = home / f"out.{form}"
    async with running(home, script=echo) as program:
        pane = await program.send("Hello there")
        await program.until(lambda: not pane.is_live)
        await command(program, f"/export {form} {file}")
        await said(program, f"xported to {file}.")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text("utf-8").startswith(BEGINNINGS[form])
    assert "Hello there" in file.read_text("utf-8")
    assert [each.name for each in home.iterdir() if ".part" in each.name] == []


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("pdf x", "There is no form “pdf”."),
        ("pdf x.md", "There is no form “pdf”."),
        ("PDF x/y", "There is no form “PDF”."),
        ("tex ./x", "There is no form “tex”."),
        ("pdf", "The form of “pdf” is not known."),
        ("x.pdf", "The form of “x.pdf” is not known."),
        ("my x.pdf", "The form of “my x.pdf” is not known."),
    ],
)
async def test_a_form_that_there_is_not_is_told_and_nothing_is_written(home, monkeypatch, argument, told):
    monkeypatch.chdir(home)
    async with running(home) as program:
        before = sorted(home.iterdir())
        await command(program, f"/export {argument}")
        await said(program, f"{told} There are md, html, json and all:")
        assert sorted(home.iterdir()) == before


@pytest.mark.parametrize(
    ("argument", "name", "begins"),
    [("my notes.md", "my notes.md", "# "), ("markdown x", "x", "# "), ("HTML a b", "a b", "<!DOCTYPE html>")],
)
async def test_a_name_may_hold_blanks_and_a_form_be_said_as_an_ending_is(home, monkeypatch, argument, name, begins):
    monkeypatch.chdir(home)
    async with running(home) as program:
        await command(program, f"/export {argument}")
        await said(program, "Exported to")
    assert (home / name).read_text("utf-8").startswith(begins)


async def test_a_file_that_is_there_is_replaced_only_when_the_user_says_so(home):
    file = home / "mine.md"
    file.write_text("mine")
    async with running(home) as program:
        await command(program, f"/export {file}")
        await program.sees("Replace it?")
        await program.pilot.press("n")
        await program.until(lambda: "Replace it?" not in program.text)
        assert file.read_text() == "mine"
        await command(program, f"/export {file}")
        await program.sees("what it holds is lost")
        await program.pilot.press("y")
        await said(program, f"Exported to {file}.")
    assert file.read_text("utf-8").startswith("# ")


async def test_a_link_is_asked_about_and_what_it_leads_to_stays(home):
    target, link = home / "target", home / "link.md"
    target.write_text("precious")
    link.symlink_to(target)
    async with running(home) as program:
        await command(program, f"/export {link}")
        await program.sees("This link exists already")
        await program.pilot.press("y")
        await said(program, f"Exported to {link}.")
    assert target.read_text() == "precious"
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("/export {home}/nowhere/x.md", "There is no folder {home}/nowhere."),
        ("/export ~nobodyhere/x.md", "There is no such place: ~nobodyhere/x.md."),
        ("/export /dev/full/x.md", "/dev/full/x.md cannot be written: Not a directory."),
        ("/import {home}/nothing", "There is no file {home}/nothing."),
        ("/import {home}", "{home} is no file."),
        ("/import /dev/zero", "/dev/zero is no file."),
        ("/import {home}/text", "This is no bundle: it does not begin as a bundle of ChatForge does."),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_sentence(home, words, told):
    (home / "text").write_text("no bundle")
    async with running(home) as program:
        await command(program, words.format(home=home))
        await said(program, told.format(home=home))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written_is_told(home):
    folder = home / "closed"
    folder.mkdir(mode=0o500)
    async with running(home) as program:
        await command(program, f"/export {folder}/x.md")
        await said(program, "cannot be written: Permission denied.")


async def test_all_sessions_go_out_and_come_back_once_as_closed_ones_at_once(home):
    file = home / "all.jsonl"
    async with running(home, script=echo) as program:
        for prompt in ("first of all", "second of all"):
            pane = await program.send(prompt)
            await program.until(lambda pane=pane: not pane.is_live)
            await program.open()
        await command(program, f"/export all {file}")
        await said(program, f"3 sessions with 2 turns exported to {file}.")

    async with running(home, script=echo) as other:
        await command(other, f"/import {file}")
        await said(other, "3 sessions and 2 turns were added; 0 sessions and 0 turns were here already.")
        await other.until(lambda: len(other.app.book.closed) == 3)
        assert len(other.app.book.open) == 1
        await command(other, f"/import {file}")
        await said(other, "0 sessions and 0 turns were added; 3 sessions and 2 turns were here already.")
        assert len(other.app.book.closed) == 3
        await other.pilot.press("f3")
        await other.sees("Closed")
        await other.sees("second of all")
        await other.pilot.press("escape")
        found = next(pane for pane in other.app.book.closed if pane.head.title == "first of all")
        other.app._sessions.go_to(found.session_id)
        await other.sees("first of all")
        await other.until(lambda: found.prompts == ["first of all"])


async def test_a_line_that_cannot_be_taken_is_counted_and_the_rest_comes(home):
    file = home / "all.jsonl"
    async with running(home, script=echo) as program:
        pane = await program.send("kept")
        await program.until(lambda: not pane.is_live)
        await command(program, f"/export all {file}")
        await said(program, "1 session with 1 turn")
    file.write_bytes(file.read_bytes() + b"rubbish\n" + json.dumps({"kind": "turn"}).encode() + b"\n")
    async with running(home) as other:
        await command(other, f"/import {file}")
        await said(other, "1 session and 1 turn were added")
        await said(other, "2 lines could not be taken")


async def test_the_dialog_proposes_a_file_for_each_form_and_leaves_a_typed_one_alone(home):
    async with running(home) as program:
        program.app._exchange._folders.keep(home)
        await command(program, "/export")
        await program.sees(str(home)[-20:])
        entry = program.app.screen.query_one("Entry")
        assert entry.value.endswith("session.md")
        await program.pilot.press("down", "down", "down")
        await program.until(lambda: entry.value.endswith(".jsonl"))
        entry.value = str(home / "typed")
        await program.pilot.press("up")
        await program.until(lambda: program.app.screen._form == "json")
        assert entry.value == str(home / "typed")
        await program.pilot.press("enter")
        await said(program, f"Exported to {home}/typed.")
    assert (home / "typed").read_text("utf-8").startswith("{")


async def test_the_screen_goes_on_while_a_slow_disk_is_written(home, monkeypatch):
    started, goes_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    real = os.fsync

    def slow(descriptor):
        loop.call_soon_threadsafe(started.set)
        asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(20)
        real(descriptor)

    async with running(home) as program:
        monkeypatch.setattr("chatforge_tui.exchange.private_file.os.fsync", slow)
        await command(program, f"/export {home}/slow.md")
        await started.wait()
        await program.type("typed meanwhile")
        await program.sees("typed meanwhile")
        assert not (home / "slow.md").exists()
        goes_on.set()
        await said(program, f"Exported to {home}/slow.md.")
