"""What clients of the built-in agent's server may do. Values only."""

from msgspec import Struct


class ConnectionLimits(Struct, frozen=True):
    """What clients may do. Times in seconds, > 0."""

    max_connections: int = 512
    """Connections at one time, >= 1; further ones are closed at once."""
    max_tasks: int = 500
    """Tasks that are remembered, >= 1."""
    max_body: int = 64 * 2**20
    """Bytes of one request's body: a prompt with files, in base64."""
    max_head: int = 32_768
    """Bytes of one request's head."""
    request_s: float = 20.0
    """From one request's first byte (or the connection's begin) to its last byte."""
    keep_alive_s: float = 120.0
    """Between two requests."""
    slow_s: float = 30.0
    """How long a client may take nothing of an answer before the connection is given up."""
    ping_s: float = 15.0
    """Silence on an event stream after which a keepalive goes out."""
