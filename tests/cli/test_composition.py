import httpx
import pytest

from chatforge_tui.cli.composition import BuiltInEndpoint, engine
from chatforge_tui.cli.launch import Launch, check_endpoint, default_endpoint
from chatforge_tui.config.settings import BUILT_IN, EndpointSettings, Settings
from chatforge_tui.domain.turn import Prompt, TurnState
from chatforge_tui.errors import ConfigError
from chatforge_tui.safety.redact import redact

CONFIGURED = Settings(endpoints={"platform": EndpointSettings(protocol="a2a", url="https://agents.example.com")})


@pytest.fixture
def built_in(tmp_path):
    endpoint = BuiltInEndpoint(Launch(home=tmp_path))
    yield endpoint
    endpoint.stop()


def test_the_built_in_agent_runs_only_when_somebody_asks_for_it(built_in):
    assert list(built_in) == [BUILT_IN]
    assert len(built_in) == 1
    assert BUILT_IN in built_in
    assert built_in._server is None
    settings = built_in[BUILT_IN]
    assert built_in[BUILT_IN] is settings
    assert httpx.get(f"{settings.url}/.well-known/agent-card.json", trust_env=False).status_code == 200
    built_in.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{settings.url}/.well-known/agent-card.json", trust_env=False)


def test_its_credential_is_redacted_everywhere(built_in):
    bearer = built_in[BUILT_IN].headers["Authorization"].removeprefix("Bearer ")
    assert len(bearer) > 20
    assert redact(f"x {bearer} y") == "x *** y"


def test_no_other_name_is_the_built_in_agent(built_in):
    with pytest.raises(KeyError):
        built_in["platform"]


async def test_the_engine_runs_without_a_screen_and_leaves_nothing_behind(tmp_path):
    launch = Launch(home=tmp_path)
    async with engine(launch) as manager:
        head = await manager.create_session(launch.endpoint())
        await manager.send(head.session_id, Prompt("echo hello"))
        turn = await manager.finished(head.session_id)
        assert turn.head.state is TurnState.COMPLETE
        assert "hello" in turn.answer
    async with engine(launch) as manager:
        assert [one.session_id for one in manager.sessions()] == [head.session_id]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), BUILT_IN),
        (CONFIGURED, "platform"),
        (Settings(default_endpoint=BUILT_IN, endpoints=CONFIGURED.endpoints), BUILT_IN),
    ],
)
def test_new_sessions_go_to_the_default_else_the_first_else_the_built_in_agent(settings, expected):
    assert default_endpoint(settings) == expected


@pytest.mark.parametrize("name", ["platform", BUILT_IN, "http://127.0.0.1:8080/v1"])
def test_a_name_or_a_url_may_be_chosen(name):
    check_endpoint(name, CONFIGURED)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("platfrom", "There is no endpoint 'platfrom'; did you mean platform?"),
        ("zzz", "There is no endpoint 'zzz'; known are platform, built-in; a URL begins with http:// or https://."),
        ("ftp://x", "--endpoint: expected an http or https URL"),
        ("https://u:canary-pw@x.example", "--endpoint: a user name or password in a URL is refused."),
    ],
)
def test_what_cannot_be_an_endpoint_is_told(name, message):
    with pytest.raises(ConfigError) as caught:
        check_endpoint(name, CONFIGURED)
    assert message in str(caught.value)
    assert "canary" not in f"{caught.value} {caught.value.hint}"
