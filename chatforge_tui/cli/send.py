"""`chatforge send`: one turn without a screen, by the same engine as the UI.

Owns the course of the command: which session, when it stops, what it exits with. What is written is `send_report`.
"""

import asyncio
from pathlib import Path

from msgspec import Struct

from chatforge_tui.cli import exit_codes
from chatforge_tui.cli.composition import engine
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.output import ReaderGone, tell, tell_error
from chatforge_tui.cli.send_report import EventReport, Report, TextReport
from chatforge_tui.cli.session_lookup import find_session
from chatforge_tui.cli.stop_signals import StopWish, stop_on_signals
from chatforge_tui.domain.attachment import Attachment
from chatforge_tui.domain.changes import EngineEvent, StoreTrouble, TurnBegan, TurnChanged, TurnEnded
from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.session import SessionHead, SessionPatch
from chatforge_tui.domain.turn import Prompt, Turn, TurnState
from chatforge_tui.errors import ChatForgeError, ConfigError, FileRefused
from chatforge_tui.sessions.event_bus import Subscription
from chatforge_tui.sessions.manager import SessionManager

_EXIT_CODES = {
    TurnState.COMPLETE: exit_codes.DONE,
    TurnState.WAITING: exit_codes.WAITING,
    TurnState.ABORTED: exit_codes.STOPPED,
    TurnState.INTERRUPTED: exit_codes.INTERRUPTED,
    TurnState.FAILED: exit_codes.FAILED,
}


Files = dict[Attachment, bytes]
"""What goes along, with its content."""


class SendCommand(Struct, frozen=True):
    """What the command line says."""

    text: str
    """The prompt."""
    session: str = ""
    """Id of the session to continue, or its beginning; "" = a new one."""
    files: tuple[str, ...] = ()
    """Paths of what goes along."""
    tab: bool = False
    """Whether a new session becomes a tab of the UI."""
    as_json: bool = False


def send(launch: Launch, command: SendCommand) -> int:
    """Have one prompt answered and written; return the exit code.

    Raises:
        ChatForgeError: it came to no turn.
    """
    report = EventReport() if command.as_json else TextReport()
    try:
        files = _read_files(launch, command.files)
        return asyncio.run(_send(launch, command, files, report))
    except ChatForgeError as error:
        report.refuse(error)
        raise


def _read_files(launch: Launch, paths: tuple[str, ...]) -> Files:
    """Return what is attached, with its content. Every file that cannot be is told of.

    Raises:
        FileRefused: there is such a file, or they are too many together.
    """
    if not paths:
        return {}
    # 15 ms, for whoever attaches something.
    from chatforge_tui.exchange.local_file import MEBIBYTE, SizeLimits, check_total, read_file, typed_path  # noqa: PLC0415

    settings = launch.settings.files
    limits = SizeLimits(settings.attachment_limit * MEBIBYTE, settings.total_limit * MEBIBYTE)
    files: Files = {}
    refused: list[FileRefused] = []
    for path in paths:
        try:
            file, content = read_file(typed_path(path, Path.cwd()), limits)
            files[file] = content
        except FileRefused as error:
            refused.append(error)
    for error in refused[:-1]:
        tell_error(error)
    if refused:
        raise refused[-1]
    check_total(list(files), limits)
    return files


async def _send(launch: Launch, command: SendCommand, files: Files, report: Report) -> int:
    with stop_on_signals() as wish:
        async with engine(launch) as manager:
            turn = await _answered(manager, launch, command, files, report, wish)
    return _exit_code(turn) if wish.exit_code is None else wish.exit_code


def _exit_code(turn: Turn) -> int:
    """Return what a turn's end means to a script. What never reached the endpoint keeps the code of its reason."""
    if turn.head.problem is not None and turn.head.problem.kind == ConfigError.kind:
        return ConfigError.exit_code
    return _EXIT_CODES.get(turn.head.state, exit_codes.INTERRUPTED)


async def _answered(
    manager: SessionManager, launch: Launch, command: SendCommand, files: Files, report: Report, wish: StopWish
) -> Turn:
    """Send the prompt and report until the turn is over; return it as it is stored."""
    head = await _session(manager, launch, command)
    subscription = manager.subscribe()
    subscription.focus(head.session_id)
    await asyncio.to_thread(report.open, head)
    if files:
        await manager.files.attach(head.session_id, list(files), {file.sha256: data for file, data in files.items()})
        if objection := await manager.files.objection(head.session_id):
            tell(f"{objection} It is sent all the same.")
    turn_id = await manager.send(head.session_id, Prompt(command.text, attachments=tuple(files)))
    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(_abort_on_wish(manager, head.session_id, wish))
        turn = await _follow(subscription, turn_id, report, wish)
        watcher.cancel()
    return turn


async def _session(manager: SessionManager, launch: Launch, command: SendCommand) -> SessionHead:
    """Return the session to send in: a new one, or the named one, on the endpoint that the command line chooses."""
    if not command.session:
        return await manager.create_session(launch.endpoint(), has_tab=command.tab, activate=False)
    head = find_session(manager.sessions(), command.session)
    if launch.names_endpoint:
        manager.update_session(head.session_id, SessionPatch(endpoint=launch.endpoint()))
    return manager.session(head.session_id)


async def _abort_on_wish(manager: SessionManager, session_id: SessionId, wish: StopWish) -> None:
    await wish.wait()
    await manager.abort(session_id)


async def _follow(subscription: Subscription, turn_id: TurnId, report: Report, wish: StopWish) -> Turn:
    """Report what happens to the turn until it is over. A reader that goes away stops it like Ctrl+C."""
    is_read = True
    while True:
        for event in await subscription.batch():
            if is_read:
                try:
                    # In a thread: a pipe that nobody empties delays neither the stream nor the store.
                    await asyncio.to_thread(_report, event, turn_id, report)
                except ReaderGone:
                    is_read = False
                    wish.want(exit_codes.READER_GONE)
            if isinstance(event, TurnEnded) and event.turn.head.turn_id == turn_id:
                return event.turn


def _report(event: EngineEvent, turn_id: TurnId, report: Report) -> None:
    match event:
        case TurnBegan(turn) if turn.head.turn_id == turn_id:
            report.begin(turn)
        case TurnChanged(_, changed_id, _, changes) if changed_id == turn_id:
            report.changes(changes)
        case TurnEnded(turn) if turn.head.turn_id == turn_id:
            report.end(turn)
        case StoreTrouble(message) if message:
            tell(message)
        case _:
            pass
