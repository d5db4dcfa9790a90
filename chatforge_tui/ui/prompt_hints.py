"""What the keys do with the prompt in the session in front, each time in several lengths for screens of several widths. Pure.

Owns the sentences and their short forms; which of them is shown is the status line's, which knows the width.
"""

from collections.abc import Callable

from chatforge_tui.domain.counting import counted
from chatforge_tui.domain.part import QuestionKind
from chatforge_tui.domain.turn import TurnState
from chatforge_tui.errors import ProxyRefused
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.pane import Pane

Lengths = tuple[str, ...]
"""The same said in several lengths, the longest first; the last is short enough for the smallest window."""


class PromptHints:
    """Says them with the keys in force."""

    def __init__(self, key: Callable[[str], str], marks: MarkSet, *, queues: bool, goes_alone: bool) -> None:
        """Say what keys do.

        Args:
            key: returns an action's first key as people read it; "" when it has none.
            marks: what stands between two hints.
            queues: a prompt that is sent while an answer runs waits until it is done.
            goes_alone: a prompt that waits for its endpoint goes by itself when that answers.
        """
        self._key, self._marks = key, marks
        self._queues, self._goes_alone = queues, goes_alone

    def of(self, pane: Pane, *, in_form: bool, is_reading: bool, new_lines: int) -> Lengths:
        """Return what the keys do now.

        Args:
            pane: the pane in front.
            in_form: the cursor is in the agent's form.
            is_reading: the cursor is in the transcript.
            new_lines: lines that arrived below what the reader sees.
        """
        if is_reading:
            hints = (self._joined("Reading", "Esc back to the prompt"), self._joined("Reading", "Esc back"), "Esc back")
        elif in_form:
            forms = (("Tab next field", "Esc back to the prompt"), ("Tab next field", "Esc back"), ("Esc back",))
            hints = tuple(self._joined(*form) for form in forms)
        else:
            hints = self._of_prompt(pane)
        return self._with_new_lines(hints, new_lines) if new_lines else hints

    def held(self, pane: Pane) -> Lengths:
        """Return who alone may write in the session, and how that is changed."""
        way = self._key("session.take_over") or "/takeover"
        return (
            self._joined(f"Open in {clean_name(pane.head.held_by)}, read-only here", f"{way} takes it over"),
            self._joined("Read-only here", f"{way} takes it over"),
            f"{way} takes it over",
        )

    def _of_prompt(self, pane: Pane) -> Lengths:
        if pane.head.held_by:
            return self.held(pane)
        send, newline = self._key("prompt.send"), self._key("prompt.newline")
        if pane.is_live:
            return self._while_running(send)
        if pane.state is TurnState.UNSENT:
            return self._unsent(pane)
        lines = f"{newline} newline" if newline else ""
        shorter = (self._joined(f"{send} send", lines), f"{send} send")
        if pane.question is None:
            return shorter
        if pane.question.kind is QuestionKind.AUTH:  # most agents go on by themselves
            looks = "/continue looks on when you have signed in"
            return self._joined(f"{send} send the answer", looks), "/continue when signed in", *shorter
        return self._joined(f"{send} send the answer", lines), *shorter

    def _while_running(self, send: str) -> Lengths:
        """Return what the keys do with a prompt while an answer runs."""
        if self._queues:
            return f"{send} sends when this answer is done", f"{send} sends when it is done", f"{send} sends later"
        queue = self._key("prompt.queue")
        waits = f"{queue} waits" if queue else ""
        return (
            self._joined(f"{send} sends and replaces the running answer", waits),
            self._joined(f"{send} replaces the running answer", waits),
            f"{send} replaces the answer",
            f"{send} replaces",
        )

    def _unsent(self, pane: Pane) -> Lengths:
        """Return what becomes of prompts that wait, and how that is changed.

        They go by themselves unless the turn before them ended badly, or a proxy will not pass them on: the outbox leaves
        such a session to its user.
        """
        edit = self._key("outbox.edit") or "/edit"
        is_calm = pane.turn is None or pane.turn.state is TurnState.COMPLETE
        problems = [head.problem for head in pane.unsent.values() if head.problem is not None]
        is_refused = any(problem.kind == ProxyRefused.kind for problem in problems)
        short = (self._joined("/send", f"{edit} edits", "/drop"), self._joined("/send", "/drop"))
        if self._goes_alone and is_calm and not is_refused:
            return (
                self._joined("Goes by itself when it answers", "/send", f"{edit} edits", "/drop"),
                self._joined("Goes by itself", f"{edit} edits", "/drop"),
                "Goes by itself",
            )
        return self._joined("/send sends what waits", f"{edit} edits it", "/drop removes it"), *short

    def _with_new_lines(self, hints: Lengths, count: int) -> Lengths:
        """Return the hints with what arrived out of sight, which stays when there is no room for both."""
        what, way = counted(count, "new line"), self._key("view.follow")
        follows = f"{way} follows {what}" if way else what
        return *(self._joined(hint, follows) for hint in hints), follows, what

    def _joined(self, *words: str) -> str:
        return f" {self._marks.dot} ".join(word for word in words if word)
