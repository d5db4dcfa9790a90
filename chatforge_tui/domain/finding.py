"""What an examination of the program's surroundings found: one line each, with what to do about it."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field


class Verdict(StrEnum):
    """How a finding is meant."""

    GOOD = "good"
    NOTE = "note"
    """A fact that is neither good nor bad, or something that was left out."""
    WARNING = "warning"
    """It works, but not as well as it could."""
    WRONG = "wrong"
    """It does not work."""


class Finding(Struct, frozen=True, gc=False):
    """One thing that was looked at."""

    subject: str
    """What was looked at, one or two words."""
    verdict: Verdict
    text: str
    """What was found. As received where others had a say in it: clean and redact it before it is shown."""
    remedy: str = ""
    """What to do about it; "" = nothing."""
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    """The same for programs: JSON values by name, times in milliseconds where the name ends in `_ms`."""


class Section(Struct, frozen=True, gc=False):
    """What belongs together in a report."""

    name: str
    """For programs: "store", "endpoint" ..."""
    title: str
    findings: tuple[Finding, ...]

    @property
    def is_wrong(self) -> bool:
        """Whether something in it does not work."""
        return any(finding.verdict is Verdict.WRONG for finding in self.findings)
