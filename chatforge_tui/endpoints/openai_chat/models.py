"""Which models a server lists, and which one is meant when none is configured."""

from chatforge_tui.endpoints.http import HttpChannel
from chatforge_tui.endpoints.http_status import reject_status
from chatforge_tui.endpoints.loose_json import as_list, as_mapping, as_text, read_object
from chatforge_tui.endpoints.openai_chat.settings import models_urls
from chatforge_tui.safety.redact import redact

_NOT_FOR_CHAT = ("embed", "whisper", "tts", "rerank", "moderation", "dall-e", "transcribe")
_TIMEOUT_S = 15.0
_UNKNOWN = frozenset({404, 405, 501})


async def list_models(channel: HttpChannel, base: str) -> list[str] | None:
    """Return the ids of the server's models, in its order; None when it has no such list.

    Args:
        channel: whose connection to use.
        base: the endpoint's URL.

    Raises:
        EndpointError: the server cannot be asked, or refuses.
    """
    for url in models_urls(base):
        answer = await channel.fetch("GET", url, headers={"Accept": "application/json"}, timeout_s=_TIMEOUT_S)
        if answer.status >= 400 and answer.status not in _UNKNOWN:
            reject_status(answer, answer.body)
        listed = read_object(answer.body) if answer.status == 200 else None
        if listed is not None and isinstance(listed.get("data"), list):
            ids = [as_text(as_mapping(model).get("id")) for model in as_list(listed["data"])]
            return [name for name in ids if name and redact(name) == name]  # else it throws a credential back
    return None


def first_for_chat(models: list[str]) -> str:
    """Return the first model that can hold a conversation, by its name; "" when there is none at all."""
    fitting = (name for name in models if not any(word in name.lower() for word in _NOT_FOR_CHAT))
    return next(fitting, models[0] if models else "")
