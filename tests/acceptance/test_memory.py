"""What a session costs in memory with everything that belongs to it: the store on disk, the HTTP connection, the worker."""

import gc
import subprocess
import sys
import tracemalloc

import pytest

from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.sessions.event_bus import ALL
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.cli.program import ROOT
from tests.servers.a2a_scenes import answer

COUNT = 50
TOKENS = 20


@pytest.fixture
def url():
    """An OpenAI-compatible server in a process of its own, whose memory is not counted."""
    command = [sys.executable, "-m", "tests.servers.openai_server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def used() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def stream(manager: SessionManager, sessions: list[str]) -> None:
    """Let all of them stream, until each has all its tokens and stands still."""
    subscription = manager.subscribe()
    subscription.focus(ALL)
    for number, session_id in enumerate(sessions):
        await manager.send(session_id, Prompt(f"send {TOKENS} tokens, {number}, and hold"))
    while any(
        (live := manager._workers.live_turn(session_id)) is None or live.answer != answer(TOKENS)
        for session_id in sessions
    ):
        await subscription.batch()
    subscription.close()


async def test_what_a_session_costs_with_its_store_and_its_connection(url, tmp_path, capsys):
    settings = Settings(endpoints={"local": EndpointSettings(protocol="openai-chat", url=url, model="m")})
    manager = SessionManager(store=SqliteStore(tmp_path / "sessions.db"), endpoints=EndpointCatalog(settings, {}))

    async def create() -> str:
        return (await manager.create_session(EndpointRef("local"), title="t", activate=False)).session_id

    tracemalloc.start()
    try:
        async with manager:
            await stream(manager, [await create()])  # what is loaded once is loaded now
            before = used()
            sessions = [await create() for _ in range(COUNT)]
            idle = used()
            await stream(manager, sessions)
            streaming = used()
    finally:
        tracemalloc.stop()

    each_idle, each_streaming = (idle - before) / COUNT, (streaming - idle) / COUNT
    with capsys.disabled():
        print(f"\nmemory per session: idle {each_idle:.0f} bytes, streaming {each_streaming:.0f} bytes more")
    assert each_idle < 450
    assert each_streaming < 40_000
