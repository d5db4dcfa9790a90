"""The message of a request, and the call that carries it."""

import asyncio

from chatforge_tui.domain.request import PromptRequest
from chatforge_tui.endpoints.a2a.binding import HttpCall
from chatforge_tui.endpoints.a2a.discovery import Route
from chatforge_tui.endpoints.a2a.forms import answer_lines
from chatforge_tui.endpoints.a2a.wire import (
    Operation,
    Outgoing,
    OutgoingFile,
)


def may_hold_files(request: PromptRequest) -> bool:
    """Whether files of the user are in the task: from this prompt, or maybe from the one that the task began with."""
    return bool(request.prompt.attachments) or request.answers_task is not None


async def encoded(way: Route, operation: Operation, outgoing: Outgoing) -> HttpCall:
    """Return the call that sends a message; with files in a thread, so that other sessions go on meanwhile."""
    if not outgoing.files:
        return way.binding.send(operation, outgoing)
    return await asyncio.to_thread(way.binding.send, operation, outgoing)


def outgoing_of(request: PromptRequest) -> Outgoing:
    """Return the message of a request. The answers of a form go as lines that agents read, and as data beside them."""
    values = request.prompt.form
    text = request.prompt.text if values is None else answer_lines(values)
    files = tuple(
        OutgoingFile(file.name, file.media_type, request.contents[file.sha256]) for file in request.prompt.attachments
    )
    return Outgoing(request.turn_id, text, values, request.context_id, request.answers_task, files)
