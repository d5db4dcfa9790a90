import pytest


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch):
    """A proxy in the environment of whoever runs the tests must not come between them and loopback."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
