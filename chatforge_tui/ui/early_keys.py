"""What is typed before there is something to take it: nothing of it is lost, and an early Enter sends.

Owns what waits, in order, and for what it waits: everything for the screen; from the first Enter on, for a session;
everything again while a session is being opened, whose prompt it is meant for. It delivers nothing itself.
"""

from collections.abc import Collection
from enum import IntEnum

from textual.events import Event, Key, Paste


class Stage(IntEnum):
    """What is there to take keys."""

    NOTHING = 0
    SCREEN = 1
    """The composer, of no session yet."""
    SESSION = 2


class EarlyKeys:
    """Holds keys and pastes back until their time has come."""

    def __init__(self, send_keys: Collection[str]) -> None:
        """Begin with nothing; `send_keys` are the keys that send a prompt, as Textual names them."""
        self._send_keys = frozenset(send_keys)
        self._stage = Stage.NOTHING
        self._waiting: list[Event] = []
        self._opening = 0
        """Sessions that were asked for and are not in front yet."""

    def open(self) -> None:
        """Note that a session is being opened: what is typed from here on is for its prompt."""
        self._opening += 1

    def opened(self) -> None:
        """Note that it is in front, or that it could not be opened; `release` hands on what waited."""
        self._opening -= 1

    def holds(self, event: Event) -> bool:
        """Keep an event if its time has not come, and tell whether it was kept."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            return False
        if not self._opening and not self._waiting:  # what waits already comes first, until it is delivered
            is_sending = isinstance(event, Key) and event.key in self._send_keys
            if self._stage is Stage.SESSION or (self._stage is Stage.SCREEN and not is_sending):
                return False
        self._waiting.append(event)
        return True

    def release(self, stage: Stage) -> list[Event]:
        """Note what is there by now, and return what waited; each must be offered to `holds` again."""
        self._stage = max(stage, self._stage)
        waiting, self._waiting = self._waiting, []
        return waiting
