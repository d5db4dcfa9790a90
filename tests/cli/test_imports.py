"""What each command loads: a command pays for what it does, and only the UI for the screen."""

import json
import subprocess
import sys

import pytest

from tests.cli.program import ROOT


def loaded(tmp_path, *words):
    code = (
        "import json, sys\n"
        "from chatforge_tui.cli.main import run\n"
        f"code = run(['--home', {str(tmp_path)!r}, *{list(words)!r}])\n"
        "print('\\n' + json.dumps([code, sorted(sys.modules)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, {name.split(".")[0] for name in modules} | set(modules)


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (
            ("sessions",),
            {"textual", "rich", "httpx", "markdown_it", "tomllib", "logging.handlers", "chatforge_tui.sessions"},
        ),
        (("config", "path"), {"textual", "rich", "httpx", "sqlite3", "asyncio"}),
        (("endpoints",), {"textual", "rich", "httpx", "sqlite3", "asyncio"}),
        (("send", "hello"), {"textual", "chatforge_tui.ui"}),  # httpx itself loads rich
    ],
)
def test_a_command_loads_no_more_than_it_needs(tmp_path, words, absent):
    code, modules = loaded(tmp_path, *words)
    assert code == 0
    assert not modules & absent


def test_the_screen_comes_before_the_engine():
    """What stands before the first frame: the UI, not the engine, the endpoints, the store or the built-in agent."""
    code = (
        "import json, sys\n"
        "import chatforge_tui.cli.main, chatforge_tui.cli.ui_start, chatforge_tui.ui.app\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    late = {
        "httpx",
        "sqlite3",
        "markdown_it",  # with the transcript 60 ms, a quarter of the time to the first frame
        "hashlib",
        "chatforge_tui.ui.transcript.view",
        "chatforge_tui.guide.server",
        "chatforge_tui.endpoints.catalog",
        "chatforge_tui.store.sqlite_store",
    }
    assert not late & set(json.loads(done.stdout))
