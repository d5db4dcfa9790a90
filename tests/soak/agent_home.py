"""A home of the real program with one A2A agent: configured, typed into, read. What the runs that kill it have in common."""

from collections.abc import Callable, Sequence
from pathlib import Path

from chatforge_tui.config.locations import Locations
from chatforge_tui.domain.turn import Turn
from chatforge_tui.store.sqlite_store import SqliteStore
from tests.terminal import Terminal


class AgentHome:
    """The home of some lives of the program."""

    def __init__(self, home: Path, url: str) -> None:
        """Make it, with the agent at this URL as the endpoint of new sessions."""
        home.mkdir(parents=True, exist_ok=True)
        locations = Locations.find(home, {})
        config = f'default_endpoint = "agent"\n[endpoints.agent]\nprotocol = "a2a"\nurl = "{url}"\n'
        locations.config_file.write_text(config, encoding="utf-8")
        self.store_file = locations.data_dir / "sessions.db"

    async def turns(self) -> list[Turn]:
        """Return all turns, in the order of the tabs."""
        store = SqliteStore(self.store_file, read_only=True)
        await store.open()
        try:
            heads = [head for head in await store.load_sessions() if head.turns]
            return [turn for head in heads for turn in await store.load_turns(head.session_id)]
        finally:
            await store.close()


async def type_prompts(screen: Terminal, prompts: Sequence[str], is_sent: Callable[[str], object]) -> None:
    """Send each prompt in a session of its own; what is typed behind Ctrl+N is for the new session.

    Args:
        screen: of the program, which may still be starting.
        prompts: one line each.
        is_sent: whether the next may follow; may raise to end it.
    """
    await screen.wait_for("Enter send")
    for number, prompt in enumerate(prompts):
        if number:
            screen.press("ctrl+n")
        screen.send(prompt.encode())
        screen.press("enter")
        await screen.until(lambda prompt=prompt: is_sent(prompt), f"the request of {prompt}")
