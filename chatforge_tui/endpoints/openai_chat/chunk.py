"""One chunk of a chat completion, typed. What a server spells differently, leaves out or gets wrong ends here."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec
from msgspec import Struct

from chatforge_tui.domain.turn import Usage
from chatforge_tui.endpoints.http_status import quote_value
from chatforge_tui.endpoints.loose_json import amount, as_list, as_mapping, as_text, compact, count

REASONING_KEYS: Final = ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")
"""Where servers put reasoning, in order of preference; several at once say the same."""
_REASONING: Final = frozenset(REASONING_KEYS)
_TEXT_TYPES: Final = frozenset({"", "text", "output_text", "refusal"})


class CallPiece(Struct, frozen=True):
    """A piece of a tool call."""

    index: int
    call_id: str
    """"" on all pieces but the first, and on all of them with some servers."""
    name: str
    arguments: str


class Chunk(Struct, frozen=True):
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


class _PlainDelta(msgspec.Struct, gc=False):
    content: str
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    reasoning_content: None = None
    reasoning: None = None
    reasoning_details: None = None
    thinking_blocks: None = None


class _PlainChoice(msgspec.Struct, gc=False):
    delta: _PlainDelta
    index: Literal[0] = 0
    finish_reason: None = None
    text: None = None
    error: None = None


class _PlainChunk(msgspec.Struct, gc=False):
    """A chunk that holds a piece of text; whatever else `read_chunk` looks for is absent or null."""

    choices: tuple[_PlainChoice]
    usage: None = None
    x_groq: None = None
    timings: None = None
    error: None = None
    object: Literal["chat.completion.chunk", ""] = ""


_DECODER: Final = msgspec.json.Decoder(_PlainChunk)


def plain_text(data: str) -> str:
    """Return the text of a chunk that holds text and nothing else that counts; "" for any other, see `read_chunk`.

    Nearly every chunk is like this, and reading it so takes a tenth of the time.
    """
    try:
        return _DECODER.decode(data).choices[0].delta.content
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""


def read_chunk(data: Mapping[str, object]) -> Chunk:
    """Read a chunk, or a whole completion.

    Nearly every chunk holds a piece of text and nothing else: what is not there is not looked into.
    """
    choice = _first_choice(data)
    delta = as_mapping(choice.get("delta"))
    said = delta or as_mapping(choice.get("message"))
    finish = as_text(choice.get("finish_reason"))
    usage = as_mapping(data.get("usage")) or as_mapping(as_mapping(data.get("x_groq")).get("usage"))
    return Chunk(
        text=_said(said) or as_text(choice.get("text")),
        reasoning=_reasoning(said),
        calls=tuple(_calls(said)) if "tool_calls" in said or "function_call" in said else (),
        finish_reason=finish,
        usage=_usage(usage) if usage else None,
        timings=_timings(as_mapping(data["timings"])) if "timings" in data else None,
        error=_error(data, choice) or ("The model stopped with an error." if finish == "error" else ""),
        is_whole=bool(said) and not delta,
    )


def _first_choice(data: Mapping[str, object]) -> Mapping[str, object]:
    """Return the choice that is shown: the first; other ones are variants nobody asked for."""
    for each in as_list(data.get("choices")):
        choice = as_mapping(each)
        if not choice.get("index") or not count(choice["index"]):
            return choice
    return {}


def _said(said: Mapping[str, object]) -> str:
    """Return the text of a message or of a piece of one; a refusal is what the model says, too."""
    content = _content(said.get("content"))
    return content + as_text(said["refusal"]) if "refusal" in said else content


def _content(value: object) -> str:
    """Return text that came as a string or as a list of typed parts."""
    if isinstance(value, str):
        return value
    if parts := [as_mapping(part) for part in as_list(value)]:
        return "".join(as_text(part.get("text")) for part in parts if as_text(part.get("type")) in _TEXT_TYPES)
    return as_text(value)


def _reasoning(said: Mapping[str, object]) -> Mapping[str, str] | None:
    """Return every non-empty spelling of the reasoning."""
    if _REASONING.isdisjoint(said) and not isinstance(said.get("content"), list):
        return None
    found: dict[str, str] = {}
    for key in REASONING_KEYS:
        if thought := _thoughts(said.get(key)) or as_text(said.get(key)):
            found[key] = thought
    if thought := _thoughts(said.get("content")):
        found["content"] = thought
    return found or None


def _thoughts(value: object) -> str:
    """Return the readable text in a list of reasoning pieces; encrypted ones have none."""
    return "".join(_thought(as_mapping(piece)) for piece in as_list(value))


def _thought(piece: Mapping[str, object]) -> str:
    kind = as_text(piece.get("type"))
    if kind == "thinking":
        thinking = piece.get("thinking")
        return _content(thinking)
    if kind == "reasoning.text":
        return as_text(piece.get("text"))
    return as_text(piece.get("summary")) if kind == "reasoning.summary" else ""


def _calls(said: Mapping[str, object]) -> Iterator[CallPiece]:
    for position, call in enumerate(map(as_mapping, as_list(said.get("tool_calls")))):
        index = count(call.get("index"))
        yield _call(position if index is None else index, as_text(call.get("id")), as_mapping(call.get("function")))
    if old := as_mapping(said.get("function_call")):
        yield _call(0, "", old)


def _call(index: int, call_id: str, function: Mapping[str, object]) -> CallPiece:
    arguments = function.get("arguments")
    written = as_text(arguments) if isinstance(arguments, str) or arguments is None else compact(arguments)
    return CallPiece(index, call_id, as_text(function.get("name")), written)


def _usage(usage: Mapping[str, object]) -> Usage | None:
    """Return what the answer cost, if it says anything."""
    inputs = as_mapping(usage.get("prompt_tokens_details")) or as_mapping(usage.get("input_tokens_details"))
    outputs = as_mapping(usage.get("completion_tokens_details")) or as_mapping(usage.get("output_tokens_details"))
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


def _error(data: Mapping[str, object], choice: Mapping[str, object]) -> str:
    """Return the server's sentence when the chunk is an error: at the top, in the choice, or the chunk itself."""
    if error := data.get("error") or choice.get("error"):
        return quote_value(error)
    return quote_value(data) if data.get("object") == "error" else ""
