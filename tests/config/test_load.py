import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatforge_tui.config.load import LARGEST, load_settings
from chatforge_tui.config.settings import Settings
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.redact import redact

BASE = """default_endpoint = "local"

[endpoints.local]
protocol = "openai-chat"
url = "http://127.0.0.1:11434/v1"
"""
CANARY = "sk-canary-9f8e7d6c5b4a"


@pytest.fixture
def load(tmp_path):
    def load(text):
        path = tmp_path / "config.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_settings(path)

    return load


def outcome(path):
    """Return the refusal's sentence, None when the file was taken; any other error goes on."""
    try:
        load_settings(path)
    except ConfigError as error:
        return str(error)
    return None


def refusal(load, text):
    with pytest.raises(ConfigError) as caught:
        load(text)
    return caught.value


def test_no_file_means_defaults(tmp_path):
    assert load_settings(tmp_path / "config.toml") == Settings()


def test_the_example_of_the_design_is_read(load):
    settings = load("""
default_endpoint = "platform"

[endpoints.platform]
protocol = "a2a"                       # a2a | openai-chat
url = "https://agents.example.com"
token_env = "PLATFORM_TOKEN"           # or token_command = ["pass", "show", "platform"]

[endpoints.local]
protocol = "openai-chat"
url = "http://127.0.0.1:11434/v1"
model = "qwen3"
system = "Answer briefly."

[keys]
"session.new" = "ctrl+n"
""")
    assert settings.default_endpoint == "platform"
    assert list(settings.endpoints) == ["platform", "local"]
    assert settings.endpoints["platform"].token_env == "PLATFORM_TOKEN"
    assert settings.endpoints["local"].model == "qwen3"
    assert settings.keys == {"session.new": "ctrl+n"}


def test_windows_line_ends_and_a_byte_order_mark_are_read(load):
    assert load(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode()).default_endpoint == "local"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('protocl = "x"', "config.toml line 6: endpoints.local.protocl: no such setting; did you mean protocol?"),
        ('temperature = "hot"', "config.toml line 6: endpoints.local.temperature: expected a number, got text."),
        ("temperature = 9", "config.toml line 6: endpoints.local.temperature: expected a number <= 2."),
        ("max_tokens = 0", "config.toml line 6: endpoints.local.max_tokens: expected a whole number >= 1."),
        ('verify = "no"', "config.toml line 6: endpoints.local.verify: expected true or false, got text."),
        (
            'token_keyring = "sk-123"',
            "line 6: endpoints.local.token_keyring: expected service/user, not a credential itself.",
        ),
        ('token_command = "pass show x"', "line 6: endpoints.local.token_command: expected a list, got text."),
        ("connect_s = -1", "config.toml line 6: endpoints.local.connect_s: expected a number > 0."),
        ("headers = { a = 1 }", "line 6: endpoints.local.headers: expected text, got a whole number."),
        ('headers = { "a b" = "x" }', "line 6: endpoints.local.headers.a b: expected the name of an HTTP header."),
        ('proxy = "ftp://x"', 'line 6: endpoints.local.proxy: expected an http or https URL, or "direct".'),
        ('\n[ui]\nabort = "triple"', "config.toml line 8: ui.abort: expected one of single, double."),
        ('\n[ui]\nthme = "x"', "config.toml line 8: ui.thme: no such setting; did you mean theme?"),
        ('\n[keys]\n"session.nw" = "f5"', "line 8: keys.session.nw: no such action; did you mean session.new?"),
        (
            '\n[keys]\n"session.new" = "f99"',
            "line 8: keys.session.new: 'f99' is no key; expected a name such as ctrl+n",
        ),
        ('\n[keys]\n"session.new" = "ctrl+q"', "line 8: keys.session.new: ctrl+q is also the key of app.quit"),
        (
            '\n[endpoints."a b"]\nprotocol = "a2a"\nurl = "ftp://x"',
            "line 9: endpoints.a b.url: expected an http or https",
        ),
        ('\n[endpoints.b]\nprotocol = "a2a"', "config.toml line 7: endpoints.b: url is missing."),
        (
            '\n[endpoints.b]\nprotocol = "a2"\nurl = "http://x"',
            "line 8: endpoints.b.protocol: expected one of a2a, openai-chat.",
        ),
        ('\n[endpoints.built-in]\nprotocol = "a2a"\nurl = "http://x"', "endpoints.built-in: this name is taken"),
        ('\n[endpoint]\nx = "y"', "config.toml line 7: endpoint: no such setting; did you mean endpoints?"),
        ("x = [", "config.toml line 6: no valid TOML: Invalid value."),
        ('system = """\n\n\ny', "config.toml line 9: no valid TOML:"),
    ],
)
def test_a_mistake_is_told_with_file_line_key_and_what_was_expected(load, extra, message):
    assert message in str(refusal(load, BASE + extra))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("trash_days = -1", "config.toml line 1: trash_days: expected a whole number >= 0."),
        ('trash_days = "never"', "config.toml line 1: trash_days: expected a whole number, got text."),
        ('outbox = "yes"', "config.toml line 1: outbox: expected one of ask, auto."),
        ("default_endpoint = 1", "config.toml line 1: default_endpoint: expected text, got a whole number."),
    ],
)
def test_a_mistake_above_the_tables_is_told_alike(load, line, message):
    assert message in str(refusal(load, line))


def test_a_default_that_is_not_configured_is_told_with_what_is(load):
    message = str(refusal(load, BASE.replace('"local"', '"lokal"', 1)))
    assert (
        "config.toml line 1: default_endpoint: there is no endpoint 'lokal'; expected one of local, built-in" in message
    )


@pytest.mark.parametrize(
    "extra",
    [
        f'token = "{CANARY}"',
        f'api_key = "{CANARY}"',
        f'api-key = "{CANARY}"',
        f'apikey = "{CANARY}"',
        f'authorization = "Bearer {CANARY}"',
        f'password = "{CANARY}"',
        f'headers = {{ Authorization = "Bearer {CANARY}" }}',
        f'headers = {{ "X-API-Key" = "{CANARY}" }}',
        f'headers = {{ Cookie = "sid={CANARY}" }}',
        f'token_env = "{CANARY}"',
        f'\n[endpoints.b]\nprotocol = "a2a"\nurl = "https://user:{CANARY}@agent.example"',
        f'\n[endpoints.b]\nprotocol = "a2a"\nurl = "https://agent.example?key={CANARY}"',
        f'\n[ui]\ntoken = "{CANARY}"',
    ],
)
def test_a_literal_credential_is_refused_never_quoted_and_redacted_from_then_on(load, extra):
    error = refusal(load, BASE + extra)
    assert CANARY not in f"{error} {error.hint}"
    assert "config.toml line" in str(error)
    assert CANARY not in redact(f"a traceback with {CANARY}")


def test_the_refusal_of_a_credential_names_the_ways_that_there_are(load):
    hint = refusal(load, f'{BASE}token = "{CANARY}"').hint
    assert all(way in hint for way in ("token_env", "token_file", "token_command", "token_keyring"))


def test_what_is_no_text_file_is_told_as_such(tmp_path):
    with pytest.raises(ConfigError, match="is no file"):
        load_settings(tmp_path)
    path = tmp_path / "config.toml"
    path.write_bytes(b"ok = 1\n\xff")
    with pytest.raises(ConfigError, match=r"config.toml line 2: expected UTF-8 text"):
        load_settings(path)
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load_settings(path)
    path.write_text("a = " + "[" * 3000)
    with pytest.raises(ConfigError):
        load_settings(path)


@pytest.mark.parametrize("text", ["endpoints = 3", "[endpoints]\nx = 1", "keys = 1", "ui = 'x'", "[[endpoints]]\na=1"])
def test_a_value_where_a_table_belongs_is_told(load, text):
    assert "expected a table" in str(refusal(load, text))


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail_in_any_other_way(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_bytes(content)
    assert outcome(path) is None or str(path) in outcome(path)


values = st.recursive(
    st.one_of(
        st.integers(-5, 5), st.booleans(), st.sampled_from(["", "a2a", "http://x", "direct", "x y"]), st.floats(0, 3)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["url", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*Settings.__struct_fields__, "token", "x"]), values, max_size=4))
def test_no_toml_makes_the_judge_fail_in_any_other_way(tmp_path_factory, data):
    def toml(value):
        match value:
            case bool():
                return str(value).lower()
            case dict():
                return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
            case list():
                return "[" + ", ".join(map(toml, value)) + "]"
            case str():
                return f'"{value}"'
            case _:
                return repr(value)

    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in data.items()))
    assert outcome(path) is None or "config.toml line" in outcome(path)
