"""Finds words in all sessions: through the full-text index where there is one, by reading where there is none yet."""

import re
import sqlite3
import unicodedata
from collections.abc import Iterator
from itertools import islice

from chatforge_tui.domain.ids import SessionId, TurnId
from chatforge_tui.domain.search import FoundIn, SearchHit
from chatforge_tui.store import queries, search_index
from chatforge_tui.store.cells import Cells, as_text
from chatforge_tui.store.connection import readable, snapshot
from chatforge_tui.store.instances import InstanceId
from chatforge_tui.store.text_log import LIVE
from chatforge_tui.store.text_log_reader import TextLogReader

_BEFORE, _AFTER = 40, 120
"""Characters of an excerpt before and after the place where the first word begins."""
_PREFIX_FROM = 3
"""Shorter words are found whole only: too many others begin with them."""
_PAGE = 50
_LETTER = r"[^\W_]"

_TURN = f"""
    SELECT turn.key, turn.id, turn.session, turn.prompt, turn.started, session.title,
        {search_index.READABLE}, {LIVE} OR EXISTS (SELECT 1 FROM chunk WHERE chunk.turn = turn.id) AS is_growing
    FROM turn JOIN session ON session.id = turn.session AND session.trashed IS NULL
"""


class _Term:
    """One word of a query, as the index and as this module look for it."""

    def __init__(self, word: str) -> None:
        """Prepare both ways."""
        self.plain = _plain(word)
        is_short = len(word) < _PREFIX_FROM
        quoted = search_index.words_of(word).replace('"', " ")
        self.phrase = f'"{quoted}"' + ("" if is_short else " *")
        """"" for a word without a character that any index knows."""
        if not any(unicodedata.ucd_3_2_0.category(character)[0] in "LN" for character in word):
            self.phrase = ""
        self.loose = self._pattern(self.plain, is_short=is_short)
        self._spaced = self._pattern(search_index.words_of(self.plain), is_short=is_short)

    def is_in(self, plain: str) -> bool:
        """Return whether a plain text has the word."""
        return self._spaced.search(search_index.words_of(plain)) is not None

    @staticmethod
    def _pattern(text: str, *, is_short: bool) -> re.Pattern[str]:
        """Return what finds the text where a word begins, and, when it is short, only where that word also ends."""
        before = f"(?<!{_LETTER})" if re.match(_LETTER, text) else ""
        after = f"(?!{_LETTER})" if is_short and re.match(_LETTER, text[-1]) else ""
        return re.compile(before + re.escape(text) + after)


def search(db: sqlite3.Connection, query: str, limit: int = 50) -> list[SearchHit]:
    """Return where all words of the query stand, titles first, then the newest turns first.

    Any text is a query; none is a command. A word is found where words begin with it, without regard to case and
    accents; one of fewer than three letters only as a whole word. An empty query finds nothing.

    Args:
        db: an open connection.
        query: words, separated by white space.
        limit: hits at most, > 0.
    """
    terms = [_Term(word) for word in query.replace("\0", " ").split() if _plain(word)]
    if not terms:
        return []
    with snapshot(db):
        hits = list(islice(_titles(db, terms), limit))
        reader = TextLogReader()
        turns = (_hit(row, _answer(db, reader, row), terms) for row in _candidates(db, _expression(terms)))
        hits += islice((hit for hit in turns if hit is not None), limit - len(hits))
    return hits


def _titles(db: sqlite3.Connection, terms: list[_Term]) -> Iterator[SearchHit]:
    """Yield the sessions whose titles have all the words."""
    statement = "SELECT id, title, updated FROM session WHERE trashed IS NULL ORDER BY updated DESC"
    for row in readable(db, lambda: db.execute(statement).fetchall()):
        title = as_text(row["title"])
        plain = _plain(title)
        if all(term.is_in(plain) for term in terms):
            excerpt, start, end, _ = _excerpt(title, terms)
            yield SearchHit(
                SessionId(as_text(row["id"])), title, FoundIn.TITLE, excerpt, start, end, Cells(row).time("updated")
            )


def _candidates(db: sqlite3.Connection, expression: str | None) -> Iterator[sqlite3.Row]:
    """Yield turns that may have all the words, newest first: those not in the index yet, then those it names."""
    if expression is None or not search_index.exists(db):
        yield from _pages(db, "", ())
    else:
        yield from _pages(db, "AND turn.is_indexed = 0", ())
        named = "AND turn.is_indexed = 1 AND turn.key IN (SELECT rowid FROM search WHERE search MATCH ?)"
        yield from _pages(db, named, (expression,))


def _pages(db: sqlite3.Connection, condition: str, values: tuple[str, ...]) -> Iterator[sqlite3.Row]:
    """Yield the turns with the condition, newest first, a few at a time: most searches stop early."""
    statement = f"{_TURN} WHERE turn.key < ? {condition} ORDER BY turn.key DESC LIMIT {_PAGE}"
    before = 2**63 - 1
    while page := readable(db, lambda before=before: db.execute(statement, (before, *values)).fetchall()):
        yield from page
        before = int(page[-1]["key"])


def _expression(terms: list[_Term]) -> str | None:
    """Return the query in the index's language; None when no term has a word that the index knows."""
    phrases = [term.phrase for term in terms if term.phrase]
    return " AND ".join(phrases) if phrases else None


def _answer(db: sqlite3.Connection, reader: TextLogReader, row: sqlite3.Row) -> str:
    """Return the answer of a turn: of one that is not in its parts alone, what is elsewhere, too."""
    turn = queries.load_turn(db, _lives, TurnId(as_text(row["id"])), reader) if row["is_growing"] else None
    return as_text(row["answer"]) if turn is None else turn.readable_answer


def _lives(_program: InstanceId | None) -> bool:
    """Take every program for alive: whether a turn is interrupted makes no difference to its words."""
    return True


def _hit(row: sqlite3.Row, answer: str, terms: list[_Term]) -> SearchHit | None:
    """Return the hit of a turn with this answer; None when it does not have all the words after all."""
    prompt = as_text(row["prompt"])
    plain = _plain(prompt) + "\n" + _plain(answer)
    if not all(term.is_in(plain) for term in terms):
        return None
    where, text = (FoundIn.PROMPT, prompt) if terms[0].is_in(_plain(prompt)) else (FoundIn.ANSWER, answer)
    excerpt, start, end, offset = _excerpt(text, terms)
    session_id, turn_id = SessionId(as_text(row["session"])), TurnId(as_text(row["id"]))
    title, when = as_text(row["title"]), Cells(row).time("started")
    return SearchHit(session_id, title, where, excerpt, start, end, when, turn_id, offset)


def _excerpt(text: str, terms: list[_Term]) -> tuple[str, int, int, int]:
    """Return a line of text round the first term, where the term is in it (from, to), and where it is in the text."""
    offset, end = _find(text, terms[0])
    first = max(0, offset - _BEFORE)
    line = re.sub(r"[\r\n\t\v\f\x85\u2028\u2029]", " ", text[first : end + _AFTER])
    return line, offset - first, end - first, offset


def _find(text: str, term: _Term) -> tuple[int, int]:
    """Return where a term first stands in a text as received: first and last character (exclusive)."""
    plain = _plain(text)
    found = term.loose.search(plain)
    at, end = found.span() if found else (plain.find(term.plain), plain.find(term.plain) + len(term.plain))
    if at < 0:
        return 0, 0
    if len(plain) == len(text):
        return at, end
    origin = [place for place, character in enumerate(text) for _ in _plain(character)]
    return (origin[at], origin[end - 1] + 1) if end <= len(origin) else (0, 0)


def _plain(text: str) -> str:
    """Return the text without case and accents, as the index compares it."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in apart if not unicodedata.combining(character))
    # Together again: a Korean syllable is one character, not three letters.
    return unicodedata.normalize("NFC", bare).casefold()
