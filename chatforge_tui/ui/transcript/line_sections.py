"""What stands beside the answer: files, questions, notices."""

from chatforge_tui.domain.part import (
    FilePart,
    NoticeLevel,
    NoticePart,
    Part,
    QuestionKind,
    QuestionPart,
)
from chatforge_tui.safety.clean import clean, clean_line, clean_name
from chatforge_tui.safety.urls import judge_link
from chatforge_tui.ui.marks import MarkSet
from chatforge_tui.ui.transcript.ink import MUTED, TEXT, Act, Ink, Span
from chatforge_tui.ui.transcript.markdown_text import MarkdownText
from chatforge_tui.ui.transcript.phrases import size_of
from chatforge_tui.ui.transcript.piece import Fixed, Margin, Piece, PlainPiece
from chatforge_tui.ui.transcript.section import Section


class FileSection(Section):
    """A file that the agent offers: named; chosen, it is asked about, never fetched or written by itself."""

    def __init__(self, part: FilePart) -> None:
        super().__init__(part.index)
        self._part = part
        self._piece = Fixed()

    @property
    def is_one_line(self) -> bool:
        """One line a file."""
        return True

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """Name, kind and size, and where it leads."""
        part = self._part
        name = clean_name(part.name) or "file"
        link = judge_link(part.url) if part.url else None
        act: Act = "save" if part.data is not None else ""
        ink = Ink("link", underline=True, link=link.url) if link else Ink(bold=True, act=act)
        facts = [clean_name(part.media_type), size_of(part.data), clean_name(link.origin.host if link else part.url)]
        told = f" {marks.dot} ".join(fact for fact in facts if fact)
        spans: list[Span] = [("File ", MUTED), (name, ink)]
        if told:
            spans.append((f"  {told}", MUTED))
        self._piece.set(tuple(spans))
        return [self._piece]

    def replace(self, part: Part) -> bool:
        """Take the new file."""
        if not isinstance(part, FilePart):
            return False
        self._part = part
        return True

    @property
    def source(self) -> str:
        """Name and address."""
        return f"{self._part.name} {self._part.url}".strip()


class QuestionSection(Section):
    """What the agent asks."""

    def __init__(self, part: QuestionPart) -> None:
        super().__init__(part.index)
        self._part = part
        self._pieces: list[Piece] | None = None

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """The question, marked, and the names of the fields to fill in."""
        if self._pieces is None:
            text = MarkdownText()
            text.feed(self._part.text)
            text.end()
            words = "The agent needs you to sign in" if self._part.kind is QuestionKind.AUTH else "The agent asks"
            mark = Fixed(((f"{marks.waiting} ", Ink("warning", copy="")), (words, Ink("warning", bold=True))))
            self._pieces = [mark, *text.closed, *self._fields(marks)]
        return self._pieces

    def _fields(self, marks: MarkSet) -> list[Piece]:
        """One line: while the form is open its panel stands below, and later the answers do."""
        form = self._part.form
        if form is None or not form.fields:
            return []
        labels = [clean_line(field.label or field.name) for field in form.fields]
        return [PlainPiece(f" {marks.dot} ".join(labels), MUTED)]

    def replace(self, part: Part) -> bool:
        """Ask anew."""
        if not isinstance(part, QuestionPart):
            return False
        self._part, self._pieces = part, None
        return True

    @property
    def source(self) -> str:
        """The question."""
        return self._part.text


class NoticeSection(Section):
    """A line beside the answer."""

    def __init__(self, part: NoticePart) -> None:
        super().__init__(part.index)
        self._part = part
        self._added: list[str] = []
        self._piece = PlainPiece("", MUTED)
        self._shown: tuple[object, ...] = ()

    @property
    def is_one_line(self) -> bool:
        """Notices stand close."""
        return True

    def pieces(self, marks: MarkSet) -> list[Piece]:
        """The words, with a mark for how loud they are."""
        text = clean(self.source).strip("\n")
        shown = (self._part.level, text, marks)
        if shown != self._shown:
            self._shown = shown
            mark, ink = {
                NoticeLevel.STATUS: (marks.dot, MUTED),
                NoticeLevel.INFO: (marks.dot, TEXT),
                NoticeLevel.WARNING: (marks.interrupted, Ink("warning")),
            }[self._part.level]
            margin = Margin((f"{mark} ", ink._replace(copy="")), ("  ", ink._replace(copy="")))
            self._piece = PlainPiece(text, ink, margin)
        return [self._piece]

    def append(self, field: str, text: str) -> None:
        """Add words."""
        del field
        self._added.append(text)

    def replace(self, part: Part) -> bool:
        """Take the new words."""
        if not isinstance(part, NoticePart):
            return False
        self._part, self._added = part, []
        return True

    @property
    def source(self) -> str:
        """The words."""
        return self._part.text + "".join(self._added)
