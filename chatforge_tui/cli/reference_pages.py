"""The reference as Markdown, for the README: keys, configuration, exit codes, commands.

Made from the same values as the program's help; a test holds the README in step.
"""

from collections.abc import Iterable, Sequence

from chatforge_tui.cli.event_table import EVENTS
from chatforge_tui.cli.launch import Launch
from chatforge_tui.cli.program_reference import program_reference
from chatforge_tui.config.key_names import shown_all
from chatforge_tui.guide.reference import ProgramReference

PAGES = ("keys", "config", "exit-codes", "commands")
"""The parts there are; in the README each stands between `<!-- NAME -->` and `<!-- /NAME -->`."""

_DIGITS = 9
"""Keys of an action that goes to a tab by its number."""


def page(launch: Launch, name: str) -> str:
    """Return one part, without a newline at its end. `name` is one of PAGES."""
    reference = program_reference(launch)
    makers = {"keys": _keys, "config": _config, "exit-codes": _exit_codes, "commands": _commands}
    return makers[name](reference)


def _keys(reference: ProgramReference) -> str:
    lines: list[str] = []
    for group in dict.fromkeys(entry.group for entry in reference.keys):
        rows = [
            (_keys_text(entry.keys, entry.where), entry.description, f"`{entry.action}`")
            for entry in reference.keys
            if entry.group == group
        ]
        lines.extend(["", *_table((group, "does", "id"), rows)])
    return "\n".join(lines[1:])


def _keys_text(keys: tuple[str, ...], where: str) -> str:
    names = shown_all(keys)
    if len(names) == _DIGITS and names[0].endswith("1"):
        names = [f"{names[0]} … {names[-1]}"]
    text = ", ".join(f"`{name}`" for name in names) or "palette"
    return f"{text} {where}" if where and names else text


def _config(reference: ProgramReference) -> str:
    rows = [
        (
            f"`{one.name}`",
            one.type,
            f"`{one.default}`" if one.default not in ("", "required") else one.default,
            one.description,
        )
        for one in reference.settings
    ]
    return "\n".join(_table(("key", "type", "default", "what it is"), rows))


def _exit_codes(reference: ProgramReference) -> str:
    return "\n".join(_table(("code", "meaning"), [(str(one.code), one.meaning) for one in reference.exit_codes]))


def _commands(reference: ProgramReference) -> str:
    """Return the commands; options that the bare program has, too, are described there alone."""
    common = set(reference.commands[0].options)
    blocks = ["`--home` may follow every command; the options that choose the endpoint may follow `send`."]
    for entry in reference.commands:
        options = (
            entry.options if entry is reference.commands[0] else [one for one in entry.options if one not in common]
        )
        lines = [f"**`{entry.usage}`**: {entry.description}"]
        if options:
            lines.extend(["", *_table(("option", "does"), [(f"`{name}`", words) for name, words in options])])
        blocks.append("\n".join(lines))
    rows = [(f"`{name}`", ", ".join(f"`{key}`" for key in keys), when) for name, keys, when in EVENTS]
    blocks.append("`send --json` writes one event a line, each a JSON object with the key `event`:")
    blocks.append("\n".join(_table(("event", "further keys", "when"), rows)))
    return "\n\n".join(blocks)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        _row(headings),
        _row(["---"] * len(headings)),
        *(_row([cell.replace("|", "\\|") for cell in row]) for row in rows),
    ]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
