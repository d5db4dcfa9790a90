"""The real program where the system allows it few open files: the session that is one too many waits, nothing else suffers."""

import json
import sys

import pytest

from tests.servers.raw_server import Stall, chunked, raw_server, sse_head
from tests.terminal import terminal

MOST = 48
"""The program alone holds about twenty."""
WORDS = b'data: {"choices":[{"index":0,"delta":{"content":"words"}}]}\n\n'


@pytest.mark.timeout(120)
async def test_one_session_too_many_waits_and_the_others_go_on(tmp_path):
    async with raw_server() as server:
        server.plays = [[sse_head(), chunked(WORDS, last=False), Stall()] for _ in range(MOST)]
        endpoint = {"protocol": "openai-chat", "url": f"{server.url}/v1", "model": "m"}
        lines = ["[endpoints.few]", *(f"{name} = {json.dumps(value)}" for name, value in endpoint.items())]
        (tmp_path / "config.toml").write_text("\n".join(['default_endpoint = "few"', *lines]))
        limited = ("/bin/sh", "-c", f"ulimit -n {MOST}; exec {sys.executable} -m chatforge_tui")
        async with terminal(limited, home=tmp_path) as screen:
            await screen.wait_for("Enter send")
            sent = 0
            while "Not sent" not in screen.text:
                assert sent < MOST, screen.text
                sent += 1
                if sent > 1:
                    screen.press("ctrl+n")
                    await screen.wait_for("A new session with")
                screen.send(f"prompt {sent}".encode())
                screen.press("enter")
                await screen.until(
                    lambda sent=sent: len(server.requests) == sent or "Not sent" in screen.text, "request or refusal"
                )
            assert f"system allows this program {MOST}" in " ".join(screen.text.split())
            assert "Not saved" not in screen.text
            streaming = len(server.requests)
            assert streaming >= 1
            screen.press("ctrl+s")  # whose screen is imported only now
            await screen.until(
                lambda: screen.text.count("streaming") == streaming and "Enter open" in screen.text, "the list"
            )
