"""Puts hostile cases on the stage: the real program in a pseudo terminal, the agents that it talks to, what it left.

A run is one start of the program with some tabs, each with prompts to send. The cases of a run do not meet: each has a
turn, or a tab, of its own.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import EndpointRef, SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.hostile.agent import HostileAgent, Scene
from tests.hostile.corpus import squashed
from tests.servers.raw_server import raw_server
from tests.terminal import PROGRAM, Terminal, terminal

SIZE = (100, 34)


@dataclass(frozen=True)
class Act:
    """One prompt and what to wait for."""

    case: str
    """Id of the scene; also what becomes of it in the results."""
    scene: Scene
    end: str = ""
    """A word that is drawn last; "" when nothing but the end of the turn can be waited for."""
    unfold: bool = False
    """What matters is folded away at first."""
    seconds: float = 20.0


_ELSEWHERE = "sends requests to another server"
_QUESTION = "Send to another server?"


@dataclass(frozen=True)
class Tab:
    """One session of a run."""

    endpoint: str
    acts: Sequence[Act] = ()
    title: str = "Tab"
    turns: Sequence[Turn] = ()


@dataclass
class Seen:
    """What the program did with one case."""

    screen: str
    raw: bytes
    seconds: float


@dataclass
class Run:
    """What a run left."""

    home: Path
    raw: bytes = b""
    """What was written between the first quiet screen and the key that ends the program."""
    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])
    code: int | None = None
    seconds: float = 0.0

    @property
    def database(self) -> Path:
        return self.home / "data" / "sessions.db"

    @property
    def log(self) -> str:
        return "".join(path.read_text("utf-8") for path in self.home.rglob("*.log"))

    async def turns(self) -> dict[str, Turn]:
        """Return the stored turns by the case in their prompt."""
        store = SqliteStore(self.database, read_only=True)
        await store.open()
        try:
            return {
                turn.head.prompt.text.removeprefix("case "): turn
                for head in await store.load_sessions()
                for turn in await store.load_turns(head.session_id)
            }
        finally:
            await store.close()


@dataclass
class Show:
    """A program on the stage, while it runs."""

    terminal: Terminal
    agent: HostileAgent
    run: Run
    has_screen: bool = True
    """The screen can be believed: no payload reached it."""
    _database: sqlite3.Connection | None = None

    def state(self, case: str) -> str:
        """Return the state of a case's turn as it is on disk, "" while it runs."""
        if self._database is None:
            if not self.run.database.exists():
                return ""
            self._database = sqlite3.connect(f"file:{self.run.database}?mode=ro", uri=True)
        found = self._database.execute("SELECT state FROM turn WHERE prompt = ?", (f"case {case}",)).fetchall()
        state = found[0][0] if found else ""
        return "" if state in {"queued", "connecting", "streaming"} else state

    async def perform(self, act: Act) -> None:
        """Send a case's prompt and wait until its answer is there."""
        self.agent.scenes[act.case] = act.scene
        begin, at = len(self.terminal.raw), time.monotonic()
        self.terminal.send(f"case {act.case}".encode())
        self.terminal.press("enter")
        await self.terminal.until(
            lambda: self.state(act.case), f"the end of {act.case}", seconds=act.seconds, every=0.02
        )
        if self.has_screen:
            await self.terminal.until(lambda: self._is_drawn(act), f"the drawing of {act.case}", seconds=act.seconds)
        await self.terminal.until_quiet(0.05 if self.has_screen else 0.2)
        spent = time.monotonic() - at
        if self.has_screen and _ELSEWHERE in self.terminal.text:  # the program asks whether it may: no, ask again
            await self.terminal.wait_for(_QUESTION)
            self.terminal.press("escape")
            await self.terminal.until(lambda: _QUESTION not in self.terminal.text, "the end of the question")
        if act.unfold:
            self.terminal.press("ctrl+o")
            await self.terminal.until_quiet()
        screen = self.terminal.text if self.has_screen else ""
        self.run.seen[act.case] = Seen(screen, bytes(self.terminal.raw[begin:]), spent)
        if act.unfold:
            self.terminal.press("ctrl+o")
            await self.terminal.until_quiet()

    def _is_drawn(self, act: Act) -> bool:
        """Tell whether a short turn that is over stands on the screen as such."""
        word = {"waiting": "waits for you"}.get(self.state(act.case), self.state(act.case))
        text = self.terminal.text
        is_over = word in text and "replaces the running answer" not in text and f"❯ case {act.case}" not in text
        return is_over and act.end in squashed(text)

    async def look(self, name: str, *keys: str, leave: Sequence[str] = ()) -> None:
        """Open something with keys, or let it come, keep what it shows, and press what leaves it."""
        begin = len(self.terminal.raw)
        self.terminal.press(*keys)
        await self._keep(name, begin)
        self.terminal.press(*leave)
        await self.terminal.until_quiet(0.2)

    async def look_into(self, name: str, key: str) -> None:
        """Open a dialog with a key, keep what it shows, and close it. Either is seen to happen, however busy the machine is."""
        begin = len(self.terminal.raw)
        self.terminal.press(key)
        await self.terminal.until(lambda: len(self.terminal.raw) > begin, f"{name} opens")
        await self._keep(name, begin)
        shown = len(self.terminal.raw)
        self.terminal.press("escape")
        await self.terminal.until(lambda: len(self.terminal.raw) > shown, f"{name} closes")
        await self.terminal.until_quiet(0.2)

    async def _keep(self, name: str, begin: int) -> None:
        await self.terminal.until_quiet(0.2)
        self.run.seen[name] = Seen(self.terminal.text, bytes(self.terminal.raw[begin:]), 0)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()


class Stage:
    """Runs the program on some tabs."""

    def __init__(
        self,
        home: Path,
        *,
        program: Sequence[str] = PROGRAM,
        environ: Mapping[str, str] | None = None,
        has_screen: bool = True,
    ) -> None:
        self.home = home
        self._has_screen = has_screen
        self._program = program
        self._environ = {"BROWSER": f"{home}/no-browser %s", **(environ or {})}

    async def run(
        self,
        tabs: Sequence[Tab],
        *,
        cards: Mapping[str, Mapping[str, object]] | None = None,
        config: str = "",
        then=None,
    ) -> Run:
        """Play every tab from left to right.

        Args:
            tabs: the sessions, open in this order; the first is in front at the start.
            cards: name -> what the card of the agent `card-NAME` says besides the ordinary.
            config: lines for the configuration.
            then: called with the show when every case was played.
        """
        begin = time.monotonic()
        run = Run(self.home)
        async with raw_server() as server:
            agent = HostileAgent(server, cards=dict(cards or {}))
            self._configure(agent, config)
            await self._fill(tabs)
            async with terminal(self._program, home=self.home, size=SIZE, environ=self._environ) as running:
                show = Show(running, agent, run, self._has_screen)
                with closing(show):
                    await running.wait_for("Enter send")
                    await running.until_quiet()
                    steady = len(running.raw)
                    await self._play(show, tabs)
                    if then is not None:
                        await then(show)
                run.raw = bytes(running.raw[steady:])
                running.press("ctrl+q")
                run.code = await running.until_ended()
        run.seconds = time.monotonic() - begin
        return run

    async def _play(self, show: Show, tabs: Sequence[Tab]) -> None:
        for index, tab in enumerate(tabs):
            if index:
                show.terminal.press("ctrl+pagedown")
                await show.terminal.until_quiet()
                show.run.seen[f"tab {index}"] = Seen(show.terminal.text if show.has_screen else "", b"", 0)
            for act in tab.acts:
                await show.perform(act)

    def _configure(self, agent: HostileAgent, extra: str) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        cards = "".join(
            f'[endpoints.card-{name}]\nprotocol = "a2a"\nurl = "{agent.card_url(name)}"\n' for name in agent.cards
        )
        (self.home / "config.toml").write_text(
            f'default_endpoint = "chat"\n'
            f'[endpoints.chat]\nprotocol = "openai-chat"\nurl = "{agent.chat_url}"\nmodel = "m"\n'
            f'[endpoints.agent]\nprotocol = "a2a"\nurl = "{agent.a2a_url}"\n'
            f"{cards}{extra.replace('CHAT_URL', agent.chat_url)}",
            "utf-8",
        )

    async def _fill(self, tabs: Sequence[Tab]) -> None:
        store = SqliteStore(self.home / "data" / "sessions.db")
        await store.open()
        for index, tab in enumerate(tabs):
            head = SessionHead(
                SessionId(f"01a00000-0000-7000-8000-{index:012}"),
                EndpointRef(tab.endpoint),
                tab.title,
                title_is_manual=True,
                position=index,
                is_open=True,
                is_active=index == 0,
                turns=len(tab.turns),
                created=1_700_000_000.0 + index,
                updated=1_700_000_000.0 + index,
            )
            await store.create_session(head)
            for turn in tab.turns:
                await store.begin_turn(turn.head, head)
                await store.end_turn(turn, head)
        await store.close()


def visible(run: Run, case: str) -> str:
    """Return what the screen showed of a case, without blanks; what stood in the plan's column last."""
    lines = run.seen[case].screen.split("\n")
    border = lines[1].find("┬")
    if border < 0:
        return squashed("".join(lines))
    return squashed("".join([*(line[:border] for line in lines), *(line[border + 1 :] for line in lines)]))


__all__ = ["Act", "Run", "Seen", "Show", "Stage", "Tab", "visible"]
