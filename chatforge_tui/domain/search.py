"""What a search over all sessions finds."""

from enum import StrEnum

from msgspec import Struct

from chatforge_tui.domain.ids import SessionId, TurnId


class FoundIn(StrEnum):
    """Which text of a session holds the words."""

    TITLE = "title"
    PROMPT = "prompt"
    ANSWER = "answer"


class SearchHit(Struct, frozen=True, gc=False):
    """One place where all the words were found."""

    session_id: SessionId
    title: str
    """Of the session, as received."""
    found_in: FoundIn
    excerpt: str
    """The text round the first word, on one line, as received: clean it before it is shown."""
    start: int
    """Where the first word stands in the excerpt, in characters."""
    end: int
    """Where it ends."""
    when: float
    """When the turn started, or the session was last changed (Unix seconds)."""
    turn_id: TurnId | None = None
    """The turn to open the session at; None for a hit in the title."""
    offset: int = 0
    """Where the first word stands in the prompt or the readable answer, in characters: the line to open the turn at."""
