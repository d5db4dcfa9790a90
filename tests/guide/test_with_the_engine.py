"""The program's own adapters and engine on the agent: what a user sees of each scene, over each protocol."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from chatforge_tui.config.settings import EndpointSettings, Settings
from chatforge_tui.domain.digest import attachment, digest
from chatforge_tui.domain.part import FilePart, ReasoningPart, ToolPart, ToolState
from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.domain.turn import Prompt, Turn, TurnState
from chatforge_tui.endpoints.catalog import EndpointCatalog
from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.sample_markdown import SAMPLE_MARKDOWN
from chatforge_tui.guide.server import GuideAddress, GuideServer
from chatforge_tui.sessions.manager import SessionManager
from chatforge_tui.store.memory_store import MemoryStore
from tests.guide.material import REFERENCE

PROTOCOLS = ("a2a 1.0", "a2a 0.3", "openai-chat")


@pytest.fixture
def address() -> Iterator[GuideAddress]:
    with GuideServer(REFERENCE, pace=Pace(words_per_second=5000, step_s=0.01)) as address:
        yield address


class Conversation:
    """One session with the agent."""

    def __init__(self, manager: SessionManager, session_id: str) -> None:
        self.manager, self.session_id = manager, session_id

    async def ask_about(self, text: str, *files: tuple[str, str, bytes]) -> Turn:
        attached = [attachment(*file) for file in files]
        await self.manager.files.attach(self.session_id, attached, {digest(data): data for _, _, data in files})
        assert await self.manager.files.objection(self.session_id) == ""
        await self.manager.send(self.session_id, Prompt(text, attachments=tuple(attached)))
        turn = await self.manager.finished(self.session_id)
        assert turn is not None
        return turn

    async def ask(self, text: str, **form: str | bool | float) -> Turn:
        await self.manager.send(self.session_id, Prompt(text, form or None))
        turn = await self.manager.finished(self.session_id)
        assert turn is not None
        return turn


@asynccontextmanager
async def conversation(address: GuideAddress, protocol: str) -> AsyncIterator[Conversation]:
    headers = {"Authorization": f"Bearer {address.token.reveal()}"}
    known = {
        "a2a 1.0": EndpointSettings(protocol="a2a", url=address.url, headers=headers, proxy="direct"),
        "a2a 0.3": EndpointSettings(
            protocol="a2a", url=address.url, headers=headers, proxy="direct", a2a_version="0.3"
        ),
        "openai-chat": EndpointSettings(
            protocol="openai-chat", url=f"{address.url}/v1", headers=headers, proxy="direct", model="guide"
        ),
    }
    endpoints = EndpointCatalog(Settings(), known)
    async with SessionManager(store=MemoryStore(), endpoints=endpoints) as manager:
        head = await manager.create_session(EndpointRef(protocol))
        yield Conversation(manager, head.session_id)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_every_scene_reaches_the_user_as_what_it_is(address: GuideAddress, protocol: str) -> None:
    async with conversation(address, protocol) as talk:
        plan = await talk.ask("show me a plan")
        assert plan.head.state is TurnState.COMPLETE
        assert plan.head.protocol == protocol
        assert [version.done for version in plan.plans] == list(range(len(plan.plans)))

        tools = await talk.ask("use tools")
        calls = [part for part in tools.parts if isinstance(part, ToolPart)]
        assert len(calls) == 3
        if protocol != "openai-chat":  # which has no word for the result of a call
            assert [call.state for call in calls] == [ToolState.DONE, ToolState.DONE, ToolState.FAILED]

        thinks = await talk.ask("think about tabs")
        thoughts = [part.text for part in thinks.parts if isinstance(part, ReasoningPart)]
        assert "The words that count are tab." in "".join(thoughts)
        assert "The words that count" not in thinks.answer

        sends = await talk.ask("send a file")
        files = [part.name for part in sends.parts if isinstance(part, FilePart)]
        assert files == ["chatforge-keys.csv"] or (protocol == "openai-chat" and "session.new,Ctrl+N" in sends.answer)

        fails = await talk.ask("fail with no disk")
        assert fails.head.state is TurnState.FAILED
        assert fails.head.problem is not None
        assert "no disk" in fails.head.problem.message

        cut = await talk.ask("cut the line")  # a task is read on with; without one, what came is all there is
        assert cut.head.state is (TurnState.INTERRUPTED if protocol == "openai-chat" else TurnState.COMPLETE)
        assert (await talk.ask("echo  to the  byte \n")).answer == " to the  byte \n"
        assert (await talk.ask("long markdown")).answer == SAMPLE_MARKDOWN


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_question_is_answered_with_a_form_or_with_words(address: GuideAddress, protocol: str) -> None:
    async with conversation(address, protocol) as talk:
        asked = await talk.ask("ask me something")
        if protocol != "openai-chat":
            assert asked.head.state is TurnState.WAITING
            assert asked.question is not None
            assert asked.question.form is not None

        lines = "name: Ada\npart: exit codes\nentries: 1\ndetails: false"
        answered = await talk.ask(lines, name="Ada", part="exit codes", entries=1.0, details=False)

        assert answered.head.state is TurnState.COMPLETE
        assert "1 of 2 from the exit codes, for Ada" in answered.answer


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("how", ["stall", "stall silently"])
async def test_a_stall_is_stopped_by_its_user(address: GuideAddress, protocol: str, how: str) -> None:
    async with conversation(address, protocol) as talk:
        subscription = talk.manager.subscribe()
        await talk.manager.turns(talk.session_id, subscription)
        await talk.manager.send(talk.session_id, Prompt(how))
        while "up to you." not in (await talk.manager.turns(talk.session_id))[-1].answer:
            await subscription.batch()

        assert await talk.manager.abort(talk.session_id)

        turn = await talk.manager.finished(talk.session_id)
        assert turn is not None
        assert turn.head.state is TurnState.ABORTED
        assert turn.answer.endswith("up to you.")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_files_are_named_with_type_size_and_digest_and_a_text_with_its_first_lines(address, protocol):
    photo, notes = os.urandom(5_000_000), "".join(f"line {number}\n" for number in range(40)).encode()
    damaged = notes + b"\xff"
    async with conversation(address, protocol) as talk:
        turn = await talk.ask_about("", ("p.png", "image/png", photo))
        assert turn.head.state is TurnState.COMPLETE
        assert f"(image/png), 4.8 MiB, SHA-256 `{digest(photo)}`. It is no text." in turn.answer
        turn = await talk.ask_about("what is in it?", ("n``.bin", "application/x-notes", damaged))
        assert f"SHA-256 `{digest(damaged)}`. It is no text." in turn.answer
        assert "I am not a model" in turn.answer
        turn = await talk.ask_about("", ("notes.txt", "text/plain", notes))
        assert "- `notes.txt` (text/plain), 310 bytes" in turn.answer
        assert "Its 40 lines begin:\n\n```\nline 0\nline 1\n" in turn.answer
        assert "line 12" not in turn.answer
