"""The words at the bottom of the screen: what keys do now, what the session is doing, who answers. Pure.

Owns the sentences and which facts belong to which state; the widgets own how they are cut to the screen.
"""

from collections.abc import Collection, Sequence

from chatforge_tui.config.key_names import shown
from chatforge_tui.config.keymap import Keymap
from chatforge_tui.domain.turn import TurnHead, TurnState
from chatforge_tui.errors import ProxyRefused
from chatforge_tui.safety.clean import clean_line, clean_name
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.panes import Pane
from chatforge_tui.ui.turn_facts import agent_name, clock, elapsed, first_output, rate, state_word, tokens
from chatforge_tui.ui.widgets.key_hints import KeyHint
from chatforge_tui.ui.widgets.status_line import Status, Tone

_HINTS = (
    ("session.new", 1),
    ("session.next", 4),
    ("turn.abort", 2),
    ("session.board", 3),
    ("view.plan", 6),
    ("session.undo", 5),
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
        self._queues = queues
        self._goes_alone = goes_alone
        self._unverified = unverified

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
            return self._waits_elsewhere(pane) or self._held(pane)
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
            return Status(hint=self._opening(salvaged), warning=warning)
        hint = f"Reading {self._marks.dot} Esc back to the prompt" if is_reading else self._hint(pane, in_form=in_form)
        turn, state = pane.turn, pane.state
        if new_lines:
            hint = f"{hint} {self._marks.dot} {self.key('view.follow')} follows {new_lines} new lines".strip()
        if state is TurnState.UNSENT:
            return Status(hint, _TONES[state], self._mark(state, now), state_word(state), (), warning)
        if turn is None or state is None:
            return Status(hint=hint, warning=warning)
        tone = "running" if state.is_live else _TONES.get(state, "dim")
        return Status(hint, tone, self._mark(state, now), self._state(turn, now), self._facts(pane, turn, now), warning)

    def _opening(self, salvaged: int | None) -> str:
        """Return what the engine does before there is a session."""
        if salvaged is None:
            return f"Opening your sessions {self._marks.trailing}"
        far = f": {salvaged:,} entries read" if salvaged else ""
        return f"The store is damaged and is being repaired{far} {self._marks.trailing}"

    def _held(self, pane: Pane) -> str:
        """Return who alone may write in the session, and how that is changed."""
        way = self.key("session.take_over") or "/takeover"
        return f"Open in {clean_name(pane.head.held_by)}, read-only here {self._marks.dot} {way} takes it over"

    def _waits_elsewhere(self, pane: Pane) -> str:
        """Return that only the session's writer shows what waits to be sent; "" when nothing waits."""
        count, holder = pane.head.unsent, clean_name(pane.head.held_by)
        if not count:
            return ""
        what = "1 prompt waits" if count == 1 else f"{count} prompts wait"
        return f"{what} to be sent, shown only in {holder}"

    def _unsent(self, pane: Pane) -> str:
        """Return what becomes of prompts that wait, and how that is changed.

        They go by themselves unless the turn before them ended badly, or a proxy will not pass them on: the outbox leaves
        such a session to its user.
        """
        edit, dot = self.key("outbox.edit") or "/edit", self._marks.dot
        is_calm = pane.turn is None or pane.turn.state is TurnState.COMPLETE
        problems = [head.problem for head in pane.unsent.values() if head.problem is not None]
        is_refused = any(problem.kind == ProxyRefused.kind for problem in problems)
        if self._goes_alone and is_calm and not is_refused:
            return f"Goes by itself when it answers {dot} /send {dot} {edit} edits {dot} /drop"
        return f"/send sends what waits {dot} {edit} edits it {dot} /drop removes it"

    def _hint(self, pane: Pane, *, in_form: bool) -> str:
        if in_form:
            return f"Tab next field {self._marks.dot} Esc back to the prompt"
        if pane.head.held_by:
            return self._held(pane)
        send, newline = self.key("prompt.send"), self.key("prompt.newline")
        if pane.is_live:
            return self._while_running(send)
        if pane.state is TurnState.UNSENT:
            return self._unsent(pane)
        what = "send the answer" if pane.question is not None else "send"
        lines = f" {self._marks.dot} {newline} newline" if newline else ""
        return f"{send} {what}{lines}"

    def _while_running(self, send: str) -> str:
        """Return what the keys do with a prompt while an answer runs."""
        queue = self.key("prompt.queue")
        if self._queues:
            return f"{send} sends when this answer is done"
        after = f" {self._marks.dot} {queue} waits" if queue else ""
        return f"{send} sends and replaces the running answer{after}"

    def _mark(self, state: TurnState, now: float) -> str:
        if not state.is_live or self._is_still:
            return self._marks.of_turn(state)
        frames = self._marks.spinner
        return frames[int(now * 5) % len(frames)]

    def _state(self, turn: TurnHead, now: float) -> str:
        if turn.state is TurnState.CONNECTING:
            if turn.retry_at is not None and turn.retry_at > now:
                what = "reconnects" if turn.is_reconnecting else "tries again"
                return f"{what} in {turn.retry_at - now:2.0f} s"
            if turn.is_reconnecting:
                return "reconnecting"
        return state_word(turn.state)

    def _facts(self, pane: Pane, turn: TurnHead, now: float) -> tuple[str, ...]:
        first = first_output(turn)
        times = [clock(elapsed(turn, now)).rjust(5), f"first {first}" if first else "", rate(pane, now)]
        return tuple(fact for fact in times if fact)
