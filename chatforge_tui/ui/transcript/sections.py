"""Which section shows which part."""

from chatforge_tui.domain.part import (
    FilePart,
    NoticePart,
    Part,
    PlanPart,
    QuestionPart,
    ReasoningPart,
    TextPart,
    ToolPart,
)
from chatforge_tui.ui.transcript.folding_sections import PlanSection, ReasoningSection, ToolSection
from chatforge_tui.ui.transcript.line_sections import FileSection, NoticeSection, QuestionSection
from chatforge_tui.ui.transcript.section import Section
from chatforge_tui.ui.transcript.text_section import TextSection


def section_of(part: Part) -> Section:
    """Return a new section for a part."""
    match part:
        case TextPart():
            return TextSection(part)
        case ReasoningPart():
            return ReasoningSection(part)
        case ToolPart():
            return ToolSection(part)
        case PlanPart():
            return PlanSection(part)
        case FilePart():
            return FileSection(part)
        case QuestionPart():
            return QuestionSection(part)
        case NoticePart():
            return NoticeSection(part)
