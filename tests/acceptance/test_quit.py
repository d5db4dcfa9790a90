"""Leaving while everything streams: quickly, with all text on disk, and the terminal as it was."""

import asyncio
import time

import pytest

from chatforge_tui.config.locations import Locations
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.benchmarks.answers import Order, prompt, tokens_of
from tests.benchmarks.seeded_store import seed_sessions
from tests.soak.stream import mock_server
from tests.terminal import terminal

SESSIONS = 50
MOST_S = 2.0


@pytest.mark.timeout(120)
async def test_f48_the_program_ends_within_two_seconds_while_fifty_sessions_stream(tmp_path):
    await seed_sessions(tmp_path, [1] * SESSIONS, ("agent", "model"))
    orders = [Order(100_000, 10, f"q{number}") for number in range(SESSIONS)]
    async with mock_server() as server:
        url = f"http://127.0.0.1:{server.port}"
        Locations.find(tmp_path, {}).config_file.write_text(
            f'default_endpoint = "agent"\n[endpoints.agent]\nprotocol = "a2a"\nurl = "{url}"\n'
            f'[endpoints.model]\nprotocol = "openai-chat"\nurl = "{url}/v1"\nmodel = "mock"\n'
        )
        async with terminal(home=tmp_path) as screen:
            await screen.wait_for("here-session-0-ends")
            for order in orders:
                screen.send(prompt(order).encode())
                await screen.wait_for(f"named {order.name}")
                screen.press("enter")
                await screen.until(lambda name=order.name: name in server.asked, order.name)
                screen.press("ctrl+pagedown")
            assert server.streaming == SESSIONS
            await asyncio.sleep(0.5)  # that the last of them has said something
            screen.press("ctrl+q")
            await screen.wait_for(f"{SESSIONS} answers are still running")
            began = time.monotonic()
            screen.press("y")
            assert await screen.until_ended() == 0
            spent = time.monotonic() - began
            for code in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?2004l", b"\x1b[?25h"):
                assert code in screen.raw, code
    assert spent < MOST_S * 2, spent  # twice the promise leaves room for a busy machine
    store = SqliteStore(Locations.find(tmp_path, {}).data_dir / "sessions.db", read_only=True)
    await store.open()
    try:
        turns = {
            turn.head.prompt.text: turn
            for head in await store.load_sessions()
            for turn in await store.load_turns(head.session_id, since=1)
        }
    finally:
        await store.close()
    for order in orders:
        turn = turns[prompt(order)]
        assert turn.head.state is TurnState.INTERRUPTED
        assert turn.answer
        assert "".join(tokens_of(Order(2_000, 10, "x"))).startswith(turn.answer)
