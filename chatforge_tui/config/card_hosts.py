"""Which other servers an agent card may send requests to, as the user answered: one small file in the state directory.

Owns questions and answers. An answer holds for one endpoint and one pair of origins: with another URL in the configuration,
or another one in the card, it is asked anew. A file that cannot be read answers nothing, and nothing is sent then.
"""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

_LARGEST = 1_048_576
"""Bytes of a file that is read."""
_MOST = 200
"""Questions that are kept, the newest ones."""


class Permission(StrEnum):
    """What the user answered."""

    REFUSED = "refused"
    WITHOUT_CREDENTIAL = "without-credential"
    """Requests may go there, the endpoint's credential, headers and client certificate not."""
    WITH_CREDENTIAL = "with-credential"


class CardHostQuestion(Struct, frozen=True):
    """May requests of an endpoint go to the server that its agent card names?"""

    endpoint: str
    """Name in the configuration, or the URL that it was given as."""
    configured: str
    """Origin that the user configured, as `scheme://host:port`, punycode."""
    named: str
    """Origin that the card names, likewise."""
    credential_source: str = ""
    """Where the endpoint's credential comes from, for people; "" = it has none."""
    answer: Permission | None = None
    """None = not answered yet."""


class CardHosts:
    """Reads and writes the file; several programs may. The last to write wins, which loses a question at most."""

    def __init__(self, state_dir: Path) -> None:
        """Keep the file in this directory."""
        self._file = state_dir / "card-hosts.json"

    def permission(self, asked: CardHostQuestion) -> Permission | None:
        """Return what was answered to this question; None = nothing yet. The first time it is kept to be answered."""
        for known in self._load():
            if _is_same(known, asked):
                return known.answer
        self._save([*self._load(), replace(asked, answer=None)])
        return None

    def question(self, endpoint: str) -> CardHostQuestion | None:
        """Return what was asked last about an endpoint, answered or not; None = nothing."""
        return next((known for known in reversed(self._load()) if known.endpoint == endpoint), None)

    def answer(self, question: CardHostQuestion, permission: Permission) -> bool:
        """Keep an answer, and tell whether it could be written."""
        others = [known for known in self._load() if not _is_same(known, question)]
        return self._save([*others, replace(question, answer=permission)])

    def _load(self) -> list[CardHostQuestion]:
        try:
            with self._file.open("rb") as file:
                listed: object = json.loads(file.read(_LARGEST))
        except (OSError, ValueError, RecursionError):
            return []
        return list(_questions(listed))

    def _save(self, questions: list[CardHostQuestion]) -> bool:
        """Write the file whole or not at all, for its owner alone."""
        shapes = [
            {
                "endpoint": each.endpoint,
                "configured": each.configured,
                "named": each.named,
                "credential_source": each.credential_source,
                "answer": each.answer.value if each.answer else None,
            }
            for each in questions[-_MOST:]
        ]
        building = self._file.with_name(f"{self._file.name}.{uuid.uuid4().hex}")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(building, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                json.dump(shapes, file, indent=1)
            building.replace(self._file)
        except OSError:
            with suppress(OSError):
                building.unlink(missing_ok=True)
            return False
        return True


def _is_same(one: CardHostQuestion, other: CardHostQuestion) -> bool:
    """Whether an answer to one is an answer to the other."""
    return (one.endpoint, one.configured, one.named) == (other.endpoint, other.configured, other.named)


def _questions(listed: object) -> Iterator[CardHostQuestion]:
    """Yield what a file holds that can be understood."""
    for item in cast("list[object]", listed) if isinstance(listed, list) else ():
        if not isinstance(item, dict):
            continue
        fields = cast("dict[str, Any]", item)
        texts = [fields.get(key) for key in ("endpoint", "configured", "named", "credential_source")]
        answer = fields.get("answer")
        if all(isinstance(text, str) for text in texts) and (answer is None or answer in set(Permission)):
            endpoint, configured, named, source = cast("list[str]", texts)
            yield CardHostQuestion(endpoint, configured, named, source, Permission(answer) if answer else None)
