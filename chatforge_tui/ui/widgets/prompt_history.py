"""Walking through a session's earlier prompts with Up and Down, like a shell. Pure."""

from collections.abc import Sequence


class PromptHistory:
    """A place among earlier prompts; what was being written is kept and comes back at the end."""

    def __init__(self) -> None:
        self._prompts: tuple[str, ...] = ()
        self._place = 0
        self._unsent = ""

    def load(self, prompts: Sequence[str]) -> None:
        """Take a session's prompts, oldest first, and stand behind the last. Repeats in a row count once."""
        self._prompts = tuple(
            prompt for index, prompt in enumerate(prompts) if prompt and (not index or prompt != prompts[index - 1])
        )
        self._place = len(self._prompts)

    def follow(self, prompts: Sequence[str]) -> None:
        """Take prompts that have grown; somebody who is walking through them stays where they are."""
        if self._place == len(self._prompts):
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
