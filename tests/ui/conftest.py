from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The directory that holds everything of one program."""
    return tmp_path
