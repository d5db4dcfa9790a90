"""Sessions as lines of JSON: what is carried to another machine. Pure: values to lines and back.

A bundle begins with a header. Then every session stands on one line, each of its turns on one line after it, then the
content of each of its attachments. All of it
is ASCII, so that no reader of lines stumbles over a separator within a text. Reading trusts nothing: a line that is
not exactly what was written is refused with its reason.
"""

import base64
import json
import re
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from chatforge_tui.domain.attachment import AttachedContent
from chatforge_tui.domain.digest import digest
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.merged import Mergeable
from chatforge_tui.domain.part import Part
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn, TurnHead, TurnProblem, TurnState
from chatforge_tui.store import codec
from chatforge_tui.store.cells import UNREADABLE, Cells
from chatforge_tui.store.interruption import interrupted

VERSION = 2
"""Of the format: 2 has attachments. A reader takes its own and all earlier ones."""
LONGEST_LINE = 192 * 2**20
"""Bytes of one line: the longest turn, with every character escaped."""
MOST_PARTS = 100_000
"""Parts, or plans, of one turn."""

_FORMAT = "chatforge-bundle"
_NESTED = ("form", "usage", "problem", "attachments")
"""Columns of a turn that hold JSON themselves. The last one is not in a bundle of version 1."""
_WAITS_ELSEWHERE = TurnProblem(
    "unsent", "This prompt waited to be sent where the bundle was made.", "/retry sends it from here."
)
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class BundleLineError(ValueError):
    """A line that cannot be taken; its text says why."""


class Header(msgspec.Struct, frozen=True):
    """The first line."""

    format: Literal["chatforge-bundle"]
    version: int
    sessions: int
    """How many follow, for a progress display; nothing depends on it."""


def header_line(sessions: int) -> str:
    """Return the first line of a bundle with so many sessions."""
    return _line({"format": _FORMAT, "version": VERSION, "sessions": sessions})


def read_header(line: bytes) -> Header:
    """Read the first line.

    Raises:
        BundleLineError: it is no bundle's.
    """
    try:
        return msgspec.json.decode(line, type=Header)
    except UNREADABLE as error:
        raise BundleLineError("it does not begin as a bundle of ChatForge does") from error


def session_line(head: SessionHead) -> str:
    """Return the line of a session. Which environment variable holds a credential stays on this machine."""
    columns: dict[str, Any] = codec.encode_session(replace(head, is_active=False))
    del columns["token_env"]
    columns["attachments"] = None if columns["attachments"] is None else json.loads(columns["attachments"])
    return _line({"kind": "session", **columns})


def turn_line(turn: Turn) -> str:
    """Return the line of a turn."""
    columns: dict[str, Any] = codec.encode_turn(turn.head)
    columns |= {name: json.loads(columns[name]) for name in _NESTED if columns[name] is not None}
    parts = [_part_shape(part) for part in turn.parts]
    plans = [json.loads(codec.encode_plan(plan)) for plan in turn.plans]
    return _line({"kind": "turn", **columns, "parts": parts, "plans": plans, "sha256": codec.checksum(turn.parts)})


def content_line(content: AttachedContent) -> str:
    """Return the line of an attachment's content."""
    data = base64.b64encode(content.data).decode()
    return _line({"kind": "content", "session": content.session_id, "sha256": content.sha256, "data": data})


def read_line(line: bytes) -> Mergeable:
    """Read the line of a session, a turn or a content. A turn that was live where it was written is interrupted here.

    A prompt that waits to be sent there has failed here, or both machines would send it.

    Raises:
        BundleLineError: it is none of them, or not whole.
    """
    try:
        return _item(msgspec.json.decode(line, type=dict[str, Any]))
    except BundleLineError:
        raise
    except UNREADABLE as error:
        raise BundleLineError(f"it cannot be understood ({type(error).__name__})") from error


def _item(shape: dict[str, Any]) -> Mergeable:
    match shape.get("kind"):
        case "session":
            return _session(shape)
        case "turn":
            return _turn(shape)
        case "content":
            return _content(shape)
        case _:
            raise BundleLineError("it is neither a session nor a turn nor a file")


def _session(shape: dict[str, Any]) -> SessionHead:
    attachments = _text(shape.get("attachments"))
    cells = Cells({**shape, "turns": 0, "token_env": "", "attachments": attachments})
    head = codec.decode_session(cells, None)
    _refuse_damaged(cells)
    _check_ids(head.session_id)
    return replace(head, is_active=False)


def _turn(shape: dict[str, Any]) -> Turn:
    cells = Cells(shape | {name: _text(shape[name]) for name in _NESTED if name in shape or name != "attachments"})
    head = codec.decode_turn(cells)
    parts, plans = (msgspec.convert(shape[name], list[dict[str, Any]]) for name in ("parts", "plans"))
    if max(len(parts), len(plans)) > MOST_PARTS:
        raise BundleLineError(f"it has more than {MOST_PARTS} parts")
    _refuse_damaged(cells)
    _check_ids(head.turn_id, head.session_id)
    turn = Turn(head, tuple(map(_part, parts)), tuple(msgspec.convert(plan, Plan) for plan in plans))
    if codec.checksum(turn.parts) != cells.text("sha256"):
        raise BundleLineError("its text does not match its checksum")
    return replace(turn, head=interrupted(head) if head.state.is_live else _not_sent(head))


def _not_sent(head: TurnHead) -> TurnHead:
    """Return the head of an unsent turn as another machine keeps it; any other as it is."""
    if head.state is not TurnState.UNSENT:
        return head
    return replace(head, state=TurnState.FAILED, problem=_WAITS_ELSEWHERE)


def _content(shape: dict[str, Any]) -> AttachedContent:
    session_id, sha256, data = (msgspec.convert(shape[name], str) for name in ("session", "sha256", "data"))
    _check_ids(session_id)
    content = AttachedContent(SessionId(session_id), sha256, base64.b64decode(data, validate=True))
    if digest(content.data) != sha256:
        raise BundleLineError("its content does not match its checksum")
    return content


def _part_shape(part: Part) -> dict[str, Any]:
    row = codec.encode_part(part)
    return {"idx": row.idx, "kind": row.kind, "text": row.text, "body": json.loads(row.body)}


def _part(shape: dict[str, Any]) -> Part:
    part = codec.decode_part({**shape, "body": _text(shape["body"])})
    if codec.encode_part(part).kind != shape["kind"]:
        raise BundleLineError("one of its parts cannot be understood")
    return part


def _refuse_damaged(cells: Cells) -> None:
    if cells.damaged:
        raise BundleLineError(f"{cells.damaged[0]} is not what it should be")


def _check_ids(*ids: str) -> None:
    if not all(_ID.fullmatch(id_) for id_ in ids):
        raise BundleLineError("its id is none")


def _text(value: object) -> str | None:
    return None if value is None else json.dumps(value)


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("\x7f", "\\u007f")
