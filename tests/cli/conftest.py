import pytest

from tests.cli.program import Program


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "home")
