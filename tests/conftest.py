"""What holds for all tests: the order in which their files go to the workers, and that no verdict depends on the machine's load.

Files that take long go to the workers of pytest-xdist first, so that none is left alone.
"""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any load", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any load")

LONG = (
    "tests/benchmarks/test_bench.py",
    "tests/soak/",
    "tests/hostile/",
    "tests/endpoints/a2a/test_real_servers.py",
    "tests/acceptance/",
    "tests/ui/test_unusable_store.py",
    "tests/ui/test_search_all.py",
    "tests/screenshots/",
)
"""Files, and directories of files, that take more than 15 s each, the longest first."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the files for `--dist loadfile`; their tests stay in the order that pytest-randomly gave them."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    return next((rank for rank, start in enumerate(LONG) if nodeid.startswith(start)), len(LONG))
