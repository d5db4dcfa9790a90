"""Each session that streams holds a connection, so the program asks for as many descriptors as it may have."""

import resource
from resource import RLIM_INFINITY

import pytest

from chatforge_tui.cli.open_files import MOST, allow_open_files


@pytest.fixture
def limit(monkeypatch):
    """Return a function that sets what the system allows, and says what was asked for."""

    def of(soft, hard, *, refuses_over=RLIM_INFINITY):
        asked = []

        def set_limit(_, limits):
            if refuses_over != RLIM_INFINITY and limits[0] > refuses_over:
                raise ValueError("not allowed")
            asked.append(limits)

        monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
        monkeypatch.setattr(resource, "setrlimit", set_limit)
        return asked

    return of


@pytest.mark.parametrize(
    ("soft", "hard", "refuses_over", "asked"),
    [
        (1_024, 524_288, RLIM_INFINITY, [(MOST, 524_288)]),
        (1_024, 4_096, RLIM_INFINITY, [(4_096, 4_096)]),
        (256, RLIM_INFINITY, 10_240, [(10_240, RLIM_INFINITY)]),  # macOS
        (256, 524_288, 100, []),  # whatever it says, it does not allow more
        (4_096, 4_096, RLIM_INFINITY, []),
        (100_000, 524_288, RLIM_INFINITY, []),  # never lowered
        (RLIM_INFINITY, RLIM_INFINITY, RLIM_INFINITY, []),
    ],
)
def test_the_limit_is_raised_to_what_is_allowed(limit, soft, hard, refuses_over, asked):
    found = limit(soft, hard, refuses_over=refuses_over)
    allow_open_files()
    assert found == asked
