"""One chunk of a chat completion, typed. What a server spells differently, leaves out or gets wrong ends here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from chatforge_tui.domain.turn import Usage
from chatforge_tui.endpoints.http_status import quote_value
from chatforge_tui.endpoints.loose_json import amount, compact, count, mapping, sequence, text

REASONING_KEYS: Final = ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")
"""Where servers put reasoning, in order of preference; several at once say the same."""
_TEXT_TYPES: Final = frozenset({"", "text", "output_text", "refusal"})


@dataclass(frozen=True, slots=True)
class CallPiece:
    """A piece of a tool call."""

    index: int
    call_id: str
    """"" on all pieces but the first, and on all of them with some servers."""
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one chunk adds to the answer."""

    text: str = ""
    reasoning: Mapping[str, str] | None = None
    """Key of REASONING_KEYS to text, non-empty ones only."""
    calls: tuple[CallPiece, ...] = ()
    finish_reason: str = ""
    usage: Usage | None = None
    timings: Usage | None = None
    """What llama.cpp's timings say about tokens, for answers without usage."""
    error: str = ""
    """The server's sentence when it gives up; "" = it does not."""
    is_whole: bool = False
    """The answer came as one message, not as a difference to what was before."""


def read_chunk(data: Mapping[str, object]) -> Chunk:
    """Read a chunk, or a whole completion."""
    error = _error(data)
    choice = _first_choice(data)
    delta = mapping(choice.get("delta"))
    message = mapping(choice.get("message"))
    said = delta or message
    finish = text(choice.get("finish_reason"))
    return Chunk(
        text=_content(said.get("content")) + text(said.get("refusal")) or text(choice.get("text")),
        reasoning=_reasoning(said),
        calls=tuple(_calls(said)),
        finish_reason=finish,
        usage=_usage(mapping(data.get("usage")) or mapping(mapping(data.get("x_groq")).get("usage"))),
        timings=_timings(mapping(data.get("timings"))),
        error=error or ("The model stopped with an error." if finish == "error" else ""),
        is_whole=bool(message) and not delta,
    )


def _first_choice(data: Mapping[str, object]) -> Mapping[str, object]:
    """Return the choice that is shown: the first; other ones are variants nobody asked for."""
    for choice in map(mapping, sequence(data.get("choices"))):
        if (count(choice.get("index")) or 0) == 0:
            return choice
    return {}


def _content(value: object) -> str:
    """Return text that came as a string or as a list of typed parts."""
    if parts := [mapping(part) for part in sequence(value)]:
        return "".join(text(part.get("text")) for part in parts if text(part.get("type")) in _TEXT_TYPES)
    return text(value)


def _reasoning(said: Mapping[str, object]) -> Mapping[str, str] | None:
    """Return every non-empty spelling of the reasoning."""
    found: dict[str, str] = {}
    for key in REASONING_KEYS:
        if thought := _thoughts(said.get(key)) or text(said.get(key)):
            found[key] = thought
    if thought := _thoughts(said.get("content")):
        found["content"] = thought
    return found or None


def _thoughts(value: object) -> str:
    """Return the readable text in a list of reasoning pieces; encrypted ones have none."""
    return "".join(_thought(mapping(piece)) for piece in sequence(value))


def _thought(piece: Mapping[str, object]) -> str:
    kind = text(piece.get("type"))
    if kind == "thinking":
        thinking = piece.get("thinking")
        return _content(thinking)
    if kind == "reasoning.text":
        return text(piece.get("text"))
    return text(piece.get("summary")) if kind == "reasoning.summary" else ""


def _calls(said: Mapping[str, object]) -> Iterator[CallPiece]:
    for position, call in enumerate(map(mapping, sequence(said.get("tool_calls")))):
        index = count(call.get("index"))
        yield _call(position if index is None else index, text(call.get("id")), mapping(call.get("function")))
    if old := mapping(said.get("function_call")):
        yield _call(0, "", old)


def _call(index: int, call_id: str, function: Mapping[str, object]) -> CallPiece:
    arguments = function.get("arguments")
    written = text(arguments) if isinstance(arguments, str) or arguments is None else compact(arguments)
    return CallPiece(index, call_id, text(function.get("name")), written)


def _usage(usage: Mapping[str, object]) -> Usage | None:
    """Return what the answer cost, if it says anything."""
    if not usage:
        return None
    inputs = mapping(usage.get("prompt_tokens_details")) or mapping(usage.get("input_tokens_details"))
    outputs = mapping(usage.get("completion_tokens_details")) or mapping(usage.get("output_tokens_details"))
    found = Usage(
        input_tokens=_either(usage, "prompt_tokens", "input_tokens"),
        output_tokens=_either(usage, "completion_tokens", "output_tokens"),
        reasoning_tokens=count(outputs.get("reasoning_tokens")),
        cached_tokens=_either(inputs, "cached_tokens", "cache_read_input_tokens"),
        cost=amount(usage.get("cost")),
    )
    return found if found != Usage() else None


def _either(values: Mapping[str, object], first: str, second: str) -> int | None:
    found = count(values.get(first))
    return count(values.get(second)) if found is None else found


def _timings(timings: Mapping[str, object]) -> Usage | None:
    """Return the tokens that llama.cpp counted."""
    read, cached, written = (count(timings.get(key)) for key in ("prompt_n", "cache_n", "predicted_n"))
    if read is None and written is None:
        return None
    return Usage(
        input_tokens=None if read is None else read + (cached or 0), output_tokens=written, cached_tokens=cached
    )


def _error(data: Mapping[str, object]) -> str:
    """Return the server's sentence when the chunk is an error: at the top, in the choice, or the chunk itself."""
    for holder in (data, _first_choice(data)):
        if error := holder.get("error"):
            return quote_value(error)
    return quote_value(data) if data.get("object") == "error" else ""
