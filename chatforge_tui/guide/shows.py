"""What the agent can show: each function plays one scene as moves. What a scene works on is real: the reference itself."""

import csv
import io
import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from datetime import UTC, datetime
from itertools import cycle

from chatforge_tui.config.key_names import shown_all
from chatforge_tui.domain.form import FieldKind, Form, FormField
from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus
from chatforge_tui.guide.form_answers import Value
from chatforge_tui.guide.knowledge import Knowledge
from chatforge_tui.guide.moves import (
    Ask,
    CutLine,
    Fail,
    Hush,
    Move,
    Say,
    SendFile,
    ShowPlan,
    Think,
    ToolBegan,
    ToolEnded,
)
from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.sample_markdown import SAMPLE_MARKDOWN

MAX_LINES = 20_000
MAX_LINES_PER_SECOND = 2_000.0
LINES_PER_SECOND = 25.0

Scene = AsyncGenerator[Move, None]
Asked = re.Match[str]
"""How the user worded the request: the match of the ability's pattern."""


async def say(pace: Pace, text: str) -> Scene:
    """Speak a text word by word."""
    async for words in pace.words(text):
        yield Say(words)


async def show_plan(knowledge: Knowledge, pace: Pace, _: Asked) -> Scene:
    """Go through every part of the reference by a plan, each step with a tool call, then sum up."""
    parts = knowledge.parts()
    titles = [f"Read the {part.name}" for part in parts] + ["Write the summary"]
    agents = [part.reader for part in parts] + ["writer"]
    yield ShowPlan(_plan(titles, agents, done=0))
    async for move in say(pace, "I will read my whole reference and sum it up.\n\n"):
        yield move
    for number, part in enumerate(parts):
        yield ToolBegan(f"read-{part.reader}", f"read_{part.reader}", json.dumps({"part": part.name}))
        await pace.step(2)
        yield ToolEnded(f"read-{part.reader}", f"read_{part.reader}", part.summary)
        yield ShowPlan(_plan(titles, agents, done=number + 1))
        await pace.step(0.5)
    rows = "".join(f"| {part.name} | {part.summary} |\n" for part in parts)
    text = f"## ChatForge {knowledge.reference.version} at a glance\n\n| part | what it holds |\n|---|---|\n{rows}\nAsk me about any of it."
    async for move in say(pace, text):
        yield move
    yield ShowPlan(_plan(titles, agents, done=len(titles)))


def _plan(titles: list[str], agents: list[str], done: int) -> Plan:
    """Build the plan with its first `done` steps completed and the next one in progress."""
    states = [StepStatus.COMPLETED] * done + [StepStatus.IN_PROGRESS] + [StepStatus.PENDING] * len(titles)
    return Plan(tuple(PlanStep(*row) for row in zip(titles, states, agents, strict=False)))


async def use_tools(knowledge: Knowledge, pace: Pace, _: Asked) -> Scene:
    """Call three tools; the last one fails."""
    found = ", ".join(match.passage.title for match in knowledge.search("close a tab"))
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    calls = (
        ("read_clock", {"zone": "UTC"}, now, False),
        ("search_reference", {"question": "close a tab", "limit": 3}, found or "nothing", False),
        ("open_connection", {"host": "example.com"}, "refused: this agent opens no connections", True),
    )
    async for move in say(pace, "I call three tools; the last one will fail.\n\n"):
        yield move
    for number, (name, arguments, result, failed) in enumerate(calls):
        yield ToolBegan(f"call-{number}", name, json.dumps(arguments))
        await pace.step(1.5)
        yield ToolEnded(f"call-{number}", name, result, failed)
    lines = "".join(f"- `{name}`: {result}\n" for name, _arguments, result, _failed in calls)
    async for move in say(pace, f"This is what they said:\n\n{lines}"):
        yield move


async def think(knowledge: Knowledge, pace: Pace, asked: Asked) -> Scene:
    """Reason aloud about a question, as the search really goes, then answer it."""
    question = (asked["about"] or "").strip() or "how do I stop an answer"
    thoughts = [f"The question is “{question}”. ", *knowledge.thoughts(question)]
    for thought in thoughts:
        async for words in pace.words(thought + "\n"):
            yield Think(words)
        await pace.step(0.4)
    async for move in say(pace, knowledge.answer(question)):
        yield move


async def stream_lines(knowledge: Knowledge, pace: Pace, asked: Asked) -> Scene:
    """Stream numbered lines at a rate."""
    wanted = _number(asked["count"], 500)
    count = max(1, min(MAX_LINES, int(wanted)))
    rate = max(1.0, min(MAX_LINES_PER_SECOND, _number(asked["rate"], LINES_PER_SECOND)))
    if wanted > MAX_LINES:
        yield Say(f"I stop at {MAX_LINES} lines.\n\n")
    async for lines in pace.timed(_lines(knowledge, count), rate):
        yield Say(lines)


def _number(digits: str | None, default: float) -> float:
    """Read a number as people write it ("1,000"); the default when there is none."""
    return float(re.sub(r"[,_]", "", digits)) if digits else default


def _lines(knowledge: Knowledge, count: int) -> Iterator[str]:
    """Yield numbered lines of facts; after every tenth a blank one, so that they are paragraphs and not one page."""
    width = len(str(count))
    facts = cycle(knowledge.facts() or ("nothing is known about this program.",))
    for number, fact in zip(range(1, count + 1), facts, strict=False):
        end = "\n\n" if number % 10 == 0 and number < count else "  \n"
        yield f"Line {number:0{width}} of {count}: {fact}{end}"


async def show_markdown(_knowledge: Knowledge, pace: Pace, _: Asked) -> Scene:
    """Stream a long Markdown text."""
    async for move in say(pace, SAMPLE_MARKDOWN):
        yield move


async def fail(_knowledge: Knowledge, pace: Pace, asked: Asked) -> Scene:
    """Begin an answer and fail."""
    async for move in say(pace, "I begin an answer, as any agent would, and in the middle of a sentence"):
        yield move
    await pace.step()
    reason = (asked["reason"] or "").strip(" .")
    yield Fail(f"Agent execution failed: {reason or 'you asked me to fail'}")


async def stall(_knowledge: Knowledge, pace: Pace, asked: Asked) -> Scene:
    """Begin an answer and stand still, with keepalives or, when asked to be silent, without a byte."""
    silent = asked["silently"] is not None
    how = "Not even a keepalive will come." if silent else "Only keepalives will come."
    async for move in say(pace, f"I begin an answer, and now I stand still. {how} Stopping me is up to you."):
        yield move
    yield Hush(keepalives=not silent)
    await pace.stall()
    yield Say("\n\nNobody stopped me, so I go on.")


async def cut_the_line(_knowledge: Knowledge, pace: Pace, _: Asked) -> Scene:
    """Break off the connection in the middle of an answer, and go on working."""
    async for move in say(pace, "I am going to cut the connection in the middle of this sentence,"):
        yield move
    await pace.step()
    yield CutLine()
    await pace.step()
    async for move in say(pace, " but an A2A task goes on without its connection, and this is how it ends."):
        yield move


async def send_file(knowledge: Knowledge, pace: Pace, _: Asked) -> Scene:
    """Hand over the key table as a file."""
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(("action", "keys", "what it does"))
    rows.writerows((k.action, " ".join(shown_all(k.keys)), k.description) for k in knowledge.reference.keys)
    async for move in say(pace, "Here is the key table as a file, for a spreadsheet."):
        yield move
    yield SendFile("chatforge-keys.csv", "text/csv", table.getvalue().encode())


async def echo(_knowledge: Knowledge, pace: Pace, asked: Asked) -> Scene:
    """Say the user's own text, byte for byte."""
    async for move in say(pace, asked["text"] or "(nothing)"):
        yield move


def form_about(knowledge: Knowledge) -> Form:
    """Return the form of `ask_something`: one field of each common kind."""
    names = tuple(part.name for part in knowledge.parts())
    return Form(
        title="What would you like to read?",
        description="Every answer changes what I write next.",
        fields=(
            FormField("name", "Your name", "How I shall call you.", placeholder="Ada", required=True, maximum=80),
            FormField("part", "Part", "Of the reference.", FieldKind.SELECT, names, required=True, default=names[0]),
            FormField("entries", "Entries", "How many.", FieldKind.NUMBER, default="5", minimum=1, maximum=50),
            FormField("details", "With details", "One line each, or more.", FieldKind.BOOLEAN, default="true"),
        ),
    )


async def ask_something(knowledge: Knowledge, pace: Pace, _: Asked) -> Scene:
    """Ask the user, with a form."""
    async for move in say(pace, "I can read to you from my reference."):
        yield move
    await pace.step()
    yield Ask("What would you like to read?", form_about(knowledge))


async def read_aloud(knowledge: Knowledge, pace: Pace, values: Mapping[str, Value]) -> Scene:
    """Use what the user answered in the form."""
    part = next(p for p in knowledge.parts() if p.name == values["part"])
    entries = part.entries[: int(values.get("entries", 5))]
    details = values.get("details", True)
    lines = "".join(f"- **{title}**{': ' + text if details else ''}\n" for title, text in entries)
    text = f"{len(entries)} of {len(part.entries)} from the {part.name}, for {values['name']}:\n\n{lines}"
    async for move in say(pace, text):
        yield move
