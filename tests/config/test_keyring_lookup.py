"""Credentials from a keyring, through the package's own interface for backends."""

import subprocess
import sys
import threading

import pytest

from chatforge_tui.config.credentials import may_prompt, resolve, source
from chatforge_tui.config.keyring_lookup import from_keyring, split_entry
from chatforge_tui.config.settings import EndpointSettings
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.redact import redact

keyring = pytest.importorskip("keyring", reason="pip install -e '.[dev]' brings it")
backend = pytest.importorskip("keyring.backend")
errors = pytest.importorskip("keyring.errors")
fail = pytest.importorskip("keyring.backends.fail")


class Drawer(backend.KeyringBackend):
    """A keyring of the tests' own."""

    priority = 1

    def __init__(self, entries=(), error=None, blocks=None):
        self.entries, self.error, self.blocks = dict(entries), error, blocks

    def get_password(self, service, username):
        if self.blocks:
            self.blocks.wait(10)
        if self.error:
            raise self.error
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        raise NotImplementedError


@pytest.fixture
def use():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def endpoint(**ways):
    return EndpointSettings(protocol="a2a", url="https://agent.example", **ways)


def test_the_entry_is_read_and_redacted_from_then_on(use):
    use(Drawer({("agents.example/v1", "me"): "keyring-canary-7731"}))
    settings = endpoint(token_keyring="agents.example/v1/me")
    assert resolve(settings, {}).reveal() == "keyring-canary-7731"
    assert redact("x keyring-canary-7731 y") == "x *** y"
    assert source(settings) == "keyring agents.example/v1/me"


def test_the_keyring_comes_last(use, tmp_path):
    use(Drawer(error=AssertionError("not to be asked")))
    file = tmp_path / "token"
    file.write_text("from-the-file")
    settings = endpoint(token_env="T", token_file=str(file), token_keyring="a/b")
    assert resolve(settings, {}).reveal() == "from-the-file"
    assert not may_prompt(settings, {})
    use(Drawer({("a", "b"): "from-the-keyring"}))
    assert resolve(endpoint(token_env="T", token_keyring="a/b"), {}).reveal() == "from-the-keyring"
    assert may_prompt(endpoint(token_env="T", token_keyring="a/b"), {})


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (fail.Keyring, "There is no keyring on this machine, as on most without a desktop.", "token_env"),
        (lambda: Drawer(error=errors.KeyringLocked("secret-words")), "The keyring refused (KeyringLocked).", "Unlock"),
        (lambda: Drawer(error=OSError("no bus")), "The keyring refused (OSError).", "Unlock"),
        (Drawer, "The keyring has no entry a/b.", "python3 -m keyring set a b"),
    ],
)
def test_what_keeps_it_from_being_read_is_said_plainly(use, make, message, hint):
    use(make())
    with pytest.raises(ConfigError) as caught:
        from_keyring("a/b")
    assert str(caught.value) == message
    assert hint in caught.value.hint
    assert "secret-words" not in caught.value.hint


def test_a_keyring_whose_dialog_nobody_answers_is_not_waited_for(use):
    answered = threading.Event()
    use(Drawer(blocks=answered))
    with pytest.raises(ConfigError, match=r"did not answer within 0\.05 s"):
        from_keyring("a/b", 0.05)
    answered.set()


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError) as caught:
        from_keyring("a/b")
    assert "chatforge-tui[keyring]" in caught.value.hint


def test_the_package_is_not_loaded_before_it_is_needed():
    code = "import sys, chatforge_tui.config.credentials; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("entry", ["", "a", "/a", "a/", " / "])
def test_an_entry_has_service_and_user(entry):
    assert split_entry(entry) is None
