"""`chatforge send` as a process, against a server that does what it is told and against the built-in agent."""

import asyncio
import base64
import codecs
import json
import os
import pty
import re
import signal
import subprocess

import pytest

from tests.cli.material import OSC
from tests.cli.program import COMMAND, ROOT
from tests.servers.raw_server import Stall, Wait, answer, chunked, raw_server, sse_head, stream

ANSWER = "Hello \x1b]52;c;ZXZpbA==\x07 wörld \u202e\r\n  end"


def delta(text, **rest):
    return b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, "delta": {"content": text}, **rest}]}).encode()


def events(*texts, done=True):
    ending = [delta("", finish_reason="stop"), b"data: [DONE]\n\n"] if done else []
    return [delta(text) for text in texts] + ending


@pytest.fixture
async def server():
    async with raw_server() as running:
        yield running


def to(server, *words):
    return ("send", "--endpoint", f"{server.url}/v1", "--protocol", "openai-chat", "--model", "m", *words)


async def stored(program):
    """Return the newest session's only turn."""
    sessions = (await program.run_beside("sessions", "--json")).json
    return (await program.run_beside("show", sessions[0]["id"], "--json")).json["turns"][-1]


async def test_the_answer_reaches_a_pipe_byte_for_byte_and_the_store_alike(server, program):
    server.plays.append(stream(*events(*ANSWER)))
    done = await program.run_beside(*to(server, "hi", "there"))
    assert (done.code, done.err) == (0, "")
    assert done.out == ANSWER
    turn = await stored(program)
    assert (turn["answer"], turn["prompt"], turn["state"]) == (ANSWER, "hi there", "complete")


async def test_text_is_written_as_it_comes(server, program):
    go_on = asyncio.Event()
    server.plays.append(
        [sse_head(), chunked(*events("first", done=False), last=False), Wait(go_on), chunked(*events(" second"))]
    )
    process = await program.start(*to(server, "hi"))
    assert await asyncio.wait_for(process.stdout.readexactly(5), 20) == b"first"
    go_on.set()
    out, _ = await process.communicate()
    assert (process.returncode, out) == (0, b" second")


async def test_a_terminal_gets_the_answer_cleaned(server, program):
    server.plays.append(stream(*events(*ANSWER)))
    code, received = await asyncio.to_thread(program.run_in_terminal, *to(server, "hi"))
    assert code == 0
    assert received.decode() == "Hello ␛]52;c;ZXZpbA==␇ wörld <U+202E>\r\n  end\r\n"


async def test_no_hostile_payload_steers_the_terminal_of_send(server, program):
    cases = json.loads((ROOT / "tests" / "data" / "hostile" / "cases.json").read_text())["cases"]
    raw = [codecs.decode(case["bytes"], "unicode_escape").encode("latin-1") for case in cases]
    texts = [f"{one.decode('utf-8', 'replace')}\n" for one in raw]
    server.plays.append(stream(*events(*texts)))
    code, received = await asyncio.to_thread(program.run_in_terminal, *to(server, "hi"))
    assert code == 0
    assert not re.search(
        b"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae", received.replace(b"\r\n", b"\n")
    )
    assert (await stored(program))["answer"] == "".join(texts)


async def test_what_stands_beside_the_answer_is_told_on_stderr(server, program):
    server.plays.append(stream(delta("Half"), delta("", finish_reason="length"), b"data: [DONE]\n\n"))
    done = await program.run_beside(*to(server, "hi"))
    assert (done.code, done.out) == (0, "Half")
    assert done.err == "The answer ends here because it reached the endpoint's limit of length.\n"


async def test_a_servers_sentence_without_an_end_is_ended_before_the_hint(server, program):
    server.plays.append(stream(delta("Half"), b'data: {"error": {"message": "overloaded, try later"}}\n\n'))
    done = await program.run_beside(*to(server, "hi"))
    assert "overloaded, try later. What it said" in done.err


async def test_a_long_pause_before_the_next_try_is_told_with_its_reason(server, program):
    server.plays.append(answer(b"", "429 Too Many Requests", retry_after="100"))
    process = await program.start(*to(server, "hi"))
    told = await asyncio.wait_for(process.stderr.readline(), 20)
    process.terminate()
    await asyncio.wait_for(process.communicate(), 10)
    assert re.fullmatch(rb".*takes no more requests.*\(429\).* It is tried again in (100|99) s\.\n", told)


async def test_every_event_is_a_line_of_json(server, program):
    server.plays.append(stream(*events("a", "b")))
    lines = (await program.run_beside(*to(server, "--json", "hi"))).lines
    assert [line["event"] for line in lines[:2]] == ["session", "turn"]
    assert "".join(line["text"] for line in lines if line["event"] == "text") == "ab"
    assert lines[-1]["event"] == "end"
    assert lines[-1]["answer"] == "ab"
    assert lines[-1]["turn_id"] == lines[1]["turn_id"]
    shown = (await program.run_beside("show", lines[0]["session_id"], "--json")).json
    assert shown["turns"] == [{key: value for key, value in lines[-1].items() if key != "event"}]


async def test_a_session_is_continued_with_its_history(server, program):
    server.plays.extend([stream(*events("one")), stream(*events("two"))])
    await program.run_beside(*to(server, "first"))
    [session] = (await program.run_beside("sessions", "--json")).json
    assert session["open"] is False
    done = await program.run_beside("send", "--session", session["id"][:13], "second")
    assert (done.code, done.out) == (0, "two")
    texts = [message["content"] for message in json.loads(server.requests[1].body)["messages"]]
    assert texts == ["first", "one", "second"]
    [session] = (await program.run_beside("sessions", "--json")).json
    assert session["turns"] == 2


async def test_a_session_gets_a_tab_when_told_so(server, program):
    server.plays.append(stream(*events("one")))
    await program.run_beside(*to(server, "--tab", "first"))
    [session] = (await program.run_beside("sessions", "--json")).json
    assert session["open"] is True


async def test_the_prompt_comes_from_stdin(server, program):
    server.plays.append(stream(*events("ok")))
    done = await asyncio.to_thread(program.run_process, *to(server, "-"), stdin="größe \n zwei\n".encode() + b"\xff")
    assert done.code == 0
    assert json.loads(server.requests[0].body)["messages"][-1]["content"] == "größe \n zwei\n\ufffd"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
async def test_a_signal_stops_the_turn_and_keeps_its_text(server, program, number, code):
    server.plays.append([sse_head(), chunked(*events("partial", done=False), last=False), Stall()])
    process = await program.start(*to(server, "hi"))
    await asyncio.wait_for(process.stdout.readexactly(7), 20)
    process.send_signal(number)
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, err) == (code, b"")
    await server.until_closed()
    turn = await stored(program)
    assert (turn["state"], turn["answer"]) == ("aborted", "partial")


async def test_a_reader_that_goes_away_stops_the_turn_quietly(server, program):
    server.plays.append([sse_head(), *[chunked(delta("x" * 1000), last=False)] * 2000, Stall()])
    process = await program.start(*to(server, "hi"))
    await asyncio.wait_for(process.stdout.readexactly(10), 20)
    process._transport.get_pipe_transport(1).close()
    assert await asyncio.wait_for(process.wait(), 20) == 141
    assert await process.stderr.read() == b""
    assert (await stored(program))["state"] == "aborted"


async def test_a_stream_without_its_end_is_interrupted_and_its_text_is_kept(server, program):
    server.plays.append(stream(*events("half", done=False)))
    done = await program.run_beside(*to(server, "hi"))
    assert (done.code, done.out) == (7, "half")
    assert done.err.count("\n") == 1
    assert (await stored(program))["state"] == "interrupted"


async def test_a_refusal_is_one_sentence_with_the_servers_words_cleaned(server, program):
    body = json.dumps({"error": {"message": f"bad key {OSC}"}}).encode()
    server.plays.append(answer(body, "401 Unauthorized"))
    done = await program.run_beside(*to(server, "hi"))
    assert (done.code, done.out) == (6, "")
    assert done.err.count("\n") == 1
    assert "\x1b" not in done.err


async def test_a_credential_is_sent_and_is_nowhere_else(server, program):
    canary = "sk-canary-0123456789abcdef"
    encoded = base64.b64encode(f"u:{canary}".encode()).decode()
    body = json.dumps({"error": {"message": f"key {canary} of {encoded} refused"}}).encode()
    server.plays.append(answer(body, "401 Unauthorized"))
    done = await program.run_beside(*to(server, "--token-env", "MY_TOKEN", "hi"), MY_TOKEN=canary)
    assert server.requests[0].headers["authorization"] == f"Bearer {canary}"
    assert done.code == 6
    assert canary not in done.out + done.err
    written = b"".join(file.read_bytes() for file in program.home.rglob("*") if file.is_file())
    assert b"refused" in written
    assert canary.encode() not in written
    assert encoded.encode() not in written


async def test_a_credential_that_is_not_set_is_told_and_nothing_is_sent(server, program):
    done = await program.run_beside(*to(server, "--token-env", "NOT_SET_ANYWHERE", "hi"))
    assert done.code == 2
    assert "The environment variable NOT_SET_ANYWHERE is not set." in done.err
    assert server.requests == []


async def test_a_server_that_is_not_there_is_told(program):
    done = await program.run_beside("send", "--endpoint", "http://127.0.0.1:9", "--protocol", "openai-chat", "hi")
    assert (done.code, done.out) == (6, "")
    assert "127.0.0.1:9" in done.err


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        (("--endpoint", "nope"), 2, "config"),
        (("--endpoint", "http://u:canary-password@x"), 2, "config"),
        (("--session", "nope"), 4, "unknown-session"),
    ],
)
def test_what_comes_to_no_turn_is_an_error_event_too(program, words, code, kind):
    done = program.run("send", "--json", *words, "hi")
    assert done.code == code
    assert [line["event"] for line in done.lines] == ["error"]
    assert done.lines[0]["kind"] == kind
    assert done.err.count("\n") == 1
    assert "canary" not in done.out + done.err


def test_with_nothing_configured_the_built_in_agent_answers(program):
    text = f"echo {OSC} \u202e tail"
    done = program.run("send", text)
    assert done.code == 0
    assert f"{OSC} \u202e tail" in done.out
    [session] = program.run("sessions", "--json").json
    assert session["endpoint"] == "built-in"


def test_a_question_ends_the_command_with_its_own_code_and_is_answered_by_the_next(program):
    asked = program.run("send", "ask me something")
    assert asked.code == 8
    [session] = program.run("sessions", "--json").json
    assert session["state"] == "waiting"
    assert asked.out.strip()
    assert f"chatforge send --session {session['id']} TEXT" in asked.err


def test_a_failure_of_the_agent_is_told_and_its_text_kept(program):
    done = program.run("send", "fail")
    assert done.code == 6
    assert done.out
    assert done.err.count("\n") == 1


def test_stopping_with_ctrl_c_in_a_terminal_leaves_no_traceback(program):
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "send", "stall"],
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=program.environ,
        start_new_session=True,
    )
    os.close(secondary)
    received = os.read(primary, 4096)
    os.killpg(process.pid, signal.SIGINT)
    code = process.wait(20)
    try:
        while piece := os.read(primary, 4096):
            received += piece
    except OSError:
        pass
    os.close(primary)
    assert code == 130
    assert b"Traceback" not in received
    [session] = program.run("sessions", "--json").json
    assert session["state"] == "aborted"


async def test_files_go_along_and_are_named_where_the_session_is_read(server, program, tmp_path):
    server.plays.append(stream(*events("seen")))
    (tmp_path / "notes.md").write_text("# größer\n")
    (tmp_path / "p x.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    files = ("--attach", str(tmp_path / "notes.md"), "--attach", str(tmp_path / "p x.png"))
    done = await program.run_beside(*to(server, *files, "look"))
    assert (done.code, done.out, done.err) == (0, "seen", "")
    [message] = json.loads(server.requests[0].body)["messages"]
    assert [part["type"] for part in message["content"]] == ["text", "image_url", "text"]
    turn = await stored(program)
    assert [(file["name"], file["media_type"], file["size"]) for file in turn["attachments"]] == [
        ("notes.md", "text/markdown", 11),
        ("p x.png", "image/png", 8),
    ]
    session = (await program.run_beside("sessions", "--json")).json[0]["id"]
    shown = (await program.run_beside("show", session)).out
    assert "- `notes.md` (text/markdown, 11 bytes)\n- `p x.png` (image/png, 8 bytes)" in shown


async def test_a_file_may_go_without_a_word(server, program, tmp_path):
    server.plays.append(stream(*events("seen")))
    (tmp_path / "notes.md").write_text("x")
    done = await program.run_beside(*to(server, "--attach", str(tmp_path / "notes.md")))
    assert (done.code, done.out) == (0, "seen")
    assert (await program.run_beside("sessions", "--json")).json[0]["title"] == "notes.md"


async def test_every_file_that_cannot_be_attached_is_told_and_nothing_is_sent(server, program, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "good").write_text("x")
    names = ("nowhere", "pipe", "good", "link", "evil\x1b]52;c;eA==\x07")
    flags = [word for name in names for word in ("--attach", str(tmp_path / name))]
    done = await program.run_beside(*to(server, *flags, "look"))
    assert (done.code, done.out, server.requests) == (2, "", [])
    lines = done.err.splitlines()
    assert len(lines) == 4
    for line, told in zip(lines, ("is not there", "is a pipe", "is a link to /etc/passwd", "]52"), strict=True):
        assert told in line
    assert "\x1b" not in done.err
    assert not program.home.exists() or (await program.run_beside("sessions", "--json")).json == []


async def test_the_limits_are_configured(server, program, tmp_path):
    program.configure("[files]\nattachment_limit = 1\ntotal_limit = 1\n")
    (tmp_path / "a").write_bytes(b"x" * 2**20)
    (tmp_path / "b").write_bytes(b"y")
    both = ("--attach", str(tmp_path / "a"), "--attach", str(tmp_path / "b"))
    done = await program.run_beside(*to(server, *both, "look"))
    assert (done.code, server.requests) == (2, [])
    assert "The files are 1.0 MiB together; 1.0 MiB go with one prompt." in done.err


def test_send_without_a_word_or_a_file_is_a_mistake(program):
    done = program.run("send")
    assert (done.code, done.out) == (2, "")
    assert "Missing argument 'TEXT...'" in done.err
