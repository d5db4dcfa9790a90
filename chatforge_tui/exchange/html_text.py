"""A session as one HTML page that loads nothing and runs nothing.

Pure. Everything from outside is cleaned and escaped; images become links, links that no browser should follow
become text.
"""

import html

from markdown_it import MarkdownIt

from chatforge_tui.domain.session import SessionHead
from chatforge_tui.domain.turn import Turn
from chatforge_tui.exchange.markdown_text import session_markdown
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.safety.redact import redact
from chatforge_tui.safety.urls import judge_link

_STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c1d22; background: #fff; overflow-wrap: anywhere }
h1 { font-size: 1.5rem } h2 { font-size: 1rem; margin: 2.5rem 0 .5rem; color: #4d5160 }
pre { padding: .75rem 1rem; background: #f3f4f7; border-radius: 6px; overflow-x: auto }
code { font: .9em ui-monospace, monospace } blockquote { margin: 0; padding-left: 1rem; color: #4d5160;
       border-left: 3px solid #d5d8e0 } table { border-collapse: collapse } td, th { padding: .2rem .6rem;
       border: 1px solid #d5d8e0; text-align: left }
@media (prefers-color-scheme: dark) { body { color: #e4e5ea; background: #17181c } pre { background: #22242b }
       h2, blockquote { color: #a6abbb } }
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}</body>
</html>
"""


class _Markdown(MarkdownIt):
    """Markdown to HTML: no raw HTML, no images, links to http and https only."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False})
        self.enable(["table", "strikethrough"]).disable("image")

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the name markdown-it calls
        """Tell whether a link may be one."""
        return judge_link(url) is not None


def session_html(head: SessionHead, turns: tuple[Turn, ...]) -> str:
    """Return the whole session as a page."""
    title = html.escape(redact(clean_name(head.title)) or "Untitled session")
    return _PAGE.format(title=title, style=_STYLE, body=_Markdown().render(session_markdown(head, turns)))
