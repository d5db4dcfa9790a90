"""Every action, its keys and its words: the single source of bindings, footer, palette, help and the README's table.

Keys are spelled as Textual names them (`ctrl+pagedown`). The module knows no widget and no handler: an action's id is
all that the UI needs to find what it does.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from chatforge_tui.config.key_names import is_typed, normalized
from chatforge_tui.errors import ConfigError


class Scope(StrEnum):
    """Where an action's keys work."""

    APP = "app"
    """Everywhere on the main screen. A key that types text works only outside the prompt."""
    PROMPT = "prompt"
    """In the composer."""
    TRANSCRIPT = "transcript"
    """While the transcript has the focus."""
    BOARD = "board"
    """In the list of sessions; a screen of its own, so its keys collide with no other scope."""


class Action(Struct, frozen=True):
    """Something a person can have the program do."""

    id: str
    """Stable: what `[keys]` in the configuration names."""
    keys: tuple[str, ...]
    """The first is shown; () = palette only."""
    label: str
    """One or two words, for the footer."""
    description: str
    """One sentence, for help and palette."""
    group: str
    """Heading under which help lists it."""
    scope: Scope = Scope.APP


def _numbered(scope: Scope, group: str, id_: str, key: str) -> tuple[Action, ...]:
    """Return the nine actions that go to a tab by its number."""
    return tuple(
        Action(f"{id_}.{n}", (f"{key}{n}",), f"tab {n}", f"Go to tab {n}.", group, scope) for n in range(1, 10)
    )


ACTIONS: tuple[Action, ...] = (
    Action("session.new", ("ctrl+n",), "new", "Start a session on the current endpoint at once.", "Sessions"),
    Action("session.new_on", ("alt+n",), "new on", "Choose endpoint and model, then start a session.", "Sessions"),
    Action("session.next", ("ctrl+pagedown", "alt+right", "f8"), "next", "Go to the next tab.", "Sessions"),
    Action("session.prev", ("ctrl+pageup", "alt+left", "shift+f8"), "previous", "Go to the previous tab.", "Sessions"),
    *_numbered(Scope.APP, "Sessions", "session.goto", "alt+"),
    Action("session.last", (), "last tab", "Go back to the tab you came from.", "Sessions"),
    Action("session.next_attention", ("alt+a",), "needs you", "Go to the next session that needs you.", "Sessions"),
    Action("session.board", ("ctrl+s", "f3"), "sessions", "Show all sessions, open and closed.", "Sessions"),
    Action("session.search", ("f4", "alt+s"), "search", "Find words in all sessions.", "Sessions"),
    Action("session.close", ("alt+w",), "close", "Close the tab; the session stays and goes on.", "Sessions"),
    Action(
        "session.delete", ("ctrl+delete", "alt+d"), "delete", "Stop the session and put it in the trash.", "Sessions"
    ),
    Action("session.undo", ("alt+u",), "undo", "Bring back the last closed or deleted session.", "Sessions"),
    Action("session.trash", (), "trash", "Bring a deleted session back, or delete it for good.", "Sessions"),
    Action("session.rename", ("f2",), "rename", "Give the session another title.", "Sessions"),
    Action("session.take_over", ("alt+o",), "take over", "Write in a session that is open elsewhere.", "Sessions"),
    Action("session.export", (), "export", "Write the session, or all of them, into a file.", "Sessions"),
    Action("session.import", (), "import", "Take in the sessions of a file that an export of all wrote.", "Sessions"),
    Action("session.move_left", (), "move left", "Move the tab one place to the left.", "Sessions"),
    Action("session.move_right", (), "move right", "Move the tab one place to the right.", "Sessions"),
    Action("prompt.send", ("enter",), "send", "Send the prompt.", "Prompt", Scope.PROMPT),
    Action(
        "prompt.newline",
        ("ctrl+j", "shift+enter", "alt+enter", "shift+\r"),
        "newline",
        "Begin a new line in the prompt.",
        "Prompt",
        Scope.PROMPT,
    ),
    Action("prompt.attach", ("alt+i",), "attach", "Choose a file that goes along with the prompt.", "Prompt"),
    Action("prompt.detach", ("alt+x",), "take back", "Take a file back that has not been sent.", "Prompt"),
    Action("prompt.queue", ("alt+q",), "queue", "Send the prompt as soon as the running answer is done.", "Prompt"),
    Action("prompt.history", ("ctrl+r",), "history", "Search earlier prompts.", "Prompt", Scope.PROMPT),
    Action("turn.abort", ("escape",), "stop", "Stop the answer; its text so far stays.", "Answers"),
    Action("turn.abort_all", (), "stop all", "Stop every running answer, after asking.", "Answers"),
    Action("turn.continue", (), "continue", "Ask for the rest of an answer that broke off.", "Answers"),
    Action("turn.retry", (), "retry", "Send the last prompt again.", "Answers"),
    Action("outbox.send", (), "send now", "Send the prompts that wait in the session.", "Answers"),
    Action("outbox.edit", ("alt+e",), "edit", "Take the last waiting prompt back into the composer.", "Answers"),
    Action("outbox.drop", (), "drop", "Remove the last waiting prompt.", "Answers"),
    Action(
        "endpoint.trust",
        (),
        "trust",
        "Answer whether prompts may go to the server that the agent card names.",
        "Answers",
    ),
    Action("file.save", ("alt+g",), "save file", "Save a file that the agent sent.", "Answers"),
    Action("view.plan", ("ctrl+t",), "plan", "Show or hide the plan.", "View"),
    Action("view.fold", ("ctrl+o",), "fold", "Fold or unfold all tools and reasoning.", "View"),
    Action("view.page_up", ("pageup",), "page up", "Read a page further up.", "View"),
    Action("view.page_down", ("pagedown",), "page down", "Read a page further down.", "View"),
    Action("view.turn_prev", ("alt+up", "ctrl+up", "left_curly_bracket"), "turn up", "Go to the turn above.", "View"),
    Action(
        "view.turn_next", ("alt+down", "ctrl+down", "right_curly_bracket"), "turn down", "Go to the turn below.", "View"
    ),
    Action("view.follow", ("ctrl+end",), "follow", "Go to the end and follow what arrives.", "View"),
    Action("view.search", ("ctrl+f", "slash"), "find", "Find text in this session.", "View"),
    Action(
        "view.read", ("f6", "alt+r"), "read", "Put the cursor into the transcript, or back into the prompt.", "View"
    ),
    Action("view.links", ("alt+l", "o"), "links", "List the links in view; one is opened after it was shown.", "View"),
    Action("view.mouse", ("f9",), "mouse", "Give the mouse to the terminal, or take it back.", "View"),
    *(
        Action(id_, keys, label, description, "Transcript, while the cursor is in it", Scope.TRANSCRIPT)
        for id_, keys, label, description in (
            ("view.line_down", ("j", "down"), "line down", "Go a line down."),
            ("view.line_up", ("k", "up"), "line up", "Go a line up."),
            (
                "view.block_next",
                ("w", "right_parenthesis"),
                "next",
                "Go to the next paragraph, item, code block or part.",
            ),
            (
                "view.block_prev",
                ("b", "left_parenthesis"),
                "previous",
                "Go to the paragraph, item, code block or part before.",
            ),
            ("view.stop_next", ("l", "right"), "next target", "Go to the next link, code block or part that folds."),
            (
                "view.stop_prev",
                ("h", "left"),
                "last target",
                "Go to the link, code block or part that folds before.",
            ),
            ("view.half_down", ("ctrl+d",), "half down", "Read half a page further down."),
            ("view.half_up", ("ctrl+u",), "half up", "Read half a page further up."),
            ("view.top", ("g", "home"), "beginning", "Go to the beginning of the session."),
            ("view.bottom", ("G", "end"), "end", "Go to the end of the session and follow what arrives."),
            ("view.choose", ("enter",), "choose", "Follow the link, fold the part, or copy the code under the cursor."),
            ("view.fold_one", ("space",), "fold one", "Fold or unfold the part in focus."),
            (
                "view.select",
                ("v",),
                "select",
                "Select lines from here on, wherever the cursor goes; again: select nothing.",
            ),
            ("view.select_down", ("shift+down", "J"), "select down", "Select lines downward."),
            ("view.select_up", ("shift+up", "K"), "select up", "Select lines upward."),
            (
                "view.copy",
                ("y", "x"),
                "copy",
                "Copy what is selected, else the paragraph, item or code block as it was written.",
            ),
            ("view.copy_code", ("c",), "copy code", "Copy the code block under the cursor, else the last one in view."),
            ("view.copy_answer", ("Y",), "copy answer", "Copy the whole answer as it was written."),
            ("view.match_next", ("n",), "next match", "Go to the next place where the searched text was found."),
            ("view.match_prev", ("N",), "match before", "Go to the place before where the searched text was found."),
        )
    ),
    Action("app.palette", ("ctrl+p",), "commands", "Find a command by its name.", "Program"),
    Action("app.help", ("f1", "question_mark"), "help", "Show all keys.", "Program"),
    Action("app.doctor", (), "doctor", "Look for what does not work, and what to do about it.", "Program"),
    Action("app.redraw", ("ctrl+l",), "redraw", "Draw the screen anew.", "Program"),
    Action("app.theme", (), "theme", "Choose another theme.", "Program"),
    Action("app.suspend", (), "suspend", "Go back to the shell; `fg` returns.", "Program"),
    Action(
        "app.interrupt",
        ("ctrl+c",),
        "stop",
        "Copy the selection, else clear the prompt, else stop the answer, else (twice) quit.",
        "Program",
    ),
    Action("app.quit", ("ctrl+q",), "quit", "Leave ChatForge; tabs come back at the next start.", "Program"),
    Action("board.open", ("enter",), "open", "Go to the chosen session.", "Session list", Scope.BOARD),
    Action("board.last", ("ctrl+s",), "last tab", "Go back to the tab you came from.", "Session list", Scope.BOARD),
    *_numbered(Scope.BOARD, "Session list", "board.goto", ""),
    Action("board.search", ("slash",), "search", "Find words in all sessions.", "Session list", Scope.BOARD),
    Action("board.close", ("x",), "close", "Close the chosen session's tab.", "Session list", Scope.BOARD),
    Action("board.delete", ("d",), "delete", "Put the chosen session in the trash.", "Session list", Scope.BOARD),
    Action("board.rename", ("r",), "rename", "Give the chosen session another title.", "Session list", Scope.BOARD),
    Action("board.undo", ("u",), "undo", "Bring back the last closed or deleted session.", "Session list", Scope.BOARD),
    Action("board.trash", ("t",), "trash", "Show the deleted sessions.", "Session list", Scope.BOARD),
    Action("board.move_left", ("less_than_sign",), "left", "Move the tab to the left.", "Session list", Scope.BOARD),
    Action(
        "board.move_right", ("greater_than_sign",), "right", "Move the tab to the right.", "Session list", Scope.BOARD
    ),
)
"""All actions, in the order in which help shows them; those of a group stand together."""

_BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}


class KeyProblem(Struct, frozen=True):
    """Why a line of `[keys]` cannot be used."""

    action_id: str
    """The key of the line."""
    message: str
    """One sentence."""


class Keymap(Struct, frozen=True):
    """All actions with the keys that are in force."""

    actions: tuple[Action, ...] = ACTIONS

    @classmethod
    def resolve(cls, overrides: Mapping[str, str | Sequence[str]]) -> "Keymap":
        """Return the keymap with some actions on other keys.

        Args:
            overrides: action id -> its key or keys instead of the default ones; "" or an empty list unbinds it.

        Raises:
            ConfigError: an unknown action, a key no terminal sends, or two actions on one key.
        """
        for problem in find_problems(overrides):
            raise ConfigError(f"keys.{problem.action_id}: {problem.message}")
        return cls(_overridden(overrides))

    def action(self, action_id: str) -> Action:
        """Return one action with the keys in force. Raises KeyError for an id that is none."""
        return next(action for action in self.actions if action.id == _BY_ID[action_id].id)

    def in_scope(self, scope: Scope) -> tuple[Action, ...]:
        """Return the actions of one scope, in order."""
        return tuple(action for action in self.actions if action.scope is scope)

    def groups(self) -> Iterator[tuple[str, tuple[Action, ...]]]:
        """Yield each group's heading with its actions, in order."""
        for group in dict.fromkeys(action.group for action in self.actions):
            yield group, tuple(action for action in self.actions if action.group == group)


def find_problems(overrides: Mapping[str, str | Sequence[str]]) -> Iterator[KeyProblem]:
    """Yield what is wrong with the overrides, in their order; conflicts come last."""
    usable: dict[str, str | Sequence[str]] = {}
    for action_id, keys in overrides.items():
        message = _fault_of(action_id, keys)
        if message:
            yield KeyProblem(action_id, message)
        else:
            usable[action_id] = keys
    yield from _conflicts(_overridden(usable), usable)


def _fault_of(action_id: str, keys: str | Sequence[str]) -> str:
    """Return what is wrong with one override by itself, "" when nothing is."""
    action = _BY_ID.get(action_id)
    if action is None:
        near = difflib.get_close_matches(action_id, _BY_ID, n=1)
        return f"no such action{f'; did you mean {near[0]}?' if near else ''}"
    for key in _listed(keys):
        name = normalized(key)
        if name is None:
            return f"{key!r} is no key; expected a name such as ctrl+n, alt+right or f5"
        if action.scope is Scope.PROMPT and is_typed(name):
            return f"{key!r} types text in the prompt; expected a key with ctrl or alt, or a function key"
    return ""


def _overridden(overrides: Mapping[str, str | Sequence[str]]) -> tuple[Action, ...]:
    return tuple(
        Action(
            action.id,
            tuple(normalized(key) or key for key in _listed(overrides[action.id])),
            action.label,
            action.description,
            action.group,
            action.scope,
        )
        if action.id in overrides
        else action
        for action in ACTIONS
    )


def _listed(keys: str | Sequence[str]) -> tuple[str, ...]:
    """Return one key or several as a tuple; "" is none."""
    if isinstance(keys, str):
        return (keys,) if keys else ()
    return tuple(keys)


def _conflicts(actions: Sequence[Action], overrides: Mapping[str, object]) -> Iterator[KeyProblem]:
    """Yield each key that two actions share where both could be meant, told at the overridden one."""
    for position, action in enumerate(actions):
        for other in actions[:position]:
            shared = set(action.keys) & set(other.keys)
            if shared and _overlap(action.scope, other.scope):
                told, beside = (action, other) if action.id in overrides else (other, action)
                yield KeyProblem(told.id, f"{min(shared)} is also the key of {beside.id}; give one of them another")


def _overlap(one: Scope, other: Scope) -> bool:
    return one is other or (Scope.APP in (one, other) and Scope.BOARD not in (one, other))
