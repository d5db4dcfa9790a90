"""Rules of this code base that no tool of the trade checks: by reading the source, and by importing it."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import chatforge_tui

ROOT = Path(chatforge_tui.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))

MAY_START_TASKS = {"sessions/engine.py", "ui/bridge.py", "guide/server.py", "cli/send.py"}
"""The session manager and the program's roots. All but the guide's server do it in a task group."""

MAY_CATCH_EVERYTHING = ["sessions/contained.py", "sessions/worker.py"]
"""Where a mistake in one session is kept from the others. A worker hands what it catches on to there, its stream closed."""

MAY_SWALLOW_CANCELLATION = {"sessions/cleanup.py"}
"""Where a task is awaited that was cancelled just before."""

NO_FOLDERS = {"utils", "helpers", "common", "core", "misc"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def names_in(node: ast.expr | None) -> set[str]:
    """Return the last names of what an expression refers to: `asyncio.CancelledError` gives `CancelledError`."""
    if node is None:
        return {"everything"}
    return {
        child.attr if isinstance(child, ast.Attribute) else child.id
        for child in ast.walk(node)
        if isinstance(child, ast.Attribute | ast.Name)
    }


def swallows(tree: ast.AST) -> Iterator[int]:
    """Yield the lines where a cancellation may end: a handler that does not raise again, or `suppress`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and names_in(node.type) & {
            "everything",
            "CancelledError",
            "BaseException",
        }:
            if not any(isinstance(child, ast.Raise) and child.exc is None for child in ast.walk(node)):
                yield node.lineno
        elif isinstance(node, ast.Call) and "suppress" in names_in(node.func):
            silenced = set[str]().union(*map(names_in, node.args))
            if silenced & {"CancelledError", "BaseException"}:
                yield node.lineno


def calls(tree: ast.AST, names: set[str]) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if last in names:
                yield node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nobody_swallows_a_cancellation(path):
    if name_of(path) not in MAY_SWALLOW_CANCELLATION:
        assert list(swallows(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("try: x()\nexcept asyncio.CancelledError: pass", 1),
        ("try: x()\nexcept: pass", 1),
        ("try: x()\nexcept (ValueError, BaseException) as e: log(e)", 1),
        ("with contextlib.suppress(CancelledError): x()", 1),
        ("try: x()\nexcept CancelledError:\n    clean()\n    raise", 0),
        ("try: x()\nexcept Exception: pass", 0),
        ("with suppress(KeyError): x()", 0),
    ],
)
def test_a_swallowed_cancellation_is_found(source, count):
    assert len(list(swallows(ast.parse(source)))) == count


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_tasks_are_started_by_the_manager_and_the_programs_roots_only(path):
    if name_of(path) not in MAY_START_TASKS:
        names = {"create_task", "ensure_future", "run_coroutine_threadsafe", "TaskGroup"}
        assert list(calls(ast.parse(path.read_text("utf-8")), names)) == []


def catches_everything(node: ast.AST) -> bool:
    """Whether a handler names Exception, or a context manager may end what comes out of its block."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name in {"__exit__", "__aexit__"} and "None" not in ast.unparse(node.returns or ast.Name("?"))
    return isinstance(node, ast.ExceptHandler) and "Exception" in names_in(node.type)


def test_everything_is_caught_in_one_place_only():
    places = [
        name_of(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if catches_everything(node)
    ]
    assert places == MAY_CATCH_EVERYTHING


def test_no_folder_or_module_is_a_drawer_for_odds_and_ends():
    assert [name_of(path) for path in SOURCES if NO_FOLDERS & {*path.relative_to(ROOT).parts[:-1], path.stem}] == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_says_what_it_owns(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_what_a_package_exports_is_there():
    for module in pkgutil.iter_modules([str(ROOT)], "chatforge_tui."):
        if module.name != "chatforge_tui.__main__":
            loaded = importlib.import_module(module.name)
            assert [name for name in getattr(loaded, "__all__", ()) if not hasattr(loaded, name)] == []


HEAVY = ("textual", "httpx", "sqlite3", "rich", "click")


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("chatforge_tui.domain.changes", (*HEAVY, "asyncio")),
        ("chatforge_tui.domain.plan_text", (*HEAVY, "asyncio")),
        ("chatforge_tui.errors", (*HEAVY, "asyncio")),
        ("chatforge_tui.streaming.registry", (*HEAVY, "asyncio")),
        ("chatforge_tui.sessions", HEAVY),
        ("chatforge_tui.store.memory_store", HEAVY),
        ("chatforge_tui.store", ("textual", "httpx", "rich", "click")),
        ("chatforge_tui.endpoints", ("textual", "sqlite3", "rich", "click")),
    ],
)
def test_importing_a_layer_loads_nothing_that_belongs_to_another(module, forbidden):
    """The import contracts look at the source; this looks at what a program really loads."""
    code = f"import sys, {module}; print(*sorted(set({forbidden!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert done.stdout.strip() == ""
