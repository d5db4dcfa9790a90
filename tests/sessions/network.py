"""An agent that cannot be reached until a test says so, and what became of the prompts for it."""

import asyncio

from chatforge_tui.domain.events import Accepted
from chatforge_tui.errors import Unreachable
from chatforge_tui.sessions import EngineSettings
from tests.fakes.scripted_endpoint import echo

ASKS = EngineSettings(keeps_unsent=True)
GOES = EngineSettings(keeps_unsent=True, sends_unsent=True)


class Network:
    """Whether the agent can be reached."""

    def __init__(self, endpoints):
        self.is_up = False
        self.is_mended_by_user = True
        endpoints.script = self.answer

    def answer(self, request):
        if self.is_up:
            return echo(request)
        return [Unreachable("refused", hint="Is it running?", retryable=self.is_mended_by_user)]


def prompts(turns):
    return [(turn.head.prompt.text, str(turn.head.state)) for turn in turns]


def accepted(endpoints):
    return [wire.request.prompt.text for wire in endpoints.wires if any(isinstance(one, Accepted) for one in wire.said)]


async def rested(engine, session_id, seconds=30.0):
    await asyncio.sleep(seconds)
    return prompts(await engine.manager.turns(session_id))
