"""What the transcript view tells the program around it. It does none of these things by itself."""

from dataclasses import dataclass

from textual.message import Message

from chatforge_tui.domain.part import FilePart


@dataclass
class LinkChosen(Message):
    """The user chose a link. Show where it really leads, and ask, before anything is opened."""

    url: str
    """The clean http or https URL."""


@dataclass
class FileChosen(Message):
    """The user chose a file that came inline. Ask where it shall go before anything is written."""

    file: FilePart


@dataclass
class FollowChanged(Message):
    """The view began or ceased to follow the end, or more lines arrived below what is seen."""

    following: bool
    new_lines: int
    """Lines that arrived below since the view ceased to follow; 0 while following."""


@dataclass
class CopyRequested(Message):
    """The user wants this in the clipboard."""

    text: str
    """Source as received, control characters made visible; "" when there is nothing of the kind."""
    what: str
    """For the message to the user: "code block", "answer", "selection"."""
