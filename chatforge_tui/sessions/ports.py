"""What the engine needs from the outside, as the engine sees it. Adapters match these by shape.

Every implementation passes the contract suite in tests/contracts/ for its port.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # 50 ms for events, requests and search results, which a start does not need
    from chatforge_tui.domain.attachment import Attachment
    from chatforge_tui.domain.changes import TextAppended, TurnChange
    from chatforge_tui.domain.events import StreamEvent
    from chatforge_tui.domain.ids import SessionId, TurnId
    from chatforge_tui.domain.merged import Mergeable, Merged
    from chatforge_tui.domain.repair import RepairReport
    from chatforge_tui.domain.request import PromptRequest, TaskRef
    from chatforge_tui.domain.search import SearchHit
    from chatforge_tui.domain.session import EndpointRef, SessionHead, SessionPatch
    from chatforge_tui.domain.sighting import Sighting
    from chatforge_tui.domain.turn import Turn, TurnHead, TurnState


class Endpoint(Protocol):
    """One session's connection to its agent. Owned by one worker; never shared between sessions."""

    @property
    def needs_history(self) -> bool:
        """Whether a request must carry the session's earlier turns (the server keeps none)."""
        ...

    @property
    def can_resume(self) -> bool:
        """Whether a task can be read on with after its stream was lost."""
        ...

    def stream(self, request: PromptRequest) -> AsyncGenerator[StreamEvent, None]:
        """Have one prompt answered.

        Closing the generator closes the socket. Cancelling the task that iterates does too, without delay.

        Raises:
            EndpointError: what kept the request from being answered. A stream that merely ends without a terminal
                event was cut; the worker treats it as StreamLost.
        """
        ...

    def resume(self, task: TaskRef) -> AsyncGenerator[StreamEvent, None]:
        """Read on with a task. Only reads: no prompt is ever sent again.

        Tells what the agent still knows of the answer from its beginning, in the same events as `stream`, then goes
        on. `Accepted` comes once the agent has answered. Closing works as for `stream`.

        Raises:
            TaskForgotten: the agent does not know the task any more.
            EndpointError: as `stream`; where `can_resume` is false, always.
        """
        ...

    async def objection(self, files: Sequence[Attachment]) -> str:
        """Say before anything is sent what the agent has against files of these types; it may be asked for that.

        Returns:
            One sentence; "" = nothing, or it does not say. They can be sent all the same.

        Raises:
            EndpointError: the agent cannot be asked.
            ConfigError: as `Endpoints.connect`.
        """
        ...

    async def cancel_task(self, task: TaskRef) -> None:
        """Tell the agent to stop a task, on a connection of its own, within 5 s. A protocol without tasks returns.

        Raises:
            EndpointError: the agent was not told. A task that is already over is no error.
        """
        ...

    def attend(self, *, is_watched: bool) -> None:
        """Say whether somebody watches the session. Until this is called somebody does.

        While nobody does, what comes may be handed over up to 100 ms later, in larger pieces, its end as well. When
        somebody watches again what is there comes at once. Nothing else changes: no byte, no order, no socket.
        """
        ...

    async def aclose(self) -> None:
        """Close every socket. Idempotent; never raises."""
        ...


class Endpoints(Protocol):
    """Makes connections by name."""

    def connect(self, ref: EndpointRef) -> Endpoint:
        """Return a connection of its own for one session; opens no socket yet.

        Raises:
            ConfigError: no such endpoint, or its settings or credential cannot be used.
        """
        ...

    async def fetch_file(self, ref: EndpointRef, url: str, limit: int) -> bytes:
        """Return a file that the endpoint's agent offers by its address. The credential goes to its own origin only.

        Args:
            ref: the endpoint.
            url: the address; the user has agreed to it.
            limit: most bytes.

        Raises:
            FileElsewhere: its server sends on to another origin, to which nothing was sent.
            EndpointError: it cannot be had, is larger, or no request may go there.
            ConfigError: as `connect`.
        """
        ...


class SessionStore(Protocol):
    """Where sessions, turns and parts are kept.

    Called from one event loop. Calls take effect in the order in which they are made. `record` and `update_session`
    return at once and are on disk within 250 ms (`record` whole, in order: after a crash a turn holds a prefix);
    every `async` method that changes something returns when its change is durable.
    All of them raise StoreError when the store cannot do it; `record` and `update_session` cannot raise: what they
    could not write is kept and tried again, and `on_trouble` is told.

    Several programs may have one store open. Each session has at most one writer among the living ones; who holds a
    session lets go of it with its last breath. `create_session`, `begin_turn` and `adopt_turn` hold their session,
    `hold_session` holds any. Of a session that another program holds nothing but the title can be changed.
    """

    on_trouble: Callable[[str], None] | None
    """Called on the event loop with one sentence when writing fails, with "" when it works again."""

    @property
    def refusal(self) -> str:
        """Why this store cannot be changed, in one or two sentences, once it is open; "" when it can.

        It can be read then, or seems empty where even that is not possible. `record` does nothing; what
        `update_session` changes waits for `recover`.
        """
        ...

    async def recover(self) -> bool:
        """Try again to open a store that cannot be changed; return whether it can be from now on.

        Then what others wrote meanwhile is there to be read, with what `update_session` changed.
        """
        ...

    @property
    def repair(self) -> RepairReport | None:
        """What the repair of a damaged store brought back, when it had to be made to open it."""
        ...

    @property
    def salvaged(self) -> int | None:
        """How many rows the repair that is being made has read so far; None when none is being made."""
        ...

    async def open(self, *, takes_tabs: bool = False) -> None:
        """Open or create the store. A turn that was live in a program that is dead now becomes `interrupted`.

        Args:
            takes_tabs: hold every session with a tab that no other living program holds.
        """
        ...

    async def close(self) -> None:
        """Flush, close, end the writer thread. Idempotent."""
        ...

    async def flush(self) -> None:
        """Return when everything handed over before is durable."""
        ...

    async def load_sessions(self, *, trashed: bool = False) -> list[SessionHead]:
        """Return all sessions (or, with trashed, only those in the trash): open ones by position, then by update."""
        ...

    async def load_turns(
        self, session_id: SessionId, *, since: int = 0, before: int | None = None, but: TurnId | None = None
    ) -> list[Turn]:
        """Return the session's turns in order, with everything handed over so far. [] for an unknown session.

        Args:
            session_id: whose.
            since: ordinal of the first turn to return.
            before: ordinal of the first one not to return any more; None = to the end.
            but: a turn not to return; the caller has it. One that streams is the dearest to read.
        """
        ...

    async def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """Return where all words of the query stand in titles, prompts and answers, the trash left out.

        Titles come first, then turns, the newest first. Any text is a query, without regard to case; an empty one
        finds nothing.

        Args:
            query: words, separated by white space.
            limit: hits at most, > 0.
        """
        ...

    async def create_session(self, head: SessionHead) -> None:
        """Add a session."""
        ...

    def update_session(self, session_id: SessionId, patch: SessionPatch, updated: float) -> None:
        """Change some fields; later patches win. Ignored for an unknown session."""
        ...

    async def set_attachments(
        self, session_id: SessionId, attachments: tuple[Attachment, ...], contents: Mapping[str, bytes]
    ) -> None:
        """Say which files go along with a session's next prompt. Durable on return, content included.

        Content that neither they nor any turn of the session refers to is deleted, no byte of it left.

        Args:
            session_id: whose.
            attachments: all of them, in order.
            contents: of those that the session has not had yet, by digest.

        Raises:
            UnknownSession: the session is gone, or in the trash.
            SessionBusy: another living program is its writer.
            ContentLost: the content of one is neither given nor there.
        """
        ...

    async def load_content(self, session_id: SessionId, file: Attachment) -> bytes:
        """Return the content of an attachment of the session, byte for byte as it was given.

        Raises:
            ContentLost: it is not there any more, or damaged.
        """
        ...

    async def begin_turn(self, head: TurnHead, session: SessionHead) -> None:
        """Add a turn, in one transaction with its session: the prompt is durable before anything leaves.

        A turn that is unsent is only kept: nothing can be recorded of it before it is adopted.

        Args:
            head: the turn.
            session: as it is with the turn. Of it are written what a turn changes: its title, where it has none on the disk;
                when it was used last; and which files are still attached, if the prompt takes some along.

        Raises:
            ContentLost: the content of an attachment is not there.
        """
        ...

    def record(self, turn_id: TurnId, changes: Sequence[TurnChange]) -> None:
        """Write changes of a live turn. A HeadChanged that binds a task is on disk at once, not after 250 ms."""
        ...

    def grow(self, turn_id: TurnId, growth: TextAppended) -> None:
        """Write that a text of a live turn grew, as `record` does, for less: nearly everything that streams is that."""
        ...

    async def end_turn(self, turn: Turn, session: SessionHead) -> None:
        """Write the turn's last state, parts and plans, in one transaction with its session.

        Args:
            turn: whole: what `record` wrote for it is superseded.
            session: as it is after the turn. Of it are written its title, where it has none on the disk, when it was used
                last, its waiting task, and whether it is unread.
        """
        ...

    async def lost_turns(self) -> list[TurnHead]:
        """Return the turns that may be taken up again: `interrupted`, bound to a task, the last of their sessions.

        Not those of sessions in the trash. Unsent turns come after the last one.
        """
        ...

    async def unsent_turns(self) -> list[TurnHead]:
        """Return the prompts that wait to be sent, those of the trash left out, each session's in order."""
        ...

    async def adopt_turn(self, head: TurnHead, *, was: TurnState) -> Turn | None:
        """Make an interrupted, waiting or unsent turn live, as this program's own, under this head; its parts stay as they are.

        From here on it is a turn like any that `begin_turn` began. Durable on return: a crash leaves it interrupted,
        with its parts.

        Args:
            head: the turn's head from now on.
            was: `interrupted`, `waiting` or `unsent`: what the turn is for who calls. One that another program has sent meanwhile
                may be interrupted, and must not be sent again.

        Returns:
            The turn as it is now; None when it is gone, is not in that state any more, or was sent and is not the last
            of its session that was. So of any number of programs one sends an unsent turn, once.

        Raises:
            SessionBusy: another program is answering in the session.
        """
        ...

    async def drop_turn(self, head: TurnHead) -> bool:
        """Delete a turn that was never sent.

        Returns:
            Whether it was there and still unsent.

        Raises:
            SessionBusy: another living program is the session's writer.
        """
        ...

    async def hold_session(self, session_id: SessionId) -> SessionHead:
        """Make this program the session's writer; a turn that a dead one left live in it becomes `interrupted`.

        Returns:
            The session as it is now.

        Raises:
            UnknownSession: it is gone, or in the trash.
            SessionBusy: another living program is its writer.
        """
        ...

    async def ask_for_session(self, session_id: SessionId) -> None:
        """Ask the session's writer to give it up to this program. Its `look_around` tells it so until it has."""
        ...

    async def give_up_sessions(self, session_ids: Collection[SessionId]) -> frozenset[SessionId]:
        """Let go of sessions: each to who asked for it last, if that program lives. One that is not held is ignored.

        Returns:
            Those that are kept, for this program still answers in them.
        """
        ...

    async def merge(self, items: tuple[Mergeable, ...]) -> tuple[Merged, ...]:
        """Take in sessions and what belongs to them from elsewhere, each session first, in one transaction.

        What is here already stays as it is.

        Returns:
            For each item what became of it.
        """
        ...

    async def look_around(self) -> Sighting | None:
        """Return what other programs may have done since the last look; None when nothing is new, which costs little."""
        ...

    async def trash_session(self, session_id: SessionId, when: float) -> None:
        """Put a session into the trash: it can be brought back.

        Raises:
            SessionBusy: another running program is answering in it.
        """
        ...

    async def restore_session(self, session_id: SessionId) -> SessionHead:
        """Bring a session back from the trash.

        Raises:
            UnknownSession: it is not in the trash.
        """
        ...

    async def purge_session(self, session_id: SessionId) -> None:
        """Delete a session for good: no word of it stays in the database or its side files.

        Raises:
            SessionBusy: another running program is answering in it.
        """
        ...
