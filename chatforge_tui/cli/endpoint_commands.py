"""`chatforge endpoints`: what is configured, without asking anybody and without a credential."""

from chatforge_tui.cli.launch import Launch, default_endpoint
from chatforge_tui.cli.output import standard_output
from chatforge_tui.cli.session_table import aligned
from chatforge_tui.config.credentials import source
from chatforge_tui.config.settings import BUILT_IN, EndpointSettings, Settings
from chatforge_tui.exchange.json_shapes import Json, dumps
from chatforge_tui.safety.clean import clean_name
from chatforge_tui.safety.redact import redact
from chatforge_tui.safety.urls import without_userinfo

_HEADINGS = ("NAME", "PROTOCOL", "URL", "MODEL", "CREDENTIAL")


def list_endpoints(launch: Launch, *, as_json: bool) -> None:
    """Write the endpoints; the default one is marked."""
    settings = launch.settings
    shapes = [*(_shape(name, one, settings) for name, one in settings.endpoints.items()), _built_in(settings)]
    output = standard_output()
    if as_json:
        output.raw_line(dumps(shapes, indent=2))
        return
    output.line("\n".join(aligned([_HEADINGS, *map(_row, shapes)])))
    output.line(f"\n* is the default. They are configured in {launch.locations.config_file}")


def _shape(name: str, endpoint: EndpointSettings, settings: Settings) -> Json:
    return {
        "name": name,
        "protocol": endpoint.protocol,
        "url": redact(without_userinfo(endpoint.url)),
        "model": endpoint.model or None,
        "credential": source(endpoint) or None,
        "default": name == default_endpoint(settings),
    }


def _built_in(settings: Settings) -> Json:
    """Return the agent inside ChatForge: its URL and credential are made anew at each start."""
    is_default = default_endpoint(settings) == BUILT_IN
    return {
        "name": BUILT_IN,
        "protocol": "a2a",
        "url": None,
        "model": None,
        "credential": None,
        "default": is_default,
    }


def _row(shape: Json) -> tuple[str, ...]:
    name = f"{clean_name(shape['name'])}{' *' if shape['default'] else ''}"
    return (name, *(clean_name(shape[key] or "-") for key in ("protocol", "url", "model", "credential")))
