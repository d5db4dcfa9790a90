"""What a turn knows already while its agent tells the answer once more from its beginning, after a lost connection.

An agent that is asked how its task went on tells what it still knows, then goes on; it may be behind what had arrived
before, and nothing it says carries a number. So what is told again is held against what is there: what agrees changes
nothing, what goes beyond it is new, and only what contradicts it takes its place. Text that was not told again stays
as long as the turn may still be told it.
"""

from collections import Counter
from collections.abc import Iterable

from chatforge_tui.domain.part import FilePart, NoticePart, Part, ReasoningPart, ToolPart, ToolState
from chatforge_tui.domain.plan import Plan


class Echo:
    """One text that is told again."""

    __slots__ = ("_ahead", "_known")

    def __init__(self, known: str) -> None:
        """Hold what is told from now on against this text."""
        self._known = known
        self._ahead = len(known)

    @property
    def told(self) -> str:
        """What of the known text has been told again."""
        return self._known[: len(self._known) - self._ahead]

    @property
    def is_over(self) -> bool:
        """Whether all of the known text has been told again: what follows is new."""
        return self._ahead == 0

    def hear(self, text: str) -> str | None:
        """Take more of what is told.

        Returns:
            What of it is new: "" while it repeats the known text. None when it contradicts that: `told` and this text
            are what is true.
        """
        at = len(self._known) - self._ahead
        common = min(len(text), self._ahead)
        if self._known[at : at + common] != text[:common]:
            return None
        self._ahead -= common
        return text[common:]


class Retelling:
    """What one turn had when its connection was lost, crossed off as it is told again."""

    __slots__ = ("_beside", "_failed", "_plans", "_reasoning", "_tools")

    def __init__(self, parts: Iterable[Part], plans: Iterable[Plan]) -> None:
        """Expect these parts and plans to be told again."""
        self._plans = list(plans)
        self._tools: dict[tuple[str, str], Echo] = {}
        self._failed: set[str] = set()
        """Calls that failed, or were cut off, and have not been told again."""
        self._beside: Counter[tuple[object, ...]] = Counter()
        reasoning: list[str] = []
        for part in parts:
            match part:
                case ReasoningPart(text=text):
                    reasoning.append(text)
                case ToolPart():
                    if part.state is ToolState.FAILED:
                        self._failed.add(part.call_id)
                    self._tools[part.call_id, "input"] = Echo(part.input)
                    self._tools[part.call_id, "output"] = Echo(part.output)
                case FilePart() | NoticePart():
                    self._beside[_identity(part)] += 1
                case _:
                    pass
        self._reasoning: Echo | None = Echo("".join(reasoning))

    def knows(self, part: FilePart | NoticePart) -> bool:
        """Whether a part like this was there, and was not told again before. Crosses it off."""
        key = _identity(part)
        if not self._beside[key]:
            return False
        self._beside[key] -= 1
        return True

    def knows_plan(self, plan: Plan) -> bool:
        """Whether this version was there and may still be told again; those before it were left out, then.

        One that was not there is news, and everything after it is.
        """
        if plan not in self._plans:
            self._plans.clear()
            return False
        del self._plans[: self._plans.index(plan)]
        return True

    @property
    def awaits_reasoning(self) -> bool:
        """Whether reasoning that was there is still to be told again: all that is told by then came before its end."""
        return self._reasoning is not None and not self._reasoning.is_over

    def new_reasoning(self, text: str) -> str:
        """Return what of this reasoning is new. Reasoning that contradicts the known one comes after it."""
        if self._reasoning is None:
            return text
        fresh = self._reasoning.hear(text)
        if fresh != "":
            self._reasoning = None
        return text if fresh is None else fresh

    def takes_up(self, part: ToolPart) -> bool:
        """Whether a call is told again for the first time that failed before, perhaps only for being cut off."""
        if part.call_id not in self._failed:
            return False
        self._failed.remove(part.call_id)
        return True

    def tool(self, call_id: str, field: str) -> Echo | None:
        """Return what is known of a text of a tool call; None when all of it was told again, or there was none."""
        echo = self._tools.get((call_id, field))
        return None if echo is None or echo.is_over else echo

    def forget_tool(self, call_id: str, field: str) -> None:
        """Let what is told of this text from now on be new."""
        self._tools.pop((call_id, field), None)


def _identity(part: FilePart | NoticePart) -> tuple[object, ...]:
    """Return what makes two parts of one turn the same but for their place."""
    match part:
        case FilePart():
            return ("file", part.name, part.media_type, part.url, part.data)
        case NoticePart():
            return ("notice", part.level, part.text)
