"""Asks for one key after the other and judges what arrives, reading it exactly as the screen does.

Owns the questions and the verdicts; whoever runs it owns the terminal, gives bytes and shows the lines.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from textual.events import Key, Paste

from chatforge_tui.config.key_names import is_typed
from chatforge_tui.config.keymap import Keymap, Scope
from chatforge_tui.ui.terminal_input import KeyReader
from chatforge_tui.ui.terminal_keys import patch_terminal_keys

ENABLE = "\x1b[>1u"
"""What the screen sends at its start: kitty's protocol, where there is one."""
DISABLE = "\x1b[<u"
_ENDS = frozenset({"q", "escape", "ctrl+c"})
_NEXT = "space"
_DIGITS = frozenset("23456789")
"""Alt+1 stands for Alt with every digit."""


class Arrival(Struct, frozen=True):
    """What happened when a key was asked for."""

    asked: str
    """Textual's name of it."""
    arrived: str | None
    """The name of what arrived; None = nothing did, or it was passed over."""

    @property
    def is_right(self) -> bool:
        """Whether the key arrived as itself."""
        return self.arrived is not None and _is_same(self.arrived, self.asked)


class KeyTest:
    """One run through all keys."""

    def __init__(self, keymap: Keymap) -> None:
        """Ask for the keys of this keymap that no letter types, each once."""
        patch_terminal_keys()
        self._reader = KeyReader()
        self._keys = tuple(dict.fromkeys(key for _, keys in _bindings(keymap) for key in keys))
        self._bindings = tuple(_bindings(keymap))
        self.arrivals: list[Arrival] = []
        self.has_ended = False

    @property
    def asked(self) -> str:
        """The key to press now, Textual's name; "" = there is none left."""
        at = len(self.arrivals)
        return self._keys[at] if at < len(self._keys) and not self.has_ended else ""

    @property
    def patience_s(self) -> float | None:
        """Seconds to wait for the next byte before `silence`; None for any time."""
        return self._reader.patience_s

    def take(self, data: bytes) -> Sequence[Arrival]:
        """Return what these bytes answer."""
        return self._judge(self._reader.take(data))

    def silence(self) -> Sequence[Arrival]:
        """Return what nothing coming for as long as `patience_s` answers: an Esc that was only an Esc."""
        return self._judge(self._reader.silence())

    def unreachable(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each action whose keys were all asked for and did not arrive, with these keys."""
        wrong = {arrival.asked for arrival in self.arrivals if not arrival.is_right}
        for action, keys in self._bindings:
            if keys and wrong.issuperset(keys):
                yield action, keys

    def _judge(self, messages: Sequence[object]) -> Sequence[Arrival]:
        before = len(self.arrivals)
        for message in messages:
            if isinstance(message, Key | Paste) and self.asked:
                name = message.key if isinstance(message, Key) else "a paste"
                if not _is_same(name, self.asked) and name in _ENDS:
                    self.has_ended = True
                else:
                    self.arrivals.append(Arrival(self.asked, None if name == _NEXT else name))
        self.has_ended = self.has_ended or len(self.arrivals) == len(self._keys)
        return self.arrivals[before:]


def _is_same(arrived: str, asked: str) -> bool:
    """Return whether two names mean one key: Shift+Enter has a second one."""
    return arrived.replace("\r", "enter") == asked.replace("\r", "enter")


def _bindings(keymap: Keymap) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the actions and those of their keys that a terminal may swallow or send as another."""
    for scope in (Scope.APP, Scope.PROMPT):
        for action in keymap.in_scope(scope):
            keys = tuple(key for key in action.keys if not is_typed(key) and "\r" not in key)
            if not any(key.startswith("alt+") and key[-1:] in _DIGITS for key in keys):
                yield action.id, keys
