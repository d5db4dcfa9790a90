"""Commands on the store alone: sessions, search, show, export, delete, restore. No endpoint, no engine, no screen."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct

from chatforge_tui.cli import exit_codes
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.output import standard_output, tell
from chatforge_tui.cli.session_lookup import find_session, short_ids
from chatforge_tui.cli.session_table import hit_lines, session_table
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.errors import ConfigError, StoreTooNew
from chatforge_tui.exchange import json_shapes
from chatforge_tui.exchange.private_file import write_private
from chatforge_tui.exchange.session_file import file_name, rendered
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.store.sqlite_store import SqliteStore

_T = TypeVar("_T")


def list_sessions(launch: Launch, *, trash: bool, as_json: bool) -> int:
    """Write the sessions, open ones first; or those in the trash. Return the exit code."""
    found = _read(launch, lambda store: store.load_sessions(trashed=trash))
    heads, output = found.value, standard_output()
    if as_json:
        output.raw_line(json_shapes.dumps([json_shapes.session_line(head) for head in heads], indent=2))
    elif heads:
        output.line("\n".join(session_table(heads, short_ids(heads))))
    else:
        output.line("The trash is empty." if trash else "There are no sessions yet.")
    return found.end()


def search_sessions(launch: Launch, query: str, *, limit: int, as_json: bool) -> int:
    """Write where all words of the query stand in titles, prompts and answers; return the exit code."""
    found = _read(launch, lambda store: store.search(query, limit))
    output = standard_output()
    if as_json:
        output.raw_line(json_shapes.dumps([json_shapes.hit_line(hit) for hit in found.value], indent=2))
    elif found.value:
        output.line("\n".join(hit_lines(found.value)))
    else:
        output.line("Nothing was found in titles, prompts and answers. The trash was left out.")
    return found.end()


def show_session(launch: Launch, given: str, *, as_json: bool) -> int:
    """Write one session with all its turns; return the exit code."""
    found = _read(launch, lambda store: _load_session(store, given))
    head, turns = found.value
    output = standard_output()
    if as_json:
        output.raw_line(json_shapes.dumps(json_shapes.transcript(head, turns), indent=2))
    else:
        _know_credentials(launch)
        output.line(rendered(head, turns, "md").rstrip("\n"))
    return found.end()


def export_session(launch: Launch, given: str, *, form: str, target: Path | None, force: bool) -> int:
    """Write one session into a file, or to stdout when the file is `-`; return the exit code.

    Args:
        launch: where the store is.
        given: the session's id or its beginning.
        form: one of session_file.FORMS.
        target: the file; None = named after the session, in the current directory.
        force: whether a file that is there is replaced.
    """
    found = _read(launch, lambda store: _load_session(store, given))
    head, turns = found.value
    _know_credentials(launch)
    content = rendered(head, turns, form)
    if target == Path("-"):
        standard_output().write(content)
        return found.end()
    path = target or Path(file_name(head, form))
    write_private(path, content.encode("utf-8", "replace"), replace=force)
    standard_output().line(f"Written to {clean_name(str(path))}.")
    return found.end()


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


class _Found(Struct, Generic[_T], frozen=True):
    """What was read, and from what kind of store."""

    value: _T
    is_newer: bool

    def end(self) -> int:
        """Return the exit code of a command that has written what was read; say so when that may not be all."""
        if not self.is_newer:
            return exit_codes.DONE
        tell("A newer ChatForge wrote this store: it was only read, and what this version does not know is left out.")
        return StoreTooNew.exit_code


def _know_credentials(launch: Launch) -> None:
    """Have the configured credentials masked in what is written for people, as far as they can be had without asking."""
    from chatforge_tui.config.credentials import register_known  # noqa: PLC0415 - 25 ms that a list need not pay

    with suppress(ConfigError):  # a configuration that cannot be used keeps nobody from reading the store
        register_known(launch.settings.endpoints.values(), os.environ)


def _read(launch: Launch, look: Callable[[SqliteStore], Awaitable[_T]]) -> _Found[_T]:
    """Open the store for reading and look something up."""

    async def read() -> _Found[_T]:
        async with _opened(launch, read_only=True) as store:
            return _Found(await look(store), store.is_newer)

    return asyncio.run(read())


async def _load_session(store: SqliteStore, given: str) -> tuple[SessionHead, tuple[Turn, ...]]:
    """Return a session with its turns, also one in the trash."""
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
