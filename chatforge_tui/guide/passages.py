"""Turns the program's reference into the passages that are searched. Fills names in; decides no wording of its own."""

import re
from collections.abc import Callable, Iterable

from chatforge_tui.config.key_names import shown_all
from chatforge_tui.config.reference import SettingDescription
from chatforge_tui.guide.articles import ARTICLES
from chatforge_tui.guide.reference import CommandEntry, KeyEntry, ProgramReference
from chatforge_tui.guide.retrieval import Passage

_NAME = re.compile(r"\{([a-z_]+(?:[.:][a-z_ ]+)?)\}")
_SHOWN = 3
"""How many keys of one action a sentence names."""
_KEY_WEIGHT = 3
"""How often a key counts in its action's passage: who names a key asks about it, and about nothing else."""
_ONE_PLACE = 0.75
"""Weight of an action whose keys work in one place only."""


def passages_of(reference: ProgramReference, abilities: str) -> list[Passage]:
    """Build every passage.

    Args:
        reference: the program's own reference.
        abilities: what the agent can show, as a Markdown list.
    """
    fill = _filler(reference, abilities)
    articles = [Passage(a.title, _NAME.sub(fill, _unwrapped(a.body)), "guide's articles", a.keywords) for a in ARTICLES]
    return [
        *articles,
        *(_of_key(entry) for entry in reference.keys),
        *(_of_command(entry) for entry in reference.commands),
        *(_of_setting(entry) for entry in reference.settings),
        *_of_exit_codes(reference),
    ]


def spoken_keys(keys: tuple[str, ...]) -> str:
    """Write an action's keys for a sentence, in bold; without keys, where else it is found."""
    if not keys:
        return "the command palette"
    return " or ".join(f"**{key}**" for key in shown_all(keys)[:_SHOWN])


def _filler(reference: ProgramReference, abilities: str) -> Callable[[re.Match[str]], str]:
    """Return what replaces a name in an article."""
    bound = {entry.action: entry.keys for entry in reference.keys}
    places = {entry.name: entry.path for entry in reference.places}
    lists = {
        "abilities": abilities,
        "protocols": _list(reference.protocols),
        "commands": _list(" ".join(entry.usage.split()[:2]) for entry in reference.commands),
        "places": "\n".join(f"- {p.name}: `{p.path}`" + _because(p.description) for p in reference.places),
    }

    def fill(name: re.Match[str]) -> str:
        word = name[1]
        if word in lists:
            return lists[word]
        if word.startswith("place:"):
            return f"`{places.get(word[6:], 'config.toml')}`"
        return spoken_keys(bound.get(word, ()))

    return fill


def _unwrapped(body: str) -> str:
    """Put each paragraph on one line: it is broken where it is shown. Code and lists stay as they are."""
    pieces = body.split("```")
    for number in range(0, len(pieces), 2):
        blocks = pieces[number].split("\n\n")
        pieces[number] = "\n\n".join(b if b.lstrip().startswith(("- ", "|")) else _one_line(b) for b in blocks)
    return "```".join(pieces)


def _one_line(block: str) -> str:
    return re.sub(r"(?<=\S)\n(?=\S)", " ", block)


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _because(description: str) -> str:
    return f" ({description})" if description else ""


def _of_key(entry: KeyEntry) -> Passage:
    """An action: found by its keys, its label and its words. Those of one place only stand behind the others."""
    place = f" {entry.where}" if entry.where else ""
    reach = f"press {spoken_keys(entry.keys)}{place}" if entry.keys else "choose it in the command palette"
    body = f"{entry.description.rstrip('.')}: {reach}. Its name in `[keys]` is `{entry.action}`."
    keys = " ".join(shown_all(entry.keys)) + " "
    words = f"{keys * _KEY_WEIGHT}{entry.action} {entry.description}"
    label = entry.label[:1].upper() + entry.label[1:].rstrip(" …")
    title = f"{label}, {entry.where}" if entry.where else label
    return Passage(title, body, "key table", words, weight=_ONE_PLACE if entry.where else 1.0)


def _of_command(entry: CommandEntry) -> Passage:
    options = "".join(f"\n- `{option}`: {text}" for option, text in entry.options)
    name = " ".join(word for word in entry.usage.split() if word.islower())
    return Passage(
        f"{name} command", f"`{entry.usage}`: {entry.description}{options}", "command line", "command line cli"
    )


def _of_setting(setting: SettingDescription) -> Passage:
    facts = [setting.description, f"In the configuration file; {setting.type}."]
    if setting.default == "required":
        facts.append("It must be there.")
    elif setting.default:
        facts.append(f"Without it: `{setting.default}`.")
    words = f"setting option {setting.name.rpartition('.')[2]}"
    return Passage(setting.name, " ".join(facts), "configuration reference", words, weight=0.9)


def _of_exit_codes(reference: ProgramReference) -> list[Passage]:
    rows = "".join(f"| {entry.code} | {entry.meaning} |\n" for entry in reference.exit_codes)
    if not rows:
        return []
    words = "exit code status return script errorlevel"
    return [Passage("Exit codes", f"| code | meaning |\n|---|---|\n{rows}", "exit codes", words)]
