"""Facts about a turn and a session as short texts of fixed width: elapsed time, rate, usage. Pure."""

from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.turn import TurnHead, TurnState, Usage
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.pane import Pane

_CHARACTERS_PER_TOKEN = 4
"""For the rate while an endpoint does not say how many tokens it sent: an estimate, shown with a tilde."""

_STATE_WORDS = {
    TurnState.UNSENT: "not sent",
    TurnState.QUEUED: "sending",
    TurnState.CONNECTING: "connecting",
    TurnState.STREAMING: "streaming",
    TurnState.COMPLETE: "complete",
    TurnState.WAITING: "waits for you",
    TurnState.ABORTED: "stopped",
    TurnState.INTERRUPTED: "interrupted",
    TurnState.FAILED: "failed",
}


def state_word(state: TurnState | None) -> str:
    """Return the state in the user's words; "" before the first turn."""
    return _STATE_WORDS[state] if state is not None else ""


def clock(seconds: float) -> str:
    """Return a duration as "0:41" or "1:02:03"."""
    whole = max(int(seconds), 0)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def elapsed(turn: TurnHead, now: float) -> float:
    """Return how long a turn takes, or took, in seconds."""
    end = turn.ended if turn.ended is not None else now
    return max(end - turn.started, 0.0)


def first_output(turn: TurnHead) -> str:
    """Return the time to the first output as " 1.2 s", six cells wide; blank until there is one."""
    if turn.first_output is None or not turn.started:
        return ""
    seconds = max(turn.first_output - turn.started, 0.0)
    if seconds < 0.05:
        return "<0.1 s"
    return f"{seconds:4.1f} s" if seconds < 100 else f"{seconds:4.0f} s"


def rate(pane: Pane, now: float) -> str:
    """Return tokens a second as " 84 t/s", with a tilde in front when it is an estimate; "" while unknown."""
    turn = pane.turn
    if turn is None or turn.first_output is None:
        return ""
    seconds = (turn.ended if turn.ended is not None else now) - turn.first_output
    said = turn.usage.output_tokens if turn.usage else None
    tokens = said if said is not None else pane.characters / _CHARACTERS_PER_TOKEN
    if seconds < 0.2 or not tokens:
        return ""
    return f"{'' if said is not None else '~'}{min(tokens / seconds, 99_999):.0f} t/s".rjust(8)


def tokens(usage: Usage | None) -> str:
    """Return what a turn cost as "1.2k tokens"; "" when the endpoint did not say."""
    if usage is None or (usage.input_tokens is None and usage.output_tokens is None):
        return ""
    total = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    if total < 1_000:
        return counted(total, "token")
    return f"{total / 1_000:.1f}k tokens" if total < 1_000_000 else f"{total / 1_000_000:.1f}M tokens"


def agent_name(pane: Pane) -> str:
    """Return who answers in this session, cleaned: as it names itself, else the model, else the endpoint."""
    known = pane.turn.agent if pane.turn is not None else ""
    return clean_name(known or pane.head.endpoint.model or pane.head.endpoint.name)


def session_title(pane: Pane) -> str:
    """Return the session's title, cleaned; "New session" while it has none."""
    return clean_name(pane.head.title.strip()) or "New session"
