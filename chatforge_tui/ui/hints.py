"""The words at the bottom of the screen: what keys do now, what the session is doing, who answers. Pure.

Owns the sentences and which facts belong to which state (what the keys do with the prompt is in prompt_hints); the widgets
own how they are fitted to the screen.
"""

from collections.abc import Collection, Sequence

from chatforge_tui.config.key_names import shown
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.domain.turn import TurnHead, TurnState
from chatforge_tui.safety.clean import clean_line, clean_name
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.pane import Pane
from chatforge_tui.ui.prompt_hints import Lengths, PromptHints
from chatforge_tui.ui.turn_facts import agent_name, clock, elapsed, first_output, rate, state_word, tokens
from chatforge_tui.ui.widgets.key_hints import KeyHint
from chatforge_tui.ui.widgets.status_line import Status, Tone

_HINTS = (
    ("session.new", 1),
    ("session.next", 5),
    ("turn.abort", 2),
    ("session.board", 4),
    ("view.plan", 6),
    ("session.undo", 3),
    ("view.read", 7),
    ("app.palette", 0),
    ("app.help", 0),
)
"""Actions of the bottom line in order, each with its rank: the highest gives way first."""

_READING_HINTS = (
    ("turn.abort", "prompt", 0),
    ("view.line_down", "down", 5),
    ("view.line_up", "up", 5),
    ("view.block_next", "next", 4),
    ("view.block_prev", "back", 6),
    ("view.select", "select", 3),
    ("view.copy", "copy", 1),
    ("view.copy_answer", "copy answer", 2),
    ("view.links", "links", 4),
    ("view.search", "find", 6),
    ("app.help", "help", 0),
)
"""The same while the cursor is in the transcript, with the words for them there."""

_TONES: dict[TurnState, Tone] = {
    TurnState.WAITING: "waiting",
    TurnState.FAILED: "failed",
    TurnState.INTERRUPTED: "waiting",
    TurnState.UNSENT: "waiting",
}


class HintWriter:
    """Writes the bottom of the screen with the keys in force."""

    def __init__(
        self,
        keymap: Keymap,
        marks: MarkSet,
        *,
        is_still: bool,
        queues: bool = False,
        goes_alone: bool = False,
        unverified: Collection[str] = frozenset(),
    ) -> None:
        """Write with these keys and marks.

        Args:
            keymap: the keys in force.
            marks: how states are drawn.
            is_still: no spinner turns.
            queues: a prompt that is sent while an answer runs waits until it is done.
            goes_alone: a prompt that waits for its endpoint goes by itself when that answers.
            unverified: names of the endpoints whose certificate is not checked.
        """
        self._keymap = keymap
        self._marks = marks
        self._is_still = is_still
        self._unverified = unverified
        self._prompt = PromptHints(self.key, marks, queues=queues, goes_alone=goes_alone)

    def key(self, action_id: str) -> str:
        """Return an action's first key as people read it; "" when it has none."""
        keys = self._keymap.action(action_id).keys
        return shown(keys[0]) if keys else ""

    def hints(self, *, is_live: bool, has_undo: bool, has_plan: bool, has_turns: bool) -> Sequence[KeyHint]:
        """Return the keys of the bottom line: stop, undo, plan and reading only while there is something for them."""
        skipped = {
            "turn.abort": not is_live,
            "session.undo": not has_undo,
            "view.plan": not has_plan,
            "view.read": not has_turns,
        }
        return tuple(
            KeyHint(action, self.key(action), self._keymap.action(action).label, rank)
            for action, rank in _HINTS
            if self.key(action) and not skipped.get(action)
        )

    def reading_hints(self) -> Sequence[KeyHint]:
        """Return the keys of the bottom line while the cursor is in the transcript."""
        return tuple(
            KeyHint(action, self._typed_key(action), label, rank)
            for action, label, rank in _READING_HINTS
            if self._typed_key(action)
        )

    def _typed_key(self, action_id: str) -> str:
        """Return the shortest of an action's keys: one that is a single letter where letters are keys."""
        return min((shown(key) for key in self._keymap.action(action_id).keys), key=len, default="")

    def facts(self, pane: Pane | None) -> Sequence[str]:
        """Return who answers, what is spoken and what it cost, cleaned; the last ones give way first."""
        if pane is None:
            return ()
        turn = pane.turn
        endpoint = clean_name(pane.head.endpoint.name)
        danger = "certificate not checked" if pane.head.endpoint.name in self._unverified else ""
        model = clean_name(pane.head.endpoint.model)
        protocol = clean_name(turn.protocol if turn and turn.protocol else pane.head.endpoint.protocol)
        return tuple(fact for fact in (endpoint, danger, model, protocol, tokens(turn.usage) if turn else "") if fact)

    def placeholder(self, pane: Pane | None, *, trouble: str = "") -> str:
        """Return what stands in an empty composer; `trouble` is what is wrong with the program itself."""
        if pane is None and trouble:
            return f"What you write stays here until it can be saved {self._marks.trailing}"
        if pane is None:
            return f"Starting {self._marks.trailing}"
        if pane.head.held_by:
            return self._waits_elsewhere(pane) or self._prompt.held(pane)[0]
        if pane.question is not None and pane.question.form is not None:
            return f"Tab to the form, or answer in words {self._marks.trailing}"
        return f"{'Answer' if pane.question is not None else 'Ask'} {agent_name(pane)} {self._marks.trailing}"

    def status(
        self,
        pane: Pane | None,
        *,
        now: float,
        trouble: str,
        new_lines: int,
        salvaged: int | None = None,
        in_form: bool = False,
        is_reading: bool = False,
    ) -> Status:
        """Return the status line.

        Args:
            pane: the pane in front; None while the engine starts.
            now: Unix seconds.
            trouble: what is wrong with the program itself, as received; "" for nothing.
            new_lines: lines that arrived below what the reader sees.
            salvaged: rows that the repair of a damaged store has read, while the engine starts; None without one.
            in_form: the cursor is in the agent's form.
            is_reading: the cursor is in the transcript.
        """
        warning = clean_line(trouble)
        if pane is None:
            return Status(self._opening(salvaged), warning=warning)
        hints = self._prompt.of(pane, in_form=in_form, is_reading=is_reading, new_lines=new_lines)
        turn, state = pane.turn, pane.state
        if state is TurnState.UNSENT:
            return Status(hints, _TONES[state], self._mark(state, now), state_word(state), (), warning)
        if turn is None or state is None:
            return Status(hints, warning=warning)
        tone = "running" if state.is_live else _TONES.get(state, "dim")
        return Status(
            hints, tone, self._mark(state, now), self._state(pane, turn, now), self._facts(pane, turn, now), warning
        )

    def _opening(self, salvaged: int | None) -> Lengths:
        """Return what the engine does before there is a session."""
        open_end = self._marks.trailing
        if salvaged is None:
            return (f"Opening your sessions {open_end}",)
        read = f"{salvaged:,} {'entry' if salvaged == 1 else 'entries'}"
        far = f": {read} read" if salvaged else ""
        return (
            f"The store is damaged and is being repaired{far} {open_end}",
            f"Repairing the store{f': {read}' if salvaged else ''} {open_end}",
            f"Repairing the store {open_end}",
        )

    def _waits_elsewhere(self, pane: Pane) -> str:
        """Return that only the session's writer shows what waits to be sent; "" when nothing waits."""
        count, holder = pane.head.unsent, clean_name(pane.head.held_by)
        if not count:
            return ""
        what = "1 prompt waits" if count == 1 else f"{count} prompts wait"
        return f"{what} to be sent, shown only in {holder}"

    def _mark(self, state: TurnState, now: float) -> str:
        if not state.is_live or self._is_still:
            return self._marks.of_turn(state)
        frames = self._marks.spinner
        return frames[int(now * 5) % len(frames)]

    def _state(self, pane: Pane, turn: TurnHead, now: float) -> str:
        if turn.state is TurnState.CONNECTING:
            if turn.retry_at is not None and turn.retry_at > now:
                what = "reconnects" if turn.is_reconnecting else "tries again"
                return f"{what} in {turn.retry_at - now:2.0f} s"
            if turn.is_reconnecting:
                return "reconnecting"
        quiet = pane.transcript.quiet_s(now) if pane.transcript is not None and turn.state.is_live else 0
        return f"nothing new for {quiet} s" if quiet else state_word(turn.state)

    def _facts(self, pane: Pane, turn: TurnHead, now: float) -> tuple[str, ...]:
        first = first_output(turn)
        times = [clock(elapsed(turn, now)).rjust(5), f"first {first}" if first else "", rate(pane, now)]
        return tuple(fact for fact in times if fact)
