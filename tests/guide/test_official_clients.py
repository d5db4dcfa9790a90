"""The official A2A SDK's clients talk to the agent, each from a virtual environment of its own.

Slow: the first run installs the SDKs (40 MB each) into CHATFORGE_TEST_CACHE, or a directory beside pytest's own.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import pytest

from chatforge_tui.guide.pace import Pace
from chatforge_tui.guide.server import GuideServer
from tests.guide.material import REFERENCE

CLIENTS = Path(__file__).parent / "clients"


def interpreter_with(requirement: str) -> Path:
    """Return a Python that has a package, made at the first call."""
    cache = Path(os.environ.get("CHATFORGE_TEST_CACHE") or Path(tempfile.gettempdir()) / "chatforge-test-cache")
    home = cache / requirement.replace("==", "-")
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", requirement, "httpx"], check=True)
        (home / "complete").touch()
    return python


def conversation(requirement: str, program: str) -> dict[str, Any]:
    """Have a client program talk to the agent, and return what it saw."""
    python = interpreter_with(requirement)
    with GuideServer(REFERENCE, pace=Pace(words_per_second=2000, step_s=0.01)) as address:
        command = [python, CLIENTS / program, address.url, address.token.reveal()]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_client_of_sdk_1_3_holds_a_whole_conversation() -> None:
    seen = conversation("a2a-sdk==1.3.0", "a2a_sdk_10.py")

    assert seen["card"]["name"] == "ChatForge guide"
    assert {"execution_plan_update", "tool_notification_start", "final_result"} <= _names(seen["plan"])
    assert seen["plan"][-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert seen["asked"][-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    assert "for Ada" in json.dumps(seen["answered"])
    assert seen["task"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert len(seen["listed"]["tasks"]) == 1
    assert "task" in seen["snapshot"]
    assert seen["canceled"] == "TASK_STATE_CANCELED"
    assert seen["rest"][-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_CANCELED"
    assert seen["twice"] == "TaskNotCancelableError"
    assert "in one piece" in json.dumps(seen["whole"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_client_of_sdk_0_3_holds_a_whole_conversation() -> None:
    seen = conversation("a2a-sdk==0.3.26", "a2a_sdk_03.py")

    assert seen["card"]["preferredTransport"] == "JSONRPC"
    names = {event["artifact"]["name"] for event in seen["plan"] if "artifact" in event}
    assert {"execution_plan_update", "tool_notification_start", "final_result"} <= names
    assert seen["plan"][-1]["status"]["state"] == "completed"
    assert seen["asked"][-1]["status"]["state"] == "input-required"
    assert "for Ada" in json.dumps(seen["answered"])
    assert seen["task"]["status"]["state"] == "completed"
    assert seen["snapshot"]["kind"] == "task"
    assert seen["canceled"] == "canceled"
    assert seen["rest"][-1]["status"]["state"] == "canceled"
    assert "-32002" in seen["twice"]
    assert seen["whole"][-1]["status"]["state"] == "completed"


def _names(events: list[dict[str, Any]]) -> set[str]:
    return {event["artifactUpdate"]["artifact"]["name"] for event in events if "artifactUpdate" in event}
