"""What an endpoint is asked: a prompt with all that goes along, or a task with what was told of it earlier."""

from contextlib import suppress

from msgspec.structs import replace

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.request import PromptRequest, TaskRef
from chatforge_tui.domain.turn import Prompt, Turn, TurnHead
from chatforge_tui.errors import ContentLost
from chatforge_tui.sessions.ports import Endpoint, SessionStore
from chatforge_tui.sessions.worker_context import WorkerContext


async def prompt_request(context: WorkerContext, endpoint: Endpoint, head: TurnHead) -> PromptRequest:
    """Return the request that has a turn's prompt answered.

    Raises:
        UnknownSession: the turn's session is gone.
        ContentLost: a file of the prompt is lost.
        StoreError: what goes along cannot be read.
    """
    session, store = context.book.get(head.session_id), context.store
    earlier: tuple[Turn, ...] = ()
    if endpoint.needs_history:
        earlier = tuple(await store.load_turns(head.session_id, before=head.ordinal))
    return PromptRequest(
        session_id=head.session_id,
        turn_id=head.turn_id,
        request_id=head.request_id,
        prompt=head.prompt,
        context_id=session.context_id,
        answers_task=head.answers_task,
        history=earlier,
        contents=await _contents(store, head.session_id, head.prompt, earlier),
    )


async def with_what_was_told(store: SessionStore, head: TurnHead, task: TaskRef) -> TaskRef:
    """Return the task with what earlier turns say that asked or answered in it, if the turn is such an answer.

    Raises:
        StoreError: they cannot be read.
    """
    if head.answers_task is None:
        return task
    turns = await store.load_turns(head.session_id, but=head.turn_id)
    of_task = [turn for turn in turns if task.task_id in {turn.head.task_id, turn.head.answers_task}]
    return replace(task, told="".join(turn.answer for turn in of_task))


async def _contents(
    store: SessionStore, session_id: SessionId, prompt: Prompt, history: tuple[Turn, ...]
) -> dict[str, bytes]:
    """Return the bytes of everything attached; of an earlier turn one that is lost may be missing."""
    contents: dict[str, bytes] = {}
    for file in prompt.attachments:
        contents[file.sha256] = await store.load_content(session_id, file)
    for file in (file for turn in history for file in turn.head.prompt.attachments):
        if file.sha256 not in contents:
            with suppress(ContentLost):
                contents[file.sha256] = await store.load_content(session_id, file)
    return contents
