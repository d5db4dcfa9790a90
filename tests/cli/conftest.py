import logging

import pytest

from chatforge_tui.cli.logging_setup import PrivateFileHandler
from tests.cli.program import Program


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "home")


@pytest.fixture(autouse=True)
def no_log_is_left_open():
    """Take back what start_logging does to this process."""
    level = logging.getLogger().level
    yield
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, PrivateFileHandler)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
