"""Walking through a session's earlier prompts with Up and Down, like a shell. Pure."""

from collections.abc import Sequence


class PromptHistory:
    """A place among earlier prompts; what was being written is kept and comes back at the end."""

    def __init__(self) -> None:
        self._prompts: Sequence[str] = ()
        self._walk: list[str] | None = None
        """The prompts as somebody walks through them, made with the first step: a session may have any number of them,
        and is shown far more often. None while nobody does."""
        self._place = 0
        """Index in `_walk`."""
        self._unsent = ""

    def load(self, prompts: Sequence[str]) -> None:
        """Take a session's prompts, oldest first, and stand behind the last. Repeats in a row count once."""
        self._prompts, self._walk = prompts, None

    def follow(self, prompts: Sequence[str]) -> None:
        """Take prompts that have grown, or lost one; somebody who is walking through them stays where they are."""
        if self._walk is None:
            self._prompts = prompts

    @property
    def is_walked(self) -> bool:
        """Whether somebody walks through them, and is not back behind the last."""
        return self._walk is not None

    def earlier(self, current: str) -> str | None:
        """Return the prompt before; None at the first one. `current` is what stands in the composer now."""
        if self._walk is None:
            self._walk = _without_repeats(self._prompts)
            self._place, self._unsent = len(self._walk), current
        if self._place == 0:
            if not self._walk:
                self._walk = None
            return None
        self._place -= 1
        return self._walk[self._place]

    def later(self) -> str | None:
        """Return the prompt after, behind the last one what was being written; None there."""
        if self._walk is None:
            return None
        self._place += 1
        if self._place < len(self._walk):
            return self._walk[self._place]
        self._walk = None
        return self._unsent


def _without_repeats(prompts: Sequence[str]) -> list[str]:
    """Return the prompts with words, those that repeat the one before left out."""
    before = ("", *prompts)
    return [prompt for prompt, last in zip(prompts, before, strict=False) if prompt and prompt != last]
