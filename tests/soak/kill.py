"""The whole program killed at random moments while many sessions stream, again and again; then what is left is judged.

    python -m tests.soak.kill [--runs 200] [--sessions 20] [--seed 1] [--first 0]

Each run types its prompts into the real program in a pseudo terminal, kills it with SIGKILL (half of the runs a second
time, while it re-attaches), starts it once more and waits until every answer is complete. Judged against the servers'
own logs (a2a-sdk 0.3.26 and 1.3.0 in turn):

    prompts lost    prompts that a server received and the store does not have, or has in another order
    re-sent         requests that a server received more than once, and tasks it was told to stop
    doubled, wrong  answers on disk that are no prefix of what the server sent, or not its whole answer at the end
    late            milliseconds between the server's write of the last text found on disk, and the kill
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from chatforge_tui.config.locations import Locations
from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.servers.a2a_process import A2aServer, run_a2a_server
from tests.servers.a2a_scenes import answer
from tests.terminal import Terminal, terminal

KINDS = ("0.3", "1.0")
LATE_MOST_MS = 250.0
"""What the durability contract allows, from the moment at which text was received."""
WINDOW_S = 1.5
"""How long before a kill the server's log is watched."""
LOOK_S = 0.025
_EMPTY = "A new session with"
"""What the screen says while the session in front has no turn."""
RATE = 30
"""Tokens a second of each answer."""
TYPING_S = 1.0
"""Seconds that a person of this program takes for a prompt: every answer outlasts the typing of all the others."""


@dataclass
class Verdict:
    """What all runs came to."""

    runs: int = 0
    kills: int = 0
    turns: int = 0
    faults: list[str] = field(default_factory=list[str])
    late_ms: list[float] = field(default_factory=list[float])
    """For each kill, of the session that was furthest behind."""

    def __str__(self) -> str:
        late = sorted(self.late_ms)
        middle, most = (late[len(late) // 2], late[-1]) if late else (0.0, 0.0)
        lines = [
            f"{self.runs} runs, {self.kills} kills, {self.turns} answers, {len(self.faults)} faults",
            f"text on disk behind the server's write at the kill: median {middle:.0f} ms, most {most:.0f} ms",
            *self.faults,
        ]
        return "\n".join(lines)


class Tail:
    """A server's log, read on as it grows."""

    def __init__(self, server: A2aServer) -> None:
        self._server = server
        self._offset = 0
        self._prompts: dict[str, str] = {}
        """Task → prompt."""
        self.sent: dict[str, str] = {}
        """Prompt → text that the server has written so far."""

    def read(self) -> dict[str, str]:
        """Read on, and return prompt → text."""
        with self._server.log_file.open("rb") as log:
            log.seek(self._offset)
            data = log.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for entry in map(json.loads, whole.splitlines()):
            if entry["event"] == "request":
                self._prompts[entry["task"]] = entry["text"]
            elif entry["event"] == "chunk":
                prompt = self._prompts[entry["task"]]
                self.sent[prompt] = self.sent.get(prompt, "") + entry["text"]
        return dict(self.sent)


@dataclass
class Run:
    """One home, one server, some sessions."""

    home: Path
    server: A2aServer
    prompts: list[str]
    verdict: Verdict
    rng: random.Random
    whole: str
    """What each answer is in the end."""

    def __post_init__(self) -> None:
        self.tail = Tail(self.server)

    async def play(self) -> None:
        """Type, kill, look, start again, wait, judge."""
        self._configure()
        async with terminal(home=self.home) as screen:
            await self._type(screen)
            await self._kill(screen)
        if self.rng.random() < 0.5:
            async with terminal(home=self.home) as screen:
                await screen.wait_for("Enter send")
                await self._kill(screen, is_measured=False)
        async with terminal(home=self.home) as screen:
            await screen.wait_for("Enter send")
            await self._until_complete()
        await self._judge_end()
        self.verdict.runs += 1

    def _configure(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        config = f'default_endpoint = "agent"\n[endpoints.agent]\nprotocol = "a2a"\nurl = "{self.server.url}"\n'
        self._locations.config_file.write_text(config, encoding="utf-8")

    @property
    def _locations(self) -> Locations:
        return Locations.find(self.home, {})

    async def _type(self, screen: Terminal) -> None:
        """Send each prompt in a session of its own, and wait until the server has them all."""
        for number, prompt in enumerate(self.prompts):
            if number:
                screen.press("ctrl+n")
            await screen.wait_for(_EMPTY)
            screen.send(prompt.encode())
            await screen.wait_for(prompt)
            screen.press("enter")
            await screen.until(lambda: _EMPTY not in screen.text, "the transcript")
            await screen.until(lambda prompt=prompt: prompt in self.tail.read(), f"the answer to {prompt}")

    async def _kill(self, screen: Terminal, *, is_measured: bool = True) -> None:
        """Kill the program at a random moment, and judge what is on disk then."""
        await asyncio.sleep(self.rng.uniform(0.0, 1.0))
        seen: list[tuple[float, dict[str, str]]] = []
        end = time.monotonic() + self.rng.uniform(WINDOW_S / 2, WINDOW_S)
        while time.monotonic() < end:
            seen.append((time.monotonic(), self.tail.read()))
            await asyncio.sleep(LOOK_S)
        screen.kill()
        killed = time.monotonic()
        await screen.until_ended()
        self.verdict.kills += 1
        turns = await self._stored()
        if [turn.head.prompt.text for turn in turns] != self.prompts:
            self._fault("prompts lost or in another order")
        for turn in turns:
            if not self.whole.startswith(turn.answer):
                self._fault(f"text on disk is no prefix of what was sent: {turn.answer[-80:]!r}")
            if turn.head.state not in {TurnState.INTERRUPTED, TurnState.COMPLETE}:
                self._fault(f"a dead program's turn is {turn.head.state}")
        if is_measured:  # else some sessions are not connected again yet
            self.verdict.late_ms.append(_late_ms(seen, killed, {t.head.prompt.text: t.answer for t in turns}))

    async def _stored(self) -> list[Turn]:
        """Return the turn of each session, in the order of the tabs."""
        store = SqliteStore(self._locations.data_dir / "sessions.db", read_only=True)
        await store.open()
        try:
            heads = [head for head in await store.load_sessions() if head.turns]
            return [turn for head in heads for turn in await store.load_turns(head.session_id)]
        finally:
            await store.close()

    async def _until_complete(self) -> None:
        end = time.monotonic() + 120.0
        while any(turn.head.state is not TurnState.COMPLETE for turn in await self._stored()):
            if time.monotonic() > end:
                return
            await asyncio.sleep(0.25)

    async def _judge_end(self) -> None:
        turns = await self._stored()
        if [turn.head.prompt.text for turn in turns] != self.prompts:
            self._fault("prompts lost or in another order at the end")
        for turn in turns:
            self.verdict.turns += 1
            if turn.head.state is not TurnState.COMPLETE:
                self._fault(f"{turn.head.prompt.text}: {turn.head.state}, {turn.head.problem}")
            elif turn.answer != self.server.answer(turn.head.task_id or ""):
                self._fault(f"{turn.head.prompt.text}: not the server's text")
            if len(self.server.log("request", message_id=turn.head.turn_id)) != 1:
                self._fault(f"{turn.head.prompt.text}: sent again")
            if self.server.log("cancel", task=turn.head.task_id):
                self._fault(f"{turn.head.prompt.text}: the agent was told to stop")
        if sum(entry["text"] in self.prompts for entry in self.server.log("request")) != len(self.prompts):
            self._fault("a prompt was sent again")

    def _fault(self, what: str) -> None:
        self.verdict.faults.append(f"{self.home.name}: {what}")
        sys.stderr.write(f"{self.verdict.faults[-1]}\n")


def _late_ms(seen: list[tuple[float, dict[str, str]]], killed: float, stored: dict[str, str]) -> float:
    """Return how long before the kill the server had written no more than is on disk, of the worst session."""
    worst = 0.0
    for prompt, text in stored.items():
        covered = [when for when, sent in seen if len(sent[prompt]) <= len(text)]
        worst = max(worst, (killed - max(covered, default=seen[0][0])) * 1_000)
    return worst


async def soak(directory: Path, *, runs: int, sessions: int, seed: int, first: int = 0) -> Verdict:
    """Play the runs from the `first` on, each with the next server, and return what they came to."""
    verdict, tokens = Verdict(), int(RATE * (3 + sessions * TYPING_S))
    for number in range(first, first + runs):
        kind = KINDS[number % len(KINDS)]
        home = directory / f"run-{number}-{kind}"
        prompts = [f"stream {tokens} tokens at {RATE}/s ({number}-{session})" for session in range(sessions)]
        with run_a2a_server(kind, directory / f"server-{number}.jsonl") as server:
            await Run(home, server, prompts, verdict, random.Random(f"{seed}-{number}"), answer(tokens)).play()
        sys.stderr.write(f"run {number}: {verdict.late_ms[-1]:.0f} ms behind, {len(verdict.faults)} faults so far\n")
    return verdict


def main() -> None:
    """Run from the command line; exit with 1 when anything was lost, doubled or sent again."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.kill")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first run: its dice are its own")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        verdict = asyncio.run(
            soak(Path(directory), runs=options.runs, sessions=options.sessions, seed=options.seed, first=options.first)
        )
    sys.stdout.write(f"\n{verdict}\n")
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
