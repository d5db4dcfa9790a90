"""One session's worker: connects, streams, stops. Runs one request at a time, in one task.

Whatever goes wrong in here becomes this session's turn state and nothing else: no exception leaves a worker's task, or
the task group would end every other session with it.
"""

import asyncio
from collections.abc import AsyncGenerator

from msgspec.structs import replace

from chatforge_tui.domain.changes import HeadChanged
from chatforge_tui.domain.events import TERMINAL_EVENTS, StreamEvent, TaskBound, TextDelta
from chatforge_tui.domain.ids import SessionId, TaskId, first_request_id, new_request_id, new_turn_id
from chatforge_tui.domain.request import TaskRef
from chatforge_tui.domain.session import EndpointRef, SessionPatch
from chatforge_tui.domain.turn import Prompt, TurnHead, TurnState
from chatforge_tui.errors import ChatForgeError, EngineStopped
from chatforge_tui.sessions import session_log
from chatforge_tui.sessions.agent_news import AgentNews, not_told
from chatforge_tui.sessions.cleanup import reap
from chatforge_tui.sessions.contained import Contained, safely
from chatforge_tui.sessions.gate import through
from chatforge_tui.sessions.next_try import next_try
from chatforge_tui.sessions.ports import Endpoint
from chatforge_tui.sessions.prompt_request import prompt_request, with_what_was_told
from chatforge_tui.sessions.retry import Attempts
from chatforge_tui.sessions.turn_end import finish
from chatforge_tui.sessions.turn_run import TurnRun
from chatforge_tui.sessions.worker_context import WorkerContext
from chatforge_tui.streaming.cancellation import CancelReason
from chatforge_tui.streaming.outcome import BROKEN, cut, outcome_of_event, outcome_of_silence, outcome_of_stop
from chatforge_tui.streaming.streaming_state import StreamingState

_EVENTS_IN_A_ROW = 64
"""After so many events the other sessions get their turn, even if the socket has more."""


class SessionWorker:
    """Answers one session's prompts. Made when there is one to answer, given up when idle for a while."""

    __slots__ = ("_context", "_endpoint", "_news", "_ref", "_run", "_session_id", "_timer")

    def __init__(self, session_id: SessionId, context: WorkerContext) -> None:
        """Start idle and without a connection."""
        self._session_id = session_id
        self._context = context
        self._run: TurnRun | None = None
        self._endpoint: Endpoint | None = None
        self._ref: EndpointRef | None = None
        self._news: AgentNews | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def run(self) -> TurnRun | None:
        """The turn this worker is at; None when idle."""
        return self._run

    def begin(self, prompt: Prompt) -> TurnRun:
        """Start answering a prompt. A request that is still running is stopped first and waited for."""
        predecessor = self.stop(CancelReason.SUPERSEDED) or self._run
        self._rest(None)
        turn_id, began = new_turn_id(), self._context.clock.now()
        head = TurnHead(turn_id, self._session_id, 0, prompt, first_request_id(turn_id), started=began)
        return self._start(head, predecessor)

    def take_up(self, lost: TurnHead) -> TurnRun | None:
        """Start reading on with the task of an interrupted or waiting turn. Nothing is sent. None when a request is live."""
        if self._run is not None:
            return None
        self._rest(None)
        head = replace(lost, request_id=new_request_id(), state=TurnState.CONNECTING, ended=None, problem=None)
        return self._start(head, None, adopted=lost)

    def send(self, unsent: TurnHead, *, once: bool) -> TurnRun | None:
        """Start sending a prompt that waits. None when a request is live.

        Args:
            unsent: its turn.
            once: it is tried but once.
        """
        if self._run is not None:
            return None
        self._rest(None)
        began, request_id = self._context.clock.now(), new_request_id()
        head = replace(unsent, request_id=request_id, state=TurnState.QUEUED, started=began, ended=None, problem=None)
        return self._start(head, None, adopted=unsent, once=once)

    def stop(self, reason: CancelReason) -> TurnRun | None:
        """Stop the live request: from here on nothing of it changes the turn. Its end is on its way.

        Returns:
            The run that this call stopped; None when there was none to stop.
        """
        run = self._run
        if run is None or run.is_claimed or not run.state.token.cancel(reason):
            return None
        if run.is_begun and run.task is not None:
            self._claim(run)
            run.task.cancel()
            run.closing = self._context.start(safely(self._session_id, run, self._end_stopped, run, reason))
        else:
            self._note_stop(run)
        return run

    def attend(self) -> None:
        """Tell the endpoint whether somebody watches the session."""
        if self._endpoint is not None:
            self._endpoint.attend(is_watched=self._context.bus.is_watched(self._session_id))

    async def settled(self) -> None:
        """Return when no run of this worker is at work any more."""
        while (run := self._run) is not None:
            await run.settled()
            if self._run is run:
                return

    async def close(self) -> None:
        """Give the connection up, after the news for the agent is out. For a worker without a live run."""
        self._rest(None)
        if self._news is not None:
            await self._news.settled()
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None:
            await safely(self._session_id, None, endpoint.aclose)

    def _start(
        self, head: TurnHead, predecessor: TurnRun | None, *, adopted: TurnHead | None = None, once: bool = False
    ) -> TurnRun:
        """Begin a run in a task of its own."""
        settings = self._context.settings
        state = StreamingState.begin(head, limit=settings.max_turn_chars)
        run = self._run = TurnRun(state, asyncio.get_running_loop(), adopted=adopted, predecessor=predecessor)
        if once:
            run.attempts = Attempts(settings, once=True)
        self._context.registry.begin(state)
        run.task = self._context.start(self._work(run))
        return run

    async def _work(self, run: TurnRun) -> None:
        """Take a turn from its prompt to its end; the run's task.

        Each coroutine below this one would take 250 bytes for as long as it streams, each `with` around it 112, each
        argument of its longest call 8: so the stream is read in here, and all else is done elsewhere.
        """
        await safely(self._session_id, run, self._begin, run)
        goes_on = run.is_begun and run.outcome is None
        limit = self._limit(run) if goes_on else None
        try:
            while goes_on:
                stream = failure = None
                left = _EVENTS_IN_A_ROW
                try:
                    stream = await self._open(run)
                    async for event in stream:
                        if not self._take(run, event):
                            break
                        del event  # what it says is in the state by now
                        left -= 1
                        if not left:
                            left = _EVENTS_IN_A_ROW
                            await asyncio.sleep(0)
                except Exception as error:  # noqa: BLE001 - told apart in `_goes_on_after`, with the stream closed
                    failure = error
                finally:
                    if stream is not None:
                        await self._close(run, stream)
                goes_on = await self._goes_on_after(run, failure)
                del failure  # it knows this frame, which would know it
        finally:
            if limit is not None:
                limit.cancel()
        if self._claim(run):
            await self._end(run)

    async def _begin(self, run: TurnRun) -> None:
        """Make the prompt durable, behind the turn before. A run that was stopped meanwhile has its outcome; nothing leaves."""
        if run.predecessor is not None:
            await run.predecessor.settled()
            run.predecessor = None  # its whole answer would stay in memory as long as this stream lasts
        keeper = self._context.keeper
        try:
            if run.adopted is None:
                await keeper.begin(run)
            elif run.state.token.reason in {CancelReason.SHUTDOWN, CancelReason.DELETED, CancelReason.HANDED_OVER}:
                raise EngineStopped
            elif run.is_lost:
                await keeper.adopt(run.state, was=run.adopted.state)
            else:
                await keeper.send(run)
                self._context.outbox.sending(run.adopted)
        except ChatForgeError as error:
            run.fail(error)
            if run.adopted is not None and not run.is_lost:
                self._context.outbox.missed(run.adopted)
            return
        run.begin()
        if (reason := run.state.token.reason) is not None:
            warning = "" if run.adopted is None else await self._tell_agent(run, reason)
            run.outcome = outcome_of_stop(reason, warning, has_task=run.is_lost)
        else:
            session_log.note("starting new stream for session", self._session_id, run.state.head.request_id)

    def _limit(self, run: TurnRun) -> asyncio.TimerHandle | None:
        """Set the alarm for a turn that takes too long."""
        most = self._context.settings.turn_most_s
        if most is None:
            return None
        loop = asyncio.get_running_loop()
        return loop.call_later(most, lambda: self.stop(CancelReason.TIMEOUT) if self._run is run else None)

    async def _end(self, run: TurnRun) -> None:
        """End a run that this call's claim is on, as its outcome says."""
        if run.is_begun:
            await safely(self._session_id, run, finish, self._context, run, run.outcome or BROKEN)
        run.fail(RuntimeError("The turn did not come to its end; the log says why."))
        self._rest(run)

    async def _goes_on_after(self, run: TurnRun, failure: Exception | None) -> bool:
        """Wait for the next try after one that ended, if there is to be another; else sets the run's outcome.

        Args:
            run: it ended in.
            failure: why; None: it ended without the agent's last word, or with it.

        Returns:
            Whether there is another try.
        """
        with Contained(self._session_id, run):
            if run.outcome is None and not run.is_claimed:
                can_rejoin = self._task_of(run) is not None and self._endpoint is not None and self._endpoint.can_resume
                await next_try(self._context, run, failure or cut(), can_rejoin=can_rejoin)
            return run.outcome is None and not run.is_claimed
        return False

    async def _open(self, run: TurnRun) -> AsyncGenerator[StreamEvent, None]:
        """Return the stream of the next try: the prompt's answer, or what the agent says of the lost task."""
        self._context.keeper.record(run.state, (run.state.connecting(),))
        endpoint, task = self._connect(), self._task_of(run)
        if not run.is_lost or task is None:
            return endpoint.stream(await prompt_request(self._context, endpoint, run.state.head))
        session_log.note("re-attaching to task for session", self._session_id, run.state.head.request_id)
        run.state.retell()
        if run.adopted is not None:
            task = await with_what_was_told(self._context.store, run.adopted, task)
        return through(self._context.gate, endpoint.resume(task))

    async def _close(self, run: TurnRun, stream: AsyncGenerator[StreamEvent, None]) -> None:
        """Close the stream of a try, with its socket. After the agent's last word nobody waits long for that."""
        with Contained(self._session_id, run):
            try:
                async with asyncio.timeout(self._context.settings.abort_grace_s if run.outcome is not None else None):
                    await stream.aclose()
            except ChatForgeError as error:
                session_log.note(f"stream closed badly ({error})", self._session_id, run.state.head.request_id)
            except TimeoutError:
                session_log.note("stream is slow to close for session", self._session_id, run.state.head.request_id)
                self._give_up_connection()

    def _take(self, run: TurnRun, event: StreamEvent) -> bool:
        """Let one event change the turn. Returns whether more of the stream is wanted."""
        context, state = self._context, run.state
        if not context.registry.is_current(self._session_id, state.head.request_id):
            return False
        if type(event) is TextDelta and (growth := state.grow(event.text)) is not None:  # nearly always
            context.keeper.grow(state.head, growth)
            if run.attempts is not None or not run.has_news:
                run.note_news()
            return True
        if isinstance(event, TERMINAL_EVENTS):
            self._note_touched(run, event)  # an agent may refuse with its first word
            run.outcome = outcome_of_event(event)
            return False
        self._note_touched(run, event)
        if changes := state.apply(event, context.clock.now()):
            context.keeper.record(state, changes)
            if not isinstance(changes[-1], HeadChanged):  # a head comes first, or alone
                run.note_news()
        return True

    def _note_touched(self, run: TurnRun, event: StreamEvent) -> None:
        """Note what an event says of the session: that its agent answers, and in which context."""
        context = self._context
        if not run.is_touched:
            run.is_touched = True
            context.outbox.answered(self._session_id)
            context.book.patch(self._session_id, SessionPatch(waiting_task=TaskId("")))
        if (
            isinstance(event, TaskBound)
            and event.context_id
            and (head := context.book.find(self._session_id)) is not None
            and head.endpoint == self._ref
        ):
            context.book.patch(self._session_id, SessionPatch(context_id=event.context_id))

    def _task_of(self, run: TurnRun) -> TaskRef | None:
        """Return the task that the run's agent is at, as far as it is known."""
        head = run.state.head
        task_id = head.task_id or (head.answers_task if run.is_touched else None)
        session = self._context.book.find(self._session_id)
        return TaskRef(task_id, session.context_id if session else None) if task_id is not None else None

    def _connect(self) -> Endpoint:
        """Return the connection, a new one if the session talks to another endpoint now."""
        ref = self._context.book.get(self._session_id).endpoint
        if self._endpoint is None or self._ref != ref:
            self._give_up_connection()
            self._endpoint, self._ref = self._context.endpoints.connect(ref), ref
            self.attend()
        return self._endpoint

    async def _end_stopped(self, run: TurnRun, reason: CancelReason) -> None:
        """End a run that was stopped, whether or not its stream obeys. By now that has closed its socket."""
        self._note_stop(run)
        context = self._context
        warning = "" if run.outcome is not None else await self._tell_agent(run, reason)
        if run.outcome is not None:
            outcome = run.outcome  # the agent has said its last word: only its stream was not closed yet
        elif run.unreached is not None and reason in {CancelReason.SHUTDOWN, CancelReason.HANDED_OVER}:
            outcome = outcome_of_silence(run.unreached)
        else:
            outcome = outcome_of_stop(reason, warning, has_task=run.state.head.task_id is not None)
        await finish(context, run, outcome)
        if run.task is not None and not await reap(run.task, context.settings.abort_grace_s):
            session_log.note("stream does not close for session", self._session_id, run.state.head.request_id)
            self._give_up_connection()
        session_log.note("stream aborted for session", self._session_id, run.state.head.request_id)
        self._rest(run)

    def _note_stop(self, run: TurnRun) -> None:
        session_log.note("aborting previous request for session", self._session_id, run.state.head.request_id)

    async def _tell_agent(self, run: TurnRun, reason: CancelReason) -> str:
        """Start telling the agent to stop its task, once; return what went wrong, if that is known at once."""
        task = self._task_of(run)
        if task is None or reason in {CancelReason.SHUTDOWN, CancelReason.HANDED_OVER}:
            return ""
        try:
            endpoint = self._endpoint or self._connect()
        except ChatForgeError as error:
            return not_told(error)
        self._news = self._news or AgentNews(self._session_id, self._context)
        return await self._news.tell_to_stop(run, endpoint, task)

    def _claim(self, run: TurnRun) -> bool:
        """Decide the run's end. Returns whether this call did: everyone else leaves the turn alone."""
        if run.is_claimed:
            return False
        run.is_claimed = True
        self._context.registry.release(run.state)
        return True

    def _give_up_connection(self) -> None:
        """Let go of an endpoint that cannot be used any more, and close it without waiting."""
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is not None:
            self._context.start(safely(self._session_id, None, endpoint.aclose))

    def _rest(self, run: TurnRun | None) -> None:
        """Begin to be idle after this run; with None, end being idle."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if run is not None and self._run is run:
            self._run = None
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._context.settings.idle_close_s, self._context.retire, self._session_id)
            if run.ended is not None:
                self._context.outbox.ended(run.ended, may_pass=run.unreached is None or run.unreached.retryable)
