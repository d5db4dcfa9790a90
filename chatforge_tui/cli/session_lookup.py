"""Finding the session that a person means by the beginning of its id.

Pure: heads in, one head out.
"""

from collections.abc import Iterable, Sequence

from chatforge_tui.domain.ids import SessionId
from chatforge_tui.domain.session import SessionHead
from chatforge_tui.errors import UnknownSession

SHORTEST = 8
"""Characters of an id that are always shown, however few would do."""


def find_session(heads: Iterable[SessionHead], given: str) -> SessionHead:
    """Return the session whose id is `given` or the only one whose id begins with it.

    Raises:
        UnknownSession: there is none, or there are several.
    """
    prefix = given.strip().lower()
    found = {head.session_id: head for head in heads if prefix and head.session_id.startswith(prefix)}
    exact = found.get(SessionId(prefix))
    if exact:
        return exact
    if not found:
        raise UnknownSession(f"No session has the id {given!r}.", hint="`chatforge sessions` lists them.")
    if len(found) > 1:
        raise UnknownSession(f"{len(found)} sessions have ids that begin with {given!r}.", hint="Give more of the id.")
    return next(iter(found.values()))


def short_ids(heads: Sequence[SessionHead]) -> dict[SessionId, str]:
    """Return for each session the beginning of its id that no other one shares, all of the same length."""
    ids = [head.session_id for head in heads]
    length = SHORTEST
    while len({id_[:length] for id_ in ids}) < len(set(ids)):
        length += 1
    return {id_: id_[:length] for id_ in ids}
