"""Reads a plan that an agent wrote as text. Pure; knows the spellings that agents are seen to use.

Two forms count: lines that begin with a status mark (`⏳ [Agent] title`, `- [x] title`, `1. ✅ title`), other lines
being ignored; and a list of mappings as Python or JSON writes it (`[{'content': 'title', 'status': 'completed'}]`).
"""

import re
from collections.abc import Iterator

from chatforge_tui.domain.plan import Plan, PlanStep, StepStatus

MAX_STEPS = 1_000
"""What a text lists beyond this many steps is left out."""

_WORDS = {
    **dict.fromkeys(("pending", "todo", "queued", "not_started", "open", "submitted"), StepStatus.PENDING),
    **dict.fromkeys(("in_progress", "working", "running", "active", "started", "doing"), StepStatus.IN_PROGRESS),
    **dict.fromkeys(("completed", "complete", "done", "success", "succeeded", "finished"), StepStatus.COMPLETED),
    **dict.fromkeys(("failed", "failure", "error", "canceled", "cancelled", "rejected"), StepStatus.FAILED),
}
_MARKS = {
    **dict.fromkeys(("⏳", "☐", "⬜", "[ ]", "[]"), StepStatus.PENDING),
    **dict.fromkeys(("🔄", "🔁", "▶", "[~]", "[-]", "[/]", "[>]"), StepStatus.IN_PROGRESS),
    **dict.fromkeys(("✅", "✔", "✓", "☑", "[x]", "[X]"), StepStatus.COMPLETED),
    **dict.fromkeys(("❌", "✖", "✗", "✘", "[!]"), StepStatus.FAILED),
}
_MARK = "(?:" + "|".join(map(re.escape, _MARKS)) + ")"
_LINE = re.compile(rf"\s*(?:[-*+•]\s+|\d{{1,4}}[.)]\s+)?(?P<marks>(?:{_MARK}\ufe0f?\s*){{1,2}})(?P<rest>.*)")
_AGENT = re.compile(r"\[(?P<agent>[^\[\]]{1,80})\]\s*(?P<title>\S.*)")
_TOKEN = re.compile(
    r"""'(?:[^'\\]|\\.)*\\?(?:'|\Z)|"(?:[^"\\]|\\.)*\\?(?:"|\Z)|[\[\]{}:,]|[^\s'"\[\]{}:,]+""", re.DOTALL
)
"""A quote that is never closed takes the rest, so that no text is looked at twice."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_TITLE_KEYS = ("content", "title", "description", "step", "name")


def step_status(word: str) -> StepStatus:
    """Return what an agent's word for a step's status means; PENDING for a word never seen."""
    return _WORDS.get(word.strip().lower().replace("-", "_").replace(" ", "_"), StepStatus.PENDING)


def parse_plan_text(text: str) -> Plan | None:
    """Return the plan that the text spells out, None if it spells out none.

    Args:
        text: without or with the marker characters U+27E6 and U+27E7 around it.
    """
    bare = text.strip().removeprefix("⟦").removesuffix("⟧")
    steps = tuple(_listed_steps(bare)) or tuple(_line_steps(bare))
    return Plan(steps[:MAX_STEPS]) if steps else None


def _line_steps(text: str) -> Iterator[PlanStep]:
    """Yield a step for each line that begins with a status mark."""
    for line in text.splitlines():
        if (match := _LINE.match(line)) is None:
            continue
        marks = re.findall(_MARK, match["marks"])
        rest = match["rest"].strip()
        named = _AGENT.match(rest)
        title = named["title"].strip() if named else rest
        if title:
            yield PlanStep(title, _MARKS[marks[-1]], named["agent"].strip() if named else "")


def _listed_steps(text: str) -> Iterator[PlanStep]:
    r"""Yield a step for each mapping of the first list in the text; nothing when the list is not well formed.

    Read piece by piece, because `ast.literal_eval` warns on the terminal about text like `\d`.
    """
    start = text.find("[{")
    if start < 0 or (mappings := _mappings(_TOKEN.findall(text, start))) is None:
        return
    for mapping in mappings:
        title = next((mapping[key] for key in _TITLE_KEYS if mapping.get(key)), "")
        if title:
            yield PlanStep(title, step_status(mapping.get("status", "")), mapping.get("agent", ""))


def _mappings(lexemes: list[str]) -> list[dict[str, str]] | None:
    """Return the mappings of a list, only keys and values that are strings; None when the list is never closed."""
    mappings: list[dict[str, str]] = []
    depth, key, previous = 0, "", ""
    for lexeme in lexemes:
        if lexeme in "[{":
            depth += 1
            if depth == 2 and lexeme == "{":
                mappings.append({})
        elif lexeme in "]}":
            depth -= 1
            if depth == 0:
                return mappings
        elif lexeme[0] in "'\"" and depth == 2 and mappings:
            if previous == ":":
                mappings[-1][key] = _unescape(lexeme[1:-1])
            else:
                key = _unescape(lexeme[1:-1])
        previous = lexeme
    return None


def _unescape(text: str) -> str:
    """Return the text that a quoted literal stands for."""
    plain = _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _ESCAPED.get(m[3], m[3]), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
