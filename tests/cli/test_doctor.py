"""`chatforge doctor`: what it says, what it exits with, and that no credential is ever in it."""

import asyncio
import base64
import json
import signal
import sqlite3
from urllib.parse import quote

import pytest

from chatforge_tui.cli.doctor.report import report_shape, section_lines, summary
from chatforge_tui.domain.finding import Finding, Section, Verdict
from tests.cli.material import FIRST, HEAD
from tests.servers.raw_server import RawServer, Stall, answer

CANARIES = {
    "env": "canary-env-sk-93ab/+=71",
    "header": "canary-header-4471",
    "proxy": "canary-proxy-pass-8812",
    "echo": "canary-echo-2291-token",
}
NO_PROXY = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "")


def sections(report):
    return {section["title"]: {each["subject"]: each for each in section["findings"]} for section in report["sections"]}


def forms(secret):
    raw = secret.encode()
    encoded = {base64.b64encode(b"\0" * pad + raw).decode()[4:-4] for pad in range(3)}
    return {secret, quote(secret, safe=""), *(form for form in encoded if form)}


@pytest.fixture
async def server():
    server = RawServer()
    await server.start()
    yield server
    await server.stop()


def test_with_nothing_configured_all_is_well(program):
    done = program.run_process("doctor", "--json", **NO_PROXY)
    found = sections(done.json)
    assert (done.code, done.err, done.json["well"]) == (0, "", True)
    assert found["Program"]["SQLite"]["facts"]["version"] == sqlite3.sqlite_version
    assert found["Store"]["file"]["verdict"] == "note"
    assert found["built-in"]["agent card"]["facts"]["agent"] == "ChatForge guide"
    assert found["built-in"]["answer"]["verdict"] == "note"
    assert not (program.home / "data").exists()


def test_with_ask_the_first_token_is_timed(program):
    done = program.run_process("doctor", "built-in", "--ask", "--json", **NO_PROXY)
    facts = sections(done.json)["built-in"]["answer"]["facts"]
    assert 0 < facts["first_token_ms"] <= facts["answer_ms"]


def test_a_broken_configuration_is_a_finding_and_not_the_end(program):
    program.configure("nonsense = [")
    done = program.run_process("doctor", **NO_PROXY)
    assert done.code == 1
    assert "✕ configuration" in done.out
    assert "line 1: no valid TOML" in done.out
    assert "✓ " in done.out
    assert done.out.endswith("1 wrong.\n")


def test_an_endpoint_that_is_not_there_is_a_usage_error(program):
    done = program.run("doctor", "nobody")
    assert (done.code, done.out) == (2, "")
    assert "no endpoint 'nobody'" in done.err


def test_the_store_is_examined_without_being_changed(program):
    program.fill((HEAD, (FIRST,)))
    store = program.home / "data" / "sessions.db"
    before = (store.read_bytes(), store.stat().st_mtime_ns, sorted(store.parent.iterdir()))
    done = program.run("doctor", "built-in", "--json", **NO_PROXY)
    found = sections(done.json)["Store"]
    assert found["content"]["facts"]["sessions"] == 1
    assert found["rights"]["text"] == "Only you can read it (0600)."
    assert found["journal"]["verdict"] in ("good", "note")
    assert found["programs"]["text"] == "No other ChatForge has it open."
    assert (store.read_bytes(), store.stat().st_mtime_ns, sorted(store.parent.iterdir())) == before


def test_a_damaged_store_is_wrong_and_says_what_to_do(program):
    program.fill((HEAD, (FIRST,)))
    store = program.home / "data" / "sessions.db"
    content = bytearray(store.read_bytes())
    content[4096 : 4096 * 6] = b"\xff" * (4096 * 5)
    store.write_bytes(content)
    done = program.run("doctor", "built-in", "--json", **NO_PROXY)
    wrong = sections(done.json)["Store"]["content"]
    assert (done.code, wrong["verdict"]) == (1, "wrong")
    assert "chatforge store repair" in wrong["remedy"]


async def test_no_credential_is_ever_shown(program, server):
    """In the environment, in a proxy's URL, in a header's value, and echoed by the server in an error's body."""
    echoed = json.dumps(
        {"error": {"message": f"bad key {CANARIES['env']} {quote(CANARIES['env'])} {CANARIES['echo']}"}}
    )
    server.plays = [answer(echoed.encode(), status="401 Unauthorized")] * 8
    program.configure(
        f'[endpoints.one]\nprotocol = "openai-chat"\nurl = "http://127.0.0.1:{server.port}/v1"\ntoken_env = "KEY"\n'
        f'[endpoints.two]\nprotocol = "a2a"\nurl = "http://127.0.0.1:{server.port}"\ntoken_env = "ECHO"\n'
        f'[endpoints.three]\nprotocol = "a2a"\nurl = "https://agents.invalid"\n'
        f'proxy = "http://user:{CANARIES["header"]}@127.0.0.1:9"\n'
    )
    environ = {
        **NO_PROXY,
        "KEY": CANARIES["env"],
        "ECHO": CANARIES["echo"],
        "HTTPS_PROXY": f"http://user:{CANARIES['proxy']}@127.0.0.1:9",
    }
    for words in (("doctor",), ("doctor", "--json")):
        done = await program.run_beside(*words, **environ)
        assert done.code == 1
        for canary in CANARIES.values():
            assert [form for form in forms(canary) if form in done.out + done.err] == []
        assert "user:" not in done.out
    found = sections(done.json)
    assert found["one"]["models"]["facts"]["kind"] == "unauthorized"
    assert found["three"]["proxy"]["facts"] == {"proxy": "127.0.0.1:9", "authenticates": True}
    assert found["three"]["name" if "name" in found["three"] else "connection"]["verdict"] == "wrong"
    assert found["Proxies"]["HTTPS_PROXY"]["facts"] == {"url": "http://127.0.0.1:9", "authenticates": True}
    log = program.home / "log" / "chatforge.log"
    assert not log.exists() or not any(canary in log.read_text() for canary in CANARIES.values())


async def test_nothing_is_asked_that_may_prompt(program, server, tmp_path):
    server.plays = [answer(b'{"data": [{"id": "m"}]}')]
    ran = tmp_path / "ran"
    program.configure(
        f'[endpoints.one]\nprotocol = "openai-chat"\nurl = "http://127.0.0.1:{server.port}/v1"\n'
        f'token_command = ["touch", "{ran}"]\n'
    )
    done = await program.run_beside("doctor", "one", "--no-prompt", "--json", **NO_PROXY)
    assert "may ask" in sections(done.json)["one"]["credential"]["text"]
    assert not ran.exists()


async def test_ctrl_c_ends_it_at_once(program, server):
    server.plays = [[Stall()]]
    program.configure(f'[endpoints.one]\nprotocol = "openai-chat"\nurl = "http://127.0.0.1:{server.port}/v1"\n')
    process = await program.start("doctor", "one", **NO_PROXY)
    async with asyncio.timeout(30):
        await server.until(lambda: bool(server.requests), seconds=15)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert (process.returncode, err.strip()) == (130, b"")


def test_the_report_has_an_ascii_twin_and_says_what_to_do():
    bad = Finding("TLS", Verdict.WRONG, "The certificate has expired.\x1b[31m", "Renew it.")
    section = Section("endpoint", "platform", (Finding("name", Verdict.GOOD, "fine"), bad))
    assert section_lines(section, ascii_only=True, width=80) == [
        "platform",
        "  + name  fine",
        "  x TLS   The certificate has expired.␛[31m",
        "          -> Renew it.",
    ]
    assert "  ✕ TLS" in section_lines(section, ascii_only=False, width=80)[2]
    assert summary([section]) == "1 wrong."
    assert report_shape([section])["well"] is False


def test_lines_are_folded_to_the_terminal():
    section = Section("store", "Store", (Finding("file", Verdict.NOTE, "word " * 40),))
    lines = section_lines(section, ascii_only=True, width=60)
    assert len(lines) > 3
    assert max(map(len, lines)) <= 60
