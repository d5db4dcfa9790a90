"""Where a hostile text can come in, and the scene that brings it there: one function an entry.

Each takes the payload and the word that is to stand behind it, and returns an act; the session that it needs is "chat"
(OpenAI) or "agent" (A2A).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile.agent import (
    A2aScene,
    artifact,
    calls,
    chunk,
    data_part,
    finish,
    header,
    reason,
    refuses,
    says,
    says_raw,
    status,
    text_part,
    thinks,
    wire,
)
from tests.hostile.corpus import Case
from tests.hostile.stage import Act
from tests.servers.raw_server import answer, stream

Build = Callable[[Case], Act]


def _behind(case: Case) -> str:
    return f"\n\n{case.end}"


def delta(case: Case) -> Act:
    texts = [case.text, case.then.decode(), _behind(case)] if case.then else [case.text, _behind(case)]
    return Act(case.id, lambda: says(*texts), case.end)


def every_character_a_delta(case: Case) -> Act:
    return Act(case.id, lambda: says(*case.text, _behind(case)), case.end)


def json_bytes(case: Case) -> Act:
    return Act(case.id, lambda: says_raw(case.payload, _behind(case)), case.end)


def reasoning(case: Case) -> Act:
    return Act(case.id, lambda: thinks(case.text, case.end), case.end, unfold=True)


def tool_name(case: Case) -> Act:
    return Act(case.id, lambda: calls(case.text, "{}", case.end), case.end, unfold=True)


def tool_arguments(case: Case) -> Act:
    return Act(case.id, lambda: calls("run", case.text, case.end), case.end, unfold=True)


def tool_arguments_in_json(case: Case) -> Act:
    return Act(case.id, lambda: calls("run", json.dumps({case.text: [case.text]}), case.end), case.end, unfold=True)


def finish_reason(case: Case) -> Act:
    return Act(case.id, lambda: stream(chunk(content=case.end), *finish(case.text)), case.end)


def usage(case: Case) -> Act:
    nonsense = {"prompt_tokens": case.text, "completion_tokens": -1, "total_tokens": 10**400, "cost": case.text}
    return Act(case.id, lambda: stream(chunk(content=case.end), *finish(usage=nonsense)), case.end)


def model_in_answer(case: Case) -> Act:
    event = {"model": case.text, "system_fingerprint": case.text, "choices": [{"delta": {"content": case.end}}]}
    return Act(case.id, lambda: stream(b"data: " + json.dumps(event).encode() + b"\n\n", *finish()), case.end)


def error_body(case: Case) -> Act:
    return Act(case.id, lambda: refuses(case.text))


def error_in_stream(case: Case) -> Act:
    event = {"error": {"message": case.text, "type": case.text, "code": case.text}}
    return Act(case.id, lambda: stream(chunk(content="begun "), b"data: " + json.dumps(event).encode() + b"\n\n"))


def unauthorized(case: Case) -> Act:
    return Act(case.id, lambda: answer(case.payload, "401 Unauthorized", "text/plain"))


def plain_body(case: Case) -> Act:
    return Act(case.id, lambda: answer(case.payload, "403 Forbidden", "text/html"))


def content_type(case: Case) -> Act:
    return Act(case.id, lambda: answer(case.payload, "200 OK", "text/x-\x9b2J-odd"))


def reason_phrase(case: Case) -> Act:
    return Act(case.id, lambda: reason(case.payload.replace(b"\r", b"").replace(b"\n", b"")))


def location(case: Case) -> Act:
    return Act(case.id, lambda: header("location", case.payload.decode("latin-1"), "302 Found"))


def cookie(case: Case) -> Act:
    return Act(case.id, lambda: header("set_cookie", case.payload.decode("latin-1"), "400 Bad Request"))


def stream_body(case: Case) -> Act:
    return Act(case.id, lambda: wire(case.payload))


def data_line(case: Case) -> Act:
    return Act(case.id, lambda: wire(b"data: " + case.payload + b"\n\n" + chunk(content=case.end) + b"".join(finish())))


def event_name(case: Case) -> Act:
    """Bring it as the name and the id of an event, and as a field that nobody knows."""
    line = case.payload.replace(b"\r", b"").replace(b"\n", b"")
    fields = b"event: " + line + b"\nid: " + line + b"\n" + line + b": x\n"
    events = [fields + chunk(content="x"), fields + b"data: " + line + b"\n\n", chunk(content=case.end), *finish()]
    return Act(case.id, lambda: wire(b"".join(events)), case.end)


def tool_call_id(case: Case) -> Act:
    call = {"index": 0, "id": case.text, "type": case.text, "function": {"name": "run", "arguments": "{}"}}
    events = (chunk(role=case.text, tool_calls=[call]), chunk(content=case.end), *finish("tool_calls"))
    return Act(case.id, lambda: stream(*events), case.end, unfold=True)


def retry_after(case: Case) -> Act:
    line = case.payload.replace(b"\r", b"").replace(b"\n", b"").decode("latin-1")
    return Act(case.id, lambda: header("retry_after", line, "400 Bad Request"))


def _a2a(case: Case, *events: object, unfold: bool = False, **rest: object) -> Act:
    return Act(case.id, A2aScene(tuple(events), end=case.end, **rest), case.end, unfold=unfold)  # type: ignore[arg-type]


def artifact_name(case: Case) -> Act:
    parts = [text_part("artifact text")]
    return _a2a(case, artifact(case.text, *parts, artifact_id="x", description=case.text, metadata={"a": case.text}))


def artifact_data(case: Case) -> Act:
    return _a2a(case, artifact("data", data_part({case.text: [case.text, {"x": case.text}]})))


def status_message(case: Case) -> Act:
    return _a2a(case, status("working", case.text))


def failed_task(case: Case) -> Act:
    return Act(case.id, A2aScene((status("failed", case.text, final=True),), is_left_open=True))


def rpc_error(case: Case) -> Act:
    return Act(case.id, A2aScene(error={"code": -32603, "message": case.text, "data": {"why": case.text}}))


def plan_step(case: Case) -> Act:
    steps = [{"title": case.text, "agent": case.text, "status": state} for state in ("completed", "in_progress")]
    return _a2a(case, artifact("execution_plan_update", data_part({"steps": steps})))


def plan_text(case: Case) -> Act:
    text = f"⟦🔄 [{case.text}] {case.text}\n⏳ [{case.text}] later⟧"
    return _a2a(case, artifact("execution_plan_update", text_part(text)))


def tool_notice(case: Case) -> Act:
    start = artifact(
        "tool_notification_start",
        text_part(case.text),
        artifact_id="s",
        description=f"Tool call started: {case.text}",
        metadata={"sourceAgent": case.text},
    )
    end = artifact("tool_notification_end", text_part(case.text), artifact_id="e", metadata={"sourceAgent": case.text})
    return _a2a(case, start, end, unfold=True)


def tool_output(case: Case) -> Act:
    start = artifact("tool_notification_start", text_part("x"), artifact_id="s", description="Tool call started: look")
    end = artifact(
        "tool_notification_end", text_part(case.text), artifact_id="e", description="Tool call completed: look"
    )
    return _a2a(case, start, end, unfold=True)


def file_name(case: Case) -> Act:
    file = {"bytes": "aGk=", "name": case.text, "mimeType": case.text}
    return _a2a(case, artifact("file", {"kind": "file", "file": file}))


def file_uri(case: Case) -> Act:
    file = {"uri": case.text, "name": "x", "mimeType": "text/plain"}
    return _a2a(case, artifact("file", {"kind": "file", "file": file}))


def sign_in(case: Case) -> Act:
    return Act(case.id, A2aScene((status("auth-required", case.text, final=True),), is_left_open=True))


def form(case: Case) -> Act:
    fields = [
        {
            "field_name": f"{case.text}{kind}",
            "field_label": case.text,
            "field_description": case.text,
            "field_type": kind,
            "default_value": case.text,
            "placeholder": case.text,
            "pattern": case.text,
            **({"field_values": [case.text, f"{case.text}2"]} if kind == "select" else {}),
        }
        for kind in ("select", "text", "textarea", "boolean", "password", "number", case.text)
    ]
    value = {"user_input": True, "input_title": case.text, "input_description": case.text, "input_fields": fields}
    asked = artifact("UserInputMetaData", data_part(value), artifact_id="f")
    return Act(case.id, A2aScene((asked, status("input-required", case.text, final=True)), is_left_open=True))


def unknown_event(case: Case) -> Act:
    return _a2a(case, {"kind": case.text, case.text: [case.text]})


def unknown_part(case: Case) -> Act:
    return _a2a(case, artifact("odd", {"kind": case.text, case.text: case.text}))


def task_and_context_id(case: Case) -> Act:
    ids = {"taskId": case.text, "contextId": case.text}
    task = {"kind": "task", "id": case.text, "contextId": case.text, "status": {"state": case.text}}
    events = [task, {**ids, **artifact("answer", text_part(case.end))}, {**ids, **status("completed", final=True)}]
    wrapped = [json.dumps({"jsonrpc": "2.0", "id": 1, "result": event}).encode("ascii") for event in events]
    return Act(case.id, lambda: stream(*(b"data: " + each + b"\n\n" for each in wrapped)), case.end)


@dataclass(frozen=True)
class Entry:
    """One entry."""

    endpoint: str
    build: Build


CHAT = {
    "every character": every_character_a_delta,
    "reasoning": reasoning,
    "tool name": tool_name,
    "tool arguments": tool_arguments,
    "tool arguments in JSON": tool_arguments_in_json,
    "finish reason": finish_reason,
    "usage": usage,
    "model in answer": model_in_answer,
    "error body": error_body,
    "error in stream": error_in_stream,
    "401": unauthorized,
    "403": plain_body,
    "content type": content_type,
    "reason phrase": reason_phrase,
    "location": location,
    "cookie": cookie,
    "stream body": stream_body,
    "data line": data_line,
    "event name": event_name,
    "tool call id": tool_call_id,
    "Retry-After": retry_after,
}
AGENT = {
    "artifact name": artifact_name,
    "artifact data": artifact_data,
    "status message": status_message,
    "failed task": failed_task,
    "RPC error": rpc_error,
    "plan step": plan_step,
    "plan text": plan_text,
    "tool notice": tool_notice,
    "tool output": tool_output,
    "file name": file_name,
    "file URI": file_uri,
    "unknown event": unknown_event,
    "unknown part": unknown_part,
    "task and context id": task_and_context_id,
    "sign in": sign_in,
    "form": form,
}
"""Entry -> what brings a payload there. `form` is last: after it the session waits for an answer."""

COLLECTED: dict[str, Entry] = {
    "delta text": Entry("chat", delta),
    "delta text, two deltas": Entry("chat", delta),
    "delta text (invalid UTF-8)": Entry("chat", json_bytes),
    "delta text, JSON escape": Entry("chat", json_bytes),
    "reasoning delta": Entry("chat", reasoning),
    "tool name": Entry("chat", tool_name),
    "tool args": Entry("chat", tool_arguments),
    "tool output": Entry("agent", tool_output),
    "error body": Entry("chat", error_body),
    "HTTP 401 body": Entry("chat", unauthorized),
    "HTTP reason phrase": Entry("chat", reason_phrase),
    "Location header": Entry("chat", location),
    "Set-Cookie header": Entry("chat", cookie),
    "SSE stream": Entry("chat", stream_body),
    "SSE data line": Entry("chat", data_line),
    "JSON-RPC error message": Entry("agent", rpc_error),
    "artifact name": Entry("agent", artifact_name),
    "task status message": Entry("agent", status_message),
    "A2A file part name": Entry("agent", file_name),
    "A2A file part uri": Entry("agent", file_uri),
    "attachment file name": Entry("agent", file_name),
    "plan step": Entry("agent", plan_step),
}
"""What the collected cases call an entry; those that are not here come in elsewhere than by an agent's answer."""
