"""The program from its command line to its exit code: every command that needs no agent."""

import json
import os
import re
import sqlite3
import subprocess

import pytest
from msgspec.structs import replace

from chatforge_tui.exchange.json_shapes import session_line
from tests.cli.material import ANSWER, FIRST, HEAD, OSC, SECOND
from tests.cli.program import COMMAND

HARMFUL = re.compile(b"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae")
"""Bytes that no terminal may get; CR stands before LF there."""


@pytest.fixture
def filled(program):
    program.fill((HEAD, (FIRST, SECOND)))
    return program


def test_the_version_is_told(program):
    done = program.run_process("--version")
    assert (done.code, done.out.split()[0], done.err) == (0, "chatforge", "")


def test_a_mistake_ends_the_process_with_its_code(program):
    done = program.run_process("show", "abc")
    assert (done.code, done.out, done.err.count("\n")) == (4, "", 1)


@pytest.mark.parametrize(
    "words", [("--help",), ("-h",), ("send", "-h"), ("export", "--help"), ("config", "path", "-h")]
)
def test_help_is_help(program, words):
    done = program.run(*words)
    assert done.code == 0
    assert done.out.startswith("Usage: chatforge")
    assert done.err == ""


def test_the_exit_codes_stand_in_the_help(program):
    out = program.run("--help").out
    assert re.search(r"^\s+130\s+stopped with Ctrl\+C", out, re.MULTILINE)


def test_nothing_is_made_by_looking(program):
    assert program.run("sessions", "--json").json == []
    assert program.run("sessions").out == "There are no sessions yet.\n"
    assert program.run("sessions", "--trash").out == "The trash is empty.\n"
    assert program.run("config", "path").out == f"{program.home / 'config.toml'}\n"
    assert program.run("endpoints", "--json").code == 0
    assert not program.home.exists()


def test_a_home_may_be_named_before_and_after_the_command(program, tmp_path):
    for words in (("--home", str(tmp_path / "x"), "config", "path"), ("config", "path", "--home", str(tmp_path / "x"))):
        assert program.run(*words).out == f"{tmp_path / 'x' / 'config.toml'}\n"


def test_sessions_and_show_as_json(filled):
    assert filled.run("sessions", "--json").json == [session_line(HEAD)]
    shown = filled.run("show", HEAD.session_id, "--json").json
    assert set(shown) == {"session", "turns"}
    assert shown["turns"][0]["answer"] == ANSWER
    assert shown["turns"][1]["error"]["kind"] == "unauthorized"


def test_a_beginning_of_an_id_is_enough(filled):
    assert filled.run("show", HEAD.session_id[:8], "--json").json["session"]["id"] == HEAD.session_id


@pytest.mark.parametrize(
    "words",
    [
        ("sessions",),
        ("sessions", "--json"),
        ("show", HEAD.session_id),
        ("show", HEAD.session_id, "--json"),
        ("export", HEAD.session_id, "-o", "-"),
        ("export", HEAD.session_id, "--format", "json", "-o", "-"),
        ("export", HEAD.session_id, "--format", "html", "-o", "-"),
        ("show", OSC.replace("\x00", "")),
        ("search", "answer"),
        ("search", "title"),
        ("search", "title", "--json"),
        ("search", OSC.replace("\x00", "")),
        ("store", "check"),
        ("store", "check", "--json"),
        ("export", "--all", "-o", "-"),
        ("endpoints",),
        ("sessions", OSC),
        (OSC,),
    ],
)
def test_no_byte_from_outside_steers_a_terminal(filled, words):
    filled.configure(
        '[endpoints."e\\u001b]52;c;x\\u0007\\u009b"]\nprotocol = "a2a"\nurl = "https://x.example"\nmodel = "\\u202em"'
    )
    received = filled.run_on_terminal(*words)
    assert received
    assert not HARMFUL.search(received), received


def test_the_program_knows_a_terminal_when_it_has_one(filled):
    code, received = filled.run_in_terminal("show", HEAD.session_id)
    assert code == 0
    assert not HARMFUL.search(received.replace(b"\r\n", b"\n")), received


@pytest.mark.parametrize("form", ["md", "json", "html"])
def test_an_export_is_named_after_the_session_private_and_never_over_another(filled, tmp_path, form):
    done = filled.run("export", HEAD.session_id, "--format", form, cwd=tmp_path)
    assert done.code == 0
    [file] = tmp_path.glob(f"*.{form}")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", file.name)
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    again = filled.run("export", HEAD.session_id, "--format", form, cwd=tmp_path)
    assert again.code == 1
    assert "exists already. --force replaces it." in again.err
    assert filled.run("export", HEAD.session_id, "--format", form, "--force", cwd=tmp_path).code == 0
    assert file.read_bytes() == before


def test_a_json_export_is_what_show_says(filled, tmp_path):
    filled.run("export", HEAD.session_id, "--format", "json", "-o", str(tmp_path / "x.json"))
    assert json.loads((tmp_path / "x.json").read_text()) == filled.run("show", HEAD.session_id, "--json").json


def test_a_deleted_session_is_in_the_trash_and_comes_back(filled):
    assert filled.run("delete", HEAD.session_id).code == 0
    assert filled.run("sessions", "--json").json == []
    assert [one["id"] for one in filled.run("sessions", "--trash", "--json").json] == [HEAD.session_id]
    assert filled.run("delete", HEAD.session_id).code == 4
    assert filled.run("show", HEAD.session_id).code == 0
    assert filled.run("restore", HEAD.session_id).code == 0
    assert [one["id"] for one in filled.run("sessions", "--json").json] == [HEAD.session_id]


def test_a_purged_session_leaves_no_word(filled):
    assert filled.run("delete", "--purge", HEAD.session_id).code == 0
    assert filled.run("show", HEAD.session_id).code == 4
    content = b"".join(file.read_bytes() for file in (filled.home / "data").glob("sessions.db*"))
    assert b"Let me think" not in content


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("show", "abc"), 4, "No session has the id 'abc'. `chatforge sessions` lists them."),
        (("delete", "abc"), 4, "No session has the id 'abc'"),
        (("restore", "abc"), 4, "No session has the id 'abc'"),
        (("export", "abc"), 4, "No session has the id 'abc'"),
        (("sesions",), 2, "No such command 'sesions'. Did you mean 'sessions'?"),
        (("show",), 2, "Missing argument 'ID'."),
        (("endpoints", "extra"), 2, "extra argument (extra). `chatforge endpoints --help` says"),
        (("export", "abc", "--format", "pdf"), 2, "'pdf' is not one of 'md', 'json', 'html'."),
        (("send",), 2, "Missing argument 'TEXT...'."),
        (("send", " "), 2, "The prompt is empty."),
        (("--protocol", "smtp"), 2, "'smtp' is not one of"),
        ((), 2, "ChatForge needs a terminal. In scripts use `chatforge send`."),
        (("--nonsense",), 2, "No such option"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_with_its_exit_code(program, words, code, told):
    done = program.run(*words)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [("endpoints",), ("send", "hi"), ("--endpoint", "x")])
def test_a_broken_configuration_is_told_with_its_line(program, words):
    program.configure('[endpoints.x]\nprotocol = "a2a"\nurl = "nonsense"\n')
    done = program.run(*words)
    assert done.code == 2
    assert "config.toml line 3: endpoints.x.url: expected an http or https URL" in done.err


def test_the_store_can_be_read_with_a_broken_configuration(filled):
    filled.configure("x = [")
    assert len(filled.run("sessions", "--json").json) == 1


@pytest.mark.parametrize(
    ("content", "told"), [(b"this is no database, however long it may be" * 100, "sessions.db"), (b"", "sessions.db")]
)
def test_a_damaged_store_is_told_and_left_alone(program, content, told):
    store = program.home / "data" / "sessions.db"
    store.parent.mkdir(parents=True)
    store.write_bytes(content)
    done = program.run("sessions")
    assert done.code == 3
    assert told in done.err
    assert done.err.count("\n") == 1
    assert store.read_bytes() == content


def test_a_store_of_a_newer_version_is_told(filled):
    with sqlite3.connect(filled.home / "data" / "sessions.db") as db:
        db.execute("PRAGMA user_version = 9999")
    db.close()
    done = filled.run("sessions")
    assert done.code == 3
    assert "newer" in done.err


def test_endpoints_as_json_never_hold_a_credential(program):
    program.configure("""
default_endpoint = "platform"
[endpoints.platform]
protocol = "a2a"
url = "https://agents.example.com"
token_env = "PLATFORM_TOKEN"
[endpoints.local]
protocol = "openai-chat"
url = "http://127.0.0.1:11434/v1"
model = "qwen3"
token_command = ["pass", "show", "local"]
""")
    done = program.run("endpoints", "--json", PLATFORM_TOKEN="canary-1234567")
    assert done.json == [
        {
            "name": "platform",
            "protocol": "a2a",
            "url": "https://agents.example.com",
            "model": None,
            "credential": "env PLATFORM_TOKEN",
            "default": True,
        },
        {
            "name": "local",
            "protocol": "openai-chat",
            "url": "http://127.0.0.1:11434/v1",
            "model": "qwen3",
            "credential": "command pass",
            "default": False,
        },
        {"name": "built-in", "protocol": "a2a", "url": None, "model": None, "credential": None, "default": False},
    ]
    assert "canary" not in program.run("endpoints", PLATFORM_TOKEN="canary-1234567").out


def test_a_reader_that_goes_away_ends_a_command_quietly(program):
    long = replace(FIRST, parts=(FIRST.parts[3].__class__(0, "line\n" * 200_000),))
    program.fill((HEAD, (long,)))
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "show", HEAD.session_id], stdout=write, stderr=subprocess.PIPE, env=program.environ, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_fault_of_its_own_is_one_sentence_and_a_redacted_log(program, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import chatforge_tui.cli.store_commands as c\n"
        "from chatforge_tui.safety.redact import register\n"
        "from chatforge_tui.safety.secret import Secret\n"
        "def broken(*_, **__):\n"
        "    register(Secret('canary-in-a-crash'))\n"
        "    raise RuntimeError('canary-in-a-crash')\n"
        "c.list_sessions = broken\n"
    )
    done = program.run_process("sessions", PYTHONPATH=f"{tmp_path}{os.pathsep}{program.environ['PYTHONPATH']}")
    assert done.code == 70
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    log = (program.home / "log" / "chatforge.log").read_text()
    assert "RuntimeError" in log
    assert "canary" not in log + done.err
