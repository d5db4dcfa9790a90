"""What an OpenAI-compatible endpoint is asked with, and at which addresses."""

from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from chatforge_tui.endpoints.http_url import split_url

_CHAT = "/chat/completions"


class OpenAiChatSettings(Struct, frozen=True):
    """One OpenAI-compatible endpoint."""

    url: str
    """Its base, with or without /v1; Azure's deployment URL with its api-version; or the whole .../chat/completions."""
    model: str = ""
    """"" = the first one that the server lists."""
    system: str = ""
    """Instruction before every conversation; "" = none."""
    temperature: float | None = None
    max_tokens: int | None = None


def chat_urls(base: str) -> tuple[str, ...]:
    """Return where a chat may be asked for, likeliest first: a base that says nothing about /v1 may mean either."""
    return _urls(base, _CHAT)


def models_urls(base: str) -> tuple[str, ...]:
    """Return where the models may be listed, likeliest first."""
    return _urls(base, "/models")


def is_azure(base: str) -> bool:
    """Whether the endpoint is Azure's, which wants its key in the header `api-key`."""
    parts = split_url(base)
    host = parts.hostname or ""
    return host.endswith((".azure.com", ".azure.us", ".azure.cn")) or "/openai/deployments/" in parts.path


def counts_completion_tokens(base: str) -> bool:
    """Whether the endpoint names its limit `max_completion_tokens`; all others understand `max_tokens`."""
    return split_url(base).hostname == "api.openai.com" or is_azure(base)


def _urls(base: str, leaf: str) -> tuple[str, ...]:
    split_url(base)
    parts = urlsplit(base)
    path = parts.path.rstrip("/").removesuffix(_CHAT)
    has_version = any(step[:1] == "v" and step[1:2].isdigit() for step in path.split("/"))
    paths = (path,) if has_version or is_azure(base) else (path, f"{path}/v1") if path else ("/v1", "")
    if parts.path.rstrip("/").endswith(_CHAT):
        paths = (path,)
    return tuple(urlunsplit((parts.scheme, parts.netloc, each + leaf, parts.query, "")) for each in paths)
