"""Tool calls, as agents tell of them: one artifact when a call starts, another when it ends, and no id to pair them by.

Owns the pairing and the made-up call ids. An end is paired with the oldest open call of the same agent and tool, then of
the same agent, then of the same tool; an end that fits none is a call whose start was lost.
"""

import re
from typing import Final

from msgspec import Struct

from chatforge_tui.domain.events import StreamEvent, ToolEnded, ToolOutputDelta, ToolStarted
from chatforge_tui.endpoints.a2a.wire import WireArtifact, join_text
from chatforge_tui.endpoints.loose_json import as_text

START_NAME: Final = "tool_notification_start"
END_NAME: Final = "tool_notification_end"

_MAX_NAME: Final = 160
"""Characters of a line of text that stands for the tool's name."""
_DESCRIBED: Final = re.compile(r"^\s*Tool call (?:started|completed|ended|finished|failed)\s*:\s*(.+?)\s*$", re.DOTALL)
_FAILED: Final = re.compile(r"^\s*(?:Tool call failed\b|❌|✖|✗)|\bfailed\s*[.!]*\s*$", re.IGNORECASE)


class _Call(Struct, frozen=True):
    call_id: str
    source: str
    tool: str


class ToolNotices:
    """The calls of one turn."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: list[_Call] = []
        self._seen: set[str] = set()

    def read(self, artifact: WireArtifact) -> list[StreamEvent]:
        """Return what a start or end artifact tells; nothing for one that was told before."""
        if artifact.artifact_id and artifact.artifact_id in self._seen:
            return []
        self._seen.add(artifact.artifact_id)
        return self._start(artifact) if artifact.name == START_NAME else self._end(artifact)

    def end_all(self, *, failed: bool) -> list[StreamEvent]:
        """Return the ends of the calls still open when the turn is over."""
        events: list[StreamEvent] = [ToolEnded(call.call_id, failed=failed) for call in self._open]
        self._open.clear()
        return events

    def _start(self, artifact: WireArtifact) -> list[StreamEvent]:
        call, name, text = self._call(artifact)
        self._open.append(call)
        events: list[StreamEvent] = [ToolStarted(call.call_id, name)]
        return [*events, ToolOutputDelta(call.call_id, text)] if call.tool and text else events

    def _end(self, artifact: WireArtifact) -> list[StreamEvent]:
        ended, name, text = self._call(artifact)
        failed = any(_FAILED.search(said) for said in (artifact.description, text))
        call = self._paired(ended)
        events: list[StreamEvent] = []
        if call is None:
            call = ended
            events.append(ToolStarted(call.call_id, name))
        else:
            self._open.remove(call)
        if text:
            events.append(ToolOutputDelta(call.call_id, text))
        return [*events, ToolEnded(call.call_id, failed=failed)]

    def _call(self, artifact: WireArtifact) -> tuple[_Call, str, str]:
        """Return the call that an artifact tells of, its name, and the artifact's text."""
        text = join_text(artifact.pieces)
        described = _DESCRIBED.match(artifact.description)
        tool = described[1] if described else ""
        source = as_text(artifact.metadata.get("sourceAgent"))
        line = next((line.strip() for line in text.splitlines() if line.strip()), "")
        call_id = f"notice-{artifact.artifact_id or len(self._seen)}"
        return _Call(call_id, source, tool), (tool or line or source or "tool")[:_MAX_NAME], text

    def _paired(self, ended: _Call) -> _Call | None:
        same_source = [call for call in self._open if call.source == ended.source]
        for calls in (
            [call for call in same_source if call.tool == ended.tool],
            same_source,
            [call for call in self._open if call.tool and call.tool == ended.tool],
        ):
            if calls:
                return calls[0]
        return None
