"""What a line that begins with a slash means. Pure: it reads text and names an action, the app does it.

`/word` and `/word argument` are commands; `//word` is a prompt that begins with one slash; a path such as
`/etc/hosts` is a prompt.
"""

import re

from msgspec import Struct

_COMMAND = re.compile(r"/([A-Za-z][A-Za-z-]*)(?:\s+(.*))?", re.DOTALL)


class SlashCommand(Struct, frozen=True):
    """One command for the help screen and for what is typed."""

    name: str
    action: str
    """Id of the action in config.keymap that it stands for, or "session.model", which only a command can name."""
    argument: str
    """Name of what follows it, "" when nothing may."""
    description: str


COMMANDS = (
    SlashCommand("new", "session.new", "", "Open a session on the endpoint of this one."),
    SlashCommand("close", "session.close", "", "Close the tab; the session stays in the list."),
    SlashCommand("delete", "session.delete", "", "Delete the session; it can be undone."),
    SlashCommand("rename", "session.rename", "TITLE", "Name the session; without a title, ask for it."),
    SlashCommand("takeover", "session.take_over", "", "Write here in a session that another ChatForge has open."),
    SlashCommand("model", "session.model", "NAME", "Use this model for the next prompts of this session."),
    SlashCommand("stop", "turn.abort", "", "Stop the running answer; what came stays."),
    SlashCommand("continue", "turn.continue", "", "Ask for the rest of an answer that broke off."),
    SlashCommand("retry", "turn.retry", "", "Send the last prompt again, as a new turn."),
    SlashCommand("queue", "prompt.queue", "PROMPT", "Send this as soon as the running answer is done."),
    SlashCommand("send", "outbox.send", "", "Send the prompts that wait in this session, one after another."),
    SlashCommand("edit", "outbox.edit", "", "Take the last waiting prompt back, to change it."),
    SlashCommand("drop", "outbox.drop", "", "Remove the last waiting prompt; nothing of it was sent."),
    SlashCommand(
        "trust", "endpoint.trust", "", "Answer whether prompts may go to the server that the agent card names."
    ),
    SlashCommand("attach", "prompt.attach", "FILE", "Send a file along with the next prompt; without one, choose it."),
    SlashCommand("detach", "prompt.detach", "", "Take a file back that has not been sent."),
    SlashCommand("save", "file.save", "[N] [FOLDER]", "Save a file that the agent sent; asks before it writes."),
    SlashCommand(
        "export", "session.export", "[md|html|json|all] [FILE]", "Write this session, or all of them, into a file."
    ),
    SlashCommand("import", "session.import", "FILE", "Take in the sessions of a file that /export all wrote."),
    SlashCommand("links", "view.links", "", "List the links in view, to open or copy one."),
    SlashCommand("plan", "view.plan", "", "Show or hide the plan."),
    SlashCommand("help", "app.help", "", "Every key and every command."),
    SlashCommand("quit", "app.quit", "", "Leave; the tabs come back next time."),
)


class CommandTyped(Struct, frozen=True):
    """The line is a command."""

    command: SlashCommand
    argument: str


class CommandUnknown(Struct, frozen=True):
    """The line looks like a command that does not exist, or has an argument where none may be."""

    message: str


class PromptTyped(Struct, frozen=True):
    """The line is a prompt."""

    text: str


def read_line(text: str) -> CommandTyped | CommandUnknown | PromptTyped:
    """Tell what `text`, as submitted from the composer, asks for."""
    if text.startswith("//"):
        return PromptTyped(text[1:])
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        return PromptTyped(text)
    name, argument = found[1].lower(), (found[2] or "").strip()
    command = next((command for command in COMMANDS if command.name == name), None)
    if command is None:
        known = ", ".join(f"/{command.name}" for command in COMMANDS)
        return CommandUnknown(f"/{name} is not a command. There are {known}. Begin with // to send a slash.")
    if argument and not command.argument:
        return CommandUnknown(f"/{name} takes nothing after it. Begin with // to send it as a prompt.")
    return CommandTyped(command, argument)
