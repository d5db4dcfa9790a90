"""Domain values to columns and back. Knows no statement and no file.

Reading never fails: what cannot be decoded (a damaged cell) becomes a notice in its place, so that one bad row does
not hide the others. cells.py reads the single values.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.changes import TextAppended, TextField
from chatforge_tui.domain.ids import ContextId, RequestId, SessionId, TaskId, TurnId
from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    Part,
    PlanPart,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
)
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.session import EndpointRef, SessionHead, SessionPatch
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead, TurnProblem, TurnState, Usage
from chatforge_tui.store.cells import UNREADABLE, Cells, Columns, Time, as_text

Value = str | int | float | None
"""What is bound to a statement."""

_KINDS: dict[str, type[Part]] = {
    "text": TextPart,
    "reasoning": ReasoningPart,
    "tool": ToolPart,
    "plan": PlanPart,
    "file": FilePart,
    "question": QuestionPart,
    "notice": NoticePart,
}
_KIND_OF: dict[type[Part], str] = {part_type: kind for kind, part_type in _KINDS.items()}
_TAKEN_BACK = frozenset({"context_id", "waiting_task"})
"""Fields that a patch takes back with "": the store knows one way to spell none, NULL."""
DAMAGED = "damaged on the disk"
"""In every notice about a damaged cell; by it a check finds them."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class PartRow(NamedTuple):
    """A part as columns."""

    idx: int
    kind: str
    text: str | None
    """The part's `text`; None for a kind without one."""
    body: str
    """The other fields, JSON."""


def storable(text: str) -> str:
    r"""Return the text as UTF-8 can carry it.

    JSON may name half of a surrogate pair (`\ud83d`), which is no character and which SQLite refuses. A pair that
    came in two halves becomes its character, a lone half U+FFFD.
    """
    # Looking for one takes 6 us for 1,000 characters; whether all are ASCII, Python knows.
    if text.isascii() or _LONE_SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def checksum(parts: Iterable[Part]) -> str:
    """Return the SHA-256 of the answer that these parts are, as it is stored, in hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, TextPart):
            digest.update(storable(part.text).encode())
    return digest.hexdigest()


def encode_part(part: Part) -> PartRow:
    """Return a part as columns."""
    body: dict[str, Any] = msgspec.to_builtins(part)
    del body["index"]
    text = body.pop("text", None)
    return PartRow(part.index, _KIND_OF[type(part)], None if text is None else storable(text), _to_json(body))


def decode_part(row: Columns) -> Part:
    """Return the part of a row; a notice in its place when the row is damaged."""
    cells = Cells(row)
    index, text, kind = cells.whole("idx"), cells.text_or_none("text"), cells.text("kind")
    body: dict[str, Any] = {"index": index, **(cells.json("body", dict[str, Any]) or {})}
    if text is not None:
        body["text"] = text
    try:
        if not cells.damaged:
            return msgspec.convert(body | {"index": index}, _KINDS[kind])
    except UNREADABLE:
        cells.damaged.append("body")
    left = text or as_text(row["body"])
    return NoticePart(index, NoticeLevel.WARNING, f"A part of this answer is {DAMAGED}. What is left of it: {left}")


def encode_plan(plan: Plan) -> str:
    """Return a plan as JSON."""
    return _to_json(msgspec.to_builtins(plan))


def decode_plan(row: Columns) -> Plan | None:
    """Return the plan of a row; None when it is damaged."""
    return Cells(row).json("body", Plan)


def encode_session(head: SessionHead) -> dict[str, Value]:
    """Return the columns of a session; `turns`, `unsent` and `last_state` are not among them: its turns say that."""
    ref = head.endpoint
    return {
        "id": head.session_id,
        "title": storable(head.title),
        "title_is_manual": head.title_is_manual,
        **_encode_endpoint(ref),
        "position": head.position,
        "is_open": head.is_open,
        "is_active": head.is_active,
        "context_id": _maybe(head.context_id),
        "waiting_task": _maybe(head.waiting_task),
        "draft": storable(head.draft),
        "attachments": encode_attachments(head.attachments),
        "anchor": storable(head.anchor),
        "unread": head.unread,
        "created": head.created,
        "updated": head.updated,
        "trashed": head.trashed,
    }


def encode_patch(patch: SessionPatch) -> dict[str, Value]:
    """Return the columns that a patch changes."""
    columns: dict[str, Value] = {}
    for name in patch.__struct_fields__:
        value: object = getattr(patch, name)
        match value:
            case None:
                pass
            case EndpointRef():
                columns |= _encode_endpoint(value)
            case str():
                columns[name] = _maybe(value) if name in _TAKEN_BACK else storable(value)
            case int() | float():
                columns[name] = value
            case _:
                message = f"SessionPatch.{name} has no column"
                raise TypeError(message)
    return columns


class _SessionRow(Struct, frozen=True, array_like=True):
    """A session's own columns, in the order that they have in a store of the newest schema."""

    id: str
    title: str
    title_is_manual: int
    endpoint: str
    protocol: str
    model: str
    token_env: str
    position: int
    is_open: int
    is_active: int
    context_id: str | None
    waiting_task: str | None
    draft: str
    anchor: str
    unread: int
    turns: int
    created: Time
    updated: Time
    trashed: Time | None
    attachments: str | None


SESSION_COLUMNS = _SessionRow.__struct_fields__


def decode_sound_session(row: Sequence[object], last_state: str | None, unsent: int) -> SessionHead | None:
    """Return the head of a session, 10 times as fast as `decode_session`.

    Args:
        row: begins with SESSION_COLUMNS, in that order.
        last_state: of its last turn that was sent; None without one.
        unsent: how many of its prompts wait to be sent.

    Returns:
        None when a cell is not as it should be, or the session has attachments.
    """
    try:
        columns = msgspec.convert(tuple(row)[: len(SESSION_COLUMNS)], _SessionRow)
    except UNREADABLE:
        return None
    return _session_head(columns, (), last_state, unsent) if columns.attachments is None else None


def decode_session(cells: Cells, last_state: str | None, unsent: int = 0) -> SessionHead:
    """Return the head of a session from its columns.

    Args:
        cells: the columns.
        last_state: of its last turn that was sent; None without one.
        unsent: how many of its prompts wait to be sent.
    """
    title = cells.text("title")
    row = _SessionRow(
        id=cells.text("id"),
        title=title or ("Damaged session" if cells.damaged else ""),
        endpoint=cells.text("endpoint"),
        protocol=cells.text("protocol"),
        model=cells.text("model"),
        token_env=cells.text("token_env"),
        title_is_manual=cells.whole("title_is_manual"),
        position=cells.whole("position"),
        is_open=cells.whole("is_open"),
        is_active=cells.whole("is_active"),
        context_id=cells.text_or_none("context_id"),
        waiting_task=cells.text_or_none("waiting_task"),
        draft=cells.text("draft"),
        anchor=cells.text("anchor"),
        unread=cells.whole("unread"),
        turns=cells.whole("turns"),
        created=cells.time("created"),
        updated=cells.time("updated"),
        trashed=cells.time_or_none("trashed"),
        attachments=None,
    )
    return _session_head(row, _decode_attachments(cells), last_state, unsent)


@lru_cache(maxsize=64)
def _endpoint(name: str, protocol: str, model: str, token_env: str) -> EndpointRef:
    """Return one reference for all sessions that talk to an endpoint: its texts are more than half of a session."""
    return EndpointRef(name, protocol, model, token_env)


def _session_head(
    row: _SessionRow, attachments: tuple[Attachment, ...], last_state: str | None, unsent: int
) -> SessionHead:
    return SessionHead(
        session_id=SessionId(row.id),
        endpoint=_endpoint(row.endpoint, row.protocol, row.model, row.token_env),
        title=row.title,
        title_is_manual=bool(row.title_is_manual),
        position=row.position,
        is_open=bool(row.is_open),
        is_active=bool(row.is_active),
        context_id=ContextId(row.context_id) if row.context_id else None,
        waiting_task=TaskId(row.waiting_task) if row.waiting_task else None,
        draft=row.draft,
        attachments=attachments,
        anchor=row.anchor,
        unread=bool(row.unread),
        turns=row.turns,
        unsent=unsent,
        last_state=None if last_state is None else _decode_state(last_state),
        created=row.created,
        updated=row.updated,
        trashed=row.trashed,
    )


def encode_turn(head: TurnHead) -> dict[str, Value]:
    """Return the columns of a turn."""
    form = head.prompt.form
    return {
        "id": head.turn_id,
        "session": head.session_id,
        "ordinal": head.ordinal,
        "state": head.state.value,
        "prompt": storable(head.prompt.text),
        "form": None if form is None else _to_json(dict(form)),
        "attachments": encode_attachments(head.prompt.attachments),
        "request_id": head.request_id,
        "started": head.started,
        "accepted": head.accepted,
        "first_output": head.first_output,
        "ended": head.ended,
        "agent": storable(head.agent),
        "protocol": storable(head.protocol),
        "task_id": _maybe(head.task_id),
        "answers_task": _maybe(head.answers_task),
        "usage": None if head.usage is None else _to_json(msgspec.to_builtins(head.usage)),
        "finish_reason": storable(head.finish_reason),
        "problem": None if head.problem is None else _to_json(msgspec.to_builtins(head.problem)),
        "retry_at": head.retry_at,
    }


def decode_turn(cells: Cells) -> TurnHead:
    """Return the head of a turn from its columns."""
    return TurnHead(
        turn_id=TurnId(cells.text("id")),
        session_id=SessionId(cells.text("session")),
        ordinal=cells.whole("ordinal"),
        prompt=Prompt(
            cells.text("prompt"), cells.json("form", dict[str, str | bool | float]), _decode_attachments(cells)
        ),
        request_id=RequestId(cells.text("request_id")),
        state=_decode_state(cells.text("state")),
        started=cells.time("started"),
        accepted=cells.time_or_none("accepted"),
        first_output=cells.time_or_none("first_output"),
        ended=cells.time_or_none("ended"),
        agent=cells.text("agent"),
        protocol=cells.text("protocol"),
        task_id=None if (task := cells.text_or_none("task_id")) is None else TaskId(task),
        answers_task=None if (answered := cells.text_or_none("answers_task")) is None else TaskId(answered),
        usage=cells.json("usage", Usage),
        finish_reason=cells.text("finish_reason"),
        problem=cells.json("problem", TurnProblem),
        retry_at=cells.time_or_none("retry_at"),
    )


def encode_attachments(attachments: tuple[Attachment, ...]) -> str | None:
    """Return what attachments are as JSON; None when there is none."""
    return _to_json(msgspec.to_builtins(attachments)) if attachments else None


def _decode_attachments(cells: Cells) -> tuple[Attachment, ...]:
    return (cells.json("attachments", tuple[Attachment, ...]) or ()) if cells.has("attachments") else ()


def decode_chunk(row: Columns) -> TextAppended:
    """Return the text of a chunk, or what is left of it."""
    cells = Cells(row)
    field: TextField = next((field for field in get_args(TextField) if field == cells.text("field")), "text")
    return TextAppended(cells.whole("idx"), cells.text("text"), field)


def verified(turn: Turn, sha256: str | None) -> Turn:
    """Return the turn, with a warning at its end when its answer is not the one that was stored.

    Args:
        turn: as read.
        sha256: of the answer when it was stored; None for a turn that has not ended.
    """
    if sha256 is None or checksum(turn.parts) == sha256:
        return turn
    return with_warning(turn, f"The stored text of this answer does not match its checksum: it was {DAMAGED}.")


def with_warning(turn: Turn, words: str) -> Turn:
    """Return the turn with a warning at its end."""
    index = max((part.index for part in turn.parts), default=-1) + 1
    return replace(turn, parts=(*turn.parts, NoticePart(index, NoticeLevel.WARNING, words)))


def _encode_endpoint(ref: EndpointRef) -> dict[str, Value]:
    return {
        "endpoint": storable(ref.name),
        "protocol": storable(ref.protocol),
        "model": storable(ref.model),
        "token_env": storable(ref.token_env),
    }


def _decode_state(word: str) -> TurnState:
    """Return the state; a word that is none was damaged, and the turn surely is no longer running."""
    try:
        return TurnState(word)
    except ValueError:
        return TurnState.INTERRUPTED


def _maybe(text: str | None) -> str | None:
    """Return an id that need not be there; "", which takes one back, is none."""
    return storable(text) if text else None


def _to_json(value: dict[str, Any] | list[Any]) -> str:
    """Return JSON, with lone surrogates mended wherever they stand."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_mended(value)).decode()


def _mended(value: object) -> object:
    """Return the value with every text in it as UTF-8 can carry it."""
    match value:
        case str():
            return storable(value)
        case dict():
            return {_mended(key): _mended(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list() | tuple():
            return [_mended(item) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return value
