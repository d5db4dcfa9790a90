"""Walking through a session's earlier prompts with Up and Down, like a shell. Pure."""

from collections.abc import Sequence


class PromptHistory:
    """A place among earlier prompts; what was being written is kept and comes back at the end."""

    def __init__(self) -> None:
        self._prompts: list[str] = []
        self._taken = 0
        """Number of prompts that were looked at, repeats included."""
        self._place = 0
        self._unsent = ""

    def load(self, prompts: Sequence[str]) -> None:
        """Take a session's prompts, oldest first, and stand behind the last. Repeats in a row count once."""
        self._prompts, self._taken = [], 0
        self._take(prompts)

    def _take(self, prompts: Sequence[str]) -> None:
        """Take what is new: this is asked once a frame, beside any number of prompts."""
        for index in range(self._taken, len(prompts)):
            prompt = prompts[index]
            if prompt and (not index or prompt != prompts[index - 1]):
                self._prompts.append(prompt)
        self._taken = len(prompts)
        self._place = len(self._prompts)

    def follow(self, prompts: Sequence[str]) -> None:
        """Take prompts that have grown, or lost one; somebody who is walking through them stays where they are."""
        if self._place != len(self._prompts) or len(prompts) == self._taken:
            return
        if len(prompts) > self._taken:
            self._take(prompts)
        else:
            self.load(prompts)

    def earlier(self, current: str) -> str | None:
        """Return the prompt before; None at the first one. `current` is what stands in the composer now."""
        if self._place == 0:
            return None
        if self._place == len(self._prompts):
            self._unsent = current
        self._place -= 1
        return self._prompts[self._place]

    def later(self) -> str | None:
        """Return the prompt after, behind the last one what was being written; None there."""
        if self._place == len(self._prompts):
            return None
        self._place += 1
        return self._unsent if self._place == len(self._prompts) else self._prompts[self._place]
