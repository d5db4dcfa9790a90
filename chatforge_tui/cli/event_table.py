"""The events of `send --json`, in one table: for the help, the README and the test that holds the code to it.

One JSON object a line, each with the key `event`. Stable: events and keys are added, never renamed or dropped.
"""

EVENTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("session", ("session_id", "title", "endpoint"), "first line: where the prompt goes"),
    ("turn", ("turn_id", "request_id"), "the prompt is on disk"),
    ("state", ("state",), "connecting, streaming, and how it ended"),
    ("text", ("text",), "more of the answer"),
    ("answer", ("text",), "the agent replaced its answer: it is exactly this now"),
    ("reasoning", ("text",), "more of the reasoning"),
    ("tool", ("call_id", "name", "state", "input", "output"), "a tool call began, or stands like this now"),
    ("plan", ("steps",), "the plan is this now, whole"),
    ("file", ("name", "media_type", "url", "bytes"), "the agent offers a file"),
    ("notice", ("level", "text"), "a line beside the answer"),
    ("question", ("kind", "text", "fields"), "the agent waits for `send --session ID`"),
    ("end", ("…",), "last line: the whole turn as in `show --json`"),
    ("error", ("kind", "message", "hint"), "the only line when it came to no turn"),
)
"""Name, keys beside `event`, and when it comes."""
