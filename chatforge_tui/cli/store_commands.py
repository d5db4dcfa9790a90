"""Commands on the store alone: sessions, show, export, delete, restore. No endpoint, no engine, no screen."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from chatforge_tui.cli import json_shapes
from chatforge_tui.cli.atomic_file import write_private
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.output import standard_output, tell
from chatforge_tui.cli.session_lookup import find_session, short_ids
from chatforge_tui.cli.session_table import session_table
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.safety.file_names import safe_file_name
from chatforge_tui.store.sqlite_store import SqliteStore

EXPORT_FORMATS = ("md", "json", "html")


def list_sessions(launch: Launch, *, trash: bool, as_json: bool) -> None:
    """Write the sessions, open ones first; or those in the trash."""
    heads = asyncio.run(_load_heads(launch, trashed=trash))
    output = standard_output()
    if as_json:
        output.raw_line(json_shapes.dumps([json_shapes.session_line(head) for head in heads], indent=2))
    elif heads:
        output.line("\n".join(session_table(heads, short_ids(heads))))
    else:
        output.line("The trash is empty." if trash else "There are no sessions yet.")


def show_session(launch: Launch, given: str, *, as_json: bool) -> None:
    """Write one session with all its turns."""
    head, turns = asyncio.run(_load_session(launch, given))
    output = standard_output()
    if as_json:
        output.raw_line(json_shapes.dumps(json_shapes.transcript(head, turns), indent=2))
    else:
        output.line(_rendered(head, turns, "md").rstrip("\n"))


def export_session(launch: Launch, given: str, *, form: str, target: Path | None, force: bool) -> None:
    """Write one session into a file, or to stdout when the file is `-`.

    Args:
        launch: where the store is.
        given: the session's id or its beginning.
        form: one of EXPORT_FORMATS.
        target: the file; None = named after the session, in the current directory.
        force: whether a file that is there is replaced.
    """
    head, turns = asyncio.run(_load_session(launch, given))
    content = _rendered(head, turns, form)
    if target == Path("-"):
        standard_output().write(content)
        return
    path = target or Path(f"{safe_file_name(head.title, fallback='session')}.{form}")
    write_private(path, content.encode("utf-8", "replace"), replace=force)
    standard_output().line(f"Written to {clean_name(str(path))}.")


def delete_session(launch: Launch, given: str, *, purge: bool) -> None:
    """Put a session into the trash; with purge delete it for good, from the trash, too."""
    title = asyncio.run(_delete(launch, given, purge=purge))
    standard_output().line(f"Deleted {title} for good." if purge else f"Moved {title} to the trash.")
    if not purge:
        tell("`chatforge restore ID` brings it back.")


def restore_session(launch: Launch, given: str) -> None:
    """Bring a session back from the trash."""
    title = asyncio.run(_restore(launch, given))
    standard_output().line(f"Restored {title}.")


def _rendered(head: SessionHead, turns: tuple[Turn, ...], form: str) -> str:
    if form == "json":
        return json_shapes.dumps(json_shapes.transcript(head, turns), indent=2) + "\n"
    if form == "md":
        from chatforge_tui.cli.markdown_text import session_markdown  # noqa: PLC0415 - 8 ms, only here

        return session_markdown(head, turns)
    from chatforge_tui.cli.html_text import session_html  # noqa: PLC0415 - 80 ms for markdown-it, only here

    return session_html(head, turns)


async def _load_heads(launch: Launch, *, trashed: bool) -> list[SessionHead]:
    async with _opened(launch, read_only=True) as store:
        return await store.load_sessions(trashed=trashed)


async def _load_session(launch: Launch, given: str) -> tuple[SessionHead, tuple[Turn, ...]]:
    """Return a session with its turns, also one in the trash."""
    async with _opened(launch, read_only=True) as store:
        head = find_session(await _all_heads(store), given)
        return head, tuple(await store.load_turns(head.session_id))


async def _delete(launch: Launch, given: str, *, purge: bool) -> str:
    async with _opened(launch, read_only=False) as store:
        heads = await (_all_heads(store) if purge else store.load_sessions())
        head = find_session(heads, given)
        if purge:
            await store.purge_session(head.session_id)
        else:
            await store.trash_session(head.session_id, time.time())
        return _called(head)


async def _restore(launch: Launch, given: str) -> str:
    async with _opened(launch, read_only=False) as store:
        head = find_session(await store.load_sessions(trashed=True), given)
        await store.restore_session(head.session_id)
        return _called(head)


async def _all_heads(store: SqliteStore) -> list[SessionHead]:
    return [*await store.load_sessions(), *await store.load_sessions(trashed=True)]


@asynccontextmanager
async def _opened(launch: Launch, *, read_only: bool) -> AsyncGenerator[SqliteStore, None]:
    store = SqliteStore(launch.store_file, read_only=read_only)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _called(head: SessionHead) -> str:
    """Return what a session is called in a sentence."""
    return f"“{clean_name(head.title)}”" if head.title else f"session {head.session_id}"
