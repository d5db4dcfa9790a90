"""Colouring code: source and language -> lines of spans, by role. It must not guess a language: that costs 0.1 s."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from chatforge_tui.ui.transcript.ink import Ink, Role, Span

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LONGEST_COLOURED = 64 * 1024
"""Characters of a code block beyond which it stays plain: colouring costs about 0.3 ms a KB."""

PLAIN = Ink("code")

_ROLES: tuple[tuple[str, Role], ...] = (
    ("Token.Keyword", "keyword"),
    ("Token.Name.Tag", "keyword"),
    ("Token.Name.Function", "name"),
    ("Token.Name.Class", "name"),
    ("Token.Name.Decorator", "name"),
    ("Token.Name.Attribute", "name"),
    ("Token.Name.Builtin", "name"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Literal.Date", "number"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Comment", "comment"),
    ("Token.Generic.Inserted", "success"),
    ("Token.Generic.Deleted", "error"),
    ("Token.Generic.Heading", "name"),
    ("Token.Generic.Subheading", "comment"),
    ("Token.Generic.Prompt", "comment"),
    ("Token.Generic.Output", "comment"),
)


def coloured_lines(code: str, language: str) -> list[list[Span]] | None:
    """Return the lines of `code` in colour, or None when the language is unknown or the block too long."""
    if not language or len(code) > LONGEST_COLOURED:
        return None
    lexer = _lexer(language.lower())
    if lexer is None:
        return None
    lines: list[list[Span]] = [[]]
    for text, ink in _tokens(lexer, code):
        rows = text.split("\n")
        for index, row in enumerate(rows):
            if index:
                lines.append([])
            if row:
                lines[-1].append((row, ink))
    # A lexer may rewrite what it reads. What is shown must be the source, so then it stays plain.
    return lines if "\n".join("".join(text for text, _ in line) for line in lines) == code else None


def _tokens(lexer: "Lexer", code: str) -> Iterator[Span]:
    """Yield the code in pieces of one ink, as long as possible."""
    held, held_ink = "", PLAIN
    for _, kind, text in lexer.get_tokens_unprocessed(code):
        ink = _ink(str(kind)) if text and not text.isspace() else held_ink
        if ink is held_ink:
            held += text
            continue
        if held:
            yield held, held_ink
        held, held_ink = text, ink
    if held:
        yield held, held_ink


@lru_cache(maxsize=512)
def _ink(kind: str) -> Ink:
    for name, role in _ROLES:
        if kind.startswith(name):
            return _code_ink(role)
    return PLAIN


@lru_cache(maxsize=32)
def _code_ink(role: Role) -> Ink:
    return Ink(role, italic=role == "comment")


@lru_cache(maxsize=64)
def _lexer(language: str) -> "Lexer | None":
    # Lazy: importing pygments costs 14 ms, the first lexer of a language 5 to 40 ms more; a start needs neither.
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415  # pyright: ignore[reportUnknownVariableType]
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
