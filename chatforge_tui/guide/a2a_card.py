"""The agent card: how a client that knows the address only learns the rest. One card for both versions. Pure."""

from chatforge_tui.guide.abilities import ABILITIES
from chatforge_tui.guide.agent import DESCRIPTION, NAME

_TEXT = "text/plain"


def agent_card(url: str, version: str) -> dict[str, object]:
    """Return the card.

    Args:
        url: where JSON-RPC requests go.
        version: the program's own version.
    """
    interfaces = [
        {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"},
        {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "0.3"},
    ]
    return {
        "name": NAME,
        "description": DESCRIPTION,
        "version": version,
        "supportedInterfaces": interfaces,
        "url": url,
        "preferredTransport": "JSONRPC",
        "protocolVersion": "0.3.0",
        "capabilities": {"streaming": True, "pushNotifications": False},
        "defaultInputModes": [_TEXT, "application/json", "*/*"],
        "defaultOutputModes": [_TEXT, "text/markdown", "text/csv", "application/json"],
        # one scheme in both versions' shapes: each reads its own keys and skips the other's
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "httpAuthSecurityScheme": {"scheme": "Bearer"}}
        },
        "security": [{"bearer": []}],
        "securityRequirements": [{"schemes": {"bearer": {"list": []}}}],
        "skills": [_answers(), *(_shows(a.example, a.description) for a in ABILITIES)],
    }


def _answers() -> dict[str, object]:
    return {
        "id": "answer",
        "name": "Answer questions about ChatForge",
        "description": "Keys, commands, settings, places on disk, troubles: from the program's own reference.",
        "tags": ["help", "reference"],
        "examples": ["how do I open a new tab", "what does Esc do", "how do I use my own model"],
    }


def _shows(example: str, description: str) -> dict[str, object]:
    return {
        "id": "-".join(example.lower().split()),
        "name": example.capitalize(),
        "description": f"{description[0].upper()}{description[1:]}.",
        "tags": ["demonstration"],
        "examples": [example],
    }
