"""Re-attaching to the official servers (a2a-sdk 0.3.26 and 1.3.0) over a network that breaks at random bytes."""

import random
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.ids import TaskId
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt, Turn, TurnState
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.sessions import ALL, EngineSettings, SessionManager
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.servers.a2a_process import A2aServer, run_a2a_server
from tests.servers.cutting_proxy import CuttingProxy, cutting_proxy

# the environments of the two SDKs are made at first use
pytestmark = pytest.mark.timeout(300)

QUICK = EngineSettings(rejoin_pauses_s=(0.02, 0.05, 0.1, 0.2, 0.5), takes_up=True)
KINDS = ["0.3", "1.0", "compat"]


@pytest.fixture(scope="module", params=KINDS)
def server(request, tmp_path_factory):
    with run_a2a_server(request.param, tmp_path_factory.mktemp("a2a") / "server.jsonl") as running:
        yield running


@pytest.fixture
async def proxy(server):
    async with cutting_proxy() as running:
        running.target_port = urlsplit(server.url).port or 0
        yield running


@asynccontextmanager
async def program(path, proxy: CuttingProxy):
    """Run the engine on the store at this path, with the agent behind the proxy."""
    settings = Settings(endpoints={"agent": EndpointSettings(protocol="a2a", url=proxy.url)})
    async with SessionManager(store=SqliteStore(path), endpoints=EndpointCatalog(settings), settings=QUICK) as manager:
        yield manager


async def ask(manager: SessionManager, text: str):
    session = await manager.create_session(EndpointRef("agent"))
    await manager.send(session.session_id, Prompt(text))
    return session.session_id


def check(server: A2aServer, turn: Turn) -> None:
    """Hold a turn against what the server says it sent."""
    task_id = turn.head.task_id
    assert task_id is not None
    assert turn.head.state is TurnState.COMPLETE, turn.head.problem
    assert turn.answer == server.answer(task_id)
    assert len(server.log("request", message_id=turn.head.turn_id)) == 1
    assert server.log("cancel", task=task_id) == []


@pytest.mark.parametrize("prompt", ["stream 150 tokens at 300/s", "stream 100 tokens at 300/s with a final"])
async def test_an_answer_over_a_network_that_breaks_is_the_servers_to_the_byte(tmp_path, server, proxy, prompt):
    rng = random.Random(prompt)
    # the first connection brings the card, and then the stream
    proxy.cuts = iter([rng.randrange(8_000, 30_000), *(rng.randrange(1, 12_000) for _ in range(3))])
    async with program(tmp_path / "store.db", proxy) as manager:
        session = await ask(manager, prompt)
        turn = await manager.finished(session)
        assert turn is not None
        check(server, turn)
        assert list(await manager.turns(session)) == [turn]
    assert proxy.broken >= 1


async def test_many_sessions_at_once_lose_and_double_nothing(tmp_path, server, proxy):
    rng = random.Random(1)
    async with program(tmp_path / "store.db", proxy) as manager:
        sessions = [await ask(manager, f"stream {60 + n} tokens at 100/s") for n in range(8)]
        while not all([(await manager.turns(session))[-1].head.task_id for session in sessions]):
            await wait_for_text(manager, sessions, 1)
        for _ in range(3):
            await wait_for_text(manager, sessions, rng.randrange(20, 120))
            proxy.cut()
        for session in sessions:
            turn = await manager.finished(session)
            assert turn is not None
            check(server, turn)


async def wait_for_text(manager: SessionManager, sessions, length: int) -> None:
    """Wait until more text has come, or everything has."""
    watcher = manager.subscribe()
    watcher.focus(ALL)
    try:
        before = [len((await manager.turns(session))[-1].answer) for session in sessions]
        while True:
            turns = [(await manager.turns(session))[-1] for session in sessions]
            news = sum(len(turn.answer) for turn in turns) - sum(before)
            if news >= length or not any(turn.head.state.is_live for turn in turns):
                return
            await watcher.wait()
            watcher.drain()
    finally:
        watcher.close()


async def test_a_question_asked_while_nobody_was_there_is_asked_and_answered(tmp_path, server, proxy):
    async with program(tmp_path / "store.db", proxy) as manager:
        proxy.cuts = iter([9_000])
        session = await ask(manager, "form")
        turn = await manager.finished(session)
        assert turn is not None
        assert turn.head.state is TurnState.WAITING
        assert turn.question is not None
        assert turn.question.form is not None
        proxy.cut()
        await manager.send(session, Prompt("…", {"repo": "b"}))
        answered = await manager.finished(session)
        assert answered is not None
        assert answered.answer.startswith("Thank you: ")
        assert answered.head.state is TurnState.COMPLETE


@pytest.mark.parametrize("pause_s", [0.0, 1.0], ids=["running", "finished"])
async def test_what_a_program_left_is_filled_in_by_the_next_one(tmp_path, server, proxy, pause_s):
    path = tmp_path / "store.db"
    async with program(path, proxy) as manager:
        session = await ask(manager, "stream 100 tokens at 100/s")
        await wait_for_text(manager, [session], 200)
    left = await read(path, session)
    assert left.head.state is TurnState.INTERRUPTED
    if pause_s:
        server.wait_for("end", task=left.head.task_id)
    async with program(path, proxy) as manager:
        watcher = manager.subscribe()
        while (turn := await manager.finished(session)) and turn.head.state is TurnState.INTERRUPTED:
            await watcher.wait()
            watcher.drain()
        assert turn is not None
        check(server, turn)
        assert turn.answer.startswith(left.answer)
    assert await read(path, session) == turn


async def read(path, session) -> Turn:
    store = SqliteStore(path, read_only=True)
    await store.open()
    try:
        return (await store.load_turns(session))[-1]
    finally:
        await store.close()


async def test_a_task_that_the_server_forgot_is_said_to_be_forgotten(tmp_path, server, proxy):
    path = tmp_path / "store.db"
    async with program(path, proxy) as manager:
        session = await ask(manager, "slow")
        await wait_for_text(manager, [session], 20)
        task = (await manager.turns(session))[-1].head.task_id
        assert task is not None
    with run_a2a_server("1.0", tmp_path / "another.jsonl") as another:
        proxy.target_port = urlsplit(another.url).port or 0
        async with program(path, proxy) as manager:
            watcher = manager.subscribe()
            while (turn := await manager.finished(session)) and turn.head.problem.kind == "shutdown":
                await watcher.wait()
                watcher.drain()
            assert turn is not None
            assert (turn.head.state, turn.head.problem.kind) == (TurnState.INTERRUPTED, "forgotten")
            assert "no longer knows this task" in turn.head.problem.message
            assert turn.answer.startswith("tick 0\n")
            assert TaskId(task) == turn.head.task_id
