"""Files beside a session's prompts and in its answers: what goes along, what is there, what the agent offers elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec.structs import replace

from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.ids import SessionId
from chatforge_tui.errors import ConfigError, EndpointError
from chatforge_tui.sessions.ports import Endpoint, Endpoints, SessionStore
from chatforge_tui.sessions.session_book import SessionBook


class SessionFiles:
    """The files of all sessions of one engine."""

    def __init__(
        self,
        store: SessionStore,
        endpoints: Endpoints,
        book: SessionBook,
        hold: Callable[[SessionId], Awaitable[None]],
    ) -> None:
        """Know where they are kept and who offers them.

        Args:
            store: where contents are kept.
            endpoints: fetch what an agent offers.
            book: the sessions.
            hold: makes this program a session's writer, or raises SessionBusy.
        """
        self._store = store
        self._endpoints = endpoints
        self._book = book
        self._hold = hold
        self._fetches: dict[SessionId, list[asyncio.Timeout]] = {}
        """Fetches that run; each ends when its time is up."""

    async def attach(
        self, session_id: SessionId, files: Sequence[Attachment], contents: Mapping[str, bytes] | None = None
    ) -> None:
        """Have files go along with the session's next prompt, after those that do already; one goes once.

        Returns when they are durable, content included.

        Args:
            session_id: whose.
            files: what is attached.
            contents: of the files that have not been attached in this session before, by digest.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: they cannot be kept; they are not attached then.
            SessionBusy: another running program holds this session.
        """
        known = self._book.get(session_id).attachments
        fresh = tuple(file for file in dict.fromkeys(files) if file not in known)
        await self._set(session_id, (*known, *fresh), contents or {})

    async def detach(self, session_id: SessionId, file: Attachment) -> None:
        """Take an attachment back that has not been sent. Its content goes, unless a turn of the session has it.

        Raises:
            UnknownSession: there is no such session outside the trash.
            StoreError: the store cannot do it.
            SessionBusy: another running program holds this session.
        """
        rest = tuple(one for one in self._book.get(session_id).attachments if one != file)
        await self._set(session_id, rest, {})

    async def objection(self, session_id: SessionId) -> str:
        """Ask what the session's agent has against the files that go along with the next prompt; nothing is sent of them.

        Returns:
            One sentence; "" = nothing, or it cannot be known. They can be sent all the same.

        Raises:
            UnknownSession: there is no such session outside the trash.
        """
        head = self._book.get(session_id)
        if not head.attachments:
            return ""
        endpoint: Endpoint | None = None
        try:
            endpoint = self._endpoints.connect(head.endpoint)
            return await endpoint.objection(head.attachments)
        except (EndpointError, ConfigError):
            return ""
        finally:
            if endpoint is not None:
                await endpoint.aclose()

    async def read_content(self, session_id: SessionId, file: Attachment) -> bytes:
        """Return the content of an attachment of the session.

        Raises:
            ContentLost: it is not there any more, or damaged.
        """
        return await self._store.load_content(session_id, file)

    async def fetch_file(self, session_id: SessionId, url: str, limit: int) -> bytes | None:
        """Return a file that the session's agent offers by its address, after the user agreed to that.

        Returns:
            Its content; None when `stop_fetching` ended the fetch.

        Raises:
            UnknownSession: there is no such session outside the trash.
            FileElsewhere: its server sends on to another origin, to which nothing was sent.
            EndpointError: it cannot be had, is larger than `limit` bytes, or no request may go there.
        """
        endpoint = self._book.get(session_id).endpoint
        running = self._fetches.setdefault(session_id, [])
        alarm = asyncio.timeout(None)
        try:
            async with alarm:
                running.append(alarm)
                return await self._endpoints.fetch_file(endpoint, url, limit)
        except TimeoutError:
            if not alarm.expired():
                raise
            return None
        finally:
            running.remove(alarm)
            if not running:
                self._fetches.pop(session_id, None)

    def stop_fetching(self, session_id: SessionId) -> None:
        """End every fetch of the session that runs; nothing comes of it."""
        for alarm in self._fetches.get(session_id, ()):
            if not alarm.expired():  # else it ends already, and takes its time
                alarm.reschedule(asyncio.get_running_loop().time())

    async def _set(self, session_id: SessionId, files: tuple[Attachment, ...], contents: Mapping[str, bytes]) -> None:
        """Change what goes along, in memory at once, so that the next change builds on it; take it back if that fails."""
        if self._book.get(session_id).held_by:
            await self._hold(session_id)
        head = self._book.get(session_id)
        before = head.attachments
        self._book.put(replace(head, attachments=files))
        try:
            await self._store.set_attachments(session_id, files, contents)
        except BaseException:
            if (head := self._book.find(session_id)) is not None:
                kept = (*(file for file in before if file not in files), *head.attachments)
                kept = tuple(file for file in kept if file in before or file not in files)
                self._book.put(replace(head, attachments=kept))
            raise
