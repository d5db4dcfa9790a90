"""The words of the transcript: times, rates, what a state is called, how a turn ended."""

import time

from chatforge_tui.domain.attachment import size_words
from chatforge_tui.domain.turn import TurnHead, TurnState
from chatforge_tui.safety.clean import clean, clean_line, clean_name
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.ink import MUTED, Ink, Span

CUT_SHORT = {
    "length": "The answer was cut off at the model's limit of tokens.",
    "max_tokens": "The answer was cut off at the model's limit of tokens.",
    "content_filter": "The endpoint's filter ended the answer.",
}
"""By finish reason: why the end of a complete answer is missing."""


def clock_time(moment: float, now: float) -> str:
    """Return when something was, in local time: "10:02", with the day when it was not today."""
    if moment <= 0:
        return ""
    then, today = time.localtime(moment), time.localtime(now)
    same_day = then[:3] == today[:3]
    return time.strftime("%H:%M" if same_day else "%d %b %H:%M", then)


def duration(seconds: float) -> str:
    """Return a time that has passed: "0.8 s", "41 s", "1:05", "1:02:09"."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return elapsed(whole)


def elapsed(seconds: float) -> str:
    """Return a running time, of a width that does not jump: "0:41", "12:05", "1:02:09"."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds_left:02}" if hours else f"{minutes}:{seconds_left:02}"


def pace(head: TurnHead, now: float, dot: str) -> str:
    """Return how long a turn takes or took and, where the endpoint counts tokens, how fast it was."""
    if head.started <= 0:
        return ""
    until = now if head.state.is_live else head.ended
    if until is None:
        return ""
    text = elapsed(until - head.started)
    tokens = head.usage.output_tokens if head.usage else None
    if tokens and head.first_output is not None and head.ended is not None and head.ended - head.first_output >= 0.1:
        text += f" {dot} {tokens / (head.ended - head.first_output):.0f} t/s"
    return text


def waiting_words(head: TurnHead, now: float) -> str:
    """Return what a live turn waits for before its first output, or after it lost its stream."""
    what = "Reconnecting" if head.is_reconnecting else "Trying again"
    if head.retry_at is not None and head.retry_at > now:
        why = f": {clean_line(head.problem.message)}" if head.problem is not None else ""
        return f"{what} in {max(1, round(head.retry_at - now))} s{why}"
    if head.is_reconnecting:
        return what
    if head.state is TurnState.STREAMING:
        return "Waiting for the first words"
    return "Connecting"


def quiet_words(seconds: int) -> str:
    """Return that nothing has come for so long; "" for 0."""
    return f"Nothing new for {seconds} s" if seconds else ""


def ending(head: TurnHead, marks: MarkSet) -> list[tuple[Span, Span]]:
    """Return what says how a turn ended, each a mark and its words; nothing when it ended as it should."""
    problem = head.problem
    message = clean(problem.message).replace("\n", " ") if problem else ""
    rows: list[tuple[Span, Span]] = []
    match head.state:
        case TurnState.FAILED:
            rows.append(((f"{marks.failed} ", Ink("error")), (message or "The agent failed.", Ink("error"))))
        case TurnState.INTERRUPTED:
            text = message or "The answer was interrupted: what arrived is kept."
            rows.append(((f"{marks.interrupted} ", Ink("warning")), (text, Ink("warning"))))
        case TurnState.UNSENT:
            text = f"Not sent: {message}" if message else "Waits to be sent."
            rows.append(((f"{marks.unsent} ", Ink("warning")), (text, Ink("warning"))))
        case TurnState.ABORTED:
            rows.append(((f"{marks.close} ", MUTED), (message or "Stopped.", MUTED)))
        case TurnState.WAITING:
            rows.append(
                ((f"{marks.waiting} ", Ink("warning")), (message or "Waiting for your answer.", Ink("warning")))
            )
        case TurnState.COMPLETE if head.finish_reason in CUT_SHORT:
            rows.append(((f"{marks.interrupted} ", Ink("warning")), (CUT_SHORT[head.finish_reason], MUTED)))
        case _:
            return []
    if problem and problem.hint:
        rows.append((("  ", MUTED), (clean_line(problem.hint), MUTED)))
    return rows


def size_of(data: bytes | None) -> str:
    """Return the size of a file that came inline; "" of one that did not."""
    return "" if data is None else size_words(len(data))


def tool_name(name: str) -> str:
    """Return the name of a tool as it may be shown."""
    return clean_name(name) or "tool"
