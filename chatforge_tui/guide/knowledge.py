"""What the agent knows, and how it words an answer from it. Says where each answer comes from; never makes one up."""

from functools import cached_property

from msgspec import Struct

from chatforge_tui.guide.articles import ARTICLES
from chatforge_tui.guide.passages import passages_of, spoken_keys
from chatforge_tui.guide.reference import ProgramReference
from chatforge_tui.guide.retrieval import Match, PassageIndex, terms_of

_BESIDE = 0.6
"""A passage is worth naming beside the best one when its score is at least this share of the best one's."""
_ALTERNATIVES = 5


class ReferencePart(Struct, frozen=True):
    """One part of the reference, as it can be read aloud."""

    name: str
    """As told to the user, e.g. "key table"."""
    reader: str
    """Who reads it, in plans and tool calls; one word."""
    entries: tuple[tuple[str, str], ...]
    """Title and text; at least one."""

    @property
    def summary(self) -> str:
        """How much it holds."""
        examples = ", ".join(title for title, _ in self.entries[:3])
        return f"{len(self.entries)} entries, such as {examples}"


class Knowledge:
    """The program's reference, searchable."""

    def __init__(self, reference: ProgramReference, abilities: str) -> None:
        """Keep the reference; the index is built at the first question.

        Args:
            reference: what the program says about itself.
            abilities: what the agent can show, as a Markdown list.
        """
        self.reference = reference
        self._abilities = abilities

    @cached_property
    def _index(self) -> PassageIndex:
        return PassageIndex(passages_of(self.reference, self._abilities))

    def search(self, question: str) -> list[Match]:
        """Return the passages about a question, best first; [] when the reference says nothing."""
        return self._index.search(question, _ALTERNATIVES)

    def answer(self, question: str) -> str:
        """Word the answer to a question: the best passage, its source, and what else is near."""
        matches = self.search(question)
        if not matches:
            return self.no_answer()
        best = matches[0]
        beside = [match.passage for match in matches[1:] if match.score >= best.score * _BESIDE]
        lines = "".join(f"- **{p.title}**: {_first_sentence(p.body)} *({p.source})*\n" for p in beside)
        near = f"\n\nNear it:\n\n{lines}" if lines else "\n"
        return f"**{best.passage.title}**\n\n{best.passage.body}\n\n*From the {best.passage.source}.*{near}"

    def no_answer(self) -> str:
        """Say that the reference holds nothing about it, and what can be asked."""
        return (
            "My reference says nothing about that, and I do not guess: I am not a model, I know ChatForge only.\n\n"
            f"Ask me about its keys, commands, settings or troubles, or have me show something:\n\n{self._abilities}"
        )

    def welcome(self) -> str:
        """Say what the agent is and what it can do."""
        return (
            "I am ChatForge's built-in agent, not a model: I answer from the program's own reference and can show what "
            "the program does.\n\nAsk me something (`how do I open a new tab`, `what does Esc do`, `how do I use my "
            f"own model`), or have me show something:\n\n{self._abilities}\n"
            f"Stop me with {spoken_keys(self.reference.keys_of('turn.abort'))}."
        )

    def thoughts(self, question: str) -> list[str]:
        """Tell how the search for a question goes, step by step."""
        terms = list(dict.fromkeys(terms_of(question)))
        if not terms:
            return ["No word in it says what it is about."]
        matches = self.search(question)
        thoughts = [f"The words that count are {', '.join(terms)}. "]
        thoughts += [f"“{m.passage.title}” in the {m.passage.source} fits with {m.score:.1f}. " for m in matches]
        thoughts.append("I take the first. " if matches else "Nothing fits well enough, so I will say so. ")
        return thoughts

    def parts(self) -> tuple[ReferencePart, ...]:
        """Return the parts of the reference that hold something; there is always one."""
        known = self.reference
        parts = (
            ReferencePart(
                "key table",
                "keys",
                tuple((k.label, f"{k.description.rstrip('.')} ({spoken_keys(k.keys)})") for k in known.keys),
            ),
            ReferencePart("command line", "commands", tuple((f"`{c.usage}`", c.description) for c in known.commands)),
            ReferencePart("configuration", "settings", tuple((f"`{s.name}`", s.description) for s in known.settings)),
            ReferencePart("places on disk", "places", tuple((p.name, f"`{p.path}`") for p in known.places)),
            ReferencePart("exit codes", "codes", tuple((str(e.code), e.meaning) for e in known.exit_codes)),
            ReferencePart("articles", "guide", tuple((a.title, _first_sentence(a.body)) for a in ARTICLES)),
        )
        return tuple(part for part in parts if part.entries)

    def facts(self) -> list[str]:
        """Return short true sentences about the program."""
        return [f"`{key.action}` ({spoken_keys(key.keys)}): {key.description}" for key in self.reference.keys]


def _first_sentence(text: str) -> str:
    """Return a text up to the end of its first sentence, on one line."""
    line = " ".join(text.split("\n\n", 1)[0].split())
    sentence, mark, _ = line.partition(". ")
    return f"{sentence}." if mark else line
