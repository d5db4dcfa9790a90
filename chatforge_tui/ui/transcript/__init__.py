"""The transcript: a model per session, laid out line by line, and the one view that draws the model of the current one."""

from chatforge_tui.ui.transcript.messages import CopyRequested, FollowChanged, LinkChosen
from chatforge_tui.ui.transcript.model import TranscriptModel
from chatforge_tui.ui.transcript.plan_lines import plan_content
from chatforge_tui.ui.transcript.search import Match
from chatforge_tui.ui.transcript.view import TranscriptView

__all__ = [
    "CopyRequested",
    "FollowChanged",
    "LinkChosen",
    "Match",
    "TranscriptModel",
    "TranscriptView",
    "plan_content",
]
