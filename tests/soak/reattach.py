"""The program killed after a random number of its agents' bytes, and started again: it reads on, to the byte.

    python -m tests.soak reattach [--runs 100] [--sessions 5] [--seed 1] [--first 0] [--results DIRECTORY]

Each run types prompts into the real program in a pseudo terminal, which reaches a real A2A server (a2a-sdk 0.3.26 and
1.3.0 in turn) through a proxy that counts. After a random number of bytes, from the first one of the agent's card on,
nothing passes any more, and up to 20 ms later the program is killed with SIGKILL; half of the runs are killed a second
time, while they read on. Then it is started once more and left alone. Judged against the server's own log:

    wrong text    answers that are not the server's, to the byte
    lost          prompts that the server has and the store has not, text without the task it came from, turns whose
                  task is known and that did not come to their end
    re-sent       requests that the server received more than once, and tasks that it was told to stop
    never bound   the kill came before the agent's first word: the task's name never reached the program, so nothing can
                  be read on with, and nothing is sent again without the user. No fault; counted
"""

import argparse
import asyncio
import itertools
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chatforge_tui.domain.turn import Turn, TurnState
from tests.servers.a2a_process import SDK_VERSIONS, A2aServer, run_a2a_server
from tests.servers.counting_proxy import CountingProxy, counting_proxy
from tests.soak.agent_home import AgentHome, type_prompts
from tests.soak.results import Results, Tally
from tests.terminal import terminal

KINDS = ("0.3", "1.0")
BYTES_OF_A_TOKEN = 250
"""Less than what an event of the agent takes on the wire: most kills come before the end."""
LIMIT_S = 60.0


@dataclass
class Verdict(Tally):
    """What all runs came to."""

    runs: int = 0
    """Those in which the program was killed at least once; the others are judged, too."""
    kills: int = 0
    answers: int = 0
    characters: int = 0
    read_on: int = 0
    """Answers that a later life of the program brought to their end."""
    never_bound: int = 0

    def summary(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "runs": self.runs,
            "kills": self.kills,
            "answers the server's to the byte": self.answers,
            "of these read on with after a kill": self.read_on,
            "characters": self.characters,
            "never bound": self.never_bound,
            "faults": len(self.faults),
        }


class Killed(Exception):
    """The program is no more; what was being typed is not typed any further."""


@dataclass
class Run:
    """One home, and prompts of its own."""

    home: Path
    server: A2aServer
    proxy: CountingProxy
    sessions: int
    verdict: Verdict
    rng: random.Random

    def __post_init__(self) -> None:
        self._agent_home = AgentHome(self.home, self.proxy.url)
        self._tokens = [self.rng.randrange(30, 120) for _ in range(self.sessions)]
        self.prompts = [
            f"stream {tokens} tokens at {self.rng.randrange(30, 120)}/s {self.rng.choice(('', 'with a final '))}{self.home.name}-{n}"
            for n, tokens in enumerate(self._tokens)
        ]

    async def play(self) -> None:
        """Type, kill, start again, wait, judge."""
        most = BYTES_OF_A_TOKEN * sum(self._tokens)
        kills = [await self._live(self.rng.randrange(1, most), types=True)]
        early = {turn.head.turn_id: turn for turn in await self._agent_home.turns()}
        if self.rng.random() < 0.5:
            kills.append(await self._live(self.rng.randrange(1, most // 2), types=False))
        self.proxy.arm(None)
        async with terminal(home=self.home) as screen:
            await screen.wait_for("Enter send")
            await self._until_over()
        self.verdict.kills += sum(kills)
        self.verdict.runs += any(kills)
        await self._judge(early)

    async def _live(self, after: int, *, types: bool) -> bool:
        """Let the program live until so many bytes came; return whether that killed it, before all was over."""
        async with terminal(home=self.home) as screen:
            alarm = asyncio.Event()
            self.proxy.arm(after, alarm.set)
            try:
                if types:
                    await type_prompts(screen, self.prompts, lambda prompt: self._has(prompt, alarm))
                await self._until_over(alarm)
            except Killed:
                await asyncio.sleep(self.rng.uniform(0.0, 0.02))
                screen.kill()
                await screen.until_ended()
                return True
            screen.kill()
            await screen.until_ended()
            return False

    def _has(self, prompt: str, alarm: asyncio.Event) -> bool:
        """Whether the server received a prompt.

        Raises:
            Killed: the alarm went off meanwhile.
        """
        if alarm.is_set():
            raise Killed
        return bool(self.server.log("request", text=prompt))

    async def _until_over(self, alarm: asyncio.Event | None = None) -> None:
        """Wait until every turn that can come to its end has; give up waiting when nothing helps.

        Raises:
            Killed: the alarm went off meanwhile.
        """
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            if alarm is not None and alarm.is_set():
                raise Killed
            if all(_is_over(turn) for turn in await self._agent_home.turns()):
                return
            await asyncio.sleep(0.1)

    async def _judge(self, early: dict[Any, Turn]) -> None:
        turns = {turn.head.turn_id: turn for turn in await self._agent_home.turns()}
        received = [entry for entry in self.server.log("request") if entry["text"] in self.prompts]
        for entry in received:
            if entry["message_id"] not in turns:
                self._fault(f"the store does not have {entry['text']}")
        for turn_id, turn in turns.items():
            sent = sum(entry["message_id"] == turn_id for entry in received)
            task_id = turn.head.task_id
            if sent > 1:
                self._fault(f"{turn.head.prompt.text}: sent {sent} times")
            if task_id is None:
                self.verdict.never_bound += 1
                if turn.answer:
                    self._fault(f"{turn.head.prompt.text}: text without its task")
                continue
            if turn.head.state is not TurnState.COMPLETE:
                self._fault(f"{turn.head.prompt.text}: {turn.head.state}, {turn.head.problem}")
            elif turn.answer != self.server.answer(task_id):
                self._fault(f"{turn.head.prompt.text}: not the server's text: {turn.answer[-60:]!r}")
            if self.server.log("cancel", task=task_id):
                self._fault(f"{turn.head.prompt.text}: the agent was told to stop")
            self.verdict.answers += 1
            self.verdict.characters += len(turn.answer)
            self.verdict.read_on += turn_id in early and early[turn_id].head.state is not TurnState.COMPLETE

    def _fault(self, what: str) -> None:
        self.verdict.note_fault(self.home.name, what)


def _is_over(turn: Turn) -> bool:
    """Whether nothing more is to come of a turn."""
    return turn.head.state is TurnState.COMPLETE or (turn.head.state is TurnState.INTERRUPTED and not turn.head.task_id)


async def soak(
    directory: Path, *, runs: int, sessions: int, seed: int, first: int = 0, results: Results | None = None
) -> Verdict:
    """Play the runs, each against the next server, and return what they came to."""
    verdict, results = Verdict(), results or Results(None)
    for number in itertools.count(first):
        if verdict.runs == runs:
            break
        kind = KINDS[number % len(KINDS)]
        with run_a2a_server(kind, directory / f"server-{number}.jsonl") as server:
            async with counting_proxy(urlsplit(server.url).port or 0) as proxy:
                rng, home = random.Random(f"{seed}-{number}"), directory / f"run-{number}-{kind}"
                before = verdict.summary()
                await Run(home, server, proxy, sessions, verdict, rng).play()
        change = {name: value - before[name] for name, value in verdict.summary().items() if name != "runs"}
        results.add(sdk=SDK_VERSIONS[kind], number=number, **change)
    results.end(verdict.summary(), verdict.faults)
    return verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--sessions", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first run: its dice are its own")


def run(options: argparse.Namespace) -> int:
    """Run from the command line; return 1 when a text is not the server's, or anything else went wrong."""
    with tempfile.TemporaryDirectory() as directory:
        verdict = asyncio.run(
            soak(
                Path(directory),
                runs=options.runs,
                sessions=options.sessions,
                seed=options.seed,
                first=options.first,
                results=Results(options.results, "reattach"),
            )
        )
    print(verdict)
    return int(bool(verdict.faults))
