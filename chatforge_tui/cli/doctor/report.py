"""The report of the doctor, as lines for people and as JSON for programs. Pure.

Everything is redacted and cleaned here: a finding may quote a server.
"""

import textwrap
from collections.abc import Iterable
from typing import cast

from chatforge_tui.domain.finding import Finding, Section, Verdict
from chatforge_tui.exchange.json_shapes import Json
from chatforge_tui.safety.clean import clean_line
from chatforge_tui.safety.redact import redact

_MARKS = {Verdict.GOOD: "✓", Verdict.NOTE: "·", Verdict.WARNING: "!", Verdict.WRONG: "✕"}
_ASCII_MARKS = {Verdict.GOOD: "+", Verdict.NOTE: "-", Verdict.WARNING: "!", Verdict.WRONG: "x"}
_NARROWEST = 40
"""Columns: below this, lines are not folded any more."""


def section_lines(section: Section, *, ascii_only: bool, width: int) -> list[str]:
    """Return a section as lines: its title, a line or more for each finding, and what to do below it.

    Args:
        section: what was found.
        ascii_only: draw the marks with ASCII.
        width: columns to keep to; 0 = as long as it gets.
    """
    marks, arrow = (_ASCII_MARKS, "->") if ascii_only else (_MARKS, "→")
    column = max((len(_safe(finding.subject)) for finding in section.findings), default=0)
    indent = " " * (column + 6)
    lines = [_safe(section.title)]
    for finding in section.findings:
        first = f"  {marks[finding.verdict]} {_safe(finding.subject):<{column}}  "
        lines += _folded(_safe(finding.text), first, indent, width)
        if finding.remedy:
            lines += _folded(_safe(finding.remedy), f"{indent}{arrow} ", f"{indent}   ", width)
    return lines


def summary(sections: Iterable[Section]) -> str:
    """Return the last line: how many things are wrong, or could be better."""
    verdicts = [finding.verdict for section in sections for finding in section.findings]
    wrong, better = verdicts.count(Verdict.WRONG), verdicts.count(Verdict.WARNING)
    if not wrong and not better:
        return "All is well."
    amounts = [f"{wrong} wrong"] if wrong else []
    amounts += [f"{better} could be better"] if better else []
    return f"{', '.join(amounts)}."


def report_shape(sections: Iterable[Section]) -> Json:
    """Return the report as JSON spells it."""
    every = tuple(sections)
    return {"well": not any(section.is_wrong for section in every), "sections": [_section_shape(one) for one in every]}


def _section_shape(section: Section) -> Json:
    return {
        "section": section.name,
        "title": redact(section.title),
        "findings": [_finding_shape(finding) for finding in section.findings],
    }


def _finding_shape(finding: Finding) -> Json:
    return {
        "subject": finding.subject,
        "verdict": finding.verdict.value,
        "text": redact(finding.text),
        "remedy": redact(finding.remedy) or None,
        "facts": {name: _redacted(value) for name, value in finding.facts.items()},
    }


def _redacted(value: object) -> object:
    """Return a JSON value with every text in it redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redacted(item) for item in cast("list[object]", value)]
    return value


def _safe(text: str) -> str:
    return clean_line(redact(text))


def _folded(text: str, first: str, rest: str, width: int) -> list[str]:
    if width < max(_NARROWEST, len(first) + 20):
        return [f"{first}{text}"]
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    ) or [first.rstrip()]
