"""One session as a file for people or programs: Markdown, HTML or JSON. Pure."""

from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.exchange import json_shapes
from chatforge_tui.safety.file_names import safe_file_name

FORMS = ("md", "json", "html")


def file_name(head: SessionHead, form: str) -> str:
    """Return what the file is called when nobody says otherwise; never a path."""
    return f"{safe_file_name(head.title, fallback='session')}.{form}"


def rendered(head: SessionHead, turns: tuple[Turn, ...], form: str) -> str:
    """Return the content of the file.

    Args:
        head: the session.
        turns: its whole transcript, in order.
        form: one of FORMS.
    """
    if form == "json":
        return json_shapes.dumps(json_shapes.transcript(head, turns), indent=2) + "\n"
    if form == "md":
        from chatforge_tui.exchange.markdown_text import session_markdown  # noqa: PLC0415 - 8 ms, only here

        return session_markdown(head, turns)
    from chatforge_tui.exchange.html_text import session_html  # noqa: PLC0415 - 20 ms for markdown-it, only here

    return session_html(head, turns)
