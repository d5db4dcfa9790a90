"""Colouring code: source and language -> lines of spans, by role. It must not guess a language: that costs 0.1 s."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from types import new_class
from typing import TYPE_CHECKING, cast

from chatforge_tui.ui.transcript.ink import Ink, Role, Span

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LONGEST_AT_ONCE = 6_000
"""Characters of a code block that are coloured at once; pygments takes 1 to 4 ms a KB. Longer ones wait for a budget."""
LONGEST_COLOURED = 256_000
"""Characters of a code block beyond which it stays plain."""
LONGEST_LINE = 5_000
"""Characters of one line of code beyond which its block stays plain: such lines are data, and dear in every colour."""
KEPT_BLOCKS = 64
"""Long blocks whose colours are remembered."""

PLAIN = Ink("code")

Rows = list[list[Span]]
"""The lines of a block."""

_TOKENS_IN_A_SLICE = 100
_Rule = tuple[object, ...] | str
"""What pygments calls a token definition: an expression with what it means, or the name of a state to include."""
_NAME = r"[^\W\d]\w*"
"""A name in most languages, as an expression."""

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


class Colours:
    """Colours code within a budget: short blocks at once, long ones in slices while nothing else is to be done."""

    def __init__(self) -> None:
        self._done: dict[tuple[str, str], Rows | None] = {}
        self._waiting: dict[tuple[str, str], Iterator[Span]] = {}
        self._parts: dict[tuple[str, str], list[Span]] = {}

    def lines(self, code: str, language: str) -> Rows | None:
        """Return the lines of `code` in colour; None when they stay plain, or stay so until `work` is through."""
        if len(code) <= LONGEST_AT_ONCE:
            return coloured_lines(code, language)
        key = (code, language)
        if key in self._done:
            return self._done[key]
        lexer = _lexer_for(code, language)
        if lexer is not None and key not in self._waiting:
            self._waiting[key], self._parts[key] = _tokens(lexer, code), []
        return None

    @property
    def has_work(self) -> bool:
        """Whether a block waits for its colours."""
        return bool(self._waiting)

    def work(self, seconds: float) -> set[str]:
        """Colour for about so long; return the code that is finished."""
        deadline = time.perf_counter() + seconds
        finished: set[str] = set()
        while self._waiting and time.perf_counter() < deadline:
            key, tokens = next(iter(self._waiting.items()))
            part = list(islice(tokens, _TOKENS_IN_A_SLICE))
            self._parts[key] += part
            if len(part) < _TOKENS_IN_A_SLICE:
                del self._waiting[key]
                self._done[key] = _rows(self._parts.pop(key), key[0])
                finished.add(key[0])
        while len(self._done) > KEPT_BLOCKS:
            del self._done[next(iter(self._done))]
        return finished


def coloured_lines(code: str, language: str) -> Rows | None:
    """Return the lines of `code` in colour, or None when the language is unknown or the block too long."""
    lexer = _lexer_for(code, language)
    return None if lexer is None else _rows(_tokens(lexer, code), code)


def _lexer_for(code: str, language: str) -> "Lexer | None":
    if not language or len(code) > LONGEST_COLOURED or max(map(len, code.split("\n"))) > LONGEST_LINE:
        return None
    return _lexer(language.lower())


def _rows(spans: Iterable[Span], code: str) -> Rows | None:
    lines: Rows = [[]]
    for text, ink in spans:
        rows = text.split("\n")
        for index, row in enumerate(rows):
            if index:
                lines.append([])
            if row:
                lines[-1].append((row, ink))
    # A lexer may rewrite what it reads. What is shown must be the source, so then it stays plain.
    shown = "\n".join("".join(text for text, _ in line) for line in lines)
    return lines[:-1] if shown == f"{code}\n" else None


def _tokens(lexer: "Lexer", code: str) -> Iterator[Span]:
    """Yield the code and a newline in pieces of one ink, as long as possible: lexers of lines want the end of each."""
    held, held_ink = "", PLAIN
    for _, kind, text in lexer.get_tokens_unprocessed(f"{code}\n"):
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
    from pygments.lexers import LEXERS, find_lexer_class  # noqa: PLC0415  # pyright: ignore[reportUnknownVariableType]

    # Not get_lexer_by_name: for a name that is none, such as one that is still being written, it looks through the entry
    # points of every package that is installed: 50 ms, the first time.
    known = cast("Mapping[str, tuple[str, str, Sequence[str]]]", LEXERS)
    name = next((entry[1] for entry in known.values() if language in entry[2]), "")
    lexer = find_lexer_class(name) if name else None
    return None if lexer is None else _with_short_names(lexer)(stripnl=False, ensurenl=False)


def _with_short_names(lexer: "type[Lexer]") -> "type[Lexer]":
    """Return a lexer that says in one short class which characters a name is of, if it lists them all again and again.

    Compiling the lists is most of what the first block of Python takes: 30 ms, and 12 without.
    """
    listed = cast("object", getattr(lexer, "uni_name", None))
    rules = cast("Mapping[str, Sequence[_Rule]] | None", getattr(lexer, "tokens", None))
    if not isinstance(listed, str) or not rules:
        return lexer

    def shortened(rule: "_Rule") -> "_Rule":
        if isinstance(rule, tuple) and isinstance(rule[0], str):
            return (rule[0].replace(listed, _NAME), *rule[1:])
        return rule

    own = {state: [shortened(rule) for rule in each] for state, each in rules.items()}
    return new_class(lexer.__name__, (lexer,), exec_body=lambda members: members.update(tokens=own))
