import base64
import sys

import pytest

from chatforge_tui.config import credentials
from chatforge_tui.config.credentials import resolve, source
from chatforge_tui.config.settings import EndpointSettings
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.redact import redact


def endpoint(**ways):
    return EndpointSettings(protocol="a2a", url="https://agent.example", **ways)


def printing(text, code=0):
    return (sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})")


def test_an_endpoint_that_names_no_way_has_no_credential():
    assert resolve(endpoint(), {"TOKEN": "x"}) is None
    assert source(endpoint()) == ""


def test_the_environment_comes_first_then_the_file_then_the_command(tmp_path):
    file = tmp_path / "token"
    file.write_text("from-the-file\n")
    every = endpoint(token_env="T", token_file=str(file), token_command=printing("from-the-command"))
    assert resolve(every, {"T": "from-the-environment"}).reveal() == "from-the-environment"
    assert resolve(every, {}).reveal() == "from-the-file"
    assert resolve(endpoint(token_command=printing("from-the-command")), {}).reveal() == "from-the-command"


def test_spaces_and_newlines_around_a_credential_are_no_part_of_it(tmp_path):
    file = tmp_path / "token"
    file.write_text("\n  secret-token-1 \r\n")
    assert resolve(endpoint(token_file=str(file)), {}).reveal() == "secret-token-1"


def test_a_home_directory_is_found_in_a_file_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text("secret-token-2")
    assert resolve(endpoint(token_file="~/token"), {}).reveal() == "secret-token-2"


def test_a_loaded_credential_is_redacted_in_every_form():
    resolve(endpoint(token_env="T"), {"T": "canary/credential+1"})
    hidden = base64.b64encode(b"user:canary/credential+1").decode()
    assert redact(f"canary/credential+1 canary%2Fcredential%2B1 {hidden}").count("***") == 3
    assert "canary" not in redact("x canary/credential+1 y")


@pytest.mark.parametrize(
    ("ways", "environ", "message"),
    [
        ({"token_env": "T"}, {}, "The environment variable T is not set."),
        ({"token_env": "T"}, {"T": "  "}, "The environment variable T is not set."),
        ({"token_env": "T"}, {"T": "two\nlines"}, "cannot be one"),
        ({"token_env": "T"}, {"T": "gr\u00fc\u00df"}, "cannot be one"),
        ({"token_file": "/no/such/file"}, {}, "The credential file /no/such/file does not exist."),
        ({"token_command": ("/no/such/program",)}, {}, "/no/such/program cannot be run: No such file or directory."),
        ({"token_command": printing("x", 3)}, {}, "failed with exit code 3."),
        ({"token_command": printing("")}, {}, "is empty."),
    ],
)
def test_a_credential_that_cannot_be_had_is_told_without_quoting_it(ways, environ, message):
    with pytest.raises(ConfigError) as caught:
        resolve(endpoint(**ways), environ)
    assert message in str(caught.value)
    assert all(value.strip() not in str(caught.value) for value in environ.values() if value.strip())


def test_a_command_that_waits_is_ended(monkeypatch):
    monkeypatch.setattr(credentials, "COMMAND_SECONDS", 0.2)
    with pytest.raises(ConfigError, match=r"took longer than 0.2 s"):
        resolve(endpoint(token_command=(sys.executable, "-c", "import time; time.sleep(60)")), {})


def test_the_source_of_a_credential_is_told_but_never_the_credential():
    every = endpoint(token_env="T", token_file="~/t", token_command=("pass", "show", "x"))
    assert source(every) == "env T, file ~/t, command pass"
