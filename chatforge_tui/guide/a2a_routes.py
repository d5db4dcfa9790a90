"""A2A over JSON-RPC: dispatches requests of both versions to the task operations. Owns codes and shapes of errors.

Closing a stream stops nothing: the task goes on until it rests or is cancelled.
"""

import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

from chatforge_tui.guide.a2a_dialect import Dialect, Json, VersionOne, VersionZeroThree, state_named
from chatforge_tui.guide.a2a_requests import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NO_EXTENDED_CARD,
    NO_PUSH,
    NOT_CANCELABLE,
    REASONS,
    TASK_NOT_FOUND,
    UNSUPPORTED,
    VERSION_NOT_SUPPORTED,
    ListParams,
    RpcCall,
    RpcFault,
    SendParams,
    TaskParams,
    read_call,
    read_params,
)
from chatforge_tui.guide.a2a_run import run
from chatforge_tui.guide.a2a_store import TaskStore
from chatforge_tui.guide.a2a_task import (
    CutEvent,
    GuideTask,
    SilenceEvent,
    TaskEvent,
    TaskMessage,
    TaskState,
    TextPiece,
)
from chatforge_tui.guide.a2a_waiting import WaitingTasks
from chatforge_tui.guide.agent import GuideAgent, Incoming
from chatforge_tui.guide.http_connection import Spawn
from chatforge_tui.guide.http_messages import (
    Answer,
    EventStream,
    HttpRequest,
    HttpResponse,
    Signal,
    json_bytes,
    json_response,
    sse_frame,
)

_DIALECTS: Mapping[str, Dialect] = {"1.0": VersionOne(), "0.3": VersionZeroThree(), "": VersionZeroThree()}
"""By the A2A-Version header; a client that sends none speaks 0.3."""
_MAX_PAGE = 100
_TOO_MANY = "Too many tasks are at work; cancel one"

_Operation = Callable[[Dialect, RpcCall], Coroutine[Any, Any, Answer]]


class A2aRoutes:
    """The agent's tasks, as clients reach them."""

    def __init__(self, agent: GuideAgent, spawn: Spawn, store: TaskStore) -> None:
        self._agent = agent
        self._spawn = spawn
        self._store = store
        self._waiting = WaitingTasks(agent)
        self._operations: Mapping[str, _Operation] = {
            "send": self._send,
            "stream": self._stream,
            "get": self._get,
            "cancel": self._cancel,
            "subscribe": self._subscribe,
            "list": self._list,
            "card": partial(self._refuse, NO_EXTENDED_CARD, "No extended agent card is configured"),
            "push": partial(self._refuse, NO_PUSH, "Push notifications are not supported"),
        }

    async def handle(self, request: HttpRequest) -> Answer:
        """Answer one JSON-RPC request."""
        version = request.headers.get("a2a-version", "").strip()
        dialect = _DIALECTS.get(".".join(version.split(".")[:2]))
        call = RpcCall(method="")
        try:
            call = _call(request)
            return await self._operation(dialect, call, version)(dialect or VersionOne(), call)
        except RpcFault as fault:
            if dialect is None or fault.code == VERSION_NOT_SUPPORTED:
                return _error(VersionOne(), call, fault)
            return _error(dialect, call, fault)

    def _operation(self, dialect: Dialect | None, call: RpcCall, version: str) -> _Operation:
        """Return what does a method's work."""
        if dialect is None:
            raise RpcFault(VERSION_NOT_SUPPORTED, f"A2A version '{version[:20]}' is not supported; 1.0 and 0.3 are")
        operation = dialect.methods.get(call.method)
        if operation:
            return self._operations[operation]
        if dialect.version != VersionOne.version and call.method in VersionOne.methods:
            message = f"{call.method} is a method of A2A 1.0, which the header A2A-Version must say"
            raise RpcFault(VERSION_NOT_SUPPORTED, message)
        raise RpcFault(METHOD_NOT_FOUND, "Method not found")

    async def _send(self, dialect: Dialect, call: RpcCall) -> Answer:
        params = read_params(call.params, SendParams)
        history = params.history
        task, _ = self._begin(dialect, params)
        if params.waits:
            async with aclosing(task.broadcast.follow()) as events:
                async for _event in events:
                    pass
        return _result(call, dialect.sent(dialect.task(task, history)))

    async def _stream(self, dialect: Dialect, call: RpcCall) -> Answer:
        task, is_new = self._begin(dialect, read_params(call.params, SendParams))
        # a task that goes on after a question is known to its client: only a new one is introduced
        first = dialect.sent(dialect.task(task)) if is_new else None
        return EventStream(_frames(dialect, call, task, first, task.broadcast.follow()))

    async def _get(self, dialect: Dialect, call: RpcCall) -> Answer:
        params = read_params(call.params, TaskParams)
        return _result(call, dialect.task(self._known(params.id), params.history))

    async def _cancel(self, dialect: Dialect, call: RpcCall) -> Answer:
        task = self._known(read_params(call.params, TaskParams).id)
        if task.has_ended:
            raise RpcFault(NOT_CANCELABLE, "Task cannot be canceled")
        task.cancel()
        return _result(call, dialect.task(task))

    async def _subscribe(self, dialect: Dialect, call: RpcCall) -> Answer:
        """Follow a task: a snapshot first, then what comes; no gap and no overlap between the two."""
        task = self._known(read_params(call.params, TaskParams).id)
        if task.has_ended:
            raise RpcFault(UNSUPPORTED, f"Task {task.task_id} is in terminal state: {task.status.state}")
        first = dialect.sent(dialect.task(task))
        return EventStream(_frames(dialect, call, task, first, task.broadcast.follow()))

    async def _list(self, dialect: Dialect, call: RpcCall) -> Answer:
        params = read_params(call.params, ListParams)
        state = state_named(params.status) if params.status else None
        if params.status and state is None:
            raise RpcFault(INVALID_PARAMS, "status: not a task state of this agent")
        if not 1 <= params.page_size <= _MAX_PAGE or not (params.page_token or "0").isdecimal():
            raise RpcFault(INVALID_PARAMS, f"pageSize: 1 to {_MAX_PAGE}; pageToken: as given by the page before")
        found = self._store.latest(params.context_id, state)
        begin = int(params.page_token or "0")
        page = found[begin : begin + params.page_size]
        history = params.history_length or 0
        tasks = [dialect.task(task, history, artifacts=params.include_artifacts) for task in page]
        end = begin + len(page)
        token = str(end) if end < len(found) else ""
        counts = {"pageSize": params.page_size, "totalSize": len(found)}
        return _result(call, {"tasks": tasks, "nextPageToken": token, **counts})

    async def _refuse(self, code: int, message: str, _dialect: Dialect, _call: RpcCall) -> Answer:
        raise RpcFault(code, message)

    def _known(self, task_id: str, context_id: str | None = None) -> GuideTask:
        task = self._store.find(task_id)
        if task is None:
            task = self._waiting.recall(task_id, context_id)
            if task is not None and not self._store.add(task):
                raise RpcFault(INTERNAL_ERROR, _TOO_MANY)
        if task is None:
            raise RpcFault(TASK_NOT_FOUND, "Task not found")
        return task

    def _begin(self, dialect: Dialect, params: SendParams) -> tuple[GuideTask, bool]:
        """Start work on a message; return the task, and whether it is a new one."""
        message = params.read()
        if params.message.task_id:
            task, is_new = self._answered(dialect, params.message.task_id, params.message.context_id), False
        else:
            context_id = params.message.context_id or str(uuid.uuid4())
            task, is_new = GuideTask(context_id, self._waiting.new_id(message.text)), True
            if not self._store.add(task):
                raise RpcFault(INTERNAL_ERROR, _TOO_MANY)
        task.hear(message.without_bytes())
        incoming = Incoming(message.text, message.data, task.form, message.files)
        task.runner = self._spawn(run(self._agent, task, incoming))
        task.runner.add_done_callback(partial(_end_of_runner, task))
        return task, is_new

    def _answered(self, dialect: Dialect, task_id: str, context_id: str | None) -> GuideTask:
        """Return the waiting task that a message answers."""
        task = self._known(task_id, context_id)
        if context_id and context_id != task.context_id:
            raise RpcFault(
                INVALID_PARAMS, f"Context {context_id} does not match context {task.context_id} of task {task_id}"
            )
        if task.has_ended:
            code = UNSUPPORTED if dialect.version == VersionOne.version else INVALID_PARAMS
            raise RpcFault(code, f"Task {task_id} is in terminal state: {task.status.state}")
        if not task.rests:
            raise RpcFault(UNSUPPORTED, f"Task {task_id} is at work and takes no message until it asks")
        return task


def _call(request: HttpRequest) -> RpcCall:
    """Read the JSON-RPC request out of an HTTP request."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RpcFault(INVALID_REQUEST, "The request must be application/json")
    return read_call(request.body)


def _end_of_runner(task: GuideTask, runner: Any) -> None:  # noqa: ANN401 - asyncio.Task of any result
    """End a task whose runner is gone without ending it: a fault of the agent, or the server's end."""
    if not task.rests:
        fault = "The built-in agent has a fault; the log says which." if not runner.cancelled() else "The agent ended."
        task.enter(TaskState.FAILED, TaskMessage((TextPiece(fault),)))


async def _frames(
    dialect: Dialect, call: RpcCall, task: GuideTask, first: Json | None, following: AsyncGenerator[TaskEvent, None]
) -> AsyncGenerator[bytes | Signal, None]:
    """Yield a task's events as SSE frames until it rests. `following` begins exactly where `first` ends."""
    if first is not None:
        yield _frame(call, first)
    async with aclosing(following) as events:
        async for event in events:
            yield _signal_or_frame(dialect, call, task, event)


def _signal_or_frame(dialect: Dialect, call: RpcCall, task: GuideTask, event: TaskEvent) -> bytes | Signal:
    match event:
        case SilenceEvent():
            return Signal.QUIET
        case CutEvent():
            return Signal.CUT
        case _:
            return _frame(call, dialect.event(task, event))


def _frame(call: RpcCall, result: Json) -> bytes:
    return sse_frame(json_bytes({"jsonrpc": "2.0", "id": call.id, "result": result}))


def _result(call: RpcCall, result: Json) -> HttpResponse:
    return json_response({"jsonrpc": "2.0", "id": call.id, "result": result})


def _error(dialect: Dialect, call: RpcCall, fault: RpcFault) -> HttpResponse:
    """Write an error; HTTP says 200, as JSON-RPC wants it."""
    reason = REASONS.get(fault.code, "")
    error = {"code": fault.code, "message": fault.message, **dialect.error_data(reason)}
    return json_response({"jsonrpc": "2.0", "id": call.id, "error": error})
