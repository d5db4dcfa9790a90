"""What the new-session dialog can offer besides the configuration: servers on this machine, and what the environment names.

Contacts nothing but fixed loopback ports, without a credential, past every proxy. What the environment names is offered
unseen: it is contacted when somebody chooses it, and not before.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from chatforge_tui.domain.session import EndpointRef
from chatforge_tui.endpoints.http import HttpChannel, HttpSettings
from chatforge_tui.errors import EndpointError

LOOPBACK: Final = "127.0.0.1"
PORTS: Final[Mapping[str, int]] = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080, "vLLM": 8000}
"""The ports on which model servers listen unless told otherwise."""
AGENT_PORT: Final = 8000
"""The port on which agent platforms listen unless told otherwise."""
OPENAI_URL: Final = "https://api.openai.com/v1"

_OWNERS: Final = {"library": "Ollama", "organization_owner": "LM Studio", "llamacpp": "llama.cpp", "vllm": "vLLM"}
"""Who owns a listed model, as each server puts it: tells what answers, whatever the port."""
_CARD_PATH: Final = "/.well-known/agent-card.json"
_MAX_ANSWER: Final = 1_048_576
_UNKNOWN: Final = "OpenAI-compatible server"
_YES: Final = frozenset({"1", "true", "yes", "on"})


class Offer(NamedTuple):
    """Something a session could be opened on."""

    ref: EndpointRef
    label: str
    """What it is, e.g. "Ollama". As received where a server named itself: clean it before it is shown."""
    detail: str
    """Where it is and what it has, one line; as received, too."""


class _Model(msgspec.Struct):
    id: str
    owned_by: str = ""


class _Models(msgspec.Struct):
    data: list[_Model]
    object: str = ""


async def discover(
    environ: Mapping[str, str],
    *,
    timeout_s: float = 0.3,
    ports: Mapping[str, int] = PORTS,
    agent_port: int = AGENT_PORT,
) -> list[Offer]:
    """Return what can be offered, the environment's first; nothing twice. Never raises for what does not answer.

    Args:
        environ: the environment variables.
        timeout_s: how long each loopback port may take, in seconds, > 0.
        ports: where model servers may listen: usual name to port.
        agent_port: where an A2A agent may listen.
    """
    named = offers_of_environment(environ)
    answers = await asyncio.gather(
        _agent_on(agent_port, timeout_s), *(_models_on(name, port, timeout_s) for name, port in ports.items())
    )
    return _each_once([*named, *(offer for offer in answers if offer)])


def offers_of_environment(environ: Mapping[str, str]) -> list[Offer]:
    """Return what well-known environment variables name, without contacting it."""
    return [offer for offer in (_agent_of(environ), _openai_of(environ)) if offer]


def _agent_of(environ: Mapping[str, str]) -> Offer | None:
    """Read A2A_HOST, A2A_PORT, A2A_TLS and A2A_TOKEN; the first two have the defaults that A2A clients agree on."""
    host, port = environ.get("A2A_HOST", "").strip(), environ.get("A2A_PORT", "").strip()
    if not host and not port:
        return None
    secure = environ.get("A2A_TLS", "").strip().lower() in _YES
    place = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host or "localhost"
    url = host if "://" in host else f"{'https' if secure else 'http'}://{place}:{port or '8000'}"
    if not _is_usable(url):
        return None
    token = "A2A_TOKEN" if environ.get("A2A_TOKEN") else ""
    ref = EndpointRef(name=url, protocol="a2a", token_env=token)
    return Offer(ref, "A2A agent", f"{url}, named by {_names(environ, 'A2A_HOST', 'A2A_PORT', 'A2A_TLS', 'A2A_TOKEN')}")


def _openai_of(environ: Mapping[str, str]) -> Offer | None:
    """Read OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL; a key alone means OpenAI itself."""
    given, key = environ.get("OPENAI_BASE_URL", "").strip(), environ.get("OPENAI_API_KEY", "").strip()
    url = (given or OPENAI_URL).rstrip("/")
    if not (given or key) or not _is_usable(url):
        return None
    ref = EndpointRef(
        name=url,
        protocol="openai-chat",
        model=environ.get("OPENAI_MODEL", "").strip(),
        token_env="OPENAI_API_KEY" if key else "",
    )
    label = "OpenAI" if url == OPENAI_URL else _UNKNOWN
    return Offer(ref, label, f"{url}, named by {_names(environ, 'OPENAI_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_MODEL')}")


def _names(environ: Mapping[str, str], *names: str) -> str:
    return ", ".join(name for name in names if environ.get(name, "").strip())


def _is_usable(url: str) -> bool:
    """Tell whether a URL can be an endpoint's: http or https, a host, a port in range, and no credential in it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    named = parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
    return named and "@" not in parts.netloc and not any(letter.isspace() for letter in url)


async def _models_on(usual: str, port: int, timeout_s: float) -> Offer | None:
    """Ask a loopback port for its models; None unless what answers is a server of the OpenAI protocol."""
    listed, version = await asyncio.gather(
        _get(port, "/v1/models", timeout_s), _get(port, "/api/version", timeout_s) if usual == "Ollama" else _nothing()
    )
    models = _models_in(listed)
    if models is None:
        return None
    owners = {_OWNERS[model.owned_by] for model in models if model.owned_by in _OWNERS}
    is_ollama = isinstance(_decoded(version).get("version"), str)
    label = owners.pop() if len(owners) == 1 else "Ollama" if is_ollama else _UNKNOWN
    url = f"http://{LOOPBACK}:{port}/v1"
    first = models[0].id if models else ""
    amount = f"{len(models)} models, first {first}" if len(models) > 1 else first or "no model yet"
    return Offer(EndpointRef(name=url, protocol="openai-chat", model=first), label, f"{url}, {amount}")


def _models_in(body: bytes | None) -> list[_Model] | None:
    """Return the models of a list of models; None for anything else."""
    if body is None:
        return None
    try:
        listed = msgspec.json.decode(body, type=_Models)
    except (msgspec.DecodeError, RecursionError):
        return None
    return listed.data if listed.object in ("list", "") else None


async def _agent_on(port: int, timeout_s: float) -> Offer | None:
    """Ask a loopback port for an agent card; None unless it shows one."""
    card = _decoded(await _get(port, _CARD_PATH, timeout_s))
    name = card.get("name")
    if not isinstance(name, str) or not name or not ("supportedInterfaces" in card or "url" in card):
        return None
    url = f"http://{LOOPBACK}:{port}"
    return Offer(EndpointRef(name=url, protocol="a2a"), name[:80], f"{url}, an A2A agent")


async def _get(port: int, path: str, timeout_s: float) -> bytes | None:
    """Return what a loopback port answers with status 200; None for everything else."""
    channel = HttpChannel(HttpSettings(proxy="direct", connect_s=timeout_s))
    try:
        answer = await channel.fetch("GET", f"http://{LOOPBACK}:{port}{path}", timeout_s=timeout_s, limit=_MAX_ANSWER)
    except EndpointError:
        return None
    finally:
        await channel.aclose()
    return answer.body if answer.status == 200 else None


async def _nothing() -> bytes | None:
    return None


def _decoded(body: bytes | None) -> dict[str, Any]:
    """Return a JSON object; {} for anything else."""
    try:
        return msgspec.json.decode(body or b"", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}


def _each_once(offers: Iterable[Offer]) -> list[Offer]:
    """Leave out what leads where an earlier offer leads, however it spells loopback."""
    found: dict[str, Offer] = {}
    for offer in offers:
        place = urlsplit(offer.ref.name)
        host = LOOPBACK if place.hostname in ("localhost", "::1") else place.hostname
        found.setdefault(f"{offer.ref.protocol} {place.scheme} {host} {place.port} {place.path.rstrip('/')}", offer)
    return list(found.values())
