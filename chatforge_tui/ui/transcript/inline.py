"""The inside of a paragraph: emphasis, code, links -> spans. Line breaks of the author are kept, as chats expect them.

Images are never fetched: their alternative text stands for them. A link is only a link when safety.urls says so; one
whose text names another host than the one it leads to says so itself.
"""

import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any, cast

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore, linkify, text_join
from markdown_it.token import Token

from chatforge_tui.safety.clean import clean, clean_name
from chatforge_tui.safety.urls import SafeLink, judge_link
from chatforge_tui.ui.transcript.ink import Ink, Span, emphasized

Environment = MutableMapping[str, Any]
"""What markdown-it keeps between blocks: the link reference definitions."""

Definitions = dict[str, dict[str, Any]]
"""Label of a link definition -> what it says; `map` holds its first and last line."""

LONGEST_PARSED = 10_000
"""Characters of one paragraph, cell or heading beyond which it is shown as written: the worst input takes 0.2 s there."""

MOST_BRACKETS = 50
"""Brackets open at once beyond which a paragraph is shown as written: the rest of it is looked through for each of them."""

_BRACKET = re.compile(r"[\[\]]")

PARSER = MarkdownIt("gfm-like", {"html": False})
"""The one parser: making one costs 0.1 ms. It keeps nothing between calls."""

_HOST_LIKE = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)

MAY_HOLD_ADDRESS = re.compile(r"https?:|ftp:|mailto:|//|@|localhost|www\.|\.\d{1,3}\.|\.[^\W\d_]{2}", re.IGNORECASE)
"""Whatever linkify-it could take for a link, and more. Its own expressions take 60 ms to compile, then 20 us a paragraph."""


Rows = list[list[Span]]


def definitions(environment: Environment) -> Definitions:
    """Return the link definitions that an environment knows; may be changed."""
    return cast("Definitions", environment.setdefault("references", {}))


def inline_rows(content: str, environment: Environment, base: Ink) -> Rows:
    """Return the rows of a paragraph, one for each line of the author's, at least one. Not to be changed: it is shared."""
    if len(content) > LONGEST_PARSED or _is_bracketed_deep(content):
        return [[(row, base)] if row else [] for row in content.split("\n")]
    if content.isalnum():
        return [[(content, base)]]
    return _rows(content, environment, base) if definitions(environment) else _remembered_rows(content, base)


def _is_bracketed_deep(content: str) -> bool:
    """Tell whether more brackets are open at once than in any text for people."""
    if content.count("[") <= MOST_BRACKETS:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(content):
        depth = depth + 1 if bracket[0] == "[" else max(depth - 1, 0)
        if depth > MOST_BRACKETS:
            return True
    return False


@lru_cache(maxsize=1024)
def _remembered_rows(content: str, base: Ink) -> Rows:
    """While a table or list grows, all but its end was parsed a frame ago."""
    return _rows(content, {}, base)


def _rows(content: str, environment: Environment, base: Ink) -> Rows:
    children: list[Token] = []
    token = Token("inline", "", 0, content=content, children=children)
    PARSER.inline.parse(content, PARSER, environment, children)
    state = StateCore("", PARSER, environment, [token])
    if any(child.type == "text" and MAY_HOLD_ADDRESS.search(child.content) for child in children):
        linkify(state)
    text_join(state)
    return _Writer(base).write(token.children or ())


class _Writer:
    """Turns inline tokens into rows of spans."""

    def __init__(self, base: Ink) -> None:
        self._base = base
        self._rows: Rows = [[]]
        self._bold = self._italic = self._strike = 0
        self._target: SafeLink | None = None
        self._href = ""
        self._label = ""

    def write(self, tokens: Sequence[Token]) -> Rows:
        for token in tokens:
            match token.type:
                case "softbreak" | "hardbreak":
                    self._rows.append([])
                case "code_inline":
                    self._say(token.content, self._ink()._replace(role="inline-code"))
                case "image":
                    self._say(f"[image: {token.content}]", self._ink()._replace(role="muted"))
                case "link_open":
                    self._open_link(str(token.attrs.get("href", "")))
                case "link_close":
                    self._close_link()
                case _ if token.nesting:
                    self._emphasize(token)
                case _:
                    self._say(token.content, self._ink())
        return self._rows

    def _emphasize(self, token: Token) -> None:
        match token.tag:
            case "strong":
                self._bold += token.nesting
            case "em":
                self._italic += token.nesting
            case _:
                self._strike += token.nesting

    def _ink(self) -> Ink:
        target = self._target.url if self._target else ""
        return emphasized(self._base, self._bold > 0, self._italic > 0, self._strike > 0, target)

    def _say(self, text: str, ink: Ink) -> None:
        text = clean(text)  # once more: what stood there as an entity, such as &#8238;, is a character only now
        if not text:
            return
        if self._href:
            self._label += text
        first, *others = text.split("\n")
        if first:
            self._rows[-1].append((first, ink))
        for other in others:
            self._rows.append([(other, ink)] if other else [])

    def _open_link(self, href: str) -> None:
        self._href, self._label = href, ""
        self._target = judge_link(href)

    def _close_link(self) -> None:
        href, label, target = self._href, self._label.strip(), self._target
        self._href, self._target = "", None
        if target is None:
            if href.removeprefix("mailto:") != label:
                self._rows[-1].append((f" ({clean_name(href)})", Ink("muted", copy="")))
        elif _misleads(label, target):
            self._rows[-1].append((f" ({clean_name(target.origin.host)})", Ink("warning", copy="")))


def _misleads(label: str, target: SafeLink) -> bool:
    """Tell whether the text of a link lets one expect another host."""
    if target.is_disguised or target.had_userinfo:
        return True
    named = _HOST_LIKE.fullmatch(label)
    if named is None:
        return False
    return named[1].lower().removeprefix("www.") != target.origin.host.removeprefix("www.")
