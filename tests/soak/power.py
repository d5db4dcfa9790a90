"""Power cuts at random moments of the store's work, simulated; then what is left on the disk is judged.

    python -m tests.soak power [--cuts 2000] [--seed 1] [--results DIRECTORY]

The store's own operations run over a disk that records what SQLite asks of it, and for each cut the disk is made up as
it may be then (power_disk.py): a kill -9 cannot show this, for what was written outlives it in the system's memory.
The two modes that the store uses must lose nothing; three that it never uses must fail the same judgement, or the
judgement is worth nothing.

    lost        sessions, prompts, text, ends, titles or deletions that were acknowledged before the cut
    corrupt     what SQLite's own integrity check finds, text that is no prefix, a store that cannot be opened
"""

import argparse
import logging
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatforge_tui.domain.turn import Turn, TurnState
from chatforge_tui.errors import StoreError
from chatforge_tui.store import queries
from chatforge_tui.store.connection import connect
from chatforge_tui.store.opening import open_for_writing
from tests.soak.power_disk import Step, Synced, Wreck
from tests.soak.power_script import Mode, Script, open_store
from tests.soak.results import Results
from tests.store.writing_program import text_of

ALLOWED = (Mode("wal", "FULL"), Mode("delete", "EXTRA"))
FORBIDDEN = (Mode("wal", "NORMAL"), Mode("delete", "FULL"), Mode("delete", "OFF"))
CUTS_IN_A_SCRIPT = 100
STEPS = 60
"""Things that a script does: some two thousand steps towards the disk."""
_REOPENED = 20
"""Of so many cuts one is opened for writing as the program does, instead of being read."""


@dataclass
class Verdict:
    """What the cuts of one mode came to."""

    mode: Mode
    cuts: int = 0
    steps: Counter[str] = field(default_factory=Counter[str])
    """What the scripts asked of the disk."""
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list[str])
    """One line a cut after which something was missing."""
    corrupt: list[str] = field(default_factory=list[str])

    @property
    def is_safe(self) -> bool:
        """Whether nothing went wrong."""
        return not self.lost and not self.corrupt

    def __str__(self) -> str:
        what = ", ".join(f"{count} {name.lower()}" for name, count in sorted(self.steps.items()))
        return (
            f"{self.mode}: {self.cuts} cuts, {len(self.lost)} lost something, {len(self.corrupt)} corrupt "
            f"({self.acknowledged} acknowledgements held against the disk; {what})"
        )


def record(directory: Path, mode: Mode, dice: random.Random) -> list[Step]:
    """Run one script, and return what it asked of the disk, with what was acknowledged when."""
    with open_store(directory / "store.db", mode) as (disk, place):
        Script(disk, place, dice).play(STEPS)
        return disk.journal


def cut_power(verdict: Verdict, directory: Path, *, cuts: int, seed: int) -> Verdict:
    """Cut the power so often, at moments all over the scripts, and judge what is left each time."""
    for number in range(-(-cuts // CUTS_IN_A_SCRIPT)):
        dice, home = random.Random(f"{seed} {number}"), directory / f"{verdict.mode}-{number}"
        journal = record(home, verdict.mode, dice)
        verdict.steps.update(type(step).__name__ for step in journal)
        first = next(index for index, step in enumerate(journal) if isinstance(step, Synced))  # the file as it was made
        moments = Counter(dice.choices(range(first, len(journal)), k=min(CUTS_IN_A_SCRIPT, cuts - verdict.cuts)))
        wreck = Wreck()
        for moment, step in enumerate(journal):
            wreck.play(step)
            for _ in range(moments[moment]):
                _judge(verdict, home, wreck, dice, f"script {number}, step {moment} of {len(journal)}")
    return verdict


def _judge(verdict: Verdict, home: Path, wreck: Wreck, dice: random.Random, where: str) -> None:
    """Put what is left into a directory, and hold it against what was acknowledged."""
    verdict.cuts += 1
    verdict.acknowledged += len(wreck.acknowledged)
    directory = home / str(verdict.cuts)
    directory.mkdir()
    for name, content in wreck.remains(dice).items():
        (directory / name).write_bytes(content)
    path = directory / "store.db"
    try:
        if verdict.cuts % _REOPENED == 0:
            open_for_writing(path).close()
        with closing(connect(path)) as db:
            faults, is_whole = list(_missing(db, wreck.acknowledged)), _is_whole(db)
    except (sqlite3.Error, StoreError, OSError, UnicodeDecodeError) as error:
        verdict.corrupt.append(f"{where}: {error}")
        return
    if not is_whole:
        verdict.corrupt.append(f"{where}: not whole")
    elif faults:
        verdict.lost.append(f"{where}: {faults[0]}")


def _is_whole(db: sqlite3.Connection) -> bool:
    """Ask SQLite, and look for text that is no beginning of what was sent."""
    if [tuple(row) for row in db.execute("PRAGMA integrity_check")] != [("ok",)]:
        return False
    turns = [turn for session in queries.load_sessions(db, _nobody) for turn in _turns(db, session.session_id)]
    return all(turn.answer == text_of(turn.head.turn_id, len(turn.answer)) for turn in turns)


def _missing(db: sqlite3.Connection, acknowledged: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield what was acknowledged and is not there."""
    sessions = {head.session_id: head for head in queries.load_sessions(db, _nobody)}
    turns = {turn.head.turn_id: turn for session_id in sessions for turn in _turns(db, session_id)}
    gone = {what[1] for what in acknowledged if what[0] in {"purging", "purged"}}
    gone_turns = {what[1] for what in acknowledged if what[0] == "prompt" and what[2].split()[2] in gone}
    for kind, *words in acknowledged:
        if (
            words
            and words[0] not in gone
            and words[0] not in gone_turns
            and not _is_there(kind, words, sessions, turns)
        ):
            yield " ".join((kind, *words))[:80]
        elif kind == "purged" and words[0] in sessions:
            yield f"{kind} {words[0]}"


def _is_there(kind: str, words: list[str], sessions: dict[Any, Any], turns: dict[Any, Turn]) -> bool:
    """Return whether one acknowledged thing is there, or something newer in its place."""
    key, *rest = words
    match kind:
        case "session":
            return key in sessions
        case "name":
            return key in sessions and int(sessions[key].title.split()[1]) >= int(rest[0])
        case "prompt":
            return key in turns and turns[key].head.prompt.text == rest[0]
        case "text":
            return key in turns and len(turns[key].answer) >= int(rest[0])
        case "end":
            return key in turns and (turns[key].head.state, len(turns[key].answer)) == (
                TurnState.COMPLETE,
                int(rest[0]),
            )
        case _:
            return True


def _turns(db: sqlite3.Connection, session_id: Any) -> list[Turn]:
    return queries.load_turns(db, _nobody, session_id)


def _nobody(_: object) -> bool:
    """Nobody lives after a power cut."""
    return False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--cuts", type=int, default=2_000, help="in each mode")
    parser.add_argument("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> int:
    """Run from the command line; return 1 when an allowed mode lost something, or a forbidden one nothing."""
    logging.getLogger("chatforge.store").setLevel(logging.CRITICAL)  # the forbidden modes leave much to be told
    results, is_broken = Results(options.results, "power"), False
    summary: dict[str, Any] = {}
    for mode in (*ALLOWED, *FORBIDDEN):
        with tempfile.TemporaryDirectory() as directory:
            verdict = cut_power(Verdict(mode), Path(directory), cuts=options.cuts, seed=options.seed)
        print(verdict)
        for line in (*verdict.lost, *verdict.corrupt) if mode in ALLOWED else ():
            print(f"  {line}", file=sys.stderr)
        is_broken |= verdict.is_safe is not (mode in ALLOWED)
        summary[str(mode)] = {"cuts": verdict.cuts, "lost": len(verdict.lost), "corrupt": len(verdict.corrupt)}
        results.add(mode=str(mode), **summary[str(mode)])
    results.end(summary, ())
    return int(is_broken)
