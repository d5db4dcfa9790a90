"""Five sessions at once over two protocols, in a real terminal, and the program killed: nothing is lost, nothing mixed.

What `chatforge show --json` says afterwards is compared with what the servers themselves say they sent.
"""

import asyncio
import re
import tempfile
from pathlib import Path

import pytest

from tests.cli.program import Program as CommandLine
from tests.servers.a2a_process import run_a2a_server
from tests.servers.openai_server import openai_server
from tests.terminal import terminal

pytestmark = pytest.mark.timeout(300)  # the first run makes the server's environment


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    with run_a2a_server("1.0", tmp_path_factory.mktemp("a2a") / "server.log") as running:
        yield running


@pytest.fixture
def short_place():
    """A directory whose name fits on one line of the prompt, wherever the tests keep theirs."""
    with tempfile.TemporaryDirectory(prefix="go") as name:
        yield Path(name)


class User:
    """Works in the terminal, and looks into the store from beside."""

    def __init__(self, screen, command_line: CommandLine) -> None:
        self.screen, self.command_line = screen, command_line

    async def ask(self, prompt: str) -> None:
        self.screen.send(prompt.encode())
        await self.screen.wait_for(prompt)
        self.screen.press("enter")
        await self.screen.until(lambda: any(state in self.screen.text for state in ("streaming", "complete")))

    async def open(self, *, on: str) -> None:
        """Open a session on an endpoint, with the dialog."""
        self.screen.press("alt+n")
        await self.screen.wait_for("New session")
        self.screen.send(on.encode())
        await self.screen.until(lambda: f"{on}  " in self.screen.text)
        self.screen.press("enter")
        await self.screen.until(lambda: "A new session with" in self.screen.text and "Up, Down" not in self.screen.text)

    async def go_to(self, number: int, prompt: str) -> None:
        """Go to a tab; the one in front is the one with a cross."""
        self.screen.press(f"alt+{number}")
        await self.screen.until(lambda: re.search(re.escape(prompt[:4]) + "[^×●○]*×", self.screen.lines[0]))

    async def shown(self) -> dict[str, dict]:
        """Return the last turn of every session that is not in the trash, by its prompt."""
        turns = {}
        for line in (await self.command_line.run_beside("sessions", "--json")).json:
            transcript = (await self.command_line.run_beside("show", line["id"], "--json")).json
            turns |= {turn["prompt"]: {**turn, **transcript["session"]} for turn in transcript["turns"]}
        return turns

    async def until_shown(self, condition) -> dict[str, dict]:
        async with asyncio.timeout(20):
            while not condition(turns := await self.shown()):
                pass
        return turns


async def test_five_sessions_over_two_protocols_survive_a_kill_and_equal_the_servers_own_logs(
    agents, tmp_path, short_place
):
    command_line = CommandLine(tmp_path / "home")
    go = short_place / "go"
    aborted, finished, killed = "slow", f"plan all, stream until {go}", "stream 5000 tokens at 40/s"
    deleted, closed, held = "stream 9000 tokens", f"stream until {go}", "send 60 tokens and hold"
    async with openai_server() as model:
        command_line.configure(
            f'default_endpoint = "agents"\n[endpoints.agents]\nprotocol = "a2a"\nurl = "{agents.url}"\n'
            f'[endpoints.model]\nprotocol = "openai-chat"\nurl = "{model.url}"\nmodel = "m"\n'
        )
        async with terminal(home=command_line.home) as screen:
            user = User(screen, command_line)
            await screen.wait_for("A new session with agents")
            await user.ask(finished)
            await user.open(on="agents")
            await user.ask(aborted)
            await user.open(on="model")
            await user.ask(deleted)
            await user.open(on="model")
            await user.ask(closed)
            await user.open(on="agents")
            await user.ask(killed)
            for number, prompt in enumerate((finished, aborted, deleted, closed, killed), 1):
                await user.go_to(number, prompt)
                await screen.wait_for(" streaming ")

            await user.go_to(2, aborted)
            screen.press("escape")
            await screen.wait_for("stopped")
            agents.wait_for("cancel")

            await user.go_to(3, deleted)
            screen.press("alt+d")
            await screen.wait_for("Deleted")
            await screen.until(lambda: deleted in model.hung_up)
            screen.press("alt+u")
            await screen.wait_for("stopped")

            await user.go_to(4, closed)
            screen.press("alt+w")
            go.touch()
            await user.until_shown(lambda turns: turns[closed]["state"] == turns[finished]["state"] == "complete")
            await user.open(on="model")
            await user.ask(held)
            before = await user.until_shown(lambda turns: turns[held]["answer"] == model.sent[held] != "")
            assert before[killed]["state"] == before[held]["state"] == "streaming"
            screen.kill()
            await screen.until_ended()

        turns = await user.shown()
        assert turns[finished]["answer"] == agents.answer(turns[finished]["task_id"]) != ""
        assert turns[closed]["answer"] == model.sent[closed] != ""
        assert turns[held]["answer"] == model.sent[held] != ""
        for prompt, sent in (
            (aborted, agents.chunks(turns[aborted]["task_id"])),
            (deleted, model.sent[deleted]),
            (killed, agents.chunks(turns[killed]["task_id"])),
        ):
            assert turns[prompt]["answer"] != ""
            assert sent.startswith(turns[prompt]["answer"])
        assert turns[killed]["answer"].startswith(before[killed]["answer"])
        assert {prompt: turn["state"] for prompt, turn in turns.items()} == {
            finished: "complete",
            aborted: "aborted",
            deleted: "aborted",
            closed: "complete",
            killed: "interrupted",
            held: "interrupted",
        }
        assert [prompt for prompt in turns if not turns[prompt]["open"]] == [closed]

        async with terminal(home=command_line.home) as screen:
            user = User(screen, command_line)
            await screen.until(lambda: re.search("send 60[^×●○]*×", screen.lines[0]))  # its tab is in front again
            await screen.wait_for("ChatForge ended before the answer did.")
            after = await user.shown()
            for prompt in (finished, aborted, deleted, closed, held):
                assert after[prompt]["answer"] == turns[prompt]["answer"]
            assert after[killed]["answer"].startswith(turns[killed]["answer"])
            assert agents.chunks(turns[killed]["task_id"]).startswith(after[killed]["answer"])
            assert [prompt for prompt in after if not after[prompt]["open"]] == [closed]
