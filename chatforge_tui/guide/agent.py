"""The agent: one prompt in, moves out. Keeps nothing between prompts; knows no protocol and no socket.

It says what it is: not a model, but a voice of the program's own reference.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from msgspec import Struct

from chatforge_tui.domain.form import Form
from chatforge_tui.guide.abilities import abilities_list, requested
from chatforge_tui.guide.form_answers import read_answers
from chatforge_tui.guide.given_files import GivenFile, about_files
from chatforge_tui.guide.knowledge import Knowledge
from chatforge_tui.guide.moves import Ask, Move, Say
from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.reference import ProgramReference
from chatforge_tui.guide.shows import Scene, ask_something, form_about, read_aloud, say

NAME = "ChatForge guide"
DESCRIPTION = (
    "ChatForge's built-in agent, not a model: answers from the program's own reference and shows what it does."
)

_GREETING = re.compile(
    r"\s*(?:(?:hi|hello|hey|good (?:morning|day|evening)|moin|hallo|howdy)\b[^?]{0,20}|help|\?|start|menu"
    r"|what can (?:you|i) (?:do|say|ask)(?: here)?|(?:what|who) are you|what (?:do|can) you know)[\s!.?]*",
    re.IGNORECASE,
)
_THANKS = re.compile(r"\s*(?:thanks?|thank you|thx|ta|great|nice|cool|ok|okay)\b[^?]{0,20}[\s!.]*", re.IGNORECASE)
_LATER = re.compile(r"\s*(?:skip|cancel|never ?mind|no(?: thanks)?|nothing|stop|quit)[\s!.]*", re.IGNORECASE)


class Incoming(Struct, frozen=True):
    """What the agent is told."""

    text: str
    data: tuple[object, ...] = ()
    """Structured parts of the message, as decoded from JSON."""
    form: Form | None = None
    """The form that the message answers."""
    files: tuple[GivenFile, ...] = ()
    """Files beside the message."""


class GuideAgent:
    """Answers prompts."""

    def __init__(self, reference: ProgramReference, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._knowledge = Knowledge(reference, abilities_list())
        self.version = reference.version

    async def answer(self, incoming: Incoming) -> AsyncGenerator[Move, None]:
        """Yield the moves that answer one prompt."""
        if incoming.form:
            scene = self._form_scene(incoming, incoming.form)
        elif incoming.files:
            scene = say(self._pace, about_files(incoming.files, incoming.text))
        else:
            scene = self._scene(incoming.text)
        async with aclosing(scene) as moves:
            async for move in moves:
                yield move

    def form_for(self, text: str) -> Form | None:
        """Return the form that a prompt is answered with; None when it is answered with anything else."""
        request = requested(text)
        return self.form if request and request[0].scene is ask_something else None

    @property
    def form(self) -> Form:
        """The one form that the agent ever asks."""
        return form_about(self._knowledge)

    def _scene(self, text: str) -> Scene:
        """Choose what to do about a prompt."""
        request = requested(text)
        if request:
            ability, asked = request
            return ability.scene(self._knowledge, self._pace, asked)
        if _GREETING.fullmatch(text) or not text.strip():
            return say(self._pace, self._knowledge.welcome())
        if _THANKS.fullmatch(text):
            return say(self._pace, "You are welcome. Ask on, or write `help` for what I can do.")
        return say(self._pace, self._knowledge.answer(text))

    async def _form_scene(self, incoming: Incoming, form: Form) -> Scene:
        """Go on after a form: use its answers, or ask again for what is missing."""
        answers = read_answers(form, incoming.text, incoming.data)
        if _LATER.fullmatch(incoming.text) and not incoming.data:
            scene = say(self._pace, "Then not. Ask me anything else.")
        elif answers.problems:
            scene = self._ask_again(answers.problems, form)
        else:
            scene = read_aloud(self._knowledge, self._pace, answers.values)
        async with aclosing(scene) as moves:
            async for move in moves:
                yield move

    async def _ask_again(self, problems: tuple[str, ...], form: Form) -> Scene:
        """Name what could not be read, and ask once more."""
        sentence = " ".join(problems)
        yield Say(f"I could not use that answer. {sentence}\n\n")
        yield Ask(f"{sentence} Answer the form, or write `skip`.", form)
