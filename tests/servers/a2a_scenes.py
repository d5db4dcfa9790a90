"""What the test agent does for which prompt: deterministic scenes, told through a speaker that knows the SDK.

Runs inside the servers' virtual environments: imports nothing but the standard library. Prompts:

    stream N tokens [at R/s]        an artifact in N appended chunks (tokens of `token(i)`), then completed
    stream N tokens with a final    the same, then `final_result` with the whole text
    stream at R/s until FILE        tokens until FILE is there, then completed
    plan | text plan                three versions of a plan, then a text
    plan NAME, stream until FILE    a plan whose steps carry the name, 50 tokens a second until FILE is there, completed
    tools                           two interleaved tool calls, then a text
    files                           an inline file, one by URL, then a text
    data                            structured data and no text at all
    form                            a form and input-required; what answers it is echoed
    ask                             input-required with a question and no form
    auth                            auth-required
    fail | reject | raise           the ways in which an agent does not answer
    slow                            a tick every 50 ms until it is canceled
    silent                          working, and then nothing until it is canceled
    die after N tokens              the process ends in the middle of the stream
    message only                    one direct message, no task
    status only                     the answer as the texts of working statuses
    status answer                   the answer as the text of the last status
    twice                           the same text as artifact and as last status
    new ids                         a new artifact id for each chunk
    two artifacts                   an artifact, whole, then another one in two chunks
    anything else                   `You said: …`, with the number of the turn in its context
"""

import asyncio
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

WORDS = (
    "Hello",
    " wörld",
    "\n",
    " a\u2028b",
    " 🚀",
    " naïve",
    " a\u0085b",
    " “quoted”",
    "\n\n- item",
    " 日本語",
    " e\u0301",
    " \u200d👩‍💻",
)


def token(index: int) -> str:
    """Return the index-th token of every stream."""
    return f"{WORDS[index % len(WORDS)]}{index}"


def answer(count: int) -> str:
    """Return the text of a stream of so many tokens."""
    return "".join(token(index) for index in range(count))


class Speaker(Protocol):
    """One turn of the agent, in whatever SDK."""

    task_id: str
    context_id: str
    prompt: str
    values: list[Any]
    """Data parts of the user's message."""
    continues: bool
    """The message answers a task that waits."""

    async def begin(self) -> None: ...
    async def status(self, state: str, text: str = "") -> None: ...
    async def artifact(
        self,
        artifact_id: str,
        name: str,
        *parts: dict[str, Any],
        append: bool = False,
        last: bool = False,
        metadata: dict[str, Any] | None = None,
        description: str = "",
    ) -> None: ...
    async def message(self, text: str) -> None: ...
    def log(self, event: str, **fields: Any) -> None: ...


_turns: Counter[str] = Counter()


async def play(speaker: Speaker) -> None:
    """Play the scene that the prompt names."""
    prompt = speaker.prompt.strip()
    _turns[speaker.context_id] += 1
    if prompt == "message only":
        await speaker.message("A message, and no task.")
        return
    await speaker.begin()
    if speaker.continues:
        await text_answer(speaker, f"Thank you: {speaker.prompt} | {speaker.values}")
        await speaker.status("completed")
    elif match := re.match(r"stream (\d+) tokens(?: at ([\d.]+)/s)?(.*)", prompt):
        await stream(speaker, int(match[1]), float(match[2] or 0), with_final="final" in match[3])
    elif match := re.match(r"stream at ([\d.]+)/s until (\S+)", prompt):
        await stream_until(speaker, float(match[1]), Path(match[2]))
    elif match := re.match(r"plan (\S+), stream until (\S+)", prompt):
        await planned_stream(speaker, match[1], Path(match[2]))
    elif match := re.match(r"die after (\d+) tokens", prompt):
        await die(speaker, int(match[1]))
    else:
        scene = SCENES.get(prompt)
        await (scene(speaker) if scene else echo(speaker))


async def text_answer(speaker: Speaker, text: str, name: str = "answer") -> None:
    await speaker.artifact(f"{speaker.task_id}-{name}", name, {"text": text}, last=True)
    speaker.log("answer", text=text)


async def echo(speaker: Speaker) -> None:
    await text_answer(speaker, f"You said: {speaker.prompt} (turn {_turns[speaker.context_id]})")
    await speaker.status("completed")


async def stream(speaker: Speaker, count: int, rate: float, *, with_final: bool) -> None:
    await speaker.status("working", "Thinking…")
    for index in range(count):
        await send_token(speaker, index, last=index == count - 1)
        if rate:
            await asyncio.sleep(1 / rate)
    if with_final:
        await speaker.artifact("f", "final_result", {"text": answer(count)}, last=True)
    speaker.log("answer", text=answer(count))
    await speaker.status("completed")


async def stream_until(speaker: Speaker, rate: float, end: Path) -> None:
    loop, count = asyncio.get_running_loop(), 0
    began = loop.time()
    while not await asyncio.to_thread(end.exists):
        await send_token(speaker, count)
        count += 1
        await asyncio.sleep(max(0.0, began + count / rate - loop.time()))
    speaker.log("answer", text=answer(count))
    await speaker.status("completed")


async def send_token(speaker: Speaker, index: int, *, last: bool = False) -> None:
    await speaker.artifact("a", "streaming_result", {"text": token(index)}, append=index > 0, last=last)
    speaker.log("chunk", text=token(index))


async def die(speaker: Speaker, count: int) -> None:
    for index in range(count):
        await speaker.artifact("a", "streaming_result", {"text": token(index)}, append=index > 0)
    await asyncio.sleep(0.3)
    speaker.log("dying")
    os._exit(1)


async def tell_plan(speaker: Speaker, titles: tuple[str, str], statuses: tuple[str, str]) -> None:
    """Tell a plan of two steps; the first telling begins it."""
    steps = [
        {"step_id": f"step-{order}", "title": title, "agent": "Jira", "status": status, "order": order}
        for order, (title, status) in enumerate(zip(titles, statuses, strict=True))
    ]
    name = "execution_plan_update" if statuses[0] == "in_progress" else "execution_plan_status_update"
    await speaker.artifact("plan", name, {"data": {"steps": steps}}, append=statuses[1] == "completed")


async def planned_stream(speaker: Speaker, name: str, end: Path) -> None:
    titles = (f"Look up {name}", f"Write {name}")
    await tell_plan(speaker, titles, ("in_progress", "pending"))
    await tell_plan(speaker, titles, ("completed", "in_progress"))
    count = 0
    while not await asyncio.to_thread(end.exists):
        await send_token(speaker, count)
        count += 1
        await asyncio.sleep(0.02)
    await tell_plan(speaker, titles, ("completed", "completed"))
    speaker.log("answer", text=answer(count))
    await speaker.status("completed")


async def plan(speaker: Speaker) -> None:
    for statuses in (("in_progress", "pending"), ("completed", "in_progress"), ("completed", "completed")):
        await tell_plan(speaker, ("Look up", "Write"), statuses)
    await text_answer(speaker, "Planned.")
    await speaker.status("completed")


async def text_plan(speaker: Speaker) -> None:
    for lines in ("🔄 [Jira] Look up\n⏳ Write", "✅ [Jira] Look up\n🔄 Write", "✅ [Jira] Look up\n✅ Write"):
        await speaker.artifact("plan", "execution_plan_update", {"text": f"⟦{lines}⟧"})
    await text_answer(speaker, "Planned.")
    await speaker.status("completed")


async def tools(speaker: Speaker) -> None:
    async def notice(edge: str, agent: str, word: str) -> None:
        await speaker.artifact(
            f"{edge}-{agent}",
            f"tool_notification_{edge}",
            {"text": f"🔧 Supervisor: {agent} {word}\n"},
            metadata={"sourceAgent": agent, "agentType": "notification"},
            description=f"Tool call {'started' if edge == 'start' else 'completed'}: {agent}_search",
        )

    await notice("start", "jira", "called")
    await notice("start", "github", "called")
    await notice("end", "jira", "answered")
    await notice("end", "github", "answered")
    await text_answer(speaker, "Both answered.")
    await speaker.status("completed")


async def files(speaker: Speaker) -> None:
    await speaker.artifact("f1", "report", {"raw": b"file body", "name": "report.txt", "type": "text/plain"})
    url = "https://files.example/x.pdf"
    await speaker.artifact("f2", "link", {"url": url, "name": "x.pdf", "type": "application/pdf"})
    await text_answer(speaker, "Two files.")
    await speaker.status("completed")


async def data(speaker: Speaker) -> None:
    await speaker.artifact("d", "weather", {"data": {"temperature": 21, "sky": "clear"}}, last=True)
    await speaker.status("completed")


async def form(speaker: Speaker) -> None:
    fields = [
        {"field_name": "repo", "field_description": "Repository", "field_values": ["a", "b"], "required": True},
        {"field_name": "count", "field_label": "How many", "field_type": "number"},
        {"field_name": "draft", "field_type": "boolean", "default_value": "false"},
    ]
    value = {"user_input": True, "input_title": "Pull request", "input_description": "Where?", "input_fields": fields}
    await speaker.artifact("form", "UserInputMetaData", {"data": value})
    await speaker.status("input-required", "Which repository?")


async def ask(speaker: Speaker) -> None:
    await text_answer(speaker, "First half. ", "streaming_result")
    await speaker.status("input-required", "Go on?")


async def auth(speaker: Speaker) -> None:
    await speaker.status("auth-required", "Sign in at https://login.example/")


async def fail(speaker: Speaker) -> None:
    await text_answer(speaker, "Half an answer.")
    await speaker.status("failed", "Agent execution failed: boom")


async def reject(speaker: Speaker) -> None:
    await speaker.status("rejected", "That is not my job.")


async def raise_(speaker: Speaker) -> None:
    await speaker.artifact("a", "streaming_result", {"text": "Half"})
    await asyncio.sleep(0.2)
    raise RuntimeError("kaboom")


async def slow(speaker: Speaker) -> None:
    for index in range(12_000):
        await speaker.artifact("a", "streaming_result", {"text": f"tick {index}\n"}, append=index > 0)
        speaker.log("chunk", text=f"tick {index}\n")
        await asyncio.sleep(0.05)
    await speaker.status("completed")


async def silent(speaker: Speaker) -> None:
    await speaker.status("working", "Still here.")
    await asyncio.sleep(600)


async def status_only(speaker: Speaker) -> None:
    for text in ("The answer", " comes", " as status", " texts."):
        await speaker.status("working", text)
    await speaker.status("completed")


async def status_answer(speaker: Speaker) -> None:
    await speaker.status("working", "Looking it up…")
    await speaker.status("completed", "It is 42.")


async def twice(speaker: Speaker) -> None:
    await text_answer(speaker, "Said twice.")
    await speaker.status("completed", "Said twice.")


async def new_ids(speaker: Speaker) -> None:
    for index in range(20):
        await speaker.artifact(f"chunk-{index}", "current_result", {"text": token(index)}, last=True)
    speaker.log("answer", text=answer(20))
    await speaker.status("completed")


async def two_artifacts(speaker: Speaker) -> None:
    await text_answer(speaker, "The end", "first")
    await speaker.artifact("b", "second", {"text": "Sta"})
    await speaker.artifact("b", "second", {"text": "rt"}, append=True, last=True)
    speaker.log("answer", text="Start")
    await speaker.status("completed")


SCENES = {
    "plan": plan,
    "text plan": text_plan,
    "tools": tools,
    "files": files,
    "data": data,
    "form": form,
    "ask": ask,
    "auth": auth,
    "fail": fail,
    "reject": reject,
    "raise": raise_,
    "slow": slow,
    "silent": silent,
    "status only": status_only,
    "status answer": status_answer,
    "twice": twice,
    "new ids": new_ids,
    "two artifacts": two_artifacts,
}
