"""No widget is given text that Textual would read as markup, unless the text stands in the source.

Textual reads a `str` given to most widgets as markup: actions, links, and an exception for a closing tag too many. So
every text that is not a literal goes in as Content, or with markup=False, or is drawn by line. Found by reading the
source: a new place that forgets it fails here.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import chatforge_tui

UI = Path(chatforge_tui.__file__).parent / "ui"
SOURCES = sorted(UI.rglob("*.py"))

SHOWING = {
    "Static": (0, "content"),
    "Label": (0, "renderable"),
    "Button": (0, "label"),
    "Checkbox": (0, "label"),
    "RadioButton": (0, "label"),
    "Switch": (0, "label"),
    "Option": (0, "prompt"),
    "OptionList": (0, "content"),
    "Tab": (0, "label"),
    "TabPane": (0, "title"),
    "Collapsible": (0, "title"),
    "Placeholder": (0, "label"),
    "Link": (0, "text"),
    "Digits": (0, "value"),
    "Tooltip": (0, "content"),
    "update": (0, "content"),
    "notify": (0, "message"),
    "add_option": (0, "item"),
    "add_columns": (0, "columns"),
    "add_column": (0, "label"),
    "add_row": (0, "cells"),
    "write_line": (0, "line"),
    "set_options": (0, "options"),
}
"""Widget or method -> place and name of the text that it shows as markup."""
SHOWN_ATTRIBUTES = {"border_title", "border_subtitle", "tooltip", "placeholder"}
"""Attributes whose text is read as markup, or was in some Textual."""
OWN = {"Tab"}
"""Names that this program uses for something of its own."""
MARKUP_READERS = {"from_markup"}
OPENING = {"Markdown", "MarkdownViewer", "RichLog", "Log", "DataTable", "Tree", "DirectoryTree"}
"""Widgets that would need care of their own (see the transcript, which draws all this itself)."""


def last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def is_literal(node: ast.expr) -> bool:
    """Tell whether a text stands in the source: a literal, or a choice or a joining of literals."""
    match node:
        case ast.Constant():
            return True
        case ast.IfExp():
            return is_literal(node.body) and is_literal(node.orelse)
        case ast.BinOp(op=ast.Add()):
            return is_literal(node.left) and is_literal(node.right)
        case ast.JoinedStr():
            return all(is_literal(part) for part in node.values)
        case _:
            return False


def is_content(node: ast.expr) -> bool:
    """Tell whether an expression is Content (or rich's Text) by its making: a call on the class, or a sum of such."""
    match node:
        case ast.Call(func=ast.Name(id=("Content" | "Text" | "Segment"))):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id=("Content" | "Text")), attr=method)):
            return method not in MARKUP_READERS
        case ast.Call(func=ast.Attribute(value=value, attr="join")):
            return is_content(value)
        case ast.BinOp(op=ast.Add()):
            return is_content(node.left) and is_content(node.right)
        case ast.IfExp():
            return is_content(node.body) and is_content(node.orelse)
        case _:
            return False


def contents_of(tree: ast.AST) -> set[str]:
    """Return the functions of a module that say that they return Content, and the names annotated as Content."""
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.returns is not None and ast.unparse(node.returns) == "Content":
            named.add(node.name)
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation and ast.unparse(node.annotation) == "Content":
            named.add(node.arg if isinstance(node, ast.arg) else last_name(node.target))
    return named


def violations(source: str) -> Iterator[str]:
    """Yield line and text of every unguarded form in a module."""
    tree = ast.parse(source)
    known = contents_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found = _call(node, known)
        elif isinstance(node, ast.Assign):
            found = any(_is_shown(target) for target in node.targets) and not _is_guarded(node.value, known)
        else:
            found = False
        if found:
            yield f"line {node.lineno}: {ast.unparse(node)[:100]}"


def _call(node: ast.Call, known: set[str]) -> bool:
    name = last_name(node.func)
    if name in MARKUP_READERS:
        return bool(node.args) and not is_literal(node.args[0])
    if name in OPENING and isinstance(node.func, ast.Name):
        return True
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if "tooltip" in keywords and not _is_guarded(keywords["tooltip"], known):
        return True
    if name not in SHOWING or name in OWN or _has_markup_off(keywords):
        return False
    place, word = SHOWING[name]
    texts = [*node.args[place : place + 1], *([keywords[word]] if word in keywords else [])]
    return any(not _is_guarded(text, known) for text in texts)


def _has_markup_off(keywords: dict[str | None, ast.expr]) -> bool:
    off = keywords.get("markup")
    return isinstance(off, ast.Constant) and off.value is False


def _is_shown(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr in SHOWN_ATTRIBUTES


def _is_guarded(node: ast.expr, known: set[str]) -> bool:
    if isinstance(node, ast.Call) and last_name(node.func) in known:
        return True
    if isinstance(node, ast.Name | ast.Attribute) and last_name(node) in known:
        return True
    return is_literal(node) or is_content(node)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(UI).as_posix())
def test_every_text_of_a_widget_is_a_literal_or_content(path):
    assert list(violations(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "Static(title)",
        "Static(f'{title}')",
        "Static('a' + title)",
        "Static(clean(title))",
        "Static(content=title)",
        "Static(title, markup=True)",
        "Static(title, markup=wanted)",
        "Label(turn.head.agent)",
        "self.notify(message)",
        "app.notify(message=str(error), title='x')",
        "Button(label)",
        "Option(title)",
        "Checkbox(label)",
        "Collapsible(title=name)",
        "TabPane(name)",
        "self.query_one('#x', Static).update(text)",
        "widget.border_title = title",
        "Button('x', tooltip=url)",
        "widget.tooltip = f'{url}'",
        "area.placeholder = hint",
        "table.add_row(name)",
        "table.add_column(name)",
        "Content.from_markup(text)",
        "Content.from_markup(f'[b]{text}[/b]')",
        "Text.from_markup(text)",
        "Markdown(text)",
        "Markdown(text, open_links=False)",
        "MarkdownViewer(text)",
        "RichLog(markup=True)",
        "DataTable()",
        "Static(Content('a') + title)",
        "Static(Content.from_markup(title))",
        "Static(title if title else Content(''))",
        "Static(_line(title))",
    ],
)
def test_a_planted_violation_is_found(source):
    assert list(violations(source))


@pytest.mark.parametrize(
    "source",
    [
        "Static('a literal')",
        "Static(title, markup=False)",
        "Static(Content(title))",
        "Static(Content.styled(title, 'bold') + Content('x'))",
        "Static(Content('\\n').join(lines))",
        "Button(Content(label), variant='primary')",
        "self.notify(message, markup=False)",
        "Content.from_markup('[b]$x[/b]', x=text)",
        "Option(Content.assemble('a', title))",
        "area.placeholder = Content(hint)",
        "widget.border_title = 'Plan'",
        "Static('yes' if flag else 'no')",
        "def _line(title) -> Content: ...\nStatic(_line(title))",
        "Tab(session_id, mark, kind, title)",
    ],
)
def test_a_guarded_form_is_none(source):
    assert list(violations(source)) == []


def test_no_link_is_opened_but_by_the_opener():
    opened = [path.name for path in SOURCES if "import webbrowser" in path.read_text("utf-8")]
    asked = [path.name for path in SOURCES if ".open_link(" in path.read_text("utf-8")]
    assert opened == []
    assert sorted(asked) == ["program_actions.py", "terminal_app.py"]
