"""Finds the passages of the reference that a question is about. Pure: words in, ranked passages out.

A small lexical search (BM25 over three weighted fields) with what a reference of a few hundred short passages needs:
key names stay whole ("ctrl+n"), words are reduced to a stem, a table of synonyms bridges the user's words and the
program's, rare words count more than common ones, and misspelt words are taken for the nearest known one. A question
of which too little is found in any passage has no match: the agent then says so instead of guessing.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cache

from msgspec import Struct

from chatforge_tui.guide.vocabulary import KEY_NAMES, STOP_WORDS, SYNONYMS

_TOKEN = re.compile(r"[a-z0-9_]+(?:[+.\-][a-z0-9_\\]+)*|(?<!\S)\?(?!\S)")
_TITLE, _KEYWORDS, _BODY = 3.0, 2.5, 1.0
_SYNONYM = 0.7
"""What a synonym counts against the word itself."""
_GUESS = 0.6
"""What the nearest known word counts against the misspelt one."""
_SHORT = 4
"""Longest word that is not taken for a misspelt one: too many short words are near each other."""
_ENOUGH = 0.42
"""Smallest share of a question (by rarity of its words) that a passage must cover to be an answer."""
_FOREIGN = 1.5
"""What an unknown word weighs against the rarest known one: it speaks for a question about something else."""
_SATURATION, _LENGTH = 1.2, 0.15


class Passage(Struct, frozen=True):
    """One thing the agent can say."""

    title: str
    body: str
    """Markdown."""
    source: str
    """Which part of the reference it comes from, as told to the user: "key table", "configuration reference"."""
    keywords: str = ""
    """More words it should be found by."""
    weight: float = 1.0
    """How much it is preferred when others match as well."""


class Match(Struct, frozen=True):
    """A passage, and how well it fits."""

    passage: Passage
    score: float


class _Indexed(Struct, frozen=True):
    """A passage as the search sees it: term to weighted frequency."""

    passage: Passage
    terms: dict[str, float]
    length: float


class PassageIndex:
    """The passages, ready to be searched."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._indexed = [_index(passage) for passage in passages]
        spread = Counter(term for entry in self._indexed for term in entry.terms)
        total = len(self._indexed)
        self._rarity = {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in spread.items()}
        self._unknown = _FOREIGN * math.log(1 + (total + 0.5) / 0.5)
        """Rarity of a word that no passage holds."""
        self._mean = sum(entry.length for entry in self._indexed) / max(1, total)

    def search(self, question: str, limit: int = 3) -> list[Match]:
        """Return the passages that answer a question, best first; [] when none does.

        Args:
            question: the user's words.
            limit: how many at most, >= 1.
        """
        wanted = [self._alternatives(term) for term in dict.fromkeys(terms_of(question))]
        mass = sum(rarity for rarity, _ in wanted)
        if not mass:
            return []
        scored = (self._score(entry, wanted, mass) for entry in self._indexed)
        found = sorted((match for match in scored if match), key=lambda match: -match.score)
        return found[:limit]

    def _alternatives(self, term: str) -> tuple[float, dict[str, float]]:
        """Return how rare a word of the question is, and the known words that stand for it, with their worth."""
        known = self._known(term, 1.0)
        if not known and len(term) > _SHORT:
            for near in get_close_matches(term, self._rarity, n=1, cutoff=0.8):
                known = self._known(near, _GUESS)
        rarities = [self._rarity[term]] if term in self._rarity else [self._rarity[other] for other in known]
        return max(rarities, default=self._unknown), known

    def _known(self, term: str, worth: float) -> dict[str, float]:
        """Return a word and its synonyms, as far as any passage holds them."""
        others = {other: worth * _SYNONYM for other in _synonyms(term) if other in self._rarity}
        return others | ({term: worth} if term in self._rarity else {})

    def _score(self, entry: _Indexed, wanted: list[tuple[float, dict[str, float]]], mass: float) -> Match | None:
        """Rate one passage; None when it covers too little of the question."""
        score = covered = 0.0
        damped = _SATURATION * (1 - _LENGTH + _LENGTH * entry.length / self._mean)
        for rarity, known in wanted:
            held = ((entry.terms[term], worth) for term, worth in known.items() if term in entry.terms)
            gain, worth = max(
                ((worth * often * (_SATURATION + 1) / (often + damped), worth) for often, worth in held), default=(0, 0)
            )
            score += rarity * gain
            covered += rarity * worth
        share = covered / mass
        return Match(entry.passage, score * share**2 * entry.passage.weight) if share >= _ENOUGH else None


def terms_of(text: str) -> list[str]:
    """Reduce a text to the terms it is searched by: lower case, key names whole, no filler words, stems."""
    text = text.lower().replace("’", "'").replace("page down", "pagedown").replace("page up", "pageup")
    text = re.sub(r"\b(ctrl|control|alt|shift|cmd)\s*[-+ ]\s*(?=[a-z0-9_\\]+\b)", lambda m: _modifier(m[1]), text)
    text = re.sub(r"'s\b|'", "", text)
    words = (KEY_NAMES.get(found[0], found[0]) for found in _TOKEN.finditer(text))
    pieces = (piece for word in words for piece in _pieces(word))
    return [_stem(piece) for piece in pieces if piece not in STOP_WORDS]


def _modifier(name: str) -> str:
    return ("ctrl" if name == "control" else name) + "+"


def _pieces(word: str) -> Iterable[str]:
    """Yield a word, and the words it is made of unless it is a key ("config.toml", but not "ctrl+n")."""
    if "+" in word:
        head, _, last = word.rpartition("+")
        yield f"{head}+{KEY_NAMES.get(last, last)}"
        return
    yield word
    parts = [part for part in re.split(r"[._\-]", word) if part]
    if len(parts) > 1:
        yield from parts


@cache
def _stem(word: str) -> str:
    """Cut English endings, roughly: "sessions", "closing" and "closed" meet "session" and "close"."""
    if "+" in word or len(word) <= 3 or word.endswith("ss"):
        return word
    for ending, rest in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) + len(rest) >= 3:
            word = word[: len(word) - len(ending)] + rest
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] in "bdgmnprt":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


@cache
def _synonyms(term: str) -> frozenset[str]:
    """Return the stems that mean about the same."""
    groups = (frozenset(_stem(word) for word in group.split()) for group in SYNONYMS)
    return frozenset(word for group in groups if term in group for word in group) - {term}


def _index(passage: Passage) -> _Indexed:
    """Count a passage's terms, by field."""
    terms: Counter[str] = Counter()
    fields = ((passage.title, _TITLE), (passage.keywords, _KEYWORDS), (passage.body, _BODY))
    for text, weight in fields:
        for term in terms_of(text):
            terms[term] += weight  # pyright: ignore[reportArgumentType] - weighted counts are floats
    return _Indexed(passage, dict(terms), float(sum(terms.values())))
