"""Reads artifacts: what each one is (answer, plan, tool call, form, file, data), and what it changes.

Owns the identity of artifacts within a turn: what a name means, that an appended chunk inherits its artifact's name, that
nothing is told twice when a snapshot repeats it. Knows no task states and does no I/O.

Structured data that is neither plan nor form nor a reply with a text is never dropped: it is a notice beside the answer
(up to 4,000 characters; a larger one is offered as a file), and when the turn ends without any text it is the answer, as a
block of JSON.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, field

from chatforge_tui.domain.events import FileOffered, Noticed, PlanUpdated, StreamEvent
from chatforge_tui.domain.form import Form
from chatforge_tui.domain.part import NoticeLevel
from chatforge_tui.domain.plan import Plan
from chatforge_tui.domain.plan_text import parse_plan_text
from chatforge_tui.endpoints.a2a.answer_text import RESULT_NAMES, AnswerText
from chatforge_tui.endpoints.a2a.forms import FORM_NAME, read_form, split_form_text
from chatforge_tui.endpoints.a2a.json_text import compact, pretty
from chatforge_tui.endpoints.a2a.model_parts import ModelParts
from chatforge_tui.endpoints.a2a.plans import PLAN_NAMES, PLAN_STREAM_NAME, plan_from_data, read_plan
from chatforge_tui.endpoints.a2a.tool_notices import END_NAME, START_NAME, ToolNotices
from chatforge_tui.endpoints.a2a.wire import (
    CallPiece,
    DataPiece,
    FilePiece,
    Piece,
    ReturnPiece,
    TextPiece,
    ThoughtPiece,
    UnknownPiece,
    WireArtifact,
    join_text,
)
from chatforge_tui.endpoints.loose_json import as_mapping, as_text

_MAX_NOTICE: Final = 4_000
"""Characters of JSON that are shown as a notice."""
_SUB_AGENT: Final = "sub-agent"
_PLAN_BREAKS: Final = frozenset("\n]⟧")
"""A chunk of a plan's text without any of these ends no line of it."""
_PLAN_ENDS: Final = ("]", "⟧")


class _Known(Struct):
    """What the first chunk of an artifact said about it."""

    name: str
    source: str
    plan_text: list[str] = field(default_factory=list[str])


class ArtifactReader:
    """The artifacts of one turn."""

    def __init__(self, answer: AnswerText, earlier: Mapping[str, str] | None = None) -> None:
        """Begin with none.

        Args:
            answer: where texts go.
            earlier: artifact id → text that an earlier turn of the same task told already.
        """
        self.form: Form | None = None
        """The form that the agent sent last."""
        self._answer = answer
        self._earlier = dict(earlier or {})
        self._known: dict[str, _Known] = {}
        self._pieces: dict[str, list[str]] = {}
        self._tools = ToolNotices()
        self._model = ModelParts()
        self._offered: set[FilePiece] = set()
        self._told_data: set[str] = set()
        self._held_data: dict[str, DataPiece] = {}
        """Data of which it is not known yet whether it is the answer: id of its artifact → data."""
        self._plan: Plan | None = None
        self._has_complete_plan = False
        self._anonymous = 0

    def update(self, artifact: WireArtifact, *, is_append: bool) -> list[StreamEvent]:
        """Return what one artifact, or one chunk of it, changes."""
        key = self._key(artifact, is_append=is_append)
        if not is_append:
            self._earlier.pop(key, None)
        return self._read(key, artifact, is_append=is_append)

    def restate(self, artifacts: Iterable[WireArtifact]) -> list[StreamEvent]:
        """Return what a snapshot changes: its artifacts are all there are."""
        events: list[StreamEvent] = []
        self._pieces.clear()
        with self._answer.restating():
            for artifact in artifacts:
                events += self._read(self._key(artifact, is_append=False), artifact, is_append=False)
        return [*self._answer.sync(), *events]

    def message(self, key: str, pieces: tuple[Piece, ...]) -> list[StreamEvent]:
        """Return what a message of the agent changes, as an artifact without a name would."""
        return self._read(key, WireArtifact(key, "", "", pieces), is_append=False)

    def extras(self, key: str, pieces: tuple[Piece, ...]) -> list[StreamEvent]:
        """Return what the parts of a message hold besides text: files, forms, plans, data, thoughts and calls."""
        events: list[StreamEvent] = []
        for piece in pieces:
            if isinstance(piece, ThoughtPiece):
                events += self._model.think(piece.text, is_again=False)
            else:
                events += self._extra(key, "", piece)
        return events

    def release_data(self, *, as_answer: bool = False) -> list[StreamEvent]:
        """Tell the data held back: as notices, or as the answer when there is no other.

        Args:
            as_answer: the turn is over, and had no text.
        """
        held = list(self._held_data.items())
        self._held_data.clear()
        if not as_answer:
            return [event for key, piece in held for event in self._data_notice(key, piece)]
        blocks = "\n\n".join(f"```json\n{pretty(piece.value)}\n```" for _, piece in held)
        return self._answer.offer(blocks) if blocks else []

    def end_tools(self, *, failed: bool) -> list[StreamEvent]:
        """Return the ends of the tool calls that never ended."""
        return [*self._tools.end_all(failed=failed), *self._model.end_all(failed=failed)]

    def remember(self) -> dict[str, str]:
        """Return artifact id → text told up to now, for a later turn of the same task."""
        return self._earlier | {key: "".join(pieces) for key, pieces in self._pieces.items()}

    def _key(self, artifact: WireArtifact, *, is_append: bool) -> str:
        """Return the artifact's id; one without an id is new unless it is appended."""
        if artifact.artifact_id:
            return artifact.artifact_id
        if not is_append or not self._anonymous:
            self._anonymous += 1
        return f"(anonymous {self._anonymous})"

    def _know(self, key: str, artifact: WireArtifact) -> _Known:
        known = self._known.get(key)
        if known is None:
            is_sub_agent = as_text(artifact.metadata.get("agentType")) == _SUB_AGENT
            source = as_text(artifact.metadata.get("sourceAgent")) or _SUB_AGENT if is_sub_agent else ""
            known = self._known[key] = _Known(artifact.name, source)
        return known

    def _read(self, key: str, artifact: WireArtifact, *, is_append: bool) -> list[StreamEvent]:
        known = self._know(key, artifact)
        if known.name in PLAN_NAMES:
            return self._update_plan(artifact)
        if known.name == PLAN_STREAM_NAME:
            return self._stream_plan(known, artifact, is_append=is_append)
        if known.name in (START_NAME, END_NAME):
            return self._tools.read(artifact)
        return self._read_content(key, known, artifact.pieces, is_append=is_append)

    def _read_content(
        self, key: str, known: _Known, pieces: tuple[Piece, ...], *, is_append: bool
    ) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        texts: list[str] = []
        for piece in pieces:
            if isinstance(piece, TextPiece):
                texts.append(self._without_form(piece.text))
            elif (said := self._said(known, piece)) is not None:
                texts.append(said)
            else:
                events += self._extra(key, known.name, piece)
        told = self._put_text(key, known, texts, is_append=is_append)
        if self._answer and self._held_data:
            events += self.release_data()
        return told + events

    def _put_text(self, key: str, known: _Known, texts: list[str], *, is_append: bool) -> list[StreamEvent]:
        """Give text to the answer, except what an earlier turn told."""
        earlier = self._earlier.get(key, "")
        if is_append:
            self._pieces.setdefault(key, [earlier]).extend(texts)
            return self._answer.extend(key, "".join(texts), name=known.name, source=known.source)
        self._pieces[key] = list(texts)
        return self._answer.begin(key, _cut(texts, earlier), name=known.name, source=known.source)

    def _without_form(self, text: str) -> str:
        """Take a form out of a text that spells one out."""
        text, form = split_form_text(text)
        self.form = form or self.form
        return text

    @staticmethod
    def _said(known: _Known, piece: Piece) -> str | None:
        """Return the text of a structured reply: `{is_task_complete, content, …}`, or a result with a `content`."""
        data = as_mapping(piece.value if isinstance(piece, DataPiece) else None)
        content = data.get("content")
        is_reply = known.name in RESULT_NAMES or "is_task_complete" in data
        return content if is_reply and isinstance(content, str) and read_form(data) is None else None

    def _extra(self, key: str, name: str, piece: Piece) -> list[StreamEvent]:
        """Return what a part that is no text holds."""
        match piece:
            case FilePiece():
                return self._offer(piece, name)
            case DataPiece():
                return self._read_data(key, name, piece)
            case ThoughtPiece(text):
                return self._model.think(text, is_again=True)
            case CallPiece():
                return self._model.call(piece)
            case ReturnPiece():
                return self._model.returned(piece)
            case UnknownPiece(kind):
                said = f"The agent sent a part that this program does not know{f' ({kind})' if kind else ''}."
                return [Noticed(NoticeLevel.INFO, said)]
            case TextPiece():
                return []

    def _read_data(self, key: str, name: str, piece: DataPiece) -> list[StreamEvent]:
        if (form := read_form(piece.value, is_named=name == FORM_NAME)) is not None:
            self.form = form
            return []
        if (plan := plan_from_data(piece.value)) is not None:
            return self._set_plan(plan)
        if self._answer:
            return self._data_notice(name or key, piece)
        self._held_data[name or key] = piece
        return []

    def _data_notice(self, name: str, piece: DataPiece) -> list[StreamEvent]:
        text = compact(piece.value)
        if text in self._told_data:
            return []
        self._told_data.add(text)
        if len(text) <= _MAX_NOTICE:
            return [Noticed(NoticeLevel.INFO, f"{name}: {text}")]
        data = pretty(piece.value).encode()
        return [FileOffered(f"{name}.json", "application/json", data=data)]

    def _offer(self, piece: FilePiece, artifact_name: str) -> list[StreamEvent]:
        if piece in self._offered:
            return []
        self._offered.add(piece)
        name = piece.name or artifact_name or piece.url.rstrip("/").rpartition("/")[2] or "file"
        if piece.is_damaged:
            return [Noticed(NoticeLevel.WARNING, f"The agent sent the file {name!r}, but its content is damaged.")]
        return [FileOffered(name, piece.media_type, piece.url, piece.data)]

    def _update_plan(self, artifact: WireArtifact) -> list[StreamEvent]:
        """Take in a complete plan; one that cannot be read is shown as the agent's words."""
        if (plan := read_plan(artifact.pieces)) is not None:
            self._has_complete_plan = True
            return self._set_plan(plan)
        text = join_text(artifact.pieces).strip("⟦⟧ \n")
        return [Noticed(NoticeLevel.STATUS, text)] if text else []

    def _stream_plan(self, known: _Known, artifact: WireArtifact, *, is_append: bool) -> list[StreamEvent]:
        """Take in a plan that comes token by token. A line counts once it is whole; complete plans go before."""
        if not is_append:
            known.plan_text.clear()
        chunk = join_text(artifact.pieces)
        known.plan_text.append(chunk)
        if self._has_complete_plan or not _PLAN_BREAKS.intersection(chunk):
            return []
        text = "".join(known.plan_text)
        is_whole = text.rstrip().endswith(_PLAN_ENDS)
        plan = parse_plan_text(text if is_whole else text[: text.rfind("\n") + 1])
        return self._set_plan(plan) if plan is not None else []

    def _set_plan(self, plan: Plan) -> list[StreamEvent]:
        if plan == self._plan:
            return []
        self._plan = plan
        return [PlanUpdated(plan)]


def _cut(texts: list[str], earlier: str) -> list[str]:
    """Return the texts without the part that was told earlier, if they begin with it."""
    if not earlier or not "".join(texts).startswith(earlier):
        return texts
    return ["".join(texts)[len(earlier) :]]
